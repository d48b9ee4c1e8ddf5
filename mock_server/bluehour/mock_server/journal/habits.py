"""Warnings that only the calls before can give: polling in a hurry, and a create that was sent twice.

They are found when somebody reads the journal, by going through its entries in order: no request waits for
that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .entry import Entry

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_Create = tuple[str | None, str | None, bytes | str | None]
"""The same create, as far as anybody can tell: an account, an operation, a body."""

_REMEMBERED = 2048
"""Projects, and creates; the ones that were seen least recently are forgotten first."""

_REPEATED_WITHIN = 10.0
"""Seconds in which the same create again is more likely a retry than a wish."""


class Habits:
    """What each client has done so far. Not for several threads at once.

    Args:
        advised: tells the seconds between two polls of a job.
    """

    def __init__(self, advised: Callable[[], float]) -> None:
        self._advised = advised
        self._polls: dict[str, tuple[float, float]] = {}
        self._creates: dict[_Create, tuple[float, str]] = {}
        self._lost: dict[_Create, tuple[int, str]] = {}

    def seen_in(self, entry: Entry) -> str | None:
        """Return what is to be said of the next entry, and remember it."""
        note = entry.note
        if entry.account_id is None:
            return None
        if project := _made_in(entry):
            return self._create(entry, project)
        if "project" in note and note.get("job") in ("queued", "rendering") and not entry.is_frozen:
            return self._poll(note["project"], entry.at)
        return None

    def _poll(self, project: str, now: float) -> str | None:
        # The vendor's own SDK asks twice at first, so one short pause says nothing: two do.
        before_last, last = self._polls.pop(project, (-1e9, -1e9))
        _remember(self._polls, project, (last, now))
        advised = self._advised()
        if now - before_last >= advised:
            return None
        return f"polled after {now - last:.2g} s; {advised:g} s or more are advised"

    def _create(self, entry: Entry, project: str) -> str | None:
        key: _Create = (entry.account_id, entry.operation_id, entry.fingerprint or entry.request_body)
        is_charged = "charged" in entry.note
        before, lost = self._creates.pop(key, None), self._lost.pop(key, None)
        _remember(self._creates, key, (entry.at, project))
        if entry.is_lost:
            _remember(self._lost, key, (entry.id, project))
        doubt = ": charged twice by a blind retry?" if is_charged else ""
        if lost is not None:
            return f"paid before: entry {lost[0]} / project {lost[1]}, whose answer was lost{doubt}"
        if not is_charged:
            return None  # asked for again by its key, as it should be
        if before is None or entry.at - before[0] > _REPEATED_WITHIN:
            return None
        return f"the same create as {before[1]}, {entry.at - before[0]:.2g} s before{doubt}"


def _made_in(entry: Entry) -> str | None:
    """Return the project that a create made, be it now or when its key came first; None for all else."""
    note = entry.note
    return note["project"] if "charged" in note or "replayed" in note else None


def _remember(seen: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Put a new key behind the others, and drop the first where they are too many."""
    seen[key] = value
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
