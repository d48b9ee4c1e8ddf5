"""The default store: one process's dicts behind a lock, packed small because benchmarks leave projects by the
hundred thousand in it."""

from __future__ import annotations

import secrets
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import replace
from heapq import nlargest
from math import inf
from threading import Lock

from ..accounts import Account, Entry, InsufficientCredits, TooManyJobs, entries_of, refund_of
from ..assets import Upload
from ..projects import Project, begun, ended
from . import InUse
from .ledger import Ledger
from .packing import Packing, times_of

_NOBODY = Account("", "", 0)


class MemoryStore:
    """Keeps everything in this process; gone when it ends."""

    def __init__(self) -> None:
        """Start empty, with a secret of its own."""
        self._lock = Lock()
        self._packing = Packing()
        self._ledgers: dict[str, Ledger] = {}
        self._projects: dict[str, bytes] = {}
        self._ends: dict[
            str, array[float]
        ] = {}  # of each account's projects, sorted, to count the unfinished
        self._deleted: dict[str, float] = {}
        self._uploads: dict[str, tuple[str, float, float | None, str | None]] = {}
        self._secret = secrets.token_bytes(32)

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; where there is none, store this one."""
        with self._lock:
            ledger = self._ledgers.get(account.id)
            if ledger is None:
                ledger = self._ledgers[account.id] = Ledger(account)
                ledger.give(account.credits, at)
            return ledger.account

    def set_account(
        self, account_id: str, at: float, *, plan: str | None = None, credits: int | None = None
    ) -> Account:
        """Give an account another plan, another balance at `at`, or both.

        Raises:
            KeyError: there is no such account.
        """
        with self._lock:
            ledger = self._ledgers[account_id]
            if plan is not None:
                ledger.account = replace(ledger.account, plan=plan)
            if credits is not None and (missing := credits - ledger.balance(at)):
                ledger.give(missing, at)
            return ledger.account

    def accounts(self) -> list[Account]:
        """Return all accounts, in the order they were opened."""
        with self._lock:
            return [ledger.account for ledger in self._ledgers.values()]

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""
        with self._lock:
            ledger = self._ledgers.get(account_id)
            return ledger.balance(at) if ledger else 0

    def entries(self, account_id: str) -> list[Entry]:
        """Return the account's ledger, by time; a project's lines are derived from it, not kept beside it."""
        start = self._packing.start_of(account_id)
        with self._lock:
            ledger = self._ledgers.get(account_id)
            entries = list(ledger.given) if ledger else []
            rows = [(id_, row) for id_, row in self._projects.items() if row.startswith(start)]
        for id_, row in rows:
            entries.extend(entries_of(self._packing.unpack(id_, row, None)))
        return sorted(entries, key=lambda entry: entry.at)

    def add_project(self, project: Project, at_most: int | None = None) -> int:
        """Store a project, charge it, and return the balance that leaves.

        Raises:
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
            TooManyJobs: the account has `at_most` unfinished projects already.
        """
        row = self._packing.pack(project)  # before the lock: zlib lets other threads run meanwhile
        with self._lock:
            ledger = self._ledgers.get(project.account_id) or Ledger(_NOBODY)
            lowest = ledger.lowest_from(project.created_at)
            if lowest < project.credits:
                raise InsufficientCredits(lowest)
            ends = self._ends.get(project.account_id) or array("d")
            if at_most is not None:
                running = len(ends) - bisect_right(ends, project.created_at)
                if running >= at_most:
                    raise TooManyJobs(running)
            for entry in entries_of(project):
                ledger.add(entry.amount, entry.at)
            insort(ends, project.finished_at)
            self._ends[project.account_id] = ends
            self._projects[project.id] = row
            if project.deleted_at is not None:
                self._deleted[project.id] = project.deleted_at
            return ledger.balance(project.created_at)

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""
        with self._lock:
            row = self._projects.get(project_id)
            deleted_at = self._deleted.get(project_id)
        return None if row is None else self._packing.unpack(project_id, row, deleted_at)

    def projects(
        self, *, account_id: str | None = None, unfinished_at: float | None = None, limit: int = 100
    ) -> list[Project]:
        """Return projects, the newest first."""
        start = b"" if account_id is None else self._packing.start_of(account_id)
        earliest_end = -inf if unfinished_at is None else unfinished_at
        with self._lock:  # held for copies only: to look at every row takes too long
            ids, rows, deleted = list(self._projects), list(self._projects.values()), self._deleted.copy()

        def found() -> Iterable[tuple[float, int]]:
            for place, row in enumerate(rows):
                created_at, _, finished_at = times_of(row)
                if finished_at > earliest_end and row.startswith(start):
                    yield created_at, place

        places = [place for _, place in nlargest(limit, found())]
        return [self._packing.unpack(ids[place], rows[place], deleted.get(ids[place])) for place in places]

    def count_projects(self) -> int:
        """Return how many projects there are."""
        return len(self._projects)

    def in_use(self) -> InUse:
        """Return the operations and plans without which what is stored could not be shown."""
        with self._lock:
            rows = list(self._projects.values())
            plans = {ledger.account.plan for ledger in self._ledgers.values()}
        kinds = {self._packing.kind_of(row) for row in rows}
        return InUse(frozenset(each for each, _ in kinds), frozenset(plans | {plan for _, plan in kinds}))

    def begin_project(self, project_id: str, at: float) -> Project:
        """Have an unfinished project render from now on, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or somebody has ended it.
        """
        with self._lock:
            return self._change(project_id, lambda project: begun(project, at))[1]

    def end_project(self, project_id: str, outcome: str, at: float) -> Project:
        """End an unfinished project now, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or another caller was quicker.
        """
        with self._lock:
            before, after = self._change(project_id, lambda project: ended(project, outcome, at))
            self._move_end(before, after)
            self._move_refund(before, after)
            return after

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""
        with self._lock:
            if project_id in self._projects:
                self._deleted.setdefault(project_id, at)

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""
        rows = {
            each.path: (each.account_id, each.issued_at, each.uploaded_at, each.error) for each in uploads
        }
        with self._lock:
            self._uploads.update(rows)

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""
        with self._lock:
            row = self._uploads.get(path)
        return None if row is None else Upload(path, *row)

    def secret(self) -> bytes:
        """Return this store's random 32 bytes."""
        return self._secret

    def reset(self) -> None:
        """Forget everything but the secret."""
        with self._lock:
            # The packing stays: a create in another thread may have packed its row and wait for the lock.
            for kept in (self._ledgers, self._projects, self._ends, self._deleted, self._uploads):
                kept.clear()

    def close(self) -> None:
        """Do nothing: there are no files or connections."""

    def _change(self, project_id: str, changed: Callable[[Project], Project]) -> tuple[Project, Project]:
        """Store what becomes of a project, and return it before and after."""
        row = self._projects[project_id]
        before = self._packing.unpack(project_id, row, self._deleted.get(project_id))
        after = changed(before)
        self._projects[project_id] = self._packing.pack(after)
        return before, after

    def _move_end(self, before: Project, after: Project) -> None:
        ends = self._ends[before.account_id]
        del ends[bisect_left(ends, before.finished_at)]
        insort(ends, after.finished_at)

    def _move_refund(self, before: Project, after: Project) -> None:
        ledger = self._ledgers.get(before.account_id) or Ledger(_NOBODY)
        for refund in refund_of(before):
            ledger.take_back(refund.amount, refund.at)
        for refund in refund_of(after):
            ledger.add(refund.amount, refund.at)
