"""The journal itself: the last requests with their answers, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from .entry import Entry
from .record import Record

_MOST_BYTES = 32 * 2**20
"""Of what is kept, bodies included."""


class Journal:
    """The last requests. May be used from any thread.

    Args:
        most: how many are kept; fewer if they are large.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: deque[Record] = deque()
        self._bytes = 0
        self._recorded = 0
        self._listeners: list[Callable[[int, Record], None]] = []

    def __len__(self) -> int:
        """Tell how many are kept."""
        return len(self._kept)

    @property
    def recorded(self) -> int:
        """How many there were since the start or the last `clear`."""
        return self._recorded

    @property
    def dropped(self) -> int:
        """How many of them have made room for others."""
        with self._lock:
            return self._recorded - len(self._kept)

    def record(self, record: Record) -> int:
        """Keep a request, and return its number; the oldest ones make room for it."""
        kept = self._kept
        with self._lock:
            self._recorded += 1
            number = self._recorded
            kept.append(record)
            self._bytes += record.weight
            while len(kept) > self._most or self._bytes > _MOST_BYTES:
                self._bytes -= kept.popleft().weight
        for listener in self._listeners:
            listener(number, record)
        return number

    def all(self) -> list[Entry]:
        """Return what is kept, oldest first."""
        with self._lock:
            kept, first = list(self._kept), self._recorded - len(self._kept) + 1
        return [record.entry(number) for number, record in enumerate(kept, first)]

    def find(self, entry_id: int) -> Entry:
        """Return one request; the first one is number 1.

        Raises:
            KeyError: there was none of that number, or it has made room for others.
        """
        with self._lock:
            place = entry_id - (self._recorded - len(self._kept)) - 1
            if not 0 <= place < len(self._kept):
                raise KeyError(entry_id)
            return self._kept[place].entry(entry_id)

    def clear(self) -> None:
        """Forget all requests, and count from 1 again."""
        with self._lock:
            self._kept.clear()
            self._bytes = self._recorded = 0

    def on_record(self, listener: Callable[[int, Record], None]) -> None:
        """Have a function called with every record and its number from now on, in the thread that made it."""
        self._listeners.append(listener)
