"""What is counted of requests: how many there were of each operation, how they ended, how long they took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from .line import Line

BOUNDS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 5000.0)
"""Milliseconds, the upper ends of the histogram's buckets; a mock answers most requests within the first."""

_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""Of statuses, by their first digit; the first one is of connections that were dropped."""

_DURATIONS = len(_CLASSES)
"""Where a row's buckets begin; there is one more than there are bounds, and then the sum of all durations."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Requests of one operation.

    Attributes:
        by_class: how many there were, by the class of their status, such as `2xx`; those that there were.
        by_bucket: how many there were in each bucket of durations; the last one has no upper end.
        ms: how long they took in all.
    """

    by_class: Mapping[str, int]
    by_bucket: list[int]
    ms: float


class RequestTally:
    """Counts requests. May be used from any thread."""

    def __init__(self) -> None:
        self._line = Line[tuple[str, int, float]](self._count)
        self._rows: dict[str, list[float]] = {}

    def add(self, operation: str, status: int, ms: float) -> None:
        """Count a request.

        Args:
            operation: the id of what was called, of which there are few; never a path.
            status: of its answer; 0 where there was none.
            ms: how long it took.
        """
        self._line.put((operation, status, ms))

    def read(self) -> Mapping[str, Answered]:
        """Return the counts by operation, as they are now."""
        with self._line.lock:
            self._line.count_all()
            return {operation: _read(row) for operation, row in self._rows.items()}

    def _count(self, request: tuple[str, int, float]) -> None:
        operation, status, ms = request
        row = self._rows.get(operation)
        if row is None:
            row = self._rows[operation] = [0] * (_DURATIONS + len(BOUNDS) + 2)
        row[status // 100] += 1
        row[_DURATIONS + bisect_left(BOUNDS, ms)] += 1
        row[-1] += ms


def _read(row: list[float]) -> Answered:
    counts = list(map(int, row[:-1]))
    by_class = {name: number for name, number in zip(_CLASSES, counts, strict=False) if number}
    return Answered(by_class, counts[_DURATIONS:], row[-1])
