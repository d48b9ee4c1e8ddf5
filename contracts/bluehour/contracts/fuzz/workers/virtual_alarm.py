"""An alarm that goes off by the client's clock, which sleeping moves: it bounds many a client's time."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

_SETITIMER, _GETITIMER = signal.setitimer, signal.getitimer


class Alarm:
    """The alarm of `signal.alarm` and `signal.setitimer`: it goes off by the client's clock.

    Args:
        now: tells the time by that clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._at: float | None = None
        self._every = 0.0

    @property
    def due_in(self) -> float:
        """Seconds until it goes off; infinite for one that is not set."""
        if self._at is not None and self._at <= self._now():  # the system's has gone off
            self._at = self._now() + self._every if self._every else None
        return float("inf") if self._at is None else self._at - self._now()

    def moved(self) -> None:
        """Go off, if the time that was just moved has come to it; else let the system's wait for less."""
        if self._at is None:
            return
        if self._at <= self._now():
            self._set(self._every, self._every)
            signal.raise_signal(signal.SIGALRM)
        else:
            _SETITIMER(signal.ITIMER_REAL, self._at - self._now(), self._every)

    def cancel(self) -> None:
        """Forget it."""
        if self._at is not None:
            self._set(0.0, 0.0)

    def _set(self, seconds: float, interval: float) -> None:
        self._at, self._every = (self._now() + seconds if seconds else None), interval
        _SETITIMER(signal.ITIMER_REAL, seconds, interval)

    def setitimer(self, which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        """Do as `signal.setitimer` does."""
        if which != signal.ITIMER_REAL:
            return _SETITIMER(which, seconds, interval)
        before = self.getitimer(which)
        self._set(seconds, interval)
        return before

    def getitimer(self, which: int) -> tuple[float, float]:
        """Do as `signal.getitimer` does."""
        if which != signal.ITIMER_REAL:
            return _GETITIMER(which)
        left = self.due_in
        return (0.0, 0.0) if left == float("inf") else (left, self._every)

    def alarm(self, seconds: int) -> int:
        """Do as `signal.alarm` does."""
        left, _ = self.setitimer(signal.ITIMER_REAL, seconds)
        return math.ceil(left)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put it in the place of the system's."""
        with ExitStack() as stack:
            for name in ("alarm", "setitimer", "getitimer"):
                stack.enter_context(patch.object(signal, name, getattr(self, name)))
            yield
