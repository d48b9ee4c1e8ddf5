"""WSGI middleware that writes every request and its answer into the journal."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..trace import Trace, trace_of
from .exchange import LARGEST_BODY, NO_ANSWER, Exchange, Headers
from .secrets import without_secrets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..mock import Mock

_OWN = ("/_mock", "/docs", "/openapi.json", "/favicon.ico")
"""What people and their browsers look at: no part of the API."""


class Recorder:
    """Records what a mock answers.

    Args:
        app: what answers.
        mock: whose journal it goes into.
    """

    def __init__(self, app: WSGIApplication, mock: Mock) -> None:
        self._app = app
        self._mock = mock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, then record it."""
        journal = self._mock.journal
        if journal is None:
            return self._app(environ, start_response)
        started = time.perf_counter()
        status, headers = "", []

        def noting(code: str, values: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status, headers
            status, headers = code, values
            return start_response(code, values, *rest)

        body = self._app(environ, noting)
        if environ["PATH_INFO"].startswith(_OWN) and trace_of(environ).operation is None:
            return body
        ms = (time.perf_counter() - started) * 1000
        journal.record(lambda number: self._exchange(number, environ, int(status[:3]), headers, ms))
        return body

    def _exchange(
        self, number: int, environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]], ms: float
    ) -> Exchange:
        trace = trace_of(environ)
        now = self._mock.clock.now()
        answer = trace.answer
        if trace.disruption is not None and trace.disruption.kind == "drop":
            status, headers, answer = NO_ANSWER, [], b""
        return Exchange(
            id=number,
            at=now,
            ms=ms,
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            request_headers=_headers(environ, trace),
            request_body=_kept(trace.body),
            request_size=_size(trace.body, environ.get("CONTENT_LENGTH")),
            status=status,
            response_headers=tuple(headers),
            response_body=_kept(answer),
            response_size=_size(answer, dict(headers).get("Content-Length")),
            operation=trace.operation,
            transfer=trace.transfer,
            path_values=trace.path_values,
            has_token=trace.token is not None,
            account_id=trace.account.id if trace.account is not None else None,
            note=trace.note,
            forced=trace.forced,
            habits=self._mock.habits.warnings(trace, now, frozen=self._mock.clock.frozen),
        )


def _headers(environ: WSGIEnvironment, trace: Trace) -> Headers:
    found = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = _header_name(key[5:])
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            name = _header_name(key)
        else:
            continue
        found.append((name, without_secrets(name, value, trace.token)))
    return tuple(found)


@lru_cache(maxsize=256)
def _header_name(key: str) -> str:
    return key.replace("_", "-").title()


def _kept(body: bytes | None) -> bytes | None:
    return body if body is None or len(body) <= LARGEST_BODY else None


def _size(body: bytes | None, length: str | None) -> int:
    if body is not None:
        return len(body)
    return int(length) if length and length.isdecimal() else 0
