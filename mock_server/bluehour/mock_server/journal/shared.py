"""The journal of several processes on one store: each writes down its own, and whoever reads sees all.

No request waits for it: a process keeps what it has answered, and stores it in batches, from time to time and
whenever somebody reads.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread

from ..core.board import Board
from ..core.stores import StoreUnavailable
from ..core.stores.pages import Page, Pages
from .entry import Entry
from .journal import Journal
from .record import Record

_EVERY = 0.5
"""Seconds between two batches: what a process that is killed has not stored yet."""

log = logging.getLogger("bluehour")


class SharedJournal(Journal):
    """The last requests to all processes on a store, numbered in the order in which they were stored.

    Args:
        most: how many are kept.
        advised: see `Journal`.
        pages: where.
        board: by which all processes store, or forget, what they have not stored.
        record_of: makes of a page what it was made of.
    """

    def __init__(
        self,
        most: int,
        advised: Callable[[], float],
        pages: Pages,
        board: Board,
        record_of: Callable[[Page], Record],
    ) -> None:
        super().__init__(most, advised)
        self._pages = pages
        self._board = board
        self._record_of = record_of
        self._storing = Lock()
        self._published = pages.recorded()
        self._can_store = True
        self._thread: Thread | None = None
        self._closed = Event()
        self._read = board.note("journal read")
        self._cleared = board.note("journal cleared")
        self._read.follow(lambda _: self._store_if_possible())
        self._cleared.follow(lambda _: super(SharedJournal, self).clear())

    def __len__(self) -> int:
        """Tell how many are kept, those that other processes have not stored yet not counted."""
        return min(self._most, self._pages.count() + len(self._kept))

    @property
    def recorded(self) -> int:
        """How many there were since the start or the last `clear`."""
        return self._pages.recorded()

    @property
    def dropped(self) -> int:
        """How many of them have made room for others."""
        return self.recorded - len(self)

    def record(self, record: Record) -> None:
        """Keep a request until it is stored."""
        self._keep(record)
        if self._thread is None:
            self._begin()

    def all(self) -> list[Entry]:
        """Return what is kept, oldest first."""
        with suppress(StoreUnavailable):  # it may be that nothing can be stored now, but read
            self._read.change(_next)
        return self._warnings.added_to(self._entry(page) for page in self._pages.all())

    def find(self, entry_id: int) -> Entry:
        """Return one request.

        Raises:
            KeyError: there was none of that number, or it has made room for others.
        """
        if not self._warnings.reach(entry_id):
            self.all()
        page = self._pages.find(entry_id)
        if page is None:
            raise KeyError(entry_id)
        return self._warnings.added_to([self._entry(page)])[0]

    def clear(self) -> None:
        """Forget all requests, and count from 1 again."""
        self._cleared.change(_next)
        self._pages.clear()

    def forget(self) -> None:
        """Forget what is not stored; the store was reset."""
        super().clear()

    def close(self) -> None:
        """Store the rest."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(2 * _EVERY)
        self._store_if_possible()

    def _entry(self, page: Page) -> Entry:
        return self._record_of(page).entry(page.number)

    def _begin(self) -> None:
        with self._storing:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="bluehour-journal", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._closed.wait(_EVERY):
            if self._store_if_possible():
                self._publish()

    def _store_if_possible(self) -> bool:
        could, self._can_store = self._can_store, True
        try:
            self._store()
        except Exception as error:  # such as a database that is away: it is tried again
            if could:
                log.warning("the journal can't be stored yet: %s", f"{error}".partition("\n")[0])
            self._can_store = False
        return self._can_store

    def _store(self) -> None:
        """Store what has come since the last time; where that fails, it is kept."""
        with self._storing:
            with self._lock:
                kept, recorded = [*self._kept], self._recorded
            if recorded:
                pages = [_page(record) for record in kept]
                self._pages.add(pages, recorded - len(kept), self._most, self._board.resets)
                self._forget_stored(kept, recorded)

    def _forget_stored(self, stored: list[Record], recorded: int) -> None:
        with self._lock:
            if self._recorded < recorded:  # all was forgotten meanwhile
                return
            self._recorded -= recorded
            gone = {id(record) for record in stored}
            self._kept = deque(record for record in self._kept if id(record) not in gone)
            self._bytes = sum(record.weight for record in self._kept)

    def _publish(self) -> None:
        """Tell listeners of what all processes have stored."""
        try:
            last = self._pages.recorded()
        except Exception:  # told by who stores
            return
        first = max(min(self._published, last), last - self._most)
        self._published = last
        for number in range(first + 1, last + 1):
            for listener in self._listeners:
                listener(number)


def _page(record: Record) -> Page:
    operation = record.operation
    return Page(0, record.packed, record.body, record.answer, None if operation is None else operation.id)


def _next(count: bytes | None) -> bytes:
    return b"%d" % (int(count or 0) + 1)
