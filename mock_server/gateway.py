"""Between granian and Flask: bodies come in without holding a thread, quick answers are given at once.

granian can call WSGI itself, with a thread per request. Measured with 16 connections, one such thread answers
fast but hangs with the first client that stalls, and several lose half the throughput to handing the
interpreter lock around. So requests come by granian's asynchronous interface (RSGI, its own simpler ASGI) and
take one of two lanes. Quick ones, which touch nothing but memory, are answered in the event loop, one after
the other. Those that may wait, for a disk, a picture or the rest of a large body, are answered in threads.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # granian.rsgi has it, but not in its types
    from granian.rsgi import Scope

_THREADS = 64
"""How many requests may wait at the same time; they need little but their stack."""

_SMALL_BODY = 64 * 2**10
"""Bytes of a body that is read whole before the application is called."""

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
        app: what answers.
        may_wait: tells from method and path whether a request belongs into a thread.
    """

    def __init__(self, app: WSGIApplication, may_wait: Callable[[str, str], bool]) -> None:
        self._app = app
        self._may_wait = may_wait
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bluehour")

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        environ = _environ(scope)
        if _is_small(environ):
            environ["wsgi.input"] = io.BytesIO(await protocol())
            if not self._may_wait(scope.method, environ["PATH_INFO"]):
                status, headers, body = self._answer(environ)
                _send_whole(protocol, status, headers, body)
                return
        else:
            environ["wsgi.input"] = io.BufferedReader(_Chunks(protocol), _SMALL_BODY)
        await self._answer_in_thread(environ, protocol)

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], Iterable[bytes]]:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), headers]

        body = self._app(environ, start_response)
        return started[0], started[1], body

    async def _answer_in_thread(self, environ: WSGIEnvironment, protocol: HTTPProtocol) -> None:
        loop = asyncio.get_running_loop()
        status, headers, body = await loop.run_in_executor(self._threads, self._answer, environ)
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
    for name, value in scope.headers.items():
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


def _send_whole(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: Iterable[bytes]
) -> None:
    try:
        protocol.response_bytes(status, headers, b"".join(body))
    finally:
        _close(body)


def _close(body: Iterable[bytes]) -> None:
    if hasattr(body, "close"):
        body.close()


class _Chunks(io.RawIOBase):
    """A body as it comes, for a thread to read while the event loop receives it."""

    def __init__(self, protocol: HTTPProtocol) -> None:
        self._chunks = aiter(protocol)
        self._loop = asyncio.get_running_loop()
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Wait for some bytes; none at the end."""
        target = memoryview(buffer).cast("B")
        while not self._rest:
            chunk = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    async def _next(self) -> bytes | None:
        # Not `anext(…, None)`: its wrapper around granian's own awaitables crashes the interpreter.
        try:
            chunk: bytes = await self._chunks.__anext__()
        except StopAsyncIteration:
            return None
        return chunk
