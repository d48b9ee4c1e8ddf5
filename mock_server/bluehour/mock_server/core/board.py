"""What all processes on one store know alike, as long as they answer by it.

The clock, rules and webhooks of a mock are read with every request, and seldom changed. So each process has
them in memory, and a **lease** on them: for so many seconds from its last look at the store's notes it may
answer by what it saw. Whoever changes a note waits until every other process has seen the change, or its
lease is over: what a change's caller is told is true wherever he asks next. A process that was stopped or cut
off finds its lease over, and looks before it answers.

In a store that no other process can have, nobody is waited for, and no lease ends.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import RLock, Thread

from .process import this_process
from .stores.notes import MemoryNotes, Notes, Posted

LEASE = 2.0
"""Seconds; a process that dies holds up the next change by so much."""

_BEAT = 0.5
"""Seconds after which a lease is renewed, though nothing has changed."""

_LONGEST_PAUSE = 0.02
"""Seconds between two looks at whether others have seen a change."""

log = logging.getLogger("bluehour")

Make = Callable[[bytes | None], bytes]
Take = Callable[[bytes | None], object]


class Note:
    """One note on a board.

    Attributes:
        follow: have a function told what it is, now and after each change, in whichever thread sees that.
        change: put in its place what a function makes of it, and return once all processes know. The function
            may be called several times, as another process may be quicker; what it raises changes nothing.
    """

    def __init__(self, board: Board, name: str) -> None:
        self.follow: Callable[[Take], None] = partial(board.follow, name)
        self.change: Callable[[Make], None] = partial(board.change, name)


class Board:
    """The notes of a store, as this process knows them. May be used from any thread, but for one: whoever is
    inside the world's gate must not call it, as a reset that another process has made is taken up under its
    lock.

    Args:
        notes: the store's; without any, its own.

    Attributes:
        on_reset: called when another process has reset the store.
    """

    def __init__(self, notes: Notes | None = None) -> None:
        self._notes = notes or MemoryNotes()
        self._lock = RLock()
        self._followers: dict[str, list[Take]] = {}
        self._posted = self._notes.read()
        self._checked_in = (-1, -math.inf)  # with which revision, and when
        self._good_until = -math.inf if self._notes.is_shared else math.inf
        self._member = f"{this_process().host}-{this_process().pid}-{secrets.token_hex(4)}"
        self._thread: Thread | None = None
        self._is_resetting = False
        self._closed = False
        self.on_reset: Callable[[], None] = lambda: None

    @property
    def resets(self) -> int:
        """How often the store was reset, as far as this process has taken it up."""
        return self._posted.resets

    @property
    def member(self) -> str:
        """This process's id among `Notes.members`."""
        return self._member

    def note(self, name: str) -> Note:
        """Return the note of a name, which need not be there yet."""
        return Note(self, name)

    def follow(self, name: str, take: Take) -> None:
        """Have a function told what a note is, now and after each change."""
        with self._lock:
            self._followers.setdefault(name, []).append(take)
            take(self._posted.notes.get(name))

    def change(self, name: str, make: Make) -> None:
        """Change a note, and return once all processes know.

        Args:
            name: which.
            make: what it is to be, of what it is.

        Raises:
            StoreUnavailable: nothing has changed.
        """
        while True:
            self.refresh()
            old = self._posted.notes.get(name)
            new = make(old)
            if new == old or self._notes.swap(name, old, new):
                break
        self.refresh()
        self.settle()

    def settle(self) -> None:
        """Wait until every other process knows what this one does; a lease's time at most."""
        if self._is_resetting:
            return
        revision, pause = self._posted.revision, 0.001
        while (left := self._notes.laggards(revision, self._member)) > 0:
            time.sleep(min(left, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def ensure_fresh(self) -> None:
        """Look at the notes where the lease is over; to be called before a request is worked on.

        Raises:
            StoreUnavailable: they can't be read.
        """
        if time.monotonic() >= self._good_until:
            self._look()
            self._begin()  # so that the lease is renewed, and nobody has to wait long for this process

    @contextmanager
    def resetting(self) -> Iterator[None]:
        """Reset the store in the block; at its end, all processes know."""
        with self._lock:
            self._is_resetting = True
            try:
                yield
                self.refresh()
            finally:
                self._is_resetting = False
        self.settle()

    def refresh(self) -> None:
        """Look whether something has changed, have followers told, and renew the lease.

        Raises:
            StoreUnavailable: the notes can't be read, or the lease can't be renewed.
        """
        looked_at = self._look()
        while self._notes.is_shared and self._must_check_in(looked_at):
            revision = self._posted.revision
            self._notes.check_in(self._member, this_process(), revision, LEASE)
            # Whoever changes something from here on waits for this process; who has just before, did not.
            looked_again_at = self._look()
            if self._posted.revision == revision:
                self._checked_in = (revision, looked_at)
                self._good_until = looked_at + LEASE
                self._begin()
            looked_at = looked_again_at

    def _look(self) -> float:
        """Look whether something has changed, and have followers told; return when that was."""
        with self._lock:
            looked_at = time.monotonic()
            if self._notes.revision() != self._posted.revision:
                self._take(self._notes.read())
            return looked_at

    def _must_check_in(self, now: float) -> bool:
        revision, checked_in_at = self._checked_in
        return revision != self._posted.revision or now >= checked_in_at + _BEAT

    def close(self) -> None:
        """Go by nothing any more. The store is still to be closed."""
        self._closed = True
        if self._thread is not None:
            self._thread.join(2 * _BEAT)
        if self._checked_in != (-1, -math.inf):
            try:
                self._notes.leave(self._member)
            except Exception as error:  # its lease ends all the same
                log.info("the store is not told that this process ends: %s", error)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = Thread(target=self._watch, name="bluehour-board", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        """The thread that looks for changes, and renews the lease."""
        can_look = True
        while not self._closed:
            try:
                self.refresh()
                can_look = True
                self._notes.wait(_BEAT, lambda: self._closed)
            except Exception as error:  # such as a database that is away: requests tell of it as well
                if can_look and not self._closed:
                    log.warning("other processes can't be heard: %s", f"{error}".partition("\n")[0])
                can_look = False
                time.sleep(_BEAT)

    def _take(self, posted: Posted) -> None:
        before, self._posted = self._posted, posted
        if posted.resets != before.resets and not self._is_resetting:
            self.on_reset()
        for name, followers in self._followers.items():
            if posted.notes.get(name) != before.notes.get(name):
                for take in followers:
                    take(posted.notes.get(name))
