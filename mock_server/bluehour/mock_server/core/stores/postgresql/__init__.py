"""The store that many machines may share: the SQL store in PostgreSQL, with a create in one round trip."""

from __future__ import annotations

from ...accounts import InsufficientCredits, TooManyJobs, entries_of
from ...idempotency import Key, KeyTaken, UsedKey
from ...projects import Project, QueueFull
from ..database import Session
from ..sql import SqlStore, row_of
from . import jobs
from .create import FULL, JOBS, KEY, MONEY
from .database import PostgreSQL
from .values import array_of


class PostgreSQLStore(SqlStore):
    """Keeps everything in a schema of a PostgreSQL database that any number of processes may share.

    Changes of one account come one after another; those of others go on meanwhile.
    """

    _database: PostgreSQL

    def __init__(self, url: str, most_waiting: int | None = None, by_workers: bool = False) -> None:
        """Open the database that `postgresql://user:password@host:port/database?schema=name` names.

        Args:
            url: which.
            most_waiting: how many pending projects are taken; None for any number.
            by_workers: whether each is a job for `bluehour work` as well.

        Raises:
            StoreError: the URL is wrong, the server can't be reached, or the database can't be used.
        """
        super().__init__(PostgreSQL(url), most_waiting)
        if by_workers:
            self._database.make_ready_for_jobs()
            self.jobs = jobs.WorkerJobs(self._database)

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        """Have the database store and charge a project, and return the balance that leaves.

        Raises:
            KeyTaken: the key has made a project before.
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
            TooManyJobs: the account has `at_most` unfinished projects already.
            QueueFull: it would be pending, as too many are.
        """
        lines = entries_of(project)
        made = self._database.create(
            {
                **row_of(project),
                "at_most": at_most,
                "base_url": base_url,
                "amounts": array_of(line.amount for line in lines),
                "times": array_of(line.at for line in lines),
                "key": None if key is None else key.key,
                "fingerprint": None if key is None else key.fingerprint,
                "most_waiting": self._most_waiting if project.is_pending else None,
                "is_job": self.jobs is not None and project.is_pending,
            }
        )
        if made.refused == KEY:
            raise KeyTaken(UsedKey(made.used_fingerprint, made.used_project))
        if made.refused == MONEY:
            raise InsufficientCredits(made.number)
        if made.refused == JOBS:
            raise TooManyJobs(made.number)
        if made.refused == FULL:
            raise QueueFull(made.number)
        return made.number

    def _forget_jobs(self, session: Session) -> None:
        if self.jobs is not None:
            jobs.forget(session)
