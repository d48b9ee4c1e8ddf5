"""WSGI middleware that writes every request and its answer into the journal.

It runs with every request, and the journal is seldom read: it keeps little more than what is at hand, a
`Record`, and leaves it to the reader to make an `Exchange` of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import control, reference_page
from ..trace import Trace, trace_of
from .exchange import LARGEST_BODY, NO_ANSWER, Exchange, Headers
from .secrets import without_secret_fields, without_secrets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..mock import Mock
    from .habits import Habit

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
        path = environ["PATH_INFO"]
        if trace.operation is None and path.startswith(_OWN):
            return body
        ms = (time.perf_counter() - started) * 1000
        clock = self._mock.clock
        now = clock.now()
        habit = self._mock.habits.seen_in(trace, now, frozen=clock.frozen)
        size = _size(trace.body, environ.get("CONTENT_LENGTH"))
        if size > LARGEST_BODY:
            trace.body = None
        if trace.answer is not None and len(trace.answer) > LARGEST_BODY:
            trace.answer = None
        journal.record(
            Record(
                now,
                ms,
                environ["REQUEST_METHOD"],
                path,
                environ["QUERY_STRING"],
                _headers_of(environ) if trace.headers is None else trace.headers,
                size,
                int(status[:3]),
                headers,
                habit,
                trace,
            )
        )
        return body


class Record(NamedTuple):
    """A request and its answer as they were met; `exchange` is what they say."""

    at: float
    ms: float
    method: str
    path: str
    query: str
    request_headers: Sequence[tuple[str, str]]
    request_size: int
    status: int
    response_headers: Sequence[tuple[str, str]]
    habit: Habit | None
    trace: Trace

    @property
    def weight(self) -> int:
        """About how many bytes of memory it holds."""
        return 4096 + len(self.trace.body or b"") + len(self.trace.answer or b"")

    def exchange(self, number: int) -> Exchange:
        """Return it as the journal's readers have it, by its number."""
        trace = self.trace
        dropped = trace.disruption is not None and trace.disruption.kind == "drop"
        answer = b"" if dropped else trace.answer
        headers = () if dropped else tuple(self.response_headers)
        return Exchange(
            id=number,
            at=self.at,
            ms=self.ms,
            method=self.method,
            path=self.path,
            query=without_secret_fields(without_secrets("", self.query, trace.token)),
            request_headers=_shown(self.request_headers, trace.token),
            request_body=trace.body,
            request_size=self.request_size,
            status=NO_ANSWER if dropped else self.status,
            response_headers=headers,
            response_body=answer,
            response_size=_size(answer, dict(headers).get("Content-Length")),
            operation=trace.operation,
            transfer=trace.transfer,
            path_values=trace.path_values,
            has_token=trace.token is not None,
            account_id=None if trace.account is None else trace.account.id,
            note=trace.note,
            forced=trace.forced,
            habits=() if self.habit is None else (self.habit.in_words(),),
        )


def _headers_of(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The headers of a request that came by no gateway of ours, but from a test's client."""
    plain = [(key, environ[key]) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    return plain + [(key[5:], value) for key, value in environ.items() if key.startswith("HTTP_")]


def _shown(headers: Sequence[tuple[str, str]], token: str | None) -> Headers:
    named = [(name.replace("_", "-").title(), value) for name, value in headers]
    return tuple((name, without_secrets(name, value, token)) for name, value in named)


def _size(body: bytes | None, length: str | None) -> int:
    if body is not None:
        return len(body)
    return int(length) if length and length.isdecimal() else 0
