"""Sending an answer by granian: whole, as a file, or as events that go on for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import orjson
from granian._granian import RSGIProtocolClosed

from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

from .connection import Connection
from .disrupting import send_disrupted
from ..api.trace import Disruption

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # granian.rsgi has it, but not in its types
    from granian.rsgi import Scope

_LONGEST_GAP = 60.0
"""Seconds for which a reader of events may read nothing; then its connection is closed."""

Answer = tuple[int, list[tuple[str, str]], Iterable[bytes]]
"""Its status, headers and body."""


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


def send(protocol: HTTPProtocol, answer: Answer) -> None:
    """Send an answer that is there as a whole, or as a file."""
    status, headers, body = answer
    if isinstance(body, FileBody):
        with closing(body):
            protocol.response_file(status, headers, body.path)
    else:
        protocol.response_bytes(status, headers, _whole(body))


def refuse(protocol: HTTPProtocol, code: str, message: str | None = None) -> None:
    """Answer for the application; where a part of an answer has been sent, nothing more can be said."""
    status, usual = {**load().mock_errors, **load().errors}[code]
    with contextlib.suppress(Exception):
        protocol.response_bytes(
            status, [("content-type", JSON)], orjson.dumps({"code": code, "message": message or usual})
        )


async def disrupt(scope: Scope, protocol: HTTPProtocol, answer: Answer, disruption: Disruption) -> None:
    """Send an answer as a disruption has it."""
    status, headers, body = answer
    whole = await asyncio.to_thread(_whole, body) if isinstance(body, FileBody) else _whole(body)
    await send_disrupted(scope, protocol, status, headers, whole, disruption)


async def send_events(
    scope: Scope,
    protocol: HTTPProtocol,
    answer: Answer,
    events: AsyncIterator[bytes],
) -> None:
    """Send what comes, when it comes and the client reads it, until one of them leaves."""
    status, headers, _ = answer
    lasting = [(name, value) for name, value in headers if name.lower() != "content-length"]
    left: asyncio.Future[None] = asyncio.ensure_future(protocol.client_disconnect())
    try:
        async with contextlib.aclosing(cast("AsyncGenerator[bytes, None]", events)):
            first = await anext(events, None)
            if first is None:
                refuse(protocol, "service_unavailable", "Too many read the events already; close a console")
                return
            with contextlib.suppress(LookupError), closing(Connection(scope.client)) as connection:
                stream = protocol.response_stream(status, lasting)
                await stream.send_bytes(first)
                # The next are asked for once there is room for them: granian itself holds all it gets.
                while await connection.writable(_LONGEST_GAP):
                    following = await _next(events, left)
                    if following is None:
                        return
                    await stream.send_bytes(following)
                connection.end()
    except (RSGIProtocolClosed, StopAsyncIteration):
        pass
    finally:
        left.cancel()


async def _next(events: AsyncIterator[bytes], left: asyncio.Future[None]) -> bytes | None:
    """Return what comes next; None once the client has left."""
    following = asyncio.ensure_future(anext(events))
    either: set[asyncio.Future[Any]] = {following, left}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return following.result() if following.done() else None
    finally:
        following.cancel()
        await asyncio.wait({following})  # so that nobody is in there when the events are closed


def _whole(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        _close(body)


def _close(body: Iterable[bytes]) -> None:
    if hasattr(body, "close"):
        body.close()
