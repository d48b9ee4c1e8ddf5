"""Between granian and Flask: a body is received without holding a thread, quick answers are given at once.

granian can call WSGI itself, with a thread per request. Measured with 16 connections, one such thread answers
fast but hangs with the first client that stalls, and several lose half the throughput to handing the
interpreter lock around. So requests come by granian's asynchronous interface (RSGI, its own simpler ASGI).
Each is received whole, a large body on disk, before anybody works on it; one that is cut off is dropped. Then
it takes one of two lanes: quick ones, which touch nothing but memory, are answered in the event loop, one
after the other; those that may wait, for a disk or a picture, are answered in threads. How an answer travels,
late, byte by byte or not to its end, is decided here as well: nobody need hold a thread for that.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

from granian._granian import RSGIProtocolClosed

from .disrupting import send_disrupted
from .trace import begin_trace, trace_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # granian.rsgi has it, but not in its types
    from granian.rsgi import Scope

_THREADS = 16
"""How many requests that may wait are worked on side by side."""

_SMALL_BODY = 64 * 2**10
"""Bytes of a body that is received in one piece, and of an answer that is sent in one."""

_IN_MEMORY = 2**20
"""Bytes of a larger body that are kept in memory; from there on it goes to disk."""

_ENVIRON: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}

_END = cast(bytes, object())


class Gateway:
    """An RSGI application that answers by a WSGI one.

    Args:
        app: what answers; another may take its place at any time.
        may_wait: tells from method and path whether a request belongs into a thread.
        largest_body: in bytes; of a larger one, only a little more than this is received and handed on.
    """

    def __init__(self, app: WSGIApplication, may_wait: Callable[[str, str], bool], largest_body: int) -> None:
        self.app = app
        self._may_wait = may_wait
        self._largest_body = largest_body
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bluehour")

    def close(self) -> None:
        """Let go of the threads, once they have answered what they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        environ = _environ(scope)
        small = _is_small(environ)
        if small and not self._may_wait(scope.method, environ["PATH_INFO"]):
            environ["wsgi.input"] = io.BytesIO(await protocol())
            status, headers, body = self._answer(environ)
            if (disruption := trace_of(environ).disruption) is None:
                _send_whole(protocol, status, headers, body)
            else:
                await send_disrupted(scope, protocol, status, headers, _whole(body), disruption)
            return
        with io.BytesIO(await protocol()) if small else tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            if small or await self._receive(protocol, environ, cast(IO[bytes], body)):
                environ["wsgi.input"] = body
                await self._answer_in_thread(scope, environ, protocol)

    async def _receive(self, protocol: HTTPProtocol, environ: WSGIEnvironment, body: IO[bytes]) -> bool:
        """Receive a body; tell whether all of it came that was announced."""
        received = 0
        async for chunk in protocol:
            body.write(chunk)
            received += len(chunk)
            if received > self._largest_body:
                break
        else:
            if not _is_complete(environ, received):
                return False
        body.seek(0)
        return True

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], Iterable[bytes]]:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), headers]

        body = self.app(environ, start_response)
        return started[0], started[1], body

    async def _answer_in_thread(self, scope: Scope, environ: WSGIEnvironment, protocol: HTTPProtocol) -> None:
        loop = asyncio.get_running_loop()
        status, headers, body = await loop.run_in_executor(self._threads, self._answer, environ)
        trace = trace_of(environ)
        if trace.events is not None:
            await _send_events(protocol, status, headers, trace.events())
            return
        if trace.disruption is not None:
            whole = await loop.run_in_executor(self._threads, _whole, body)
            await send_disrupted(scope, protocol, status, headers, whole, trace.disruption)
            return
        if not any(name.lower() == "content-length" and int(value) > _SMALL_BODY for name, value in headers):
            await loop.run_in_executor(self._threads, _send_whole, protocol, status, headers, body)
            return
        stream = protocol.response_stream(status, headers)
        chunks = iter(body)
        try:
            while (chunk := await loop.run_in_executor(self._threads, next, chunks, _END)) is not _END:
                await stream.send_bytes(chunk)
        finally:
            _close(body)


def _environ(scope: Scope) -> WSGIEnvironment:
    """Return the request as WSGI has it, without its body."""
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_ENVIRON,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
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


def _is_small(environ: WSGIEnvironment) -> bool:
    """Tell whether a body is known to be small; one that is sent in chunks has no length to know it by."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return False
    length = environ.get("CONTENT_LENGTH", "0")
    return length.isdecimal() and int(length) <= _SMALL_BODY


def _is_complete(environ: WSGIEnvironment, received: int) -> bool:
    """Tell a body's end from a client's. Of one that is sent in chunks granian does not let us know."""
    return "HTTP_TRANSFER_ENCODING" in environ or received == int(environ["CONTENT_LENGTH"])


def _send_whole(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: Iterable[bytes]
) -> None:
    protocol.response_bytes(status, headers, _whole(body))


async def _send_events(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], events: AsyncIterator[bytes]
) -> None:
    """Send what comes, when it comes, until the client leaves."""
    lasting = [(name, value) for name, value in headers if name.lower() != "content-length"]
    stream = protocol.response_stream(status, lasting)
    try:
        async for event in events:
            await stream.send_bytes(event)
    except RSGIProtocolClosed:
        pass
    finally:
        await cast("AsyncGenerator[bytes, None]", events).aclose()


def _whole(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        _close(body)


def _close(body: Iterable[bytes]) -> None:
    if hasattr(body, "close"):
        body.close()
