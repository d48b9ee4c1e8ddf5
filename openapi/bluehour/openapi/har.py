"""Messages as an HTTP archive, for browsers' developer tools and whatever else reads one.

HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). Whoever writes one takes secrets out beforehand.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from .messages import Headers, Request, Response, phrase

_LARGEST_BODY = 2**20
"""Bytes of a body that is no text, such as a picture; a larger one is left out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A request with its response.

    Attributes:
        at: when it was sent, in seconds since the epoch.
        ms: milliseconds until the response had come.
        response: None where none came.
        comment: what else is to be said.
        failure: why no response came.
        request_size: bytes of the body; None where the request has all of it.
        response_size: likewise.
    """

    at: float
    ms: float
    request: Request
    response: Response | None
    comment: str = ""
    failure: str = ""
    request_size: int | None = None
    response_size: int | None = None


def archive(entries: Iterable[Entry], version: str, comment: str = "") -> dict[str, Any]:
    """Return an archive as data that is to be written as JSON.

    Args:
        entries: in the order in which they are to be read.
        version: Bluehour's.
        comment: what the archive is of.
    """
    creator = {"name": "Bluehour", "version": version}
    log = {"version": "1.2", "creator": creator, "entries": list(map(_entry, entries)), "comment": comment}
    return {"log": log}


def _entry(entry: Entry) -> dict[str, Any]:
    at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds")
    return {
        "startedDateTime": at.replace("+00:00", "Z"),
        "time": round(entry.ms, 3),
        "request": _request(entry.request, entry.request_size),
        "response": _response(entry.response or Response(0), entry.response_size, entry.failure),
        "cache": {},
        "timings": {"send": 0, "wait": round(entry.ms, 3), "receive": 0},
        "comment": entry.comment,
    }


def _request(request: Request, size: int | None) -> dict[str, Any]:
    pairs = parse_qsl(request.query, keep_blank_values=True)
    content = _content(request.body, size)
    if "encoding" in content:  # which HAR has not for what was sent
        content["comment"] = content.pop("encoding")
    posted = {"mimeType": request.content_type, "params": [], **content}
    return {
        "method": request.method,
        "url": request.url,
        "queryString": [{"name": name, "value": value} for name, value in pairs],
        **_common(request.headers, request.body, size),
        **({"postData": posted} if request.body or size else {}),
    }


def _response(response: Response, size: int | None, failure: str) -> dict[str, Any]:
    """No response is written as browsers do: status 0, and the reason in a comment."""
    common = _common(response.headers, response.body, size)
    content = {"mimeType": response.content_type, **_content(response.body, size)}
    return {
        "status": response.status,
        "statusText": phrase(response.status),
        **common,
        "content": {"size": common["bodySize"], **content},
        "redirectURL": response.headers.get("location") or "",
        **({"comment": failure} if failure else {}),
    }


def _common(headers: Headers, body: bytes, size: int | None) -> dict[str, Any]:
    return {
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in headers],
        "headersSize": -1,
        "bodySize": len(body) if size is None else size,
    }


def _content(body: bytes, size: int | None) -> dict[str, Any]:
    if size and not body:
        return {"text": "", "comment": f"left out: {size:,} bytes"}
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        if len(body) > _LARGEST_BODY:
            return {"text": "", "comment": f"left out: {len(body):,} bytes that are no text"}
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}
