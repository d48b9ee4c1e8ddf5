"""What workers do is counted in the store: nobody asks them for figures, and any server tells theirs."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from ..core.listening import Listener
from ..core.projects import Project, status_at
from ..core.stores import StoreUnavailable
from ..core.stores.notes import Notes
from .jobs import JobFigures

_GROUP = "workers"

_REFUNDED = "refunded"
"""The count of credits; every other one is that of an operation and a status, with a space between."""


class WorkersTally(Listener):
    """Counts the jobs that this worker ends.

    Args:
        notes: of the store that it works for.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def project_changed(self, project: Project) -> None:
        """Count it where it has ended."""
        if project.is_pending:  # it has begun
            return
        status = status_at(project, project.finished_at)
        with suppress(StoreUnavailable):  # no figure is worth a job that is done
            self._notes.count(_GROUP, f"{project.operation_id} {status}")
            if given_back := project.credits - project.kept:
                self._notes.count(_GROUP, _REFUNDED, by=given_back)


def ended_by_workers(notes: Notes) -> JobFigures:
    """Return what all workers have ended since the store was last reset.

    Raises:
        StoreUnavailable: it can't be read.
    """
    counts = dict(notes.counts(_GROUP))
    refunded = counts.pop(_REFUNDED, 0)
    finished: Counter[tuple[str, str]] = Counter()
    for name, number in counts.items():
        operation_id, _, status = name.rpartition(" ")
        finished[operation_id, status] = number
    return JobFigures({}, finished, 0, refunded)
