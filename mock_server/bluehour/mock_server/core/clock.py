"""The one clock of all processes on a store: statuses, refunds, expiring links and webhooks all follow it."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from .board import Board, Note
from .stores.notes import MemoryNotes

LATEST = 1.0e11
"""Seconds since the epoch, in the year 5138: well before dates have five digits."""

_AGREE = 0.05
"""Seconds by which a machine's time may seem to have changed."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Stand(NamedTuple):
    """How a clock stands, whatever process looks at it.

    Attributes:
        anchors: by the name of a machine's run, how much later the clock's zero point is than that of
            `time.monotonic()`, in seconds. Processes of one machine so have exactly the same time.
        ahead: seconds to be added.
        frozen_at: where it stands still; None where it runs.
    """

    anchors: dict[str, float]
    ahead: float
    frozen_at: float | None

    def written(self) -> bytes:
        """Return it as a note."""
        return orjson.dumps([*self])


class Clock:
    """Seconds since the epoch, never going back, that can be frozen, advanced and set.

    It is anchored once to the store's wall clock and then runs on the monotonic one, so a
    correction of the system's time can't make a project's status go back.

    Args:
        note: by which other processes have the same clock, and those that come later go on from it; without
            one, it is this process's alone.
        seconds_ahead: returns by how much the wall clock is ahead of `time.monotonic()`.
    """

    def __init__(self, note: Note | None = None, seconds_ahead: Callable[[], float] | None = None) -> None:
        self._measured = seconds_ahead or MemoryNotes().seconds_ahead
        self._machine = _machine()
        self._listeners: list[Callable[[], None]] = []
        self._offset = 0.0
        self._frozen_at: float | None = None
        self._note = note or Board().note("clock")
        self._note.follow(self._take)
        self._note.change(self._anchored)

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

        def moved(kept: bytes | None) -> bytes:
            stand, now = _read(kept), self.now()
            if to is not None and not to >= now:
                raise ValueError(f"the clock only goes forward, and it is {isoformat(now)} already")
            target = (now if to is None else to) + advance
            if target > LATEST:
                raise ValueError(f"the clock can't go beyond {isoformat(LATEST)}")
            stands = stand.frozen_at is not None if frozen is None else frozen
            ahead = target - time.monotonic() - stand.anchors[self._machine]
            return Stand(stand.anchors, ahead, target if stands else None).written()

        self._note.change(moved)

    def reset(self, at: float | None = None) -> None:
        """Run with the system's clock again, or stand still at a time, past or not.

        Only whoever has forgotten everything that was dated may do this.
        """
        measured = self._measured()
        self._note.change(lambda _: Stand({self._machine: measured}, 0, at).written())

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have a function called after every change that is not the mere passing of time."""
        self._listeners.append(listener)

    def _anchored(self, kept: bytes | None) -> bytes:
        """Anchor the clock to this machine, if it is not, or the machine has slept meanwhile."""
        stand, measured = _read(kept), self._measured()
        if measured - stand.anchors.get(self._machine, -math.inf) < _AGREE:
            return kept or b""
        return stand._replace(anchors={**stand.anchors, self._machine: measured}).written()

    def _take(self, kept: bytes | None) -> None:
        stand = _read(kept)
        self._offset = stand.anchors.get(self._machine, self._measured()) + stand.ahead
        self._frozen_at = stand.frozen_at
        for listener in self._listeners:
            listener()


def _read(kept: bytes | None) -> Stand:
    return Stand({}, 0, None) if kept is None else Stand(*orjson.loads(kept))


def _machine() -> str:
    """Return what names a run of this machine: `time.monotonic()` begins anew with each."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:  # no Linux
        return socket.gethostname()


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
