"""A request for an operation, written with the contract's own examples: what every call of it must have."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from .document import SpecError
from .model import MediaType, Operation, Parameter, Security

_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
# Parts of a request of which others than parameters speak.
_NOT_PARAMETERS = ("accept", "content-type", "authorization")


def target_of(operation: Operation, credential: str | None, path: Mapping[str, str] | None = None) -> str:
    """Return a path and a query, with an example for all that they must have.

    Args:
        operation: what is called.
        credential: sent where a key goes into the query; None for none.
        path: values of the path's parameters, in place of examples.
    """
    given = path or {}
    target = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            value = given.get(parameter.name)
            text = quote(value, safe="") if value is not None else quote(_text(parameter), safe=",:@")
            target = target.replace(f"{{{parameter.name}}}", text)
    pairs = [pair for one in _required(operation, "query") for pair in pairs_of(one, example_of(one))]
    if credential is not None:
        pairs += [f"{quote(one.parameter)}={quote(credential)}" for one in keys_of(operation, "query")]
    return target + ("?" + "&".join(pairs) if pairs else "")


def headers_of(operation: Operation, credential: str | None) -> Iterator[tuple[str, str]]:
    """Yield the headers that a call must have, but for what its body needs.

    Args:
        operation: what is called.
        credential: a token, a key, or a name and a password with a colon between; None for none.
    """
    if credential is not None:
        yield from credentials_of(operation, credential)
    for parameter in _required(operation, "header"):
        if parameter.name.lower() not in _NOT_PARAMETERS:
            yield parameter.name, " ".join(_text(parameter).split())
    cookies = [f"{one.name}={_text(one)}" for one in _required(operation, "cookie")]
    if credential is not None:
        cookies += [f"{one.parameter}={credential}" for one in keys_of(operation, "cookie")]
    if cookies:
        yield "Cookie", "; ".join(cookies)


def credentials_of(operation: Operation, credential: str) -> Iterator[tuple[str, str]]:
    """Yield the headers that prove who calls, as far as headers do."""
    for scheme in security_of(operation):
        yield from _credential(scheme, credential)


def security_of(operation: Operation) -> tuple[Security, ...]:
    """Return the first way to prove who one is; nothing where anybody may come."""
    return operation.security[0] if operation.security and () not in operation.security else ()


def keys_of(operation: Operation, location: str) -> list[Security]:
    """Return the keys that go to a location: `header`, `query` or `cookie`."""
    return [one for one in security_of(operation) if one.type == "apiKey" and one.location == location]


def example_of(one: Parameter | MediaType) -> Any:
    """Return an example, and three dots where there can be none."""
    try:
        one.schema.compile()
        value = one.example
    except (SpecError, RecursionError):
        return "…"
    return value


def shortest_example(media: MediaType | None) -> Any:
    """Return the legal example of a body that is the shortest to read; None where there is no body to send.

    By a schema that can't be used, every example is legal.
    """
    if media is None:
        return None
    try:
        media.schema.compile()
        legal = [example for example in media.examples if media.schema.accepts(example)]
    except SpecError:
        legal = list(media.examples)
    return min(legal, key=_length) if legal else example_of(media)


def _length(example: Any) -> int:
    """How much of it there is to read, a field a line."""
    return len(json.dumps(example, ensure_ascii=False, default=str, indent=2))


def plain(value: Any) -> str:
    """Return a value as text: a string as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _credential(scheme: Security, credential: str) -> Iterator[tuple[str, str]]:
    if scheme.type == "apiKey" and scheme.location == "header":
        yield scheme.parameter, credential
    elif scheme.type == "http" and scheme.scheme == "basic":
        pair = credential if ":" in credential else f"{credential}:"
        yield "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif scheme.type == "http":
        yield "Authorization", f"{scheme.scheme.capitalize()} {credential}"
    elif scheme.type in ("oauth2", "openIdConnect"):
        yield "Authorization", f"Bearer {credential}"


def pairs_of(parameter: Parameter, value: Any) -> Iterator[str]:
    """Yield a query parameter as its style writes it, `name=value` with both quoted."""
    name = quote(parameter.name)
    if parameter.is_json or not isinstance(value, list | dict):
        yield f"{name}={quote(_as_text(parameter, value), safe=',:@/')}"
    elif isinstance(value, dict) and parameter.style == "deepObject":
        yield from (f"{name}%5B{quote(key)}%5D={quote(plain(item))}" for key, item in value.items())
    elif isinstance(value, dict) and parameter.explode:
        yield from (f"{quote(key)}={quote(plain(item))}" for key, item in value.items())
    elif parameter.explode:
        yield from (f"{name}={quote(plain(item))}" for item in value)
    else:
        separator = _SEPARATORS.get(parameter.style, ",")
        yield f"{name}={separator.join(quote(item) for item in _listed(value))}"


def _required(operation: Operation, location: str) -> list[Parameter]:
    return [one for one in operation.parameters if one.required and one.location == location]


def _text(parameter: Parameter) -> str:
    return _as_text(parameter, example_of(parameter))


def _as_text(parameter: Parameter, value: Any) -> str:
    if parameter.is_json:
        return json.dumps(value, default=str)
    return ",".join(_listed(value)) if isinstance(value, list | dict) else plain(value)


def _listed(value: list[Any] | dict[str, Any]) -> list[str]:
    """Items one after the other; of an object, each name and what it has."""
    items = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
    return [plain(item) for item in items]
