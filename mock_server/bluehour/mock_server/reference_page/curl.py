"""The curl command that calls an operation with its own examples: ready to paste into a shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from bluehour.openapi import curl as commands
from bluehour.openapi.document import SpecError
from bluehour.openapi.messages import Headers, Request
from bluehour.openapi.model import MediaType, Operation, Parameter, Security

TOKEN = "any-token"  # noqa: S105 - no secret: the mock takes any
_FORM = "multipart/form-data"
_FILE = "file"
"""Where a body is that can't be shown."""
_SHORT = 72
_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
# Parts of a request of which others than parameters speak.
_NOT_PARAMETERS = ("accept", "content-type", "authorization")


def curl(operation: Operation, base_url: str) -> str:
    """Return the command, an option per line, and the lines of a long body as they are."""
    media = _media(operation)
    value = _shortest(media) if media else None
    form = list(_fields(value)) if media and media.name == _FORM and isinstance(value, dict) else []
    body = b"" if media is None or form else _body(media, value)
    headers = Headers(_headers(operation))
    return commands.curl(
        Request(operation.method, _target(operation), headers, body or b"", base_url),
        body_file=_FILE if body is None else None,
        form=form,
        keeps_lines=True,
    )


def _target(operation: Operation) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(_text(parameter), safe=",:@"))
    pairs = [pair for one in _required(operation, "query") for pair in _pairs(one)]
    pairs += [f"{quote(one.parameter)}={TOKEN}" for one in _keys(operation, "query")]
    return path + ("?" + "&".join(pairs) if pairs else "")


def _pairs(parameter: Parameter) -> Iterator[str]:
    """A query parameter as its style writes it."""
    name, value = quote(parameter.name), _example(parameter)
    if parameter.is_json or not isinstance(value, list | dict):
        yield f"{name}={quote(_text(parameter), safe=',:@/')}"
    elif isinstance(value, dict) and parameter.style == "deepObject":
        yield from (f"{name}%5B{quote(key)}%5D={quote(_plain(item))}" for key, item in value.items())
    elif isinstance(value, dict) and parameter.explode:
        yield from (f"{quote(key)}={quote(_plain(item))}" for key, item in value.items())
    elif parameter.explode:
        yield from (f"{name}={quote(_plain(item))}" for item in value)
    else:
        separator = _SEPARATORS.get(parameter.style, ",")
        yield f"{name}={separator.join(quote(item) for item in _listed(value))}"


def _headers(operation: Operation) -> Iterator[tuple[str, str]]:
    yield from (header for scheme in _security(operation) for header in _credential(scheme))
    for parameter in _required(operation, "header"):
        if parameter.name.lower() not in _NOT_PARAMETERS:
            yield parameter.name, " ".join(_text(parameter).split())
    cookies = [f"{one.name}={_text(one)}" for one in _required(operation, "cookie")]
    cookies += [f"{one.parameter}={TOKEN}" for one in _keys(operation, "cookie")]
    if cookies:
        yield "Cookie", "; ".join(cookies)
    media = _media(operation)
    if media and media.name != _FORM:
        yield "Content-Type", media.name


def _credential(scheme: Security) -> Iterator[tuple[str, str]]:
    if scheme.type == "apiKey" and scheme.location == "header":
        yield scheme.parameter, TOKEN
    elif scheme.type == "http" and scheme.scheme == "basic":
        yield "Authorization", "Basic dXNlcjpwYXNzd29yZA=="  # user:password
    elif scheme.type == "http":
        yield "Authorization", f"{scheme.scheme.capitalize()} {TOKEN}"
    elif scheme.type in ("oauth2", "openIdConnect"):
        yield "Authorization", f"Bearer {TOKEN}"


def _body(media: MediaType, value: Any) -> bytes | None:
    """A body with an example; None where that is for a file to hold."""
    if media.is_json:
        return _json(value).encode()
    if media.name == "application/x-www-form-urlencoded" and isinstance(value, dict):
        return urlencode(list(_fields(value))).encode()
    if media.name.startswith("text/") and isinstance(value, str):
        return value.encode()
    return None


def _fields(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, items in value.items():
        yield from ((name, _plain(item)) for item in (items if isinstance(items, list) else [items]))


def _media(operation: Operation) -> MediaType | None:
    """The representation that is sent: JSON, if the operation takes it."""
    content = operation.body.content.values() if operation.body else ()
    return next((media for media in content if media.is_json), next(iter(content), None))


def _shortest(media: MediaType) -> Any:
    try:
        media.schema.compile()
        legal = [value for value in media.examples if media.schema.accepts(value)]
    except SpecError:
        legal = list(media.examples)
    return min(legal, key=lambda value: len(_json(value))) if legal else _example(media)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHORT else json.dumps(value, ensure_ascii=False, default=str, indent=2)


def _required(operation: Operation, location: str) -> list[Parameter]:
    return [one for one in operation.parameters if one.required and one.location == location]


def _security(operation: Operation) -> tuple[Security, ...]:
    """The first way to prove who one is; nothing where anybody may come."""
    return operation.security[0] if operation.security and () not in operation.security else ()


def _keys(operation: Operation, location: str) -> list[Security]:
    return [one for one in _security(operation) if one.type == "apiKey" and one.location == location]


def _example(one: Parameter | MediaType) -> Any:
    try:
        one.schema.compile()
        value = one.example
    except (SpecError, RecursionError):
        return "…"
    return value


def _text(parameter: Parameter) -> str:
    value = _example(parameter)
    if parameter.is_json:
        return json.dumps(value, default=str)
    return ",".join(_listed(value)) if isinstance(value, list | dict) else _plain(value)


def _listed(value: list[Any] | dict[str, Any]) -> list[str]:
    """Items one after the other; of an object, each name and what it has."""
    items = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
    return [_plain(item) for item in items]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
