"""What is counted of jobs: those that are unfinished, and how the others have ended.

A job's state follows from its row and the clock, and nobody tells of its planned end. What is known of it is
kept until somebody reads the figures, or there are many; those that have finished by then are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..core.projects import Project, status_at
from .line import Line

_MOST = 100_000
"""Unfinished jobs that are kept; of more, such as with a clock that stands still, the first are forgotten."""

_OFTEN = 1000
"""Jobs more than those that were unfinished at the last look, before there is another."""


class _Job(NamedTuple):
    """What is kept of a job: never its request, which may be large.

    Attributes:
        charged: by its create, if this is news of it.
        gives_back: credits, at its end.
        is_left: whether others count what becomes of it.
    """

    id: str
    operation_id: str
    rendering_at: float
    finished_at: float
    ends_in: str
    charged: int
    gives_back: int
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class JobFigures:
    """What there is to tell of jobs.

    Attributes:
        unfinished: how many there are now, by operation and status.
        finished: how many have finished, likewise.
        charged, refunded: credits.
    """

    unfinished: Mapping[tuple[str, str], int]
    finished: Mapping[tuple[str, str], int]
    charged: int
    refunded: int


class JobTally:
    """Counts the jobs that this process has to do with. May be used from any thread.

    Args:
        now: tells the time by the mock's clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._line = Line[_Job](self._count)
        self._unfinished: dict[str, _Job] = {}
        self._finished: Counter[tuple[str, str]] = Counter()
        self._charged = self._refunded = 0
        self._next_look = _OFTEN

    def create(self, project: Project) -> None:
        """Count a new job, and its charge."""
        self._line.put(_job(project, project.credits))

    def leave(self, project: Project) -> None:
        """Count the charge of a new job that a worker ends, and counts then."""
        self._line.put(_job(project, project.credits)._replace(is_left=True))

    def change(self, project: Project) -> None:
        """Take note of what became of a job, be it one that another process has created."""
        self._line.put(_job(project, 0))

    def forget_unfinished(self) -> None:
        """The mock has begun anew; what was counted stays."""
        with self._line.lock:
            self._line.count_all()
            self._unfinished.clear()

    def read(self) -> JobFigures:
        """Return the figures as they are now."""
        with self._line.lock:
            self._line.count_all()
            now = self._now()
            self._look(now)
            unfinished = Counter(
                (job.operation_id, "queued" if now < job.rendering_at else "rendering")
                for job in self._unfinished.values()
            )
            return JobFigures(unfinished, Counter(self._finished), self._charged, self._refunded)

    def _count(self, job: _Job) -> None:
        self._charged += job.charged
        if job.is_left:
            return
        self._unfinished[job.id] = job
        if len(self._unfinished) >= self._next_look:
            self._look(self._now())

    def _look(self, now: float) -> None:
        """Count those that have finished."""
        left = {}
        for job in self._unfinished.values():
            if job.finished_at > now:
                left[job.id] = job
            else:
                self._finished[job.operation_id, job.ends_in] += 1
                self._refunded += job.gives_back
        for id_ in list(left)[: max(len(left) - _MOST, 0)]:
            del left[id_]
        self._unfinished = left
        self._next_look = len(left) + max(_OFTEN, len(left) // 2)


def _job(project: Project, charged: int) -> _Job:
    return _Job(
        project.id,
        project.operation_id,
        project.rendering_at,
        project.finished_at,
        status_at(project, project.finished_at),
        charged,
        project.credits - project.kept,
    )
