"""Server-sent events: what happens in the mock, told to every console that is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property
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

_MOST_AT_ONCE = 50


class Event:
    """A request that was recorded, with its number, or the name of what has changed.

    It is written once for all who listen.
    """

    def __init__(self, what: tuple[int, Record] | str) -> None:
        self._what = what

    @cached_property
    def text(self) -> bytes:
        """The event in the form of text/event-stream."""
        if isinstance(self._what, str):
            return b"event: changed\ndata: %s\n\n" % orjson.dumps(self._what)
        from ..journal.view import entry

        number, record = self._what
        shown = orjson.dumps(entry(record.exchange(number)))
        return b"event: entry\nid: %d\ndata: %s\n\n" % (number, shown)


class Feed:
    """Hands events to whoever listens; they may come from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: dict[asyncio.Queue[Event], asyncio.AbstractEventLoop] = {}

    def publish_record(self, number: int, record: Record) -> None:
        """Tell every listener of a request; nobody listening, it costs nothing."""
        if self._listeners:
            self._tell(Event((number, record)))

    def publish(self, changed: str) -> None:
        """Tell every listener of what has changed."""
        if self._listeners:
            self._tell(Event(changed))

    def _tell(self, event: Event) -> None:
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
                events = [await asyncio.wait_for(queue.get(), _HEARTBEAT)]
            except TimeoutError:
                yield b": still here\n\n"
                continue
            while not queue.empty() and len(events) < _MOST_AT_ONCE:
                events.append(queue.get_nowait())
            # In a thread: to find a request's faults takes time, and requests are answered in this loop.
            yield await asyncio.to_thread(_written, events)
    finally:
        mock.feed.leave(queue)


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.qsize() < _MOST_WAITING:
        queue.put_nowait(event)
    elif queue.qsize() == _MOST_WAITING:
        queue.put_nowait(Event("journal"))


def _written(events: list[Event]) -> bytes:
    return b"".join(event.text for event in events)
