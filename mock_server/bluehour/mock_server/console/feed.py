"""Server-sent events: what happens in the mock, told to every console that is open.

The last events are kept once for all readers, and each reader has its place among them. One that is too slow
loses its place, and is told of a gap: what it missed is in the journal.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from threading import Lock
from typing import Any

import orjson

from bluehour.openapi.errors import BluehourError

_HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: it finds out who has left."""

_MOST_KEPT = 500
"""Events that a slow reader may lag behind by."""

_MOST_AT_ONCE = 50
_MOST_READERS = 200


class TooManyReaders(BluehourError):
    """So many read the events already that no more are let in."""


Shown = Callable[[int], Mapping[str, Any]]


class Event:
    """A request that was recorded, by its number, or the name of what has changed.

    It is written when somebody reads it: what it tells of is in the journal, which has a bound.
    """

    def __init__(self, what: int | str, shown: Shown) -> None:
        self._what = what
        self._shown = shown

    @property
    def text(self) -> bytes:
        """The event in the form of text/event-stream; of a request that is gone by now, that it is missed."""
        if isinstance(self._what, str):
            return b"event: changed\ndata: %s\n\n" % orjson.dumps(self._what)
        try:
            data = orjson.dumps(self._shown(self._what))
        except KeyError:
            return b"event: gap\ndata: 1\n\n"
        return b"event: entry\nid: %d\ndata: %s\n\n" % (self._what, data)


class Reader:
    """One who listens, in an event loop of its own: what it has read, and how it is woken."""

    def __init__(self, feed: Feed, place: int) -> None:
        self._feed = feed
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Let it know that there is more; from any thread."""
        self._loop.call_soon_threadsafe(self._woken.set)

    async def next(self, patience: float) -> tuple[int, list[Event]] | None:
        """Return how many events were missed, and those that come next; None where none does in time."""
        try:
            await asyncio.wait_for(self._woken.wait(), patience)
        except TimeoutError:
            return None
        self._woken.clear()
        missed, events, self._place = self._feed.after(self._place, _MOST_AT_ONCE)
        if len(events) == _MOST_AT_ONCE:
            self._woken.set()
        return missed, events


class Feed:
    """Hands events to whoever listens; they may come from any thread.

    Args:
        shown: returns the journal's entry of a number as it is shown, or raises KeyError.
    """

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._lock = Lock()
        self._readers: set[Reader] = set()
        self._kept: deque[Event] = deque()
        self._published = 0

    def publish(self, what: int | str) -> None:
        """Tell every listener of a request by its number, or of what has changed; without any, do nothing."""
        if not self._readers:
            return
        with self._lock:
            self._published += 1
            self._kept.append(Event(what, self._shown))
            if len(self._kept) > _MOST_KEPT:
                self._kept.popleft()
            for reader in self._readers:
                reader.wake()

    def listen(self) -> Reader:
        """Return a reader of the events from now on, for the running event loop.

        Raises:
            TooManyReaders: there are too many.
        """
        with self._lock:
            if len(self._readers) >= _MOST_READERS:
                raise TooManyReaders
            reader = Reader(self, self._published)
            self._readers.add(reader)
        return reader

    def after(self, place: int, most: int) -> tuple[int, list[Event], int]:
        """Return how many of the events after a place are lost, those that come next, and the place then."""
        with self._lock:
            first = self._published - len(self._kept)
            missed = max(0, first - place)
            start = max(place, first) - first
            events = [self._kept[index] for index in range(start, min(start + most, len(self._kept)))]
            return missed, events, first + start + len(events)

    def leave(self, reader: Reader) -> None:
        """Tell a reader nothing more."""
        with self._lock:
            self._readers.discard(reader)
            if not self._readers:
                self._kept.clear()


async def follow(feed: Feed) -> AsyncIterator[bytes]:
    """Yield events in the form of text/event-stream, for ever; none where too many read them."""
    try:
        reader = feed.listen()
    except TooManyReaders:
        return
    try:
        yield b"retry: 1000\n: connected\n\n"
        while True:
            found = await reader.next(_HEARTBEAT)
            if found is None:
                yield b": still here\n\n"
                continue
            # In a thread: to find a request's faults takes time, and requests are answered in this loop.
            yield await asyncio.to_thread(_written, *found)
    finally:
        feed.leave(reader)


def _written(missed: int, events: list[Event]) -> bytes:
    gap = b"event: gap\ndata: %d\n\n" % missed if missed else b""
    return gap + b"".join(event.text for event in events)
