"""The journal itself: the last requests with their answers, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock

from .entry import Entry
from .habits import Habits
from .record import Record

_MOST_BYTES = 32 * 2**20
"""Of what is kept, bodies included."""

_MOST_WARNINGS = 10_000
"""Of entries that are read again."""

Listener = Callable[[int], None]


class Journal:
    """The last requests. May be used from any thread.

    Args:
        most: how many are kept; fewer if they are large.
        advised: tells the seconds between two polls of a job; who polls more often is warned of.
    """

    def __init__(self, most: int, advised: Callable[[], float] = lambda: 0) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: deque[Record] = deque()
        self._bytes = 0
        self._recorded = 0
        self._listeners: list[Listener] = []
        self._warnings = Warnings(advised)

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

    def record(self, record: Record) -> None:
        """Keep a request; the oldest ones make room for it."""
        number = self._keep(record)
        for listener in self._listeners:
            listener(number)

    def all(self) -> list[Entry]:
        """Return what is kept, oldest first."""
        with self._lock:
            kept, first = list(self._kept), self._recorded - len(self._kept) + 1
        return self._warnings.added_to(record.entry(number) for number, record in enumerate(kept, first))

    def find(self, entry_id: int) -> Entry:
        """Return one request; the first one is number 1.

        Raises:
            KeyError: there was none of that number, or it has made room for others.
        """
        with self._lock:
            place = entry_id - (self._recorded - len(self._kept)) - 1
            if not 0 <= place < len(self._kept):
                raise KeyError(entry_id)
            entry = self._kept[place].entry(entry_id)
        if not self._warnings.reach(entry_id):
            self.all()
        return self._warnings.added_to([entry])[0]

    def clear(self) -> None:
        """Forget all requests, and count from 1 again."""
        with self._lock:
            self._kept.clear()
            self._bytes = self._recorded = 0
        self._warnings.clear()

    def forget(self) -> None:
        """Forget all requests, as the store has."""
        self.clear()

    def close(self) -> None:
        """Let go of everything."""

    def on_record(self, listener: Listener) -> None:
        """Have a function called with the number of every request from now on, in the thread that made it."""
        self._listeners.append(listener)

    def _keep(self, record: Record) -> int:
        kept = self._kept
        with self._lock:
            self._recorded += 1
            kept.append(record)
            self._bytes += record.weight
            while len(kept) > self._most or self._bytes > _MOST_BYTES:
                self._bytes -= kept.popleft().weight
            return self._recorded


class Warnings:
    """What is to be said of entries because of those before them; found when they are read first.

    Args:
        advised: see `Journal`.
    """

    def __init__(self, advised: Callable[[], float]) -> None:
        self._advised = advised
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget what was seen; entries are numbered anew."""
        with self._lock:
            self._habits = Habits(self._advised)
            self._seen = 0
            self._found: dict[int, str] = {}

    def reach(self, entry_id: int) -> bool:
        """Tell whether an entry was read before."""
        return entry_id <= self._seen

    def added_to(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return entries, which are in order, with the warnings."""
        with self._lock:
            return [self._added(entry) for entry in entries]

    def _added(self, entry: Entry) -> Entry:
        if entry.id > self._seen:
            self._seen = entry.id
            if warning := self._habits.seen_in(entry):
                self._found[entry.id] = warning
                if len(self._found) > _MOST_WARNINGS:
                    del self._found[next(iter(self._found))]
        warning = self._found.get(entry.id)
        return entry if warning is None else replace(entry, habits=(warning,))
