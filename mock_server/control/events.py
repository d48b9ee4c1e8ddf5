"""Server-sent events: what happens in the mock, told to every console that is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Lock
from typing import TYPE_CHECKING

import orjson

from ..journal.recorder import Record

if TYPE_CHECKING:
    from ..mock import Mock

_HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: it finds out who has left."""

_MOST_WAITING = 500
"""Events that a slow reader may lag behind by; then it is told to read everything anew."""

Event = Record | str
"""A request that was recorded, or the name of what has changed."""


class Feed:
    """Hands events to whoever listens. `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: dict[asyncio.Queue[Event], asyncio.AbstractEventLoop] = {}

    def publish(self, event: Event) -> None:
        """Tell every listener; nobody listening, it costs nothing."""
        if not self._listeners:
            return
        with self._lock:
            for queue, loop in self._listeners.items():
                loop.call_soon_threadsafe(_put, queue, event)

    def listen(self) -> asyncio.Queue[Event]:
        """Return a queue of the events from now on, to be read in the running event loop."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        with self._lock:
            self._listeners[queue] = asyncio.get_running_loop()
        return queue

    def leave(self, queue: asyncio.Queue[Event]) -> None:
        """Send nothing more to a queue."""
        with self._lock:
            self._listeners.pop(queue, None)


async def follow(mock: Mock) -> AsyncIterator[bytes]:
    """Yield a mock's events in the form of text/event-stream, for ever."""
    queue = mock.feed.listen()
    try:
        yield b"retry: 1000\n: connected\n\n"
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), _HEARTBEAT)
            except TimeoutError:
                yield b": still here\n\n"
            else:
                yield _written(event)
    finally:
        mock.feed.leave(queue)


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.qsize() < _MOST_WAITING:
        queue.put_nowait(event)
    elif queue.qsize() == _MOST_WAITING:
        queue.put_nowait("journal")


def _written(event: Event) -> bytes:
    if isinstance(event, str):
        return b"event: changed\ndata: %s\n\n" % orjson.dumps(event)
    from ..journal.view import entry

    return b"event: entry\nid: %d\ndata: %s\n\n" % (event.id, orjson.dumps(entry(event.exchange())))
