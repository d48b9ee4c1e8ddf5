"""The one clock of a server: statuses, refunds and expiring links all follow it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Lock


class Clock:
    """Seconds since the epoch, never going back, that can be frozen and advanced.

    It is anchored once to the system's wall clock and then runs on the monotonic one, so a
    correction of the system's time can't make a project's status go back.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._offset = time.time() - time.monotonic()
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Return the current time in seconds since the epoch."""
        frozen_at = self._frozen_at
        return time.monotonic() + self._offset if frozen_at is None else frozen_at

    def freeze(self) -> None:
        """Stop at the current time; only `advance` moves it from here on."""
        with self._lock:
            self._frozen_at = self.now()

    def advance(self, seconds: float) -> None:
        """Jump forward.

        Raises:
            ValueError: `seconds` is negative; statuses must not go back.
        """
        if seconds < 0:
            raise ValueError(f"the clock only goes forward, not by {seconds} s")
        with self._lock:
            if self._frozen_at is None:
                self._offset += seconds
            else:
                self._frozen_at += seconds


def isoformat(at: float) -> str:
    """Return a time in the API's form: UTC with milliseconds and a Z, as `2024-10-19T05:16:19.027Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
