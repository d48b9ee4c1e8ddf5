"""How a mock is doing at this moment: whether its store can be reached, what waits, and who works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from ..api.secrets import Secrets
from ..core.process import Process, this_process
from ..core.settings import WORKERS
from ..core.stores import StoreUnavailable
from ..core.stores.jobs import Worker
from ..core.world import World
from ..journal.journal import Journal
from ..rendering.feature import Rendering
from ..webhooks.webhooks import Webhooks
from .jobs import JobFigures, JobTally
from .requests import RequestTally
from .workers import ended_by_workers

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at.

    Attributes:
        world: its store and its clock.
        secrets: what must not be shown.
        rendering: its queue and its stage.
        webhooks: their deliveries.
        journal: None where none is kept.
        requests, jobs: what was counted of them.
    """

    world: World
    secrets: Secrets
    rendering: Rendering
    webhooks: Webhooks
    journal: Journal | None
    requests: RequestTally
    jobs: JobTally

    def store_problem(self) -> str | None:
        """Return why the store can't be read, in one line; None where it can."""
        try:
            self.world.store.account("")
        except Exception as error:  # whatever it is, the store is of no use
            reason = f"{error}".partition("\n")[0] or type(error).__name__
            return self.secrets.hide(reason)
        return None

    @property
    def process(self) -> str:
        """This process, as figures name it."""
        return f"{this_process()}"

    def processes(self) -> list[Process]:
        """Return the processes that answer for this mock; this one alone where the others can't be seen."""
        nobody: Mapping[str, Process] = {}
        members = _read(self.world.store.notes.members, nobody)
        return sorted({this_process(), *members.values()})

    @property
    def waiting(self) -> dict[str, int]:
        """How many jobs wait for the stage, and deliveries for their receivers; 0 where none can be seen."""
        return {"jobs": self._waiting_jobs(), "deliveries": _read(lambda: self.webhooks.waiting, 0)}

    def job_figures(self) -> dict[str, JobFigures]:
        """Return what was counted of jobs, by who has: this process, and the workers of its store."""
        figures = {self.process: self.jobs.read()}
        if self.world.store.jobs is not None:
            with suppress(StoreUnavailable):
                figures[WORKERS] = ended_by_workers(self.world.store.notes)
        return figures

    def _waiting_jobs(self) -> int:
        queue, jobs = self.rendering.queue, self.world.store.jobs
        if jobs is not None:
            return _read(jobs.waiting, 0)
        return 0 if queue is None else queue.waiting

    def workers(self) -> list[Worker]:
        """Return the processes that render for this mock; none where they can't be seen."""
        jobs, nobody = self.world.store.jobs, list[Worker]()
        return nobody if jobs is None else _read(lambda: [*jobs.workers()], nobody)


def _read(read: Callable[[], Value], otherwise: Value) -> Value:
    """Read something of a store that may be of no use: `store_problem` tells of that."""
    try:
        return read()
    except Exception:  # whatever it is
        return otherwise
