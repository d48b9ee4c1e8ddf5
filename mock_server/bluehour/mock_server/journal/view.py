"""An exchange as the control API shows it, and as an HTTP archive does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from ..api.secrets import Secrets
from ..core.clock import isoformat
from .exchange import Exchange, Headers
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
            "headers": _pairs(exchange.request_headers, secrets),
            "body": _text(exchange.request_body, secrets),
            "size": exchange.request_size,
        },
        "response": {
            "status": exchange.status,
            "headers": _pairs(exchange.response_headers, secrets),
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
    """Return exchanges as an HTTP archive, HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/)."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "Bluehour", "version": version},
            "entries": [_har_entry(exchange, base_url) for exchange in exchanges],
        }
    }


def _har_entry(exchange: Exchange, base_url: str) -> dict[str, Any]:
    secrets = _secrets_of(exchange)
    path, query = secrets.hide(exchange.path), secrets.query(exchange.query)
    return {
        "startedDateTime": isoformat(exchange.at),
        "time": exchange.ms,
        "request": {
            "method": exchange.method,
            "url": f"{base_url}{path}{'?' if query else ''}{query}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(exchange.request_headers, secrets),
            "queryString": [{"name": n, "value": v} for n, v in parse_qsl(query, keep_blank_values=True)],
            "headersSize": -1,
            "bodySize": exchange.request_size,
            **_post_data(exchange, secrets),
        },
        "response": {
            "status": exchange.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(exchange.response_headers, secrets),
            "content": {
                "size": exchange.response_size,
                "mimeType": _content_type(exchange.response_headers),
                "text": _text(exchange.response_body, secrets) or "",
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": exchange.response_size,
        },
        "cache": {},
        "timings": {"send": 0, "wait": exchange.ms, "receive": 0},
        "comment": secrets.hide("; ".join(_said(exchange))),
    }


def _secrets_of(exchange: Exchange) -> Secrets:
    exchange.secrets.learn_from(exchange.request_headers)
    return exchange.secrets


def _said(exchange: Exchange) -> Iterator[str]:
    if exchange.forced:
        yield exchange.forced
    for broken in exchange.broken:
        yield f"{broken.rule}: {broken.message}"
    yield from exchange.remarks


def _post_data(exchange: Exchange, secrets: Secrets) -> dict[str, Any]:
    text = _text(exchange.request_body, secrets)
    if not text:
        return {}
    return {"postData": {"mimeType": _content_type(exchange.request_headers), "text": text}}


def _content_type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _named(headers: Headers, secrets: Secrets) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in _pairs(headers, secrets)]


def _pairs(headers: Headers, secrets: Secrets) -> list[list[str]]:
    return [[_printable(name), _printable(secrets.header(name, value))] for name, value in headers]


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
