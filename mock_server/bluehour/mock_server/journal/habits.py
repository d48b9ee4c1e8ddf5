"""Warnings that only the calls before can give: polling in a hurry, and a create that was sent twice."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple, TypeVar

from bluehour.openapi.messages import Request

from ..api.trace import Trace
from ..core.world import World

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_Create = tuple[str | None, str | None, int]
"""The same create, as far as anybody can tell: an account, an operation, a body."""

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
        lost_in: the journal's entry of that create, where its answer was lost.
        is_charged: whether this create was charged, too.
    """

    pause: float
    advised: float | None = None
    twin: str | None = None
    lost_in: int | None = None
    is_charged: bool = True

    def in_words(self) -> str:
        """Return the warning."""
        if self.advised is not None:
            return f"polled after {self.pause:.2g} s; {self.advised:g} s or more are advised"
        doubt = ": charged twice by a blind retry?" if self.is_charged else ""
        if self.lost_in is not None:
            return f"paid before: entry {self.lost_in} / project {self.twin}, whose answer was lost{doubt}"
        return f"the same create as {self.twin}, {self.pause:.2g} s before{doubt}"


class Habits:
    """Watches what each client does. May be used from any thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = Lock()
        self._polls: dict[str, tuple[float, float]] = {}
        self._creates: dict[_Create, tuple[float, str]] = {}
        self._lost: dict[_Create, tuple[int, str]] = {}

    def clear(self) -> None:
        """Forget what was seen."""
        with self._lock:
            self._polls.clear()
            self._creates.clear()
            self._lost.clear()

    def forget_entries(self) -> None:
        """The journal counts from 1 again."""
        with self._lock:
            self._lost.clear()

    def lost(self, request: Request, trace: Trace, number: int) -> None:
        """Remember a create, charged or not, whose answer its client can't read; by its entry's number."""
        if project := _made_in(trace):
            with self._lock:
                _remember(self._lost, _create_in(request, trace), (number, project))

    def seen_in(self, request: Request, trace: Trace, now: float, *, frozen: bool) -> Habit | None:
        """Return what is to be said of a call, and remember it."""
        note = trace.note
        if project := _made_in(trace):
            return self._create(request, trace, project, now)
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
        key, is_charged = _create_in(request, trace), "charged" in trace.note
        with self._lock:
            before = self._creates.pop(key, None)
            _remember(self._creates, key, (now, project))
            lost = self._lost.pop(key, None)
        if lost is not None:
            pause = 0.0 if before is None else now - before[0]
            return Habit(pause, twin=lost[1], lost_in=lost[0], is_charged=is_charged)
        if not is_charged:
            return None  # asked for again by its key, as it should be
        if before is None or now - before[0] > _REPEATED_WITHIN:
            return None
        return Habit(now - before[0], twin=before[1])


def _made_in(trace: Trace) -> str | None:
    """Return the project that a create made, be it now or when its key came first; None for all else."""
    note = trace.note
    return note["project"] if "charged" in note or "replayed" in note else None


def _create_in(request: Request, trace: Trace) -> _Create:
    return trace.account_id, trace.called, hash(request.body)


def _remember(seen: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Put a new key behind the others, and drop the first where they are too many."""
    seen[key] = value
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
