"""What all processes on a store are to know alike: notes, counts, and which processes there are.

A note is a small value under a name, such as how the clock stands. Every change of one, and every reset of
the store, makes a new revision; a process that knows the latest revision knows all there is to know.
`core.board` makes of it that no process answers by what is out of date.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import NamedTuple, Protocol

from ..process import Process


class Posted(NamedTuple):
    """What was noted at one moment.

    Attributes:
        revision: grows with every change.
        resets: how often the store was reset.
        notes: by name.
    """

    revision: int
    resets: int
    notes: Mapping[str, bytes]


class Notes(Protocol):
    """Keeps them. All calls may come from any thread, and may raise StoreUnavailable."""

    is_shared: bool
    """Whether other processes may have the same."""

    def read(self) -> Posted:
        """Return all of them, as they are at one moment."""

    def revision(self) -> int:
        """Return the latest revision."""

    def swap(self, name: str, old: bytes | None, new: bytes) -> bool:
        """Put a note in the place of an earlier one.

        Args:
            name: which.
            old: what was read; None where there was none.
            new: what is to be.

        Returns:
            Whether that was still what is noted; otherwise nothing has changed.
        """

    def count(self, group: str, name: str, at_most: int | None = None, by: int = 1) -> int | None:
        """Count something, exactly once over all processes.

        Args:
            group: what it belongs to; it is forgotten with it.
            name: of the count.
            at_most: where it stands already, nothing is counted.
            by: how often it has happened.

        Returns:
            The count, from 1 on; None where nothing was counted.
        """

    def counts(self, group: str) -> Mapping[str, int]:
        """Return the counts of a group, by name; those that have not begun are not there."""

    def forget_counts(self, group: str) -> None:
        """Have all counts of a group begin anew."""

    def seconds_ahead(self) -> float:
        """Return by how much the store's time is ahead of this machine's `time.monotonic()`."""

    def check_in(self, member: str, process: Process, revision: int, lease: float) -> None:
        """Say that a member knows a revision, and may go by it for so many seconds.

        Args:
            member: an id that nobody else has.
            process: where it is.
            revision: what it knows.
            lease: how long it may go by that, from now on.
        """

    def leave(self, member: str) -> None:
        """Say that a member goes by nothing any more."""

    def members(self) -> Mapping[str, Process]:
        """Return those whose lease is not over, by id."""

    def laggards(self, revision: int, but: str) -> float:
        """Return for how many seconds some member, other than `but`, may go by an earlier revision."""

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Wait until something may have changed, or so long, or until it is stopped; for one thread alone."""


class MemoryNotes:
    """Keeps them in this process; nobody else has them."""

    is_shared = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._posted = Posted(0, 0, {})
        self._counts: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def read(self) -> Posted:
        """Return all of them."""
        return self._posted

    def revision(self) -> int:
        """Return the latest revision."""
        return self._posted.revision

    def swap(self, name: str, old: bytes | None, new: bytes) -> bool:
        """Put a note in the place of an earlier one; tell whether that was still what is noted."""
        with self._lock:
            revision, resets, notes = self._posted
            if notes.get(name) != old:
                return False
            self._posted = Posted(revision + 1, resets, {**notes, name: new})
            return True

    def reset(self) -> None:
        """Say that the store was reset."""
        with self._lock:
            revision, resets, notes = self._posted
            self._posted = Posted(revision + 1, resets + 1, notes)

    def count(self, group: str, name: str, at_most: int | None = None, by: int = 1) -> int | None:
        """Count something; None where it stands at the most already."""
        with self._lock:
            counts = self._counts[group]
            count = counts.get(name, 0)
            if at_most is not None and count >= at_most:
                return None
            counts[name] = count + by
            return count + by

    def counts(self, group: str) -> Mapping[str, int]:
        """Return the counts of a group, by name."""
        with self._lock:
            return dict(self._counts.get(group, ()))

    def forget_counts(self, group: str) -> None:
        """Have all counts of a group begin anew."""
        with self._lock:
            self._counts.pop(group, None)

    def seconds_ahead(self) -> float:
        """Return by how much the system's time is ahead of `time.monotonic()`."""
        return time.time() - time.monotonic()

    def check_in(self, member: str, process: Process, revision: int, lease: float) -> None:
        """Do nothing: there are no others."""

    def leave(self, member: str) -> None:
        """Do nothing."""

    def members(self) -> Mapping[str, Process]:
        """Return none: nobody has to be told of anything."""
        return {}

    def laggards(self, revision: int, but: str) -> float:
        """Return 0: there are no others."""
        return 0

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Wait so long."""
        time.sleep(seconds)
