"""An entry as the control API shows it, and as an HTTP archive does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bluehour.openapi import har
from bluehour.openapi.messages import Headers, Request, Response

from ..api.secrets import Secrets
from ..core.clock import isoformat
from .entry import Entry
from .judging import faults_of, warnings_of


def shown(entry: Entry) -> dict[str, Any]:
    """Return an entry as the control API's `Entry`."""
    secrets = _secrets_of(entry)
    hide = secrets.hide
    return {
        "id": entry.id,
        "at": isoformat(entry.at),
        "ms": round(entry.ms, 2),
        "operation": entry.operation_id,
        "account": entry.account_id,
        "request": {
            "method": entry.method,
            "path": hide(entry.path),
            "query": secrets.query(entry.query),
            "headers": list(map(list, _pairs(entry.request_headers, secrets))),
            "body": _text(entry.request_body, secrets),
            "size": entry.request_size,
        },
        "response": {
            "status": entry.status,
            "headers": list(map(list, _pairs(entry.response_headers, secrets))),
            "body": _text(entry.response_body, secrets),
            "size": entry.response_size,
        },
        "credits": -entry.note.get("charged", 0),
        "project": entry.note.get("project"),
        "forced": entry.forced and hide(entry.forced),
        "faults": [
            {"where": hide(fault.where), "message": hide(fault.message)} for fault in faults_of(entry)
        ],
        "warnings": list(map(hide, warnings_of(entry))),
        "broken": [{**each._asdict(), "message": hide(each.message)} for each in entry.broken],
        "remarks": list(map(hide, entry.remarks)),
        "process": entry.process._asdict(),
    }


def archive(entries: list[Entry], base_url: str, version: str) -> dict[str, Any]:
    """Return entries as an HTTP archive."""
    return har.archive((_har_entry(entry, base_url) for entry in entries), version)


def _har_entry(entry: Entry, base_url: str) -> har.Entry:
    secrets = _secrets_of(entry)
    path, query = secrets.hide(entry.path), secrets.query(entry.query)
    return har.Entry(
        at=entry.at,
        ms=entry.ms,
        request=Request(
            entry.method,
            f"{path}{'?' if query else ''}{query}",
            Headers(_pairs(entry.request_headers, secrets)),
            _bytes(entry.request_body, secrets),
            base_url,
        ),
        response=Response(
            entry.status,
            Headers(_pairs(entry.response_headers, secrets)),
            _bytes(entry.response_body, secrets),
        ),
        comment=secrets.hide("; ".join(_remarks(entry))),
        request_size=entry.request_size,
        response_size=entry.response_size,
    )


def _secrets_of(entry: Entry) -> Secrets:
    entry.secrets.learn_from(entry.request_headers)
    return entry.secrets


def _remarks(entry: Entry) -> Iterator[str]:
    if entry.forced:
        yield entry.forced
    for broken in entry.broken:
        yield f"{broken.rule}: {broken.message}"
    yield from entry.remarks


def _pairs(headers: Iterable[tuple[str, str]], secrets: Secrets) -> list[tuple[str, str]]:
    return [(_printable(name), _printable(secrets.header(name, value))) for name, value in headers]


def _printable(text: str) -> str:
    """Headers come as Latin-1, in which bytes may be no characters that JSON can hold."""
    return text.encode("utf-8", "replace").decode()


def _text(body: bytes | None, secrets: Secrets) -> str | None:
    if body is None:
        return None
    try:
        return secrets.body(body.decode())
    except UnicodeDecodeError:
        return None


def _bytes(body: bytes | None, secrets: Secrets) -> bytes:
    """A body without secrets; nothing where it was not kept, or is no text and has some."""
    text = _text(body, secrets)
    if body is None or text is not None:
        return (text or "").encode()
    return body if secrets.hide(raw := body.decode("latin-1")) == raw else b""
