"""What is to be done at a time by the mock's clock, and the thread that does it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from threading import Condition, Thread

from ..core.clock import Clock

_MOST_WAITING = 10_000
"""Errands that wait; those beyond are dropped."""

log = logging.getLogger("bluehour")


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to be done.

    Attributes:
        act: does it.
        due_at: tells when it is due, as that is now; None where it is not to be done any more.
    """

    act: Callable[[], None]
    due_at: Callable[[], float | None]


class Timetable:
    """Has errands done when they are due. May be used from any thread; its own starts with the first one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = Condition()
        self._numbers = count()
        self._waiting: list[tuple[float, int, Errand]] = []
        self._is_busy = False
        self._is_closed = False
        self._thread: Thread | None = None

    def add(self, errand: Errand) -> None:
        """Have something done, unless it is not to be done at all; dropped where too much waits already."""
        at = errand.due_at()
        if at is None:
            return
        with self._changed:
            if len(self._waiting) >= _MOST_WAITING:
                log.warning("a callback is dropped: %s are waiting already", f"{_MOST_WAITING:,}")
                return
            heappush(self._waiting, (at, next(self._numbers), errand))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="bluehour-callbacks", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def look_anew(self) -> None:
        """Ask every errand again when it is due: the clock, or what it is about, has changed."""
        with self._changed:
            asked = [(each.due_at(), number, each) for _, number, each in self._waiting]
            self._waiting = [(at, number, each) for at, number, each in asked if at is not None]
            heapify(self._waiting)
            self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is due; tell whether that came true within so many real seconds."""
        with self._changed:
            return self._changed.wait_for(self._is_settled, timeout)

    def reset(self) -> None:
        """Forget what waits."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Do nothing more; what is being done may end by itself."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _is_settled(self) -> bool:
        is_due = bool(self._waiting) and self._waiting[0][0] <= self._clock.now()
        return self._is_closed or not (self._is_busy or is_due)

    def _run(self) -> None:
        while (errand := self._next()) is not None:
            try:
                errand.act()
            except Exception:  # one is lost, not all that come after it
                log.exception("a callback could not be sent, which is a bug of the mock")
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next(self) -> Errand | None:
        """Wait for the next errand that is due; None at the end."""
        with self._changed:
            while not self._is_closed:
                at = self._waiting[0][0] if self._waiting else math.inf
                left = at - self._clock.now()
                if left <= 0:
                    self._is_busy = True
                    return heappop(self._waiting)[2]
                self._changed.wait(None if left == math.inf or self._clock.frozen else left)
        return None
