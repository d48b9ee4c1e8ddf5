"""The curl command that calls an operation with its own examples: ready to paste into a shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from bluehour.openapi import curl as commands
from bluehour.openapi.messages import Headers, Request
from bluehour.openapi.model import MediaType, Operation
from bluehour.openapi.writing import headers_of, plain, shortest_example, target_of

TOKEN = "any-token"  # noqa: S105 - no secret: the mock takes any
_FORM = "multipart/form-data"
_FILE = "file"
"""Where a body is that can't be shown."""
_SHORT = 72


def curl(operation: Operation, base_url: str) -> str:
    """Return the command, an option per line, and the lines of a long body as they are."""
    media = _media(operation)
    value = shortest_example(media)
    form = list(_fields(value)) if media and media.name == _FORM and isinstance(value, dict) else []
    body = b"" if media is None or form else _body(media, value)
    headers = Headers(_headers(operation))
    return commands.curl(
        Request(operation.method, target_of(operation, TOKEN), headers, body or b"", base_url),
        body_file=_FILE if body is None else None,
        form=form,
        keeps_lines=True,
    )


def _headers(operation: Operation) -> Iterator[tuple[str, str]]:
    yield from headers_of(operation, TOKEN)
    media = _media(operation)
    if media and media.name != _FORM:
        yield "Content-Type", media.name


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
        yield from ((name, plain(item)) for item in (items if isinstance(items, list) else [items]))


def _media(operation: Operation) -> MediaType | None:
    """The representation that is sent: JSON, if the operation takes it."""
    content = operation.body.content.values() if operation.body else ()
    return next((media for media in content if media.is_json), next(iter(content), None))


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHORT else json.dumps(value, ensure_ascii=False, default=str, indent=2)
