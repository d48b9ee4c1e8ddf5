"""WSGI middleware that writes every request and its answer into the journal.

It runs with every request, and the journal is seldom read: it keeps what is at hand, a `Record`, and leaves
it to the reader to make an `Exchange` of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .. import control, reference_page
from ..trace import Trace, trace_of
from .exchange import LARGEST_BODY, NO_ANSWER, Exchange, Headers
from .secrets import without_secret_fields, without_secrets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..mock import Mock

_OWN = (control.PREFIX, reference_page.PATH, "/openapi.json", "/favicon.ico")
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
        trace = trace_of(environ)
        if trace.operation is None and environ["PATH_INFO"].startswith(_OWN):
            return body
        ms = (time.perf_counter() - started) * 1000
        now = self._mock.clock.now()
        texts = {key: value for key, value in environ.items() if type(value) is str}
        habits = self._mock.habits.warnings(trace, now, frozen=self._mock.clock.frozen)
        sizes = _size(trace.body, texts.get("CONTENT_LENGTH")), _size(trace.answer, _length(headers))
        if sizes[0] > LARGEST_BODY:
            trace.body = None
        if sizes[1] > LARGEST_BODY:
            trace.answer = None
        journal.record(
            lambda number: Record(number, now, ms, texts, int(status[:3]), headers, sizes, trace, habits)
        )
        return body


@dataclass(frozen=True, slots=True)
class Record:
    """A request and its answer as they were met; `exchange` is what they say."""

    id: int
    at: float
    ms: float
    environ: Mapping[str, str]
    status: int
    headers: list[tuple[str, str]]
    sizes: tuple[int, int]
    """Of the request's body and the answer's, in bytes."""
    trace: Trace
    habits: tuple[str, ...]

    @property
    def weight(self) -> int:
        """About how many bytes of memory it holds."""
        return 4096 + len(self.trace.body or b"") + len(self.trace.answer or b"")

    def exchange(self) -> Exchange:
        """Return it as the journal's readers have it."""
        trace, environ = self.trace, self.environ
        dropped = trace.disruption is not None and trace.disruption.kind == "drop"
        answer = b"" if dropped else trace.answer
        headers = () if dropped else tuple(self.headers)
        return Exchange(
            id=self.id,
            at=self.at,
            ms=self.ms,
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=without_secret_fields(without_secrets("", environ.get("QUERY_STRING", ""), trace.token)),
            request_headers=_headers(environ, trace.token),
            request_body=trace.body,
            request_size=self.sizes[0],
            status=NO_ANSWER if dropped else self.status,
            response_headers=headers,
            response_body=answer,
            response_size=0 if dropped else self.sizes[1],
            operation=trace.operation,
            transfer=trace.transfer,
            path_values=trace.path_values,
            has_token=trace.token is not None,
            account_id=trace.account.id if trace.account is not None else None,
            note=trace.note,
            forced=trace.forced,
            habits=self.habits,
        )


def _headers(environ: Mapping[str, str], token: str | None) -> Headers:
    found = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = _header_name(key[5:])
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            name = _header_name(key)
        else:
            continue
        found.append((name, without_secrets(name, value, token)))
    return tuple(found)


@lru_cache(maxsize=256)
def _header_name(key: str) -> str:
    return key.replace("_", "-").title()


def _length(headers: list[tuple[str, str]]) -> str | None:
    return next((value for name, value in headers if name == "Content-Length"), None)


def _size(body: bytes | None, length: str | None) -> int:
    if body is not None:
        return len(body)
    return int(length) if length and length.isdecimal() else 0
