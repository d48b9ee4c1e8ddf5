"""All exchanges of a check as an HTTP archive, for browsers' developer tools and whatever else reads one."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bluehour.mock_server.core.clock import isoformat

from ..exchange import Answer, Exchange, Headers, Request
from ..results import Report
from .shown import shown
from .texts import size, text_of

_LARGEST_BODY = 2**20
"""Bytes of a body that is no text, such as a picture; a larger one is left out."""


def har(report: Report) -> str:
    """Return the archive, HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/)."""
    known = shown(report).report
    log = {
        "version": "1.2",
        "creator": {"name": "Bluehour", "version": known.version},
        "comment": f"bluehour check of {known.target}, seed {known.seed}",
        "entries": [_entry(each) for each in known.exchanges],
    }
    return json.dumps({"log": log}, ensure_ascii=False, separators=(",", ":")) + "\n"


def _entry(exchange: Exchange) -> dict[str, Any]:
    ms = round(exchange.answer.seconds * 1000, 3) if exchange.answer else 0
    return {
        "startedDateTime": isoformat(exchange.at),
        "time": ms,
        "request": _request(exchange.request),
        "response": _response(exchange.answer, exchange.failure),
        "cache": {},
        "timings": {"send": 0, "wait": ms, "receive": 0},
        "comment": f"{exchange.number}: {exchange.purpose}" if exchange.purpose else f"{exchange.number}",
    }


def _request(request: Request) -> dict[str, Any]:
    query = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    posted = {"postData": _post_data(request)} if request.body else {}
    return {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(request.headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        **posted,
        "headersSize": -1,
        "bodySize": len(request.body),
    }


def _post_data(request: Request) -> dict[str, Any]:
    """HAR has no base64 for what was sent: what is no text is put so, and says so."""
    posted = _content(request.body)
    if "encoding" in posted:
        posted["comment"] = posted.pop("encoding")
    return {"mimeType": request.header("Content-Type") or "", "params": [], **posted}


def _response(answer: Answer | None, failure: str) -> dict[str, Any]:
    """No answer is written as browsers do: status 0, and the reason in a comment."""
    answer, comment = (answer, {}) if answer else (Answer(0), {"comment": failure})
    return {
        "status": answer.status,
        "statusText": _phrase(answer.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(answer.headers),
        "content": {
            "size": len(answer.body),
            "mimeType": answer.header("Content-Type") or "",
            **_content(answer.body),
        },
        "redirectURL": answer.header("Location") or "",
        "headersSize": -1,
        "bodySize": len(answer.body),
        **comment,
    }


def _content(body: bytes) -> dict[str, Any]:
    text = text_of(body)
    if text is not None:
        return {"text": text}
    if len(body) > _LARGEST_BODY:
        return {"text": "", "comment": f"left out: {size(len(body))} that are no text"}
    return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _named(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
