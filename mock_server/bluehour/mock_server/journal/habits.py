"""Warnings that only the calls before can give: polling in a hurry, and a create that was sent twice."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple, TypeVar

from bluehour.openapi.messages import Request

from ..api.trace import Trace
from ..core.world import World

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_REMEMBERED = 2048
"""Projects, and creates; the ones that were seen least recently are forgotten first."""

_REPEATED_WITHIN = 10.0
"""Seconds in which the same create again is more likely a retry than a wish."""


class Habit(NamedTuple):
    """What deserves a warning; put in words only when somebody reads it.

    Attributes:
        pause: seconds since the call before.
        advised: seconds that were advised, for a poll; None for a create.
        twin: the id of the project that the same create made before; None for a poll.
    """

    pause: float
    advised: float | None = None
    twin: str | None = None

    def in_words(self) -> str:
        """Return the warning."""
        if self.advised is not None:
            return f"polled after {self.pause:.2g} s; {self.advised:g} s or more are advised"
        return f"the same create as {self.twin}, {self.pause:.2g} s before: charged twice by a blind retry?"


class Habits:
    """Watches what each client does. May be used from any thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = Lock()
        self._polls: dict[str, tuple[float, float]] = {}
        self._creates: dict[tuple[str | None, str | None, int], tuple[float, str]] = {}

    def clear(self) -> None:
        """Forget what was seen."""
        with self._lock:
            self._polls.clear()
            self._creates.clear()

    def seen_in(self, request: Request, trace: Trace, now: float, *, frozen: bool) -> Habit | None:
        """Return what is to be said of a call, and remember it."""
        note = trace.note
        if "charged" in note:
            return self._create(request, trace, note["project"], now)
        if "project" in note and note.get("job") in ("queued", "rendering") and not frozen:
            return self._poll(note["project"], now)
        return None

    def _poll(self, project: str, now: float) -> Habit | None:
        advised = self._world.advised_poll_seconds
        with self._lock:
            # The vendor's own SDK asks twice at first, so one short pause says nothing: two do.
            before_last, last = self._polls.pop(project, (-1e9, -1e9))
            _remember(self._polls, project, (last, now))
        return Habit(now - last, advised=advised) if now - before_last < advised else None

    def _create(self, request: Request, trace: Trace, project: str, now: float) -> Habit | None:
        key = (trace.account_id, trace.called, hash(request.body))
        with self._lock:
            before = self._creates.pop(key, None)
            _remember(self._creates, key, (now, project))
        if before is None or now - before[0] > _REPEATED_WITHIN:
            return None
        return Habit(now - before[0], twin=before[1])


def _remember(seen: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Put a new key behind the others, and drop the first where they are too many."""
    seen[key] = value
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
