"""Between granian and Flask: a body is received without holding a thread, quick answers are given at once.

granian can call WSGI itself, with a thread per request. Measured with 16 connections, one such thread answers
fast but hangs with the first client that stalls, and several lose half the throughput to handing the
interpreter lock around. So requests come by granian's asynchronous interface (RSGI, its own simpler ASGI).
Each is received whole, a large body on disk, before anybody works on it; one that is cut off is dropped, and
one that stalls is ended. Then it is answered: quick ones, which touch nothing but memory, in the event loop,
one after the other; those that may wait, for a disk or a picture, in the threads of a lane. How an answer
travels, late, byte by byte or not to its end, is decided here as well: nobody need hold a thread for that.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from granian._granian import RSGIProtocolClosed

from .connection import end_connection
from .exchange import Refusal
from .receiving import CutOff, SmallBodies, receive_large
from .refusals import unavailable
from .requestlog import call_in_words
from .sending import Answer, FileBody, disrupt, refuse, send, send_events
from .server.lanes import Lane, LaneFull, Lanes
from .trace import begin_trace, trace_of
from .wsgi import to_wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # granian.rsgi has it, but not in its types
    from granian.rsgi import Scope

log = logging.getLogger("bluehour")

_SMALL_BODY = 64 * 2**10
"""Bytes of a body that is received in one piece."""

_LONGEST_LENGTH = 15
"""Digits of a Content-Length that are read."""

_LINGERS = 1.0
"""Seconds for which a connection stays open behind an answer that has cut a request short."""


_ENVIRON: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
    "wsgi.file_wrapper": FileBody,
}


class Gateway:
    """An RSGI application that answers by a WSGI one.

    Args:
        app: what answers; another may take its place at any time.
        lane_of: tells from method, path and body in whose threads a request is answered, None for quick ones;
            of a body that is large it gets None.
        largest_body: tells from a path how many bytes a body may have there; of a larger one, only a little
            more than this is received and handed on.
    """

    def __init__(
        self,
        app: WSGIApplication,
        lane_of: Callable[[str, str, bytes | None], Lane | None],
        largest_body: Callable[[str], int],
    ) -> None:
        self.app = app
        self._lane_of = lane_of
        self._largest_body = largest_body
        self._lanes = Lanes()
        self._small_bodies = SmallBodies()

    def close(self) -> None:
        """Let go of the threads, once they have answered what they are at."""
        self._lanes.close()

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request, come what may: what fails here, the application's own handler has not seen."""
        try:
            await self._serve(scope, protocol)
        except RSGIProtocolClosed:  # the client has left
            pass
        except Exception:
            what = call_in_words(scope.method, scope.path)
            log.exception("%s could not be answered, which is a bug of the mock", what)
            refuse(protocol, "internal_server_error")

    async def _serve(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ, is_cut_short = _environ(scope), False
        size, path = _announced_size(environ), environ["PATH_INFO"]
        try:
            if size is not None and size <= _SMALL_BODY:
                small = await self._small_bodies.receive(protocol) if size else b""
                lane = self._lane_of(scope.method, path, small)
                body: IO[bytes] = io.BytesIO(small)
            else:
                lane = self._lane_of(scope.method, path, None) or "api"
                body = await receive_large(protocol, self._largest_body(path), size)
        except (CutOff, RSGIProtocolClosed):
            refuse(protocol, "invalid_request", "The request's body is cut off")  # it may have half left
            return
        except (Refusal, OSError) as error:
            # Answered by the application all the same, so that it is seen in the log and the journal.
            trace_of(environ).refused = error if isinstance(error, Refusal) else unavailable(error)
            lane, body, is_cut_short = None, io.BytesIO(), True
        environ["wsgi.input"] = body
        if lane is None:
            sending = self._send(scope, environ, protocol, self._answered(environ))
        else:
            with body:
                sending = self._send(scope, environ, protocol, await self._answered_in(lane, environ))
        if sending is not None:
            await sending
        if is_cut_short:
            await asyncio.sleep(_LINGERS)  # it is to have the answer first
            end_connection(scope.client)  # granian would wait for all that was announced

    async def _answered_in(self, lane: Lane, environ: WSGIEnvironment) -> Answer:
        try:
            return await self._lanes.work(lane, self._answered, environ)
        except LaneFull:
            trace_of(environ).refused = _full(lane)
            return self._answered(environ)

    def _send(
        self, scope: Scope, environ: WSGIEnvironment, protocol: HTTPProtocol, answer: Answer
    ) -> Coroutine[Any, Any, None] | None:
        """Send an answer at once, as most are; return what is to be awaited of others."""
        trace = trace_of(environ)
        if trace.events is not None:
            return send_events(scope, protocol, answer, trace.events())
        if trace.disruption is not None:
            return disrupt(scope, protocol, answer, trace.disruption)
        send(protocol, answer)
        return None

    def _answered(self, environ: WSGIEnvironment) -> Answer:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), headers]

        body = self.app(environ, start_response)
        return started[0], started[1], body


def _full(lane: Lane) -> Refusal:
    return Refusal(
        "service_unavailable",
        f"The mock is busy: too many requests wait for the same ({lane}). Try again later",
        headers={"Retry-After": "1"},
    )


def _environ(scope: Scope) -> WSGIEnvironment:
    """Return the request as WSGI has it, without its body."""
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_ENVIRON,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": to_wsgi(scope.path),  # granian has undone its percent signs
        "QUERY_STRING": to_wsgi(scope.query_string),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.url_scheme": scope.scheme,
    }
    headers = scope.headers.items()
    begin_trace(environ, headers)
    for name, value in headers:
        if "_" in name:  # WSGI could not tell Content_Length from Content-Length; proxies drop these, too
            continue
        key = _environ_key(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


@lru_cache(maxsize=256)
def _environ_key(header: str) -> str:
    key = header.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _announced_size(environ: WSGIEnvironment) -> int | None:
    """Return how many bytes the body has; None where it does not say so."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    length = environ.get("CONTENT_LENGTH", "0")
    return int(length) if length.isdecimal() and len(length) <= _LONGEST_LENGTH else None
