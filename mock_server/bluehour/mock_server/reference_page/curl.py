"""The curl command that calls an operation with its own examples: ready to paste into a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bluehour.openapi.document import SpecError
from bluehour.openapi.model import MediaType, Operation, Parameter, Security

TOKEN = "any-token"  # noqa: S105 - no secret: the mock takes any
_FORMS = {"application/x-www-form-urlencoded": "--data-urlencode", "multipart/form-data": "-F"}
_SHORT = 72
_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
# Parts of a request of which others than parameters speak.
_NOT_PARAMETERS = ("accept", "content-type", "authorization")


def curl(operation: Operation, base_url: str) -> str:
    """Return the command, an option per line."""
    words = [f"curl {_quoted(_url(operation, base_url))}", *_method(operation)]
    words += [f"-H {shlex.quote(header)}" for header in _headers(operation)]
    cookies = [f"{one.name}={_text(one)}" for one in _required(operation, "cookie")]
    cookies += [f"{one.parameter}={TOKEN}" for one in _keys(operation, "cookie")]
    if cookies:
        words.append(f"-b {shlex.quote('; '.join(cookies))}")
    return " \\\n  ".join([*words, *_body(operation)])


def _method(operation: Operation) -> Iterator[str]:
    if operation.method == "HEAD":
        yield "--head"
    elif operation.method != "GET":
        yield f"-X {operation.method}"


def _url(operation: Operation, base_url: str) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(_text(parameter), safe=",:@"))
    pairs = [pair for one in _required(operation, "query") for pair in _pairs(one)]
    pairs += [f"{quote(one.parameter)}={TOKEN}" for one in _keys(operation, "query")]
    return f"{base_url}{path}" + ("?" + "&".join(pairs) if pairs else "")


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


def _headers(operation: Operation) -> Iterator[str]:
    yield from (header for scheme in _security(operation) for header in _credential(scheme))
    for parameter in _required(operation, "header"):
        if parameter.name.lower() not in _NOT_PARAMETERS:
            yield f"{parameter.name}: {' '.join(_text(parameter).split())}"
    media = _media(operation)
    if media and media.name not in _FORMS:
        yield f"Content-Type: {media.name}"


def _credential(scheme: Security) -> Iterator[str]:
    if scheme.type == "apiKey" and scheme.location == "header":
        yield f"{scheme.parameter}: {TOKEN}"
    elif scheme.type == "http" and scheme.scheme == "basic":
        yield "Authorization: Basic dXNlcjpwYXNzd29yZA=="  # user:password
    elif scheme.type == "http":
        yield f"Authorization: {scheme.scheme.capitalize()} {TOKEN}"
    elif scheme.type in ("oauth2", "openIdConnect"):
        yield f"Authorization: Bearer {TOKEN}"


def _body(operation: Operation) -> Iterator[str]:
    media = _media(operation)
    if media is None:
        return
    value = _shortest(media)
    if media.name in _FORMS and isinstance(value, dict):
        for name, items in value.items():
            for item in items if isinstance(items, list) else [items]:
                yield f"{_FORMS[media.name]} {shlex.quote(f'{name}={_plain(item)}')}"
    elif media.is_json:
        yield f"-d {shlex.quote(_json(value))}"
    elif isinstance(value, str) and media.name.startswith("text/"):
        yield f"--data-binary {shlex.quote(value)}"
    else:
        yield "--data-binary @file"


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


def _quoted(text: str) -> str:
    """A URL always in quotes, since the host in it is only known when the page is fetched."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
