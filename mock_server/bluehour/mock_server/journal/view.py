"""An exchange as the control API shows it, and as an HTTP archive does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bluehour.openapi import har
from bluehour.openapi.messages import Headers, Request, Response

from ..api.secrets import Secrets
from ..core.clock import isoformat
from .exchange import Exchange
from .judging import faults_of, warnings_of


def entry(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as the control API's `Entry`."""
    secrets = _secrets_of(exchange)
    hide = secrets.hide
    return {
        "id": exchange.id,
        "at": isoformat(exchange.at),
        "ms": round(exchange.ms, 2),
        "operation": exchange.operation_id,
        "account": exchange.account_id,
        "request": {
            "method": exchange.method,
            "path": hide(exchange.path),
            "query": secrets.query(exchange.query),
            "headers": list(map(list, _pairs(exchange.request_headers, secrets))),
            "body": _text(exchange.request_body, secrets),
            "size": exchange.request_size,
        },
        "response": {
            "status": exchange.status,
            "headers": list(map(list, _pairs(exchange.response_headers, secrets))),
            "body": _text(exchange.response_body, secrets),
            "size": exchange.response_size,
        },
        "credits": -exchange.note.get("charged", 0),
        "project": exchange.note.get("project"),
        "forced": exchange.forced and hide(exchange.forced),
        "faults": [
            {"where": hide(fault.where), "message": hide(fault.message)} for fault in faults_of(exchange)
        ],
        "warnings": list(map(hide, warnings_of(exchange))),
        "broken": [{**each._asdict(), "message": hide(each.message)} for each in exchange.broken],
        "remarks": list(map(hide, exchange.remarks)),
    }


def archive(exchanges: list[Exchange], base_url: str, version: str) -> dict[str, Any]:
    """Return exchanges as an HTTP archive."""
    return har.archive((_har_entry(exchange, base_url) for exchange in exchanges), version)


def _har_entry(exchange: Exchange, base_url: str) -> har.Entry:
    secrets = _secrets_of(exchange)
    path, query = secrets.hide(exchange.path), secrets.query(exchange.query)
    return har.Entry(
        at=exchange.at,
        ms=exchange.ms,
        request=Request(
            exchange.method,
            f"{path}{'?' if query else ''}{query}",
            Headers(_pairs(exchange.request_headers, secrets)),
            _bytes(exchange.request_body, secrets),
            base_url,
        ),
        response=Response(
            exchange.status,
            Headers(_pairs(exchange.response_headers, secrets)),
            _bytes(exchange.response_body, secrets),
        ),
        comment=secrets.hide("; ".join(_remarks(exchange))),
        request_size=exchange.request_size,
        response_size=exchange.response_size,
    )


def _secrets_of(exchange: Exchange) -> Secrets:
    exchange.secrets.learn_from(exchange.request_headers)
    return exchange.secrets


def _remarks(exchange: Exchange) -> Iterator[str]:
    if exchange.forced:
        yield exchange.forced
    for broken in exchange.broken:
        yield f"{broken.rule}: {broken.message}"
    yield from exchange.remarks


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
