"""Warnings that only the calls before can give: polling in a hurry, and a create that was sent twice."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ..trace import Trace

if TYPE_CHECKING:
    from ..mock import Mock

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_REMEMBERED = 2048
"""Projects, and creates; the ones that were seen least recently are forgotten first."""

_REPEATED_WITHIN = 10.0
"""Seconds in which the same create again is more likely a retry than a wish."""


class Habits:
    """Watches what each client does. May be used from any thread."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._lock = Lock()
        self._polls: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._creates: OrderedDict[tuple[str, str, int], tuple[float, str]] = OrderedDict()

    def clear(self) -> None:
        """Forget what was seen."""
        with self._lock:
            self._polls.clear()
            self._creates.clear()

    def warnings(self, trace: Trace, now: float, *, frozen: bool) -> tuple[str, ...]:
        """Return what is to be said of a call, and remember it."""
        job, project = trace.note.get("job"), trace.note.get("project")
        with self._lock:
            if job in ("queued", "rendering") and not frozen:
                return self._poll(str(project), now)
            if "charged" in trace.note:
                return self._create(trace, str(project), now)
        return ()

    def _poll(self, project: str, now: float) -> tuple[str, ...]:
        advised = self._mock.advised_poll_seconds
        # The vendor's own SDK asks twice at first, so one short pause says nothing: two do.
        before_last, last = self._polls.get(project, (-1e9, -1e9))
        _remember(self._polls, project, (last, now))
        if now - before_last >= advised:
            return ()
        pause = now - last
        return (f"polled after {pause:.2g} s; the advice is {advised:g} s or more between two polls",)

    def _create(self, trace: Trace, project: str, now: float) -> tuple[str, ...]:
        assert trace.account is not None  # noqa: S101 - nobody else is charged
        assert trace.operation is not None  # noqa: S101 - nothing else charges
        key = (trace.account.id, trace.operation.id, hash(trace.body))
        before = self._creates.get(key)
        _remember(self._creates, key, (now, project))
        if before is None or now - before[0] > _REPEATED_WITHIN:
            return ()
        pause = now - before[0]
        return (f"the same create as {before[1]}, {pause:.2g} s before: charged twice by a blind retry?",)


def _remember(seen: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    seen[key] = value
    seen.move_to_end(key)
    if len(seen) > _REMEMBERED:
        seen.popitem(last=False)
