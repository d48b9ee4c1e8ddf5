"""WSGI middleware that writes every request and its answer into the journal.

It runs with every request, and the journal is seldom read: it packs what is at hand into a `Record`, and
leaves it to the reader to make an `Exchange` of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from .. import control, reference_page
from ..trace import Broken, Trace, trace_of
from ..wsgi import from_wsgi
from .exchange import LARGEST_BODY, NO_ANSWER, Exchange
from .habits import Habit
from .secrets import Secrets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from bluehour.openapi.model import Operation

    from ..mock import Mock

_MOST_DIGITS = 18
"""Of a Content-Length that any body could have."""

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
        if trace.headers is None:
            trace.headers = _headers_of(environ)
        journal.record(
            record(
                trace,
                self._mock.secrets,
                at=now,
                ms=ms,
                method=environ["REQUEST_METHOD"],
                path=from_wsgi(path),
                query=from_wsgi(environ["QUERY_STRING"]),
                size=_size(trace.body, environ.get("CONTENT_LENGTH")),
                status=int(status[:3]),
                headers=headers,
                answer_size=_size(trace.answer, None),
                habit=self._mock.habits.seen_in(trace, now, frozen=clock.frozen),
            )
        )
        return body


def record(
    trace: Trace,
    secrets: Secrets,
    *,
    at: float,
    ms: float,
    method: str,
    path: str,
    query: str,
    size: int,
    status: int,
    headers: Sequence[tuple[str, str]],
    answer_size: int,
    habit: Habit | None = None,
) -> Record:
    """Return what is known of a request and its answer as the journal keeps it."""
    packed = _packed(
        [
            at,
            ms,
            method,
            path,
            query,
            trace.headers or (),
            size,
            status,
            headers,
            answer_size,
            trace.transfer,
            trace.path_values,
            trace.token is not None,
            None if trace.account is None else trace.account.id,
            trace.note,
            trace.forced,
            trace.disruption is not None and trace.disruption.kind == "drop",
            None if habit is None else (habit.pause, habit.advised, habit.twin),
            [tuple(each) for each in trace.broken],
            trace.remarks,
        ]
    )
    body, answer = _kept(trace.body), _kept(trace.answer)
    weight = 512 + len(packed) + len(body or b"") + len(answer or b"")
    return Record(packed, body, answer, trace.operation, weight, secrets)


class Record(NamedTuple):
    """A request and its answer in few pieces; `exchange` is what they say.

    Measured, what slows a busy server is not so much to write a record down as to keep a thousand times fifty
    small objects from being used again while they are in the processor's cache. So most of it is one.
    """

    packed: bytes
    body: bytes | None
    answer: bytes | None
    operation: Operation | None
    weight: int
    """About how many bytes of memory it holds."""
    secrets: Secrets

    def exchange(self, number: int) -> Exchange:
        """Return it as the journal's readers have it, by its number."""
        (
            at,
            ms,
            method,
            path,
            query,
            asked,
            size,
            status,
            answered,
            answer_size,
            transfer,
            path_values,
            has_token,
            account_id,
            note,
            forced,
            dropped,
            habit,
            broken,
            remarks,
        ) = json.loads(self.packed)
        headers = () if dropped else tuple(map(tuple, answered))
        return Exchange(
            id=number,
            at=at,
            ms=ms,
            method=method,
            path=path,
            query=query,
            request_headers=tuple((name.replace("_", "-").title(), value) for name, value in asked),
            request_body=self.body,
            request_size=size,
            status=NO_ANSWER if dropped else status,
            response_headers=headers,
            response_body=b"" if dropped else self.answer,
            response_size=0 if dropped else answer_size or _size(None, dict(headers).get("Content-Length")),
            operation=self.operation,
            transfer=transfer,
            path_values=path_values,
            has_token=has_token,
            account_id=account_id,
            note=note,
            forced=forced,
            habits=() if habit is None else (Habit(*habit).in_words(),),
            broken=tuple(Broken(*each) for each in broken),
            remarks=tuple(remarks),
            secrets=self.secrets,
        )


def _packed(fields: list[Any]) -> bytes:
    try:
        return orjson.dumps(fields)
    except TypeError:  # half a surrogate pair, which only Python's own takes for a character
        return json.dumps(fields).encode()


def _kept(body: bytes | None) -> bytes | None:
    return body if body is None or len(body) <= LARGEST_BODY else None


def _headers_of(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The headers of a request that came by no gateway of ours, but from a test's client."""
    plain = [(key, environ[key]) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    return plain + [(key[5:], value) for key, value in environ.items() if key.startswith("HTTP_")]


def _size(body: bytes | None, length: str | None) -> int:
    if body is not None:
        return len(body)
    return int(length) if length and length.isdecimal() and len(length) <= _MOST_DIGITS else 0
