"""The projects that a check has created, and the waiting for their ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bluehour.openapi.model import Operation

from ..exchange import Exchange, label_of
from ..statuses import OVER
from .accounts import Account
from .checker import Check, answered, is_success
from .sender import TooBusy

_LATER = 3.0
"""Seconds after which what a project shows is looked at again."""

_SLOWER = 1.3
"""By how much the pause between two polls of the same job grows."""


@dataclass(eq=False)
class Job:
    """A project that was created.

    Attributes:
        made: its create.
        is_plain: whether nothing about it is odd, so that it has to complete.
        is_fetched: whether its picture is to be looked at, if it has one.
        edges: of its request, in words, where it has several.
        was_repeated: whether the same was asked for once more, as it had failed.
        last: the last GET that showed it.
    """

    project_id: str
    operation: Operation
    account: Account
    made: Exchange
    is_plain: bool = False
    is_fetched: bool = False
    edges: tuple[str, ...] = ()
    last: Exchange | None = None
    deleted: bool = False
    was_repeated: bool = False

    @property
    def request(self) -> Any:
        """What was asked for, with the contract's defaults."""
        return self.operation.with_defaults(orjson.loads(self.made.request.body))

    @property
    def status(self) -> str:
        """As it was last seen."""
        return str(self.shown("status") or "")

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in OVER

    @property
    def link(self) -> str | None:
        """The URL of its first download, as it was last seen."""
        downloads = self.shown("downloads")
        first = downloads[0] if isinstance(downloads, list) and downloads else None
        url = first.get("url") if isinstance(first, dict) else None
        return url if isinstance(url, str) else None

    def shown(self, name: str) -> Any:
        """Return a field as it was last seen; None where it was not."""
        return self.last.answer.field(name) if self.last is not None and self.last.answer else None


@dataclass
class Jobs:
    """All projects of a check."""

    check: Check
    all: list[Job] = field(default_factory=list)

    def create(
        self, operation: Operation, account: Account, body: Any, purpose: str, *, is_plain: bool = False
    ) -> tuple[Exchange, Job | None]:
        """Create a project, and read it at once; the job is None where it was refused.

        Raises:
            BudgetSpent: it was not sent.
        """
        exchange = self.check.call(operation, account, body, purpose=purpose)
        return exchange, self.accept(exchange, account, is_plain=is_plain, is_fetched=is_plain)

    def accept(
        self, exchange: Exchange, account: Account, *, is_plain: bool = False, is_fetched: bool = False
    ) -> Job | None:
        """Watch what a create has made, if it has."""
        job = self._made(exchange, account)
        if job is None:
            return None
        job.is_plain, job.is_fetched = is_plain, is_fetched
        self.all.append(job)
        self.look_at(job, "the new project")
        return job

    def accept_all(self, exchanges: Sequence[Exchange], account: Account) -> None:
        """Watch what creates have made that were sent at the same time.

        All are known before one is looked at: what an account has is compared with what its projects cost.
        """
        known = len(self.all)
        self.all.extend(filter(None, (self._made(each, account) for each in exchanges)))
        for job in self.all[known:]:
            self.look_at(job, "the new project")

    def _made(self, exchange: Exchange, account: Account) -> Job | None:
        operation, project_id = exchange.operation, exchange.answer and exchange.answer.field("id")
        if operation is None or not is_success(exchange) or not isinstance(project_id, str) or not project_id:
            return None
        return Job(project_id, operation, account, exchange)

    def look_at(self, job: Job, purpose: str) -> None:
        """Read a project."""
        exchange = self.check.read(job.operation.project_kind, job.project_id, job.account, purpose)
        if exchange is not None and is_success(exchange):
            job.last = exchange

    def watch(self, job: Job) -> None:
        """Read a project again and again until it has ended, so that every status is seen."""
        self.watch_all([job])

    def settle(self) -> None:
        """Wait until all projects have ended; those that don't in time break a rule."""
        self.watch_all(self.all)
        self._expect_ended(self.all)

    def finish(self, jobs: Sequence[Job]) -> None:
        """Wait until many projects have ended, however long that takes, as long as some do in time.

        They may wait for each other, so the time that one may take is counted from the last one's end.
        """
        left = len(jobs) + 1
        while 0 < (waiting := sum(not job.has_ended for job in jobs)) < left:
            left = waiting
            self.watch_all(jobs)
        self._expect_ended(jobs)

    def _expect_ended(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if not job.has_ended and not job.deleted and job.last is not None:
                self.check.expect(
                    "project.ends",
                    job.last,
                    False,
                    f"The job is {job.status} after {self.check.patience:g} s",
                    "status",
                    operation=label_of(job.operation),
                    words=f"x-render-seconds: {job.operation.render_seconds:g}",
                    related=(job.made,),
                )

    def look_again(self) -> None:
        """Read all projects once more: what has ended stays as it is, and its links are signed anew."""
        self.check.sleep(_LATER)
        for job in self.all:
            self.look_at(job, "whether it is still as it was")

    def watch_all(self, jobs: Iterable[Job]) -> None:
        """Read projects again and again until they have ended, or have had their time."""
        check, waited, pause = self.check, 0.0, self.check.pause
        waiting = [job for job in jobs if not job.has_ended and not job.deleted and check.reads]
        while waiting and waited < check.patience:
            check.progress.say(
                f"waiting for {len(waiting)} jobs" if len(waiting) > 1 else "waiting for a job"
            )
            check.sleep(pause)
            waited += pause
            pause = min(pause * _SLOWER, max(check.pause, 1.0))
            for job in waiting:
                try:
                    self.look_at(job, f"whether it has ended, after {waited:.3g} s")
                except TooBusy:
                    continue
            waiting = [job for job in waiting if not job.has_ended and answered_at_all(job)]


def answered_at_all(job: Job) -> bool:
    """Tell whether a project could be read; waiting for one that can't is of no use."""
    return job.last is not None and answered(job.last) > 0
