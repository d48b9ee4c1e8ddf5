"""A line of what is to be counted, so that whoever has something to count only puts it there.

Measured, to take a lock for each costs a busy server more than to count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

_LONGEST = 200
"""What stands in a line before somebody counts it; a longer one would not stay in a processor's cache."""

Counted = TypeVar("Counted")


class Line(Generic[Counted]):
    """What is to be counted. Anything may be put in from any thread; one at a time counts.

    Args:
        count: counts one; called by one thread at a time.
    """

    def __init__(self, count: Callable[[Counted], None]) -> None:
        self._count = count
        self._waiting: deque[Counted] = deque()
        self.lock = Lock()

    def put(self, what: Counted) -> None:
        """Have something counted by and by."""
        self._waiting.append(what)
        if len(self._waiting) >= _LONGEST and self.lock.acquire(blocking=False):
            try:
                self.count_all()
            finally:
                self.lock.release()

    def count_all(self) -> None:
        """Count all that waits, for whoever holds the lock."""
        for _ in range(len(self._waiting)):
            self._count(self._waiting.popleft())
