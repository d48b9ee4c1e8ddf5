"""The default store: one process's dicts behind a lock, packed small because benchmarks leave projects by the
hundred thousand in it."""

from __future__ import annotations

import secrets
from array import array
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush, merge, nlargest
from itertools import count, islice
from math import inf
from operator import attrgetter
from threading import Lock
from typing import NamedTuple

from ..accounts import Account, InsufficientCredits, TooManyJobs, entries_of, refund_of
from ..assets import Upload
from ..deliveries import ComingEvent, Delivery, Endpoint
from ..idempotency import MOST_KEYS, REMEMBERED_FOR, Key, KeyTaken, UsedKey
from ..projects import PENDING, Project, QueueFull, begun, ended
from ..records import Record
from . import InUse, LedgerPage
from .deliveries import MemoryDeliveries
from .jobs import Jobs
from .ledger import Ledger
from .notes import MemoryNotes
from .packing import Packing, times_of
from .pages import Pages

_NOBODY = Account("", "", 0)
_time_of = attrgetter("at")


class _Announced(NamedTuple):
    """A project with events to come; `number` tells which was announced first."""

    number: int
    base_url: str
    has_begun: bool
    next_at: float


class MemoryStore:
    """Keeps everything in this process; gone when it ends."""

    def __init__(self, most_waiting: int | None = None) -> None:
        """Start empty, with a secret of its own; take so many pending projects, or any number."""
        self._most_waiting = most_waiting
        self._pending = 0
        self._lock = Lock()
        self._packing = Packing()
        self._ledgers: dict[str, Ledger] = {}
        self._projects: dict[str, bytes] = {}
        self._ends: dict[
            str, array[float]
        ] = {}  # of each account's projects, sorted, to count the unfinished
        self._created = array("d")  # of all projects, sorted, beside their ids
        self._ids: list[str] = []
        self._refunded = defaultdict[str, list[str]](list)
        self._deleted: dict[str, float] = {}
        self._uploads: dict[str, tuple[str, float, float | None, str | None]] = {}
        self._records: dict[str, dict[str, Record]] = {}
        self._webhooks: dict[str, Endpoint] = {}
        self._announced: dict[str, _Announced] = {}
        self._coming: list[tuple[float, int, str]] = []  # a heap, of which some are out of date
        self._announcements = count()
        self._keys: dict[tuple[str, str], tuple[float, UsedKey]] = {}  # the oldest first
        self._secret = secrets.token_bytes(32)
        self.notes = MemoryNotes()
        self.deliveries = MemoryDeliveries()
        self.pages: Pages | None = None
        self.jobs: Jobs | None = None

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

    def account(self, account_id: str) -> Account | None:
        """Return an account, or None."""
        ledger = self._ledgers.get(account_id)
        return ledger.account if ledger else None

    def accounts(self, limit: int | None = None) -> list[Account]:
        """Return the accounts that were opened last, in the order they were opened."""
        with self._lock:
            last = list(islice(reversed(self._ledgers.values()), limit))
        return [ledger.account for ledger in reversed(last)]

    def count_accounts(self) -> int:
        """Return how many accounts there are."""
        return len(self._ledgers)

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""
        with self._lock:
            ledger = self._ledgers.get(account_id)
            return ledger.balance(at) if ledger else 0

    def ledger(self, account_id: str, limit: int | None = None) -> LedgerPage:
        """Return the account's last entries by time; a project's are derived from it, not kept beside it."""
        with self._lock:
            ledger = self._ledgers.get(account_id) or Ledger(_NOBODY)
            gifts = sorted(ledger.given, key=_time_of, reverse=True)
            charges = (entries_of(each)[0] for each in self._newest(account_id, self._ids))
            refunds = (
                line for each in self._last_to_end(self._refunded[account_id]) for line in refund_of(each)
            )
            # Where a job ends as it begins, its refund follows its charge.
            newest_first = merge(refunds, charges, gifts, key=_time_of, reverse=True)
            entries = list(islice(newest_first, limit))[::-1]
            return LedgerPage(ledger.total() - sum(entry.amount for entry in entries), entries)

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        """Store a project, charge it, and return the balance that leaves.

        Raises:
            KeyTaken: the key has made a project before.
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
            TooManyJobs: the account has `at_most` unfinished projects already.
            QueueFull: it would be pending, as too many are.
        """
        row = self._packing.pack(project)  # before the lock: zlib lets other threads run meanwhile
        with self._lock:
            if key is not None and (used := self._used(key, project.created_at)):
                raise KeyTaken(used)
            ledger = self._ledgers.get(project.account_id) or Ledger(_NOBODY)
            lowest = ledger.lowest_from(project.created_at)
            if lowest < project.credits:
                raise InsufficientCredits(lowest)
            ends = self._ends.get(project.account_id) or array("d")
            if at_most is not None:
                running = len(ends) - bisect_right(ends, project.created_at)
                if running >= at_most:
                    raise TooManyJobs(running)
            if project.is_pending:
                if self._most_waiting is not None and self._pending >= self._most_waiting:
                    raise QueueFull(self._pending)
                self._pending += 1
            for entry in entries_of(project):
                ledger.add(entry.amount, entry.at)
            if project.gives_back:
                self._refunded[project.account_id].append(project.id)
            insort(ends, project.finished_at)
            self._ends[project.account_id] = ends
            place = bisect_right(self._created, project.created_at)
            self._created.insert(place, project.created_at)
            self._ids.insert(place, project.id)
            self._projects[project.id] = row
            if project.deleted_at is not None:
                self._deleted[project.id] = project.deleted_at
            if self._webhooks:
                self._announce(project.id, base_url, project.rendering_at)
            if key is not None:
                self._remember(key, project)
            return ledger.balance(project.created_at)

    def used_key(self, key: Key, at: float) -> UsedKey | None:
        """Return what a key has made, as long as it is remembered, or None."""
        with self._lock:
            return self._used(key, at)

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""
        with self._lock:
            row = self._projects.get(project_id)
            deleted_at = self._deleted.get(project_id)
        return None if row is None else self._packing.unpack(project_id, row, deleted_at)

    def projects(self, *, account_id: str | None = None, limit: int = 100) -> list[Project]:
        """Return projects, the newest first."""
        with self._lock:  # held for a copy only: to look for an account's may take long
            ids = self._ids[-limit:] if account_id is None else self._ids[:]
        return list(islice(self._newest(account_id, ids), limit))

    def pending_projects(self) -> list[Project]:
        """Return the projects that wait for a renderer, the oldest first."""
        with self._lock:
            rows = [(id_, self._projects[id_]) for id_ in self._ids]
        return [
            self._packing.unpack(id_, row, self._deleted.get(id_))
            for id_, row in rows
            if self._packing.kind_of(row).outcome == PENDING
        ]

    def count_projects(self) -> int:
        """Return how many projects there are."""
        return len(self._projects)

    def in_use(self) -> InUse:
        """Return the operations and plans without which what is stored could not be shown."""
        with self._lock:
            rows = list(self._projects.values())
            plans = {ledger.account.plan for ledger in self._ledgers.values()}
        kinds = {self._packing.kind_of(row) for row in rows}
        plans |= {each.plan for each in kinds}
        return InUse(frozenset(each.operation_id for each in kinds), frozenset(plans))

    def begin_project(self, project_id: str, at: float) -> Project:
        """Have an unfinished project render from now on, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or somebody has ended it.
        """
        with self._lock:
            after = self._change(project_id, lambda project: begun(project, at))[1]
            self._move_event(after)
            return after

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
            self._move_event(after)
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

    def record(self, collection: str, record_id: str) -> Record | None:
        """Return an item of a collection, a deleted one too, or None."""
        with self._lock:
            return self._records.get(collection, {}).get(record_id)

    def records(self, collection: str) -> list[Record]:
        """Return a collection's items that are not deleted, in the order in which they were stored first."""
        with self._lock:
            return [each for each in self._records.get(collection, {}).values() if not each.is_deleted]

    def latest_records(self, limit: int) -> list[Record]:
        """Return items of all collections that are not deleted, those that were made last first."""
        with self._lock:
            alive = [each for its in self._records.values() for each in its.values() if not each.is_deleted]
        return nlargest(limit, alive, key=attrgetter("created_at"))

    def has_records(self, collection: str) -> bool:
        """Tell whether a collection has had an item, be it deleted."""
        return collection in self._records

    def count_records(self, collection: str | None = None) -> int:
        """Return how many items there are, without deleted ones: in a collection, or in all."""
        with self._lock:
            kept = self._records if collection is None else {collection: self._records.get(collection, {})}
            return sum(not each.is_deleted for its in kept.values() for each in its.values())

    def swap_record(self, old: Record | None, new: Record) -> bool:
        """Put an item in the place of the version that was read; tell whether that was still the one."""
        with self._lock:
            kept = self._records.get(new.collection, {}).get(new.id)
            if (kept and kept.version) != (old and old.version):
                return False
            self._records.setdefault(new.collection, {})[new.id] = new
            return True

    def add_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook; one that is there with its id stays as it is."""
        with self._lock:
            self._webhooks.setdefault(endpoint.id, endpoint)

    def put_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook, in place of the one with its id."""
        with self._lock:
            self._webhooks[endpoint.id] = endpoint

    def remove_webhook(self, webhook_id: str) -> int:
        """Forget a webhook and its deliveries; return how many of those were pending."""
        with self._lock:
            self._webhooks.pop(webhook_id, None)
            return self.deliveries.forget_webhook(webhook_id)

    def webhooks(self) -> list[Endpoint]:
        """Return the webhooks, in the order in which they were stored first."""
        with self._lock:
            return list(self._webhooks.values())

    def announce_unfinished(self, at: float, base_url: str) -> None:
        """Have events to come of all projects whose end is later than `at`, if they have none yet."""
        with self._lock:
            for project_id, row in self._projects.items():
                _, rendering_at, finished_at = times_of(row)
                if finished_at > at and project_id not in self._announced:
                    self._announce(project_id, base_url, rendering_at)

    def next_event(self) -> ComingEvent | None:
        """Return the event that comes first, of equals that of the project announced first, or None."""
        with self._lock:
            while self._coming:
                at, number, project_id = self._coming[0]
                announced = self._announced.get(project_id)
                if announced is not None and (announced.next_at, announced.number) == (at, number):
                    break
                heappop(self._coming)
            else:
                return None
            row, deleted_at = self._projects[project_id], self._deleted.get(project_id)
        project = self._packing.unpack(project_id, row, deleted_at)
        return ComingEvent(project, announced.has_begun, at, announced.base_url)

    def hand_out(self, event: ComingEvent | None, deliveries: Sequence[Delivery]) -> bool:
        """Put the deliveries of an event in its place; tell whether it was there as given."""
        with self._lock:
            if event is not None:
                announced = self._announced.get(event.project.id)
                if announced is None or (announced.has_begun, announced.next_at) != (
                    event.has_begun,
                    event.at,
                ):
                    return False
                if event.is_begin:
                    _, _, finished_at = times_of(self._projects[event.project.id])
                    self._put(event.project.id, announced._replace(has_begun=True, next_at=finished_at))
                else:
                    del self._announced[event.project.id]
            self.deliveries.add(each for each in deliveries if each.webhook_id in self._webhooks)
            return True

    def secret(self) -> bytes:
        """Return this store's random 32 bytes."""
        return self._secret

    def reset(self) -> None:
        """Forget everything but the secret and the initial webhooks."""
        with self._lock:
            # The packing stays: a create in another thread may have packed its row and wait for the lock.
            for kept in (self._ledgers, self._projects, self._ends, self._refunded, self._deleted):
                kept.clear()
            self._pending = 0
            self._uploads.clear()
            self._keys.clear()
            self._records.clear()
            self._ids.clear()
            self._created = array("d")
            for kept_events in (self._announced, self._coming, self.deliveries):
                kept_events.clear()
            initial = [each for each in self._webhooks.values() if each.is_initial]
            self._webhooks = {each.id: replace(each, enabled=True, since=-inf) for each in initial}
            self.notes.reset()

    def close(self) -> None:
        """Do nothing: there are no files or connections."""

    def _used(self, key: Key, at: float) -> UsedKey | None:
        used_at, used = self._keys.get((key.account_id, key.key), (-inf, None))
        return used if used_at > at - REMEMBERED_FOR else None

    def _remember(self, key: Key, project: Project) -> None:
        name = (key.account_id, key.key)
        self._keys.pop(name, None)
        self._keys[name] = (project.created_at, UsedKey(key.fingerprint, project.id))
        forgotten_at = project.created_at - REMEMBERED_FOR
        while len(self._keys) > MOST_KEYS or next(iter(self._keys.values()))[0] <= forgotten_at:
            del self._keys[next(iter(self._keys))]

    def _newest(self, account_id: str | None, ids: Sequence[str]) -> Iterator[Project]:
        """Yield projects, an account's alone where one is given, from the end of their ids on."""
        start = b"" if account_id is None else self._packing.start_of(account_id)
        for id_ in reversed(ids):
            row = self._projects.get(id_)
            if row is not None and row.startswith(start):
                yield self._packing.unpack(id_, row, self._deleted.get(id_))

    def _last_to_end(self, ids: Iterable[str]) -> Iterator[Project]:
        """Yield projects, the last one to finish first."""
        for id_ in sorted(ids, key=lambda each: times_of(self._projects[each])[2], reverse=True):
            yield self._packing.unpack(id_, self._projects[id_], None)

    def _change(self, project_id: str, changed: Callable[[Project], Project]) -> tuple[Project, Project]:
        """Store what becomes of a project, and return it before and after."""
        row = self._projects[project_id]
        before = self._packing.unpack(project_id, row, self._deleted.get(project_id))
        after = changed(before)
        self._projects[project_id] = self._packing.pack(after)
        self._pending += after.is_pending - before.is_pending
        return before, after

    def _announce(self, project_id: str, base_url: str, at: float) -> None:
        self._put(project_id, _Announced(next(self._announcements), base_url, False, at))

    def _move_event(self, project: Project) -> None:
        announced = self._announced.get(project.id)
        if announced is not None:
            at = project.finished_at if announced.has_begun else project.rendering_at
            self._put(project.id, announced._replace(next_at=at))

    def _put(self, project_id: str, announced: _Announced) -> None:
        self._announced[project_id] = announced
        if announced.next_at == inf:
            return
        heappush(self._coming, (announced.next_at, announced.number, project_id))
        if len(self._coming) > 2 * len(self._announced) + 100:
            now_right = {(each.next_at, each.number, id_) for id_, each in self._announced.items()}
            self._coming = [each for each in now_right if each[0] < inf]
            heapify(self._coming)

    def _move_end(self, before: Project, after: Project) -> None:
        ends = self._ends[before.account_id]
        del ends[bisect_left(ends, before.finished_at)]
        insort(ends, after.finished_at)

    def _move_refund(self, before: Project, after: Project) -> None:
        ledger = self._ledgers.get(before.account_id) or Ledger(_NOBODY)
        if after.gives_back and not before.gives_back:
            self._refunded[after.account_id].append(after.id)
        for refund in refund_of(before):
            ledger.take_back(refund.amount, refund.at)
        for refund in refund_of(after):
            ledger.add(refund.amount, refund.at)
