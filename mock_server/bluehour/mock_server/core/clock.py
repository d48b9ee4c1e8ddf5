"""The one clock of a server: statuses, refunds, expiring links and webhooks all follow it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

import orjson

LATEST = 1.0e11
"""Seconds since the epoch, in the year 5138: well before dates have five digits."""


class Clock:
    """Seconds since the epoch, never going back, that can be frozen, advanced and set.

    It is anchored once to the system's wall clock and then runs on the monotonic one, so a
    correction of the system's time can't make a project's status go back.

    Args:
        kept: how a clock stood that this one goes on from, as `keep` was given it; None for none.
        keep: told how this one stands, before it is changed; what it raises leaves the clock as it was.
    """

    def __init__(self, kept: bytes | None = None, keep: Callable[[bytes], None] | None = None) -> None:
        self._lock = Lock()
        self._offset = time.time() - time.monotonic()
        self._frozen_at: float | None = None
        self._listeners: list[Callable[[], None]] = []
        self._keep = keep
        if kept is not None:
            ahead, self._frozen_at = orjson.loads(kept)
            self._offset += ahead

    def now(self) -> float:
        """Return the current time in seconds since the epoch."""
        frozen_at = self._frozen_at
        return time.monotonic() + self._offset if frozen_at is None else frozen_at

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen_at is not None

    @property
    def ahead(self) -> float:
        """Seconds that it is ahead of the system's wall clock; negative: behind."""
        return self.now() - time.time()

    def freeze(self) -> None:
        """Stop at the current time; only `advance` and `change` move it from here on."""
        self.change(frozen=True)

    def run(self) -> None:
        """Go on from the current time."""
        self.change(frozen=False)

    def advance(self, seconds: float) -> None:
        """Jump forward.

        Raises:
            ValueError: `seconds` is negative; statuses must not go back.
        """
        self.change(advance=seconds)

    def change(self, *, frozen: bool | None = None, to: float | None = None, advance: float = 0) -> None:
        """Stop or run, jump to a time, and jump on from there: all of it at once, or nothing.

        Args:
            frozen: whether it stands still from now on; as it was where it is None.
            to: seconds since the epoch.
            advance: seconds.

        Raises:
            ValueError: it would go back, as statuses must not, or beyond `LATEST`.
        """
        if not advance >= 0:
            raise ValueError(f"the clock only goes forward, not by {advance} s")
        with self._lock:
            now = self.now()
            if to is not None and not to >= now:
                raise ValueError(f"the clock only goes forward, and it is {isoformat(now)} already")
            target = (now if to is None else to) + advance
            if target > LATEST:
                raise ValueError(f"the clock can't go beyond {isoformat(LATEST)}")
            stands = self.frozen if frozen is None else frozen
            self._stand(target, target if stands else None)
        self._tell()

    def reset(self, at: float | None = None) -> None:
        """Run with the system's clock again, or stand still at a time, past or not.

        Only whoever has forgotten everything that was dated may do this.
        """
        with self._lock:
            self._stand(time.time(), at)
        self._tell()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have a function called after every change that is not the mere passing of time."""
        self._listeners.append(listener)

    def _stand(self, at: float, frozen_at: float | None) -> None:
        if self._keep is not None:
            self._keep(orjson.dumps((at - time.time(), frozen_at)))
        self._offset = at - time.monotonic()
        self._frozen_at = frozen_at

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def not_before(at: float) -> str:
    """Return a time as `isoformat` does, but never an earlier one: a clock that is set to it gets there."""
    second = math.floor(at)
    shown = datetime.fromtimestamp(second, UTC) + timedelta(milliseconds=math.ceil((at - second) * 1000))
    while shown.timestamp() < at:  # what a float so large can't hold of a millisecond
        shown += timedelta(milliseconds=1)
    return _in_milliseconds(shown)


def isoformat(at: float) -> str:
    """Return a time in the API's form: UTC with milliseconds and a Z, as `2024-10-19T05:16:19.027Z`."""
    return _in_milliseconds(datetime.fromtimestamp(at, UTC))


def _in_milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
