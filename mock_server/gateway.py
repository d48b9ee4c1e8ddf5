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
import contextlib
import io
import logging
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import orjson
from granian._granian import RSGIProtocolClosed

from openapi.contract import load
from openapi.model import JSON
from openapi.wording import cut

from .connection import Connection
from .disrupting import send_disrupted
from .exchange import Refusal
from .lanes import Lane, LaneFull, Lanes
from .refusals import unavailable
from .requestlog import printable
from .trace import Disruption, begin_trace, trace_of
from .wsgi import to_wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # granian.rsgi has it, but not in its types
    from granian.rsgi import Scope

log = logging.getLogger("bluehour")

_SMALL_BODY = 64 * 2**10
"""Bytes of a body that is received in one piece."""

_IN_MEMORY = 2**20
"""Bytes of a larger body that are kept in memory; from there on it goes to disk."""

_LONGEST_LENGTH = 15
"""Digits of a Content-Length that are read."""

_LONGEST_SILENCE = 30.0
"""Seconds in which something of a body has to come."""

_SLOWEST = 2**10
"""Bytes a second that have to come of a body, once the longest silence has passed."""

_DRAINED_AT_MOST = 2**30
"""Bytes that are read of what is not kept of a body."""

_LINGERS = 1.0
"""Seconds for which a connection stays open behind an answer that has cut a request short."""

_LONGEST_GAP = 60.0
"""Seconds for which a reader of events may read nothing; then its connection is closed."""


class FileBody:
    """An answer's body that is a file, as WSGI's `wsgi.file_wrapper` makes it; granian sends it itself."""

    def __init__(self, file: BinaryIO, block_size: int = 2**16) -> None:
        self._file = file
        self._block_size = block_size
        self.path = str(file.name)

    def __iter__(self) -> Iterator[bytes]:
        """Yield it in blocks, for whoever changes it on its way."""
        while block := self._file.read(self._block_size):
            yield block

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


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


_Answer = tuple[int, list[tuple[str, str]], Iterable[bytes]]
"""Its status, headers and body."""


class _ClientLeft(Exception):
    """The client is gone amid its request."""


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
        self._small_bodies = _SmallBodies()

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
            what = printable(f"{cut(scope.method)} {cut(scope.path)}")
            log.exception("%s could not be answered, which is a bug of the mock", what)
            _refuse(protocol, "internal_server_error")

    async def _serve(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ = _environ(scope)
        size, path = _announced_size(environ), environ["PATH_INFO"]
        try:
            if size is not None and size <= _SMALL_BODY:
                small = await self._small_bodies.receive(protocol) if size else b""
                lane = self._lane_of(scope.method, path, small)
                body: IO[bytes] = io.BytesIO(small)
            else:
                lane = self._lane_of(scope.method, path, None) or "api"
                body = await self._large_body(protocol, path, size)
        except (_ClientLeft, RSGIProtocolClosed):
            _refuse(protocol, "invalid_request", "The request's body is cut off")  # it may have half left
            return
        except (Refusal, OSError) as error:
            # Answered by the application all the same, so that it is seen in the log and the journal.
            trace_of(environ).refused = error if isinstance(error, Refusal) else unavailable(error)
            lane, body = None, io.BytesIO()
        environ["wsgi.input"] = body
        if lane is None:
            sending = self._send(scope, environ, protocol, self._answered(environ))
        else:
            with body:
                sending = self._send(scope, environ, protocol, await self._answered_in(lane, environ))
        if sending is not None:
            await sending
        if trace_of(environ).refused is not None:
            await _end_connection(scope.client)

    async def _large_body(self, protocol: HTTPProtocol, path: str, size: int | None) -> IO[bytes]:
        """Receive a body that may not be held in memory.

        Raises:
            Refusal: 408, it comes too slowly.
            OSError: there is no room for it on disk.
            _ClientLeft: not all of it came that was announced.
        """
        body = cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller closes it
        try:
            whole = await _receive(protocol, body, self._largest_body(path), size)
        except BaseException:
            body.close()
            raise
        if not whole:
            body.close()
            raise _ClientLeft
        body.seek(0)
        return body

    async def _answered_in(self, lane: Lane, environ: WSGIEnvironment) -> _Answer:
        try:
            return await self._lanes.work(lane, self._answered, environ)
        except LaneFull:
            trace_of(environ).refused = _full(lane)
            return self._answered(environ)

    def _send(
        self, scope: Scope, environ: WSGIEnvironment, protocol: HTTPProtocol, answer: _Answer
    ) -> Coroutine[Any, Any, None] | None:
        """Send an answer at once, as most are; return what is to be awaited of others."""
        status, headers, body = answer
        trace = trace_of(environ)
        if trace.events is not None:
            return _send_events(scope, protocol, status, headers, trace.events())
        if trace.disruption is not None:
            return _send_disrupted(scope, protocol, answer, trace.disruption)
        if isinstance(body, FileBody):
            with closing(body):
                protocol.response_file(status, headers, body.path)
        else:
            protocol.response_bytes(status, headers, _whole(body))
        return None

    def _answered(self, environ: WSGIEnvironment) -> _Answer:
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


async def _end_connection(client: str) -> None:
    """Close the connection of a client that has not sent all that it announced; granian would wait for it."""
    await asyncio.sleep(_LINGERS)  # it is to have the answer first
    with contextlib.suppress(LookupError), contextlib.closing(Connection(client)) as connection:
        connection.end()


class _SmallBodies:
    """Receives bodies in one piece, and ends those that don't come.

    They are looked at all together from time to time: a timer for each costs a twentieth of the throughput.
    """

    def __init__(self) -> None:
        self._begun: dict[asyncio.Task[Any], float] = {}
        self._ended: set[asyncio.Task[Any]] = set()
        self._is_watched = False

    async def receive(self, protocol: HTTPProtocol) -> bytes:
        """Receive a body.

        Raises:
            Refusal: 408, it does not come.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - granian runs one for each request
        self._begun[task] = time.monotonic()
        if not self._is_watched:
            self._watch()
        try:
            return await protocol()
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
            self._ended.discard(task)
            task.uncancel()
            raise _too_slow() from None
        finally:
            del self._begun[task]

    def _watch(self) -> None:
        self._is_watched = True
        asyncio.get_running_loop().call_later(_LONGEST_SILENCE / 4, self._look)

    def _look(self) -> None:
        late = time.monotonic() - _LONGEST_SILENCE
        for task in [task for task, begun in self._begun.items() if begun < late]:
            self._ended.add(task)
            task.cancel()
        self._is_watched = False
        if self._begun:
            self._watch()


async def _receive(protocol: HTTPProtocol, body: IO[bytes], most: int, announced: int | None) -> bool:
    """Receive a body, or a little more than `most` bytes of it; tell whether it is whole.

    What is not kept is read all the same, so that the client is there to hear why.

    Raises:
        Refusal: 408, it comes too slowly.
        OSError: there is no room for it on disk.
    """
    loop = asyncio.get_running_loop()
    begun, received, lack, empty = loop.time(), 0, None, 0
    chunks = aiter(protocol)
    while received <= most + _DRAINED_AT_MOST:
        patience = min(_LONGEST_SILENCE, begun + _LONGEST_SILENCE + received / _SLOWEST - loop.time())
        try:
            async with asyncio.timeout(patience):
                chunk = await anext(chunks)
        except TimeoutError:
            raise _too_slow() from None
        except StopAsyncIteration:
            break
        if received <= most and lack is None:
            try:
                body.write(chunk)
            except OSError as error:
                lack = error
        received += len(chunk)
        empty += not chunk
    if lack is not None:
        raise lack
    # granian ends with an empty piece, and says by another one that it has met no end.
    return received > most or (empty < 2 if announced is None else received == announced)


def _too_slow() -> Refusal:
    return Refusal(
        "request_timeout",
        f"The request's body comes too slowly: nothing for {_LONGEST_SILENCE:g} s, "
        f"or less than {_SLOWEST} bytes a second",
        headers={"Connection": "close"},
    )


def _environ(scope: Scope) -> WSGIEnvironment:
    """Return the request as WSGI has it, without its body."""
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_ENVIRON,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": to_wsgi(
            scope.path
        ),  # without percent signs: granian has taken them for what they stand for
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


def _refuse(protocol: HTTPProtocol, code: str, message: str | None = None) -> None:
    """Answer for the application; where a part of an answer has been sent, nothing more can be said."""
    status, usual = {**load().mock_errors, **load().errors}[code]
    with contextlib.suppress(Exception):
        protocol.response_bytes(
            status, [("content-type", JSON)], orjson.dumps({"code": code, "message": message or usual})
        )


async def _send_disrupted(
    scope: Scope, protocol: HTTPProtocol, answer: _Answer, disruption: Disruption
) -> None:
    status, headers, body = answer
    whole = await asyncio.to_thread(_whole, body) if isinstance(body, FileBody) else _whole(body)
    await send_disrupted(scope, protocol, status, headers, whole, disruption)


async def _send_events(
    scope: Scope,
    protocol: HTTPProtocol,
    status: int,
    headers: list[tuple[str, str]],
    events: AsyncIterator[bytes],
) -> None:
    """Send what comes, when it comes and the client reads it, until one of them leaves."""
    lasting = [(name, value) for name, value in headers if name.lower() != "content-length"]
    left: asyncio.Future[None] = asyncio.ensure_future(protocol.client_disconnect())
    try:
        async with contextlib.aclosing(cast("AsyncGenerator[bytes, None]", events)):
            first = await anext(events, None)
            if first is None:
                _refuse(protocol, "service_unavailable", "Too many read the events already; close a console")
                return
            with contextlib.suppress(LookupError), closing(Connection(scope.client)) as connection:
                stream = protocol.response_stream(status, lasting)
                await stream.send_bytes(first)
                # The next are asked for once there is room for them: granian itself holds all it gets.
                while await connection.writable(_LONGEST_GAP):
                    following = asyncio.ensure_future(anext(events))
                    either: set[asyncio.Future[Any]] = {following, left}
                    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                    if not following.done():
                        following.cancel()
                        await asyncio.wait({following})
                        return
                    await stream.send_bytes(following.result())
                connection.end()
    except (RSGIProtocolClosed, StopAsyncIteration):
        pass
    finally:
        left.cancel()


def _whole(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        _close(body)


def _close(body: Iterable[bytes]) -> None:
    if hasattr(body, "close"):
        body.close()
