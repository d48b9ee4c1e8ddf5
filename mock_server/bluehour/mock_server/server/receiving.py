"""Receiving a request's body: whole or not at all, and within a time that a client's connection bears.

A small body comes in one piece, a large one goes to disk. One that is cut off or stalls is known as such.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from typing import IO, TYPE_CHECKING, Any, cast

from ..api.call import Refusal

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # granian.rsgi has it, but not in its types

_IN_MEMORY = 2**20
"""Bytes of a larger body that are kept in memory; from there on it goes to disk."""

_LONGEST_SILENCE = 30.0
"""Seconds in which something of a body has to come."""

_SLOWEST = 2**10
"""Bytes a second that have to come of a body, once the longest silence has passed."""

_DRAINED_AT_MOST = 2**30
"""Bytes that are read of what is not kept of a body."""


class CutOff(Exception):
    """Not all of a body came that was announced."""


class SmallBodies:
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


async def receive_large(protocol: HTTPProtocol, most: int, announced: int | None) -> IO[bytes]:
    """Receive a body that may not be held in memory, or a little more than `most` bytes of it.

    Args:
        protocol: what it comes by.
        most: in bytes.
        announced: its size in bytes; None where that is not known beforehand.

    Raises:
        Refusal: 408, it comes too slowly.
        OSError: there is no room for it on disk.
        CutOff: not all of it came.
    """
    body = cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        await _receive(protocol, body, most, announced)
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return body


async def _receive(protocol: HTTPProtocol, body: IO[bytes], most: int, announced: int | None) -> None:
    """Receive a body, or a little more than `most` bytes of it.

    What is not kept is read all the same, so that the client is there to hear why.

    Raises:
        Refusal: 408, it comes too slowly.
        OSError: there is no room for it on disk.
        CutOff: not all of it came.
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
    is_whole = empty < 2 if announced is None else received == announced
    if not is_whole and received <= most:
        raise CutOff


def _too_slow() -> Refusal:
    return Refusal(
        "request_timeout",
        f"The request's body comes too slowly: nothing for {_LONGEST_SILENCE:g} s, "
        f"or less than {_SLOWEST} bytes a second",
        headers={"Connection": "close"},
    )
