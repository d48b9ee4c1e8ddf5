"""Every store against a list of entries, then what only threads, processes and kills can show."""

from __future__ import annotations

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, TypeVar, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bluehour.mock_server.core.accounts import Account, Entry, InsufficientCredits, TooManyJobs, entries_of
from bluehour.mock_server.core.assets import Upload
from bluehour.mock_server.core.deliveries import Attempt, ComingEvent, Delivery, Endpoint
from bluehour.mock_server.core.idempotency import REMEMBERED_FOR, Key, KeyTaken, UsedKey
from bluehour.mock_server.core.projects import PENDING, Project, ProjectEnded, begun, ended, new_id, status_at
from bluehour.mock_server.core.records import Record
from bluehour.mock_server.core.stores import InUse, LedgerPage, Store, StoreError
from bluehour.mock_server.core.stores.notes import MemoryNotes
from bluehour.mock_server.core.stores.opening import open_store
from tests.postgresql import Cluster
from tests.profiles import examples

T = TypeVar("T")
TraceFunction = Callable[[FrameType, str, Any], Any]

ROOT = Path(__file__).parents[4]
NOW = 1_700_000_000.0
ACCOUNT = Account("acc_payer", "creator", 100)
DRAFT = Project(
    id="",
    account_id=ACCOUNT.id,
    operation_id="faceEditor.createImage",
    plan="creator",
    name="Face",
    credits=1,
    request=b'{"style": {}}',
    created_at=NOW,
    rendering_at=NOW + 1,
    finished_at=NOW + 2,
)


def project(*, at: float = NOW, cost: int = 1, outcome: str = "complete", takes: float = 2) -> Project:
    return replace(
        DRAFT,
        id=new_id(),
        credits=cost,
        created_at=at,
        rendering_at=at,
        finished_at=at + takes,
        outcome=outcome,
    )


class ListOfDeliveries:
    """Its deliveries, in the order in which they were handed out."""

    def __init__(self) -> None:
        self.kept: list[Delivery] = []

    def put(self, delivery: Delivery) -> None:
        self.kept = [delivery if each.id == delivery.id else each for each in self.kept]

    def is_held_up(self, delivery: Delivery) -> bool:
        in_front = self.kept[: self.kept.index(delivery)]
        return any(
            (each.webhook_id, each.project_id) == (delivery.webhook_id, delivery.project_id)
            and each.state == "pending"
            and not each.attempts
            for each in in_front
        )

    def waiting(self, webhook_id: str) -> list[Delivery]:
        found = [each for each in self.kept if each.webhook_id == webhook_id and each.next_at < inf]
        return sorted(found, key=lambda each: each.next_at)

    def take(self, webhook_id: str, sender: str, at: float) -> Delivery | None:
        for each in self.waiting(webhook_id):
            if each.next_at <= at and not self.is_held_up(each):
                taken = replace(each, sender=sender, tries=each.tries + 1, next_at=inf)
                self.put(taken)
                return taken
        return None

    def next_at(self, webhook_id: str) -> float:
        free = [each.next_at for each in self.waiting(webhook_id) if not self.is_held_up(each)]
        return min(free, default=inf)

    def swap(self, old: Delivery, new: Delivery) -> bool:
        found = self.find(old.id)
        if found is None or (found.sender, found.tries) != (old.sender, old.tries):
            return False
        self.put(new)
        return True

    def senders(self) -> set[str]:
        return {each.sender for each in self.kept if each.sender is not None}

    def release(self, sender: str, at: float) -> None:
        for each in self.kept:
            if each.sender == sender:
                self.put(replace(each, sender=None, next_at=at if each.state == "pending" else inf))

    def hasten(self, webhook_id: str, at: float, after: float = -inf) -> None:
        for each in [each for each in self.waiting(webhook_id) if each.at > after]:
            self.put(replace(each, next_at=at))

    def postpone(self, webhook_id: str, at: float, seconds: float, problem: str) -> int:
        due = [each for each in self.waiting(webhook_id) if each.next_at <= at]
        for each in due:
            if each.at + seconds > at:
                self.put(replace(each, next_at=each.at + seconds))
            else:
                self.put(replace(each, state="failed", problem=problem, next_at=inf))
        return sum(each.at + seconds <= at for each in due)

    def forget_over(self, most: int) -> int:
        over = [each for each in self.kept if each.state != "pending"]
        gone = over[: max(len(over) - most, 0)]
        self.kept = [each for each in self.kept if each not in gone]
        return len(gone)

    def find(self, delivery_id: str) -> Delivery | None:
        return next((each for each in self.kept if each.id == delivery_id), None)

    def newest(self, project_id: str | None = None, limit: int | None = None) -> list[Delivery]:
        return [each for each in self.kept[::-1] if project_id in (None, each.project_id)][:limit]

    def count_waiting(self) -> int:
        return sum(each.state == "pending" for each in self.kept)


class ListOfEntries:
    """The model: what a store must answer, without a thought for speed or threads."""

    def __init__(self) -> None:
        self.opened: dict[str, Account] = {}
        self.lines: list[Entry] = []
        self.stored: dict[str, Project] = {}
        self.uploads: dict[str, Upload] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.announced: dict[str, tuple[str, bool]] = {}
        self.deliveries = ListOfDeliveries()
        self.notes = MemoryNotes()
        self.pages = None
        self.jobs = None
        self.kept: dict[tuple[str, str], Record] = {}
        self.keys: dict[tuple[str, str], tuple[float, UsedKey]] = {}

    def open_account(self, account: Account, at: float) -> Account:
        if account.id not in self.opened:
            self.opened[account.id] = account
            self.lines.append(Entry(account.id, None, account.credits, at))
        return self.opened[account.id]

    def set_account(
        self, account_id: str, at: float, *, plan: str | None = None, credits: int | None = None
    ) -> Account:
        account = self.opened[account_id]
        self.opened[account_id] = replace(account, plan=plan or account.plan)
        missing = 0 if credits is None else credits - self.balance(account_id, at)
        if missing:
            self.lines.append(Entry(account_id, None, missing, at))
        return self.opened[account_id]

    def account(self, account_id: str) -> Account | None:
        return self.opened.get(account_id)

    def accounts(self, limit: int | None = None) -> list[Account]:
        return list(self.opened.values())[-limit if limit else 0 :]

    def count_accounts(self) -> int:
        return len(self.opened)

    def balance(self, account_id: str, at: float) -> int:
        return sum(line.amount for line in self.entries(account_id) if line.at <= at)

    def entries(self, account_id: str) -> list[Entry]:
        lines = [line for line in self.lines if line.account_id == account_id]
        return sorted(lines, key=lambda line: line.at)

    def ledger(self, account_id: str, limit: int | None = None) -> LedgerPage:
        entries = self.entries(account_id)
        first = len(entries) - min(limit or len(entries), len(entries))
        return LedgerPage(sum(line.amount for line in entries[:first]), entries[first:])

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        account_id, at = project.account_id, project.created_at
        if key is not None and (used := self.used_key(key, at)):
            raise KeyTaken(used)
        later = [line.at for line in self.entries(account_id) if line.at > at]
        lowest = min(self.balance(account_id, moment) for moment in [at, *later])
        if lowest < project.credits:
            raise InsufficientCredits(lowest)
        running = sum(each.account_id == account_id for each in self.unfinished(at))
        if at_most is not None and running >= at_most:
            raise TooManyJobs(running)
        self.stored[project.id] = project
        self.lines.extend(entries_of(project))
        if self.endpoints:
            self.announced[project.id] = (base_url, False)
        if key is not None:
            self.keys[key.account_id, key.key] = (at, UsedKey(key.fingerprint, project.id))
        return self.balance(account_id, at)

    def used_key(self, key: Key, at: float) -> UsedKey | None:
        used_at, used = self.keys.get((key.account_id, key.key), (-inf, None))
        return used if used_at > at - REMEMBERED_FOR else None

    def project(self, project_id: str) -> Project | None:
        return self.stored.get(project_id)

    def projects(self, *, account_id: str | None = None, limit: int = 100) -> list[Project]:
        found = [each for each in self.stored.values() if account_id in (None, each.account_id)]
        return sorted(found, key=lambda each: each.created_at)[::-1][:limit]

    def pending_projects(self) -> list[Project]:
        found = [each for each in self.stored.values() if each.outcome == PENDING]
        return sorted(found, key=lambda each: each.created_at)

    def unfinished(self, at: float) -> list[Project]:
        return [each for each in self.stored.values() if each.finished_at > at]

    def count_projects(self) -> int:
        return len(self.stored)

    def in_use(self) -> InUse:
        plans = {each.plan for each in self.accounts()} | {each.plan for each in self.stored.values()}
        return InUse(frozenset(each.operation_id for each in self.stored.values()), frozenset(plans))

    def begin_project(self, project_id: str, at: float) -> Project:
        self.stored[project_id] = begun(self.stored[project_id], at)
        return self.stored[project_id]

    def end_project(self, project_id: str, outcome: str, at: float) -> Project:
        after = ended(self.stored[project_id], outcome, at)
        self.stored[project_id] = after
        self.lines = [line for line in self.lines if line.project_id != project_id]
        self.lines.extend(entries_of(after))
        return after

    def delete_project(self, project_id: str, at: float) -> None:
        found = self.stored.get(project_id)
        if found is not None and found.deleted_at is None:
            self.stored[project_id] = replace(found, deleted_at=at)

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        self.uploads.update({each.path: each for each in uploads})

    def upload(self, path: str) -> Upload | None:
        return self.uploads.get(path)

    def record(self, collection: str, record_id: str) -> Record | None:
        return self.kept.get((collection, record_id))

    def records(self, collection: str) -> list[Record]:
        return [each for each in self.kept.values() if each.collection == collection and not each.is_deleted]

    def latest_records(self, limit: int) -> list[Record]:
        alive = [each for each in self.kept.values() if not each.is_deleted]
        return sorted(alive, key=lambda each: -each.created_at)[:limit]

    def has_records(self, collection: str) -> bool:
        return any(of == collection for of, _ in self.kept)

    def count_records(self, collection: str | None = None) -> int:
        return sum(collection in (None, of) and not each.is_deleted for (of, _), each in self.kept.items())

    def swap_record(self, old: Record | None, new: Record) -> bool:
        is_current = self.kept.get((new.collection, new.id)) == old
        if is_current:
            self.kept[new.collection, new.id] = new
        return is_current

    def add_webhook(self, endpoint: Endpoint) -> None:
        self.endpoints.setdefault(endpoint.id, endpoint)

    def put_webhook(self, endpoint: Endpoint) -> None:
        self.endpoints[endpoint.id] = endpoint

    def remove_webhook(self, webhook_id: str) -> int:
        self.endpoints.pop(webhook_id, None)
        its = [each for each in self.deliveries.kept if each.webhook_id == webhook_id]
        self.deliveries.kept = [each for each in self.deliveries.kept if each not in its]
        return sum(each.state == "pending" for each in its)

    def webhooks(self) -> list[Endpoint]:
        return list(self.endpoints.values())

    def announce_unfinished(self, at: float, base_url: str) -> None:
        for each in self.stored.values():
            if each.finished_at > at:
                self.announced.setdefault(each.id, (base_url, False))

    def next_event(self) -> ComingEvent | None:
        coming = []
        for project_id, (base_url, has_begun) in self.announced.items():
            found = self.stored[project_id]
            at = found.finished_at if has_begun else found.rendering_at
            coming.append(ComingEvent(found, has_begun, at, base_url))
        return min((each for each in coming if each.at < inf), key=lambda each: each.at, default=None)

    def hand_out(self, event: ComingEvent | None, deliveries: Sequence[Delivery]) -> bool:
        wanted = [each for each in deliveries if each.webhook_id in self.endpoints]
        if event is None:
            self.deliveries.kept += wanted
            return True
        base_url, has_begun = self.announced.get(event.project.id, ("", None))
        found = self.stored.get(event.project.id)
        if found is None or has_begun != event.has_begun:
            return False
        if event.at != (found.finished_at if has_begun else found.rendering_at):
            return False
        if event.is_begin:
            self.announced[found.id] = (base_url, True)
        else:
            del self.announced[found.id]
        self.deliveries.kept += wanted
        return True

    def secret(self) -> bytes:
        raise NotImplementedError("a secret is drawn, not modelled")

    def reset(self) -> None:
        for kept in (
            self.opened,
            self.lines,
            self.stored,
            self.uploads,
            self.announced,
            self.deliveries.kept,
        ):
            kept.clear()
        self.kept.clear()
        self.keys.clear()
        self.notes.reset()
        initial = [each for each in self.endpoints.values() if each.is_initial]
        self.endpoints = {each.id: replace(each, enabled=True, since=-inf) for each in initial}

    def close(self) -> None:
        pass


account_ids = st.sampled_from(["acc_one", "acc_two", "acc_three"])
plans = st.sampled_from(["free", "creator", "pro"])
durations = st.sampled_from([0.0, 0.0, 0.25, 1.0, 4.0])
waits = durations | st.just(inf)
moments = st.sampled_from([-4.0, -1.0, -0.25, 0.0, 0.0, 0.0, 0.25, 4.0])  # from now on
errors = st.sampled_from([None, None, "no_source_face", "unknown"])
outcomes = st.sampled_from(["complete", "complete", "canceled", "no_source_face", "unknown", PENDING])
paths = st.sampled_from(["api-assets/1/image.png", "api-assets/2/image.png", "api-assets/3/gesicht-ß.jpg"])
places = st.integers(min_value=1, max_value=4)
limits = st.sampled_from([1, 3, 100])
webhook_ids = st.sampled_from(["one", "two"])
senders = st.sampled_from(["a", "b"])
collections = st.sampled_from(["/pets", "/pets/1/toys"])
bodies = st.sampled_from([b"{}", b'{"name": "\xc3\x9f"}'])
keys = st.sampled_from(["a", "b"])
event_names = st.sets(st.sampled_from(["image.started", "image.completed"])).map(frozenset)


class StoresMachine(RuleBasedStateMachine):
    """Does the same to the model and to stores, and compares all answers."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = self.url_of_store()
        self.model, self.sql = ListOfEntries(), open_store(self.url)
        self.memory = open_store("memory://")
        self.secrets = [self.memory.secret(), self.sql.secret()]
        self.now = NOW
        self.ids = ["unknown"]
        self.seen: list[ComingEvent] = []
        self.was_reset = False
        self.store_webhook("one", True, True, frozenset(), -inf, True)
        for account in (Account("acc_one", "pro", 9), Account("acc_two", "pro", 20)):
            self.same_account(account, NOW - 9)
            for made in (project(outcome="unknown"), project(takes=8), project(takes=inf)):
                self.same_add(replace(made, account_id=account.id))

    def url_of_store(self) -> str:
        return f"sqlite:///{self.folder.name}/bluehour.db"

    def same_add(self, made: Project, at_most: int | None = None, key: Key | None = None) -> None:
        if isinstance(self.same(lambda store: store.add_project(made, at_most, "http://a", key)), int):
            self.ids.append(made.id)

    def same_account(self, account: Account, at: float) -> None:
        self.same(lambda store: store.open_account(account, at))

    def same_project(self, place: int) -> None:
        self.same(lambda store: store.project(self.ids[-min(place, len(self.ids))]))

    def same_balance(self, account_id: str, at: float) -> int:
        return self.same(lambda store: store.balance(account_id, at))

    def same(self, call: Callable[[Store], T]) -> T:
        def answer(store: Store) -> T | str:
            try:
                return call(store)
            except (InsufficientCredits, TooManyJobs, ProjectEnded, KeyTaken, KeyError) as refused:
                return repr(refused)

        expected = answer(self.model)
        assert answer(self.memory) == expected
        assert answer(self.sql) == expected
        return cast("T", expected)

    @rule(duration=durations)
    def wait(self, duration: float) -> None:
        self.now += duration

    @rule(account_id=account_ids, credits_=st.integers(0, 8))
    def open_account(self, account_id: str, credits_: int) -> None:
        self.same_account(Account(account_id, "creator", credits_), self.now)

    @rule(
        account_id=account_ids,
        moment=moments,
        plan=st.none() | plans,
        credits_=st.none() | st.integers(0, 8),
    )
    def set_account(self, account_id: str, moment: float, plan: str | None, credits_: int | None) -> None:
        at = self.now + moment
        self.same(lambda store: store.set_account(account_id, at, plan=plan, credits=credits_))

    @rule(account_id=account_ids, limit=limits)
    def list_accounts(self, account_id: str, limit: int) -> None:
        self.same(lambda store: store.accounts())
        self.same(lambda store: store.accounts(limit))
        self.same(lambda store: store.count_accounts())
        self.same(lambda store: store.account(account_id))

    @rule(account_id=account_ids, limit=limits)
    def read_end_of_ledger(self, account_id: str, limit: int) -> None:
        whole = self.model.entries(account_id)
        for store in (self.memory, self.sql):
            page = store.ledger(account_id, limit)
            # Which of several at one time are the last is not said; their times are.
            assert [line.at for line in page.entries] == [line.at for line in whole[-limit:]]
            assert all(line in whole for line in page.entries)
            assert page.before + sum(line.amount for line in page.entries) == sum(
                line.amount for line in whole
            )

    @rule(
        account_id=account_ids,
        cost=st.integers(0, 4),
        late=durations,
        waits=waits,
        takes=waits,
        outcome=outcomes,
        at_most=st.none() | st.integers(0, 3),
        name=st.text(max_size=8),
        request=st.binary(max_size=60),
        key=st.none() | keys,
    )
    def add_project(
        self,
        account_id: str,
        cost: int,
        late: float,
        waits: float,
        takes: float,
        outcome: str,
        at_most: int | None,
        name: str,
        request: bytes,
        key: str | None,
    ) -> None:
        at = self.now - late
        made = Project(
            id=new_id(),
            account_id=account_id,
            operation_id="faceEditor.createImage",
            plan="creator",
            name=name,
            credits=cost,
            request=request,
            created_at=at,
            rendering_at=at + waits,
            finished_at=at + waits + takes,
            outcome=outcome,
        )
        self.same_add(made, at_most, None if key is None else Key(account_id, key, f"{cost}"))

    @rule(account_id=account_ids, key=keys, later=st.sampled_from([0.0, REMEMBERED_FOR - 1, REMEMBERED_FOR]))
    def read_key(self, account_id: str, key: str, later: float) -> None:
        self.same(lambda store: store.used_key(Key(account_id, key, ""), self.now + later))

    @rule(account_id=account_ids, moment=moments)
    def balance(self, account_id: str, moment: float) -> None:
        self.same_balance(account_id, self.now + moment)

    @rule(place=places)
    def read_project(self, place: int) -> None:
        self.same_project(place)

    @rule(account_id=st.none() | account_ids, limit=limits)
    def list_projects(self, account_id: str | None, limit: int) -> None:
        self.same(lambda store: store.projects(account_id=account_id, limit=limit))
        self.same(lambda store: store.pending_projects())
        self.same(lambda store: store.count_projects())
        self.same(lambda store: store.in_use())

    @rule(place=places, outcome=outcomes, moment=moments)
    def end_any_project(self, place: int, outcome: str, moment: float) -> None:
        self.same_end(self.ids[-min(place, len(self.ids))], outcome, self.now + moment)

    @precondition(lambda self: self.unfinished())
    @rule(place=places, outcome=outcomes, early=durations)
    def end_unfinished_project(self, place: int, outcome: str, early: float) -> None:
        chosen = self.unfinished()[:place][-1]
        self.same_end(chosen.id, outcome, self.now - early)

    def unfinished(self) -> list[Project]:
        return [each for each in self.model.unfinished(self.now)[::-1] if not each.was_ended]

    def same_end(self, project_id: str, outcome: str, at: float) -> None:
        self.same(lambda store: store.end_project(project_id, outcome, at))

    @precondition(lambda self: self.unfinished())
    @rule(place=places, early=durations)
    def begin_unfinished_project(self, place: int, early: float) -> None:
        chosen = self.unfinished()[:place][-1]
        self.same(lambda store: store.begin_project(chosen.id, self.now - early))

    @rule(place=places, moment=moments)
    def begin_any_project(self, place: int, moment: float) -> None:
        project_id = self.ids[-min(place, len(self.ids))]
        self.same(lambda store: store.begin_project(project_id, self.now + moment))

    @rule(place=places)
    def delete_project(self, place: int) -> None:
        self.same(lambda store: store.delete_project(self.ids[-min(place, len(self.ids))], self.now))

    @rule(chosen=st.lists(paths, max_size=3), arrived=st.booleans(), error=errors)
    def put_uploads(self, chosen: list[str], arrived: bool, error: str | None) -> None:
        uploaded_at = self.now if arrived else None
        uploads = [Upload(path, "acc_one", self.now, uploaded_at, error) for path in chosen]
        self.same(lambda store: store.put_uploads(iter(uploads)))

    @rule(path=paths)
    def read_upload(self, path: str) -> None:
        self.same(lambda store: store.upload(path))

    @rule(
        of=collections,
        record_id=st.sampled_from(["1", "a/b"]),
        body=bodies,
        turn=st.sampled_from(["change", "end", "delete", "by someone who read an earlier version"]),
    )
    def write_record(self, of: str, record_id: str, body: bytes, turn: str) -> None:
        old = self.model.record(of, record_id)
        if old is None:
            new = Record(of, record_id, body, "addPet", self.now, self.now + 1, inf)
        elif turn == "end":
            new = old.ended("canceled", self.now)
        elif turn == "delete":
            new = old.deleted()
        else:
            new = old.changed(body)
        if turn.startswith("by someone"):
            old = None if old is None or old.version == 0 else replace(old, version=old.version - 1)
        self.same(lambda store: store.swap_record(old, new))
        self.same(lambda store: store.record(of, record_id))

    @rule(of=collections)
    def list_records(self, of: str) -> None:
        self.same(lambda store: store.records(of))
        self.same(lambda store: sorted(each.created_at for each in store.latest_records(3)))
        self.same(lambda store: (store.has_records(of), store.count_records(of), store.count_records()))

    @rule(
        webhook=webhook_ids,
        enabled=st.booleans(),
        is_initial=st.booleans(),
        names=event_names,
        since=st.sampled_from([-inf, NOW]),
        is_new=st.booleans(),
    )
    def store_webhook(
        self,
        webhook: str,
        enabled: bool,
        is_initial: bool,
        names: frozenset[str],
        since: float,
        is_new: bool,
    ) -> None:
        made = Endpoint(webhook, "http://127.0.0.1:9/ß", "whsec_x", names, enabled, is_initial, since)
        self.same(lambda store: store.add_webhook(made) if is_new else store.put_webhook(made))

    @rule(webhook=webhook_ids)
    def remove_webhook(self, webhook: str) -> None:
        self.same(lambda store: store.remove_webhook(webhook))

    @rule(moment=moments)
    def announce_unfinished(self, moment: float) -> None:
        at = self.now + moment
        self.same(lambda store: store.announce_unfinished(at, "http://later"))

    def same_event(self) -> ComingEvent | None:
        return self.same(lambda store: store.next_event())

    @rule(webhooks=st.lists(webhook_ids, max_size=2))
    def hand_out_next_event(self, webhooks: list[str]) -> None:
        event = self.same_event()
        if event is not None:
            self.seen.append(event)
            self.same_hand_out(event, webhooks)

    @rule(webhooks=st.lists(webhook_ids, max_size=2))
    def look_at_next_event(self, webhooks: list[str]) -> None:
        event = self.same_event()
        if event is not None:
            self.seen.append(event)

    @precondition(lambda self: self.seen)
    @rule(place=places)
    def hand_out_what_was_seen_before(self, place: int) -> None:
        self.same_hand_out(self.seen[-min(place, len(self.seen))], ["one"])

    @rule(webhooks=st.lists(webhook_ids, max_size=2))
    def hand_out_of_no_project(self, webhooks: list[str]) -> None:
        self.same_hand_out(None, webhooks)

    def same_hand_out(self, event: ComingEvent | None, webhooks: list[str]) -> None:
        subject, at = (event.project.id, event.at) if event else ("7", self.now)
        made = [
            Delivery(new_id(), each, "image.started", subject, b"{}", at, 0, self.now) for each in webhooks
        ]
        self.same(lambda store: store.hand_out(event, made))

    @rule(webhook=webhook_ids, sender=senders, moment=moments)
    def take_delivery(self, webhook: str, sender: str, moment: float) -> None:
        self.same(lambda store: store.deliveries.next_at(webhook))
        self.same(lambda store: store.deliveries.take(webhook, sender, self.now + moment))

    @precondition(lambda self: self.model.deliveries.kept)
    @rule(
        place=places,
        end=st.sampled_from(["taken", "refused", "given up", "refused, by someone slow", "sent once more"]),
        moment=moments,
    )
    def end_try(self, place: int, end: str, moment: float) -> None:
        kept = self.model.deliveries.kept
        old = kept[-min(place, len(kept))]
        status = 204 if end == "taken" else None
        attempt = Attempt(self.now, {"x": "ß"}, status, None if status else "refused", 0.5)
        new = replace(old, sender=None, attempts=(*old.attempts, attempt), next_at=inf)
        if end == "taken":
            new = replace(new, state="delivered")
        elif end == "given up":
            new = replace(new, state="failed", problem="given up")
        elif end == "sent once more":
            new = replace(old, sender="b", tries=old.tries + 1, next_at=inf)
        elif old.state == "pending":
            new = replace(new, next_at=self.now + moment)
        if "slow" in end:
            old = replace(old, tries=old.tries - 1)
        self.same(lambda store: store.deliveries.swap(old, new))
        self.same(lambda store: store.deliveries.find(old.id))

    @rule(sender=senders, moment=moments)
    def release(self, sender: str, moment: float) -> None:
        self.same(lambda store: store.deliveries.senders())
        self.same(lambda store: store.deliveries.release(sender, self.now + moment))

    @rule(webhook=webhook_ids, moment=moments, seconds=durations)
    def switch(self, webhook: str, moment: float, seconds: float) -> None:
        if moment > 0:
            self.same(lambda store: store.deliveries.hasten(webhook, self.now - moment, NOW + seconds))
        else:
            self.same(lambda store: store.deliveries.postpone(webhook, self.now, seconds, "given up"))

    @rule(most=st.integers(0, 3))
    def forget_deliveries(self, most: int) -> None:
        self.same(lambda store: store.deliveries.forget_over(most))

    @rule(name=st.sampled_from(["clock", "secret"]), old=st.none() | bodies, value=bodies)
    def swap_note(self, name: str, old: bytes | None, value: bytes) -> None:
        self.same(lambda store: store.notes.swap(name, old, value))
        self.same_notes()

    @rule(name=st.sampled_from(["clock", "secret"]), value=bodies)
    def note(self, name: str, value: bytes) -> None:
        old = self.model.notes.read().notes.get(name)
        self.same(lambda store: store.notes.swap(name, old, value))
        self.same_notes()

    def same_notes(self) -> None:
        self.same(lambda store: (store.notes.read().resets, store.notes.read().notes))

    @rule(group=st.sampled_from("ab"), name=st.sampled_from("xy"), at_most=st.none() | st.integers(0, 3))
    def count(self, group: str, name: str, at_most: int | None) -> None:
        self.same(lambda store: store.notes.count(group, name, at_most))
        self.same(lambda store: store.notes.counts(group))

    @rule(group=st.sampled_from("ab"))
    def forget_counts(self, group: str) -> None:
        self.same(lambda store: store.notes.forget_counts(group))
        self.same(lambda store: store.notes.counts(group))

    @rule()
    def list_webhooks_and_deliveries(self) -> None:
        self.same(lambda store: store.webhooks())
        self.same(lambda store: store.deliveries.newest())
        self.same(lambda store: store.deliveries.newest("7", 2))
        self.same(lambda store: store.deliveries.count_waiting())
        self.same(lambda store: [store.deliveries.next_at(each) for each in ("one", "two")])

    @precondition(lambda self: not self.was_reset)  # else there would seldom be much to compare
    @rule()
    def reset(self) -> None:
        self.was_reset = True
        self.same(lambda store: store.reset())

    @rule()
    def reopen(self) -> None:
        self.sql.close()
        self.sql = open_store(self.url)

    def teardown(self) -> None:
        try:
            self.same(lambda store: store.accounts())
            self.list_webhooks_and_deliveries()
            while (event := self.same_event()) is not None:
                self.same_hand_out(event, [])
            for account_id in ("acc_one", "acc_two", "acc_three"):
                self.compare_ledger(account_id)
                for at in {each.finished_at for each in self.model.projects(account_id=account_id)}:
                    self.same_running(account_id, at)
            for place in range(1, len(self.ids) + 1):
                self.same_project(place)
            self.same_notes()
            assert [self.memory.secret(), self.sql.secret()] == self.secrets
        finally:
            self.sql.close()
            self.folder.cleanup()

    def compare_ledger(self, account_id: str) -> None:
        self.same(lambda store: sorted(store.ledger(account_id).entries, key=repr))
        for store in (self.memory, self.sql):
            times = [line.at for line in store.ledger(account_id).entries]
            assert times == sorted(times)
        for at in {inf, *(line.at for line in self.model.entries(account_id))}:
            self.same_balance(account_id, at)

    def same_running(self, account_id: str, at: float) -> None:
        one_more = replace(DRAFT, id=new_id(), account_id=account_id, credits=0, created_at=at)
        self.same(lambda store: store.add_project(one_more, at_most=0))


TestStoresAgreeWithAListOfEntries = StoresMachine.TestCase
TestStoresAgreeWithAListOfEntries.settings = examples(30, stateful_step_count=40)


class PostgreSQLMachine(StoresMachine):
    """The same with PostgreSQL in SQLite's place."""

    cluster: ClassVar[Cluster]

    def url_of_store(self) -> str:
        return self.cluster.url()


@pytest.fixture(scope="module")
def machines_cluster(postgresql: Cluster) -> None:
    PostgreSQLMachine.cluster = postgresql


TestPostgreSQLAgreesWithAListOfEntries = pytest.mark.usefixtures("machines_cluster")(
    PostgreSQLMachine.TestCase
)
TestPostgreSQLAgreesWithAListOfEntries.settings = examples(30, stateful_step_count=40)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bluehour.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that several processes may open."""
    if request.param == "sqlite":
        return cast("str", request.getfixturevalue("url"))
    return cast("Cluster", request.getfixturevalue("postgresql")).url()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, url: str) -> Iterator[Store]:
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        opened = open_store(cluster.url())
    else:
        opened = open_store("memory://" if request.param == "memory" else url)
    opened.open_account(ACCOUNT, NOW)
    yield opened
    opened.close()


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads take turns after every line of a store, so that a missing lock shows."""

    def take_turns(frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        if "stores" not in frame.f_code.co_filename:
            return None
        time.sleep(1e-6)
        return take_turns

    before = threading.gettrace()
    threading.settrace(take_turns)
    yield
    threading.settrace(before)


def add_all_at_once(store: Store, projects: list[Project]) -> list[Project]:
    """Add each project from a thread of its own, all at the same moment; return those accepted."""
    answers = at_once([partial(store.add_project, each) for each in projects])
    return [each for each, answer in zip(projects, answers, strict=True) if isinstance(answer, int)]


def at_once(calls: list[Callable[[], T]]) -> list[T | Exception]:
    """Make each call from a thread of its own, all at the same moment; return what they return or raise."""
    gate = threading.Barrier(len(calls))

    def make(call: Callable[[], T]) -> T | Exception:
        gate.wait()
        try:
            return call()
        except (InsufficientCredits, TooManyJobs, ProjectEnded) as refused:
            return refused

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


@pytest.mark.usefixtures("eager_threads")
def test_two_hundred_threads_never_overdraw(store: Store) -> None:
    # Created in another order than they arrive in, and a third of them with a refund still to come.
    projects = [
        project(at=NOW + number * 37 % 200 / 1000, outcome="complete" if number % 3 else "unknown", takes=60)
        for number in range(200)
    ]

    accepted = add_all_at_once(store, projects)

    assert len(accepted) == ACCOUNT.credits
    assert store.balance(ACCOUNT.id, NOW + 1) == 0
    assert min(store.balance(ACCOUNT.id, each.created_at) for each in projects) == 0
    assert store.balance(ACCOUNT.id, NOW + 100) == sum(each.is_refunded for each in accepted)
    assert all((store.project(each.id) is not None) == (each in accepted) for each in projects)


@pytest.mark.usefixtures("eager_threads")
def test_two_hundred_threads_open_an_account_once(store: Store) -> None:
    def open_account(number: int) -> Account:
        return store.open_account(Account("acc_shared", "creator", number), NOW)

    with ThreadPoolExecutor(200) as pool:
        opened = set(pool.map(open_account, range(200)))

    (account,) = opened
    assert store.ledger("acc_shared").entries == [Entry("acc_shared", None, account.credits, NOW)]


@pytest.mark.usefixtures("eager_threads")
def test_of_fifty_who_end_a_project_one_succeeds(store: Store) -> None:
    made = project(cost=10, outcome="unknown", takes=60)
    store.add_project(made)
    outcomes = [("complete", "canceled", "no_source_face")[number % 3] for number in range(50)]

    answers = at_once(
        [
            partial(store.end_project, made.id, outcome, NOW + 1 + number)
            for number, outcome in enumerate(outcomes)
        ]
    )

    (winner,) = (each for each in answers if isinstance(each, Project))
    assert all(isinstance(each, ProjectEnded) for each in answers if each is not winner)
    assert store.project(made.id) == winner
    assert store.ledger(ACCOUNT.id).entries[1:] == list(entries_of(winner))
    assert store.balance(ACCOUNT.id, NOW + 100) == (90 if winner.outcome == "complete" else 100)


@pytest.mark.usefixtures("eager_threads")
def test_fifty_threads_never_start_more_jobs_than_allowed(store: Store) -> None:
    jobs = [project(at=NOW + number * 37 % 50 / 1000, takes=60) for number in range(50)]

    answers = at_once([partial(store.add_project, each, at_most=3) for each in jobs])

    refusals = [each for each in answers if isinstance(each, TooManyJobs)]
    assert (len(answers) - len(refusals), len(store.projects())) == (3, 3)
    assert {each.running for each in refusals} == {3}
    assert store.balance(ACCOUNT.id, NOW + 1) == 97


@pytest.mark.usefixtures("eager_threads")
def test_a_plan_and_a_balance_that_are_set_at_once_are_both_kept(store: Store) -> None:
    for number in range(20):
        plan, credits_ = f"plan{number}", 200 + number
        at_once(
            [
                partial(store.set_account, ACCOUNT.id, NOW, plan=plan),
                partial(store.set_account, ACCOUNT.id, NOW, credits=credits_),
            ]
        )

        assert store.accounts() == [replace(ACCOUNT, plan=plan)]
        assert store.balance(ACCOUNT.id, NOW) == credits_


@pytest.mark.usefixtures("eager_threads")
def test_of_many_balances_that_are_set_at_once_one_stays_and_no_charge_is_lost(store: Store) -> None:
    balances = [partial(store.set_account, ACCOUNT.id, NOW, credits=500 + number) for number in range(30)]
    charges = [partial(store.add_project, project(at=NOW + 1, takes=60)) for _ in range(30)]

    answers = at_once([call for pair in zip(balances, charges, strict=True) for call in pair])

    assert not any(isinstance(each, Exception) for each in answers)
    assert store.balance(ACCOUNT.id, NOW) in range(500, 530)
    assert store.balance(ACCOUNT.id, NOW + 1) == store.balance(ACCOUNT.id, NOW) - 30
    assert sum(line.amount for line in store.ledger(ACCOUNT.id).entries) == store.balance(ACCOUNT.id, NOW + 1)


@pytest.mark.usefixtures("eager_threads")
def test_a_reset_among_creates_leaves_no_project_without_its_account(store: Store) -> None:
    jobs = [project() for _ in range(40)]
    creates: list[Callable[[], object]] = [partial(store.add_project, each) for each in jobs]

    at_once([*creates[:20], store.reset, *creates[20:]])

    assert (store.accounts(), store.projects(), store.ledger(ACCOUNT.id).entries) == ([], [], [])
    assert [store.project(each.id) for each in jobs] == [None] * 40


def test_a_reset_store_is_as_new_but_for_its_secret(store: Store) -> None:
    secret, upload = store.secret(), Upload("api-assets/1/image.png", ACCOUNT.id, NOW)
    store.put_uploads([upload])
    store.add_project(old := project())
    store.delete_project(old.id, NOW)

    store.reset()

    assert (store.upload(upload.path), store.project(old.id), store.balance(ACCOUNT.id, NOW)) == (
        None,
        None,
        0,
    )
    assert store.secret() == secret
    assert store.open_account(replace(ACCOUNT, plan="pro"), NOW) == replace(ACCOUNT, plan="pro")
    assert store.add_project(old, at_most=1) == 99
    assert store.project(old.id) == old, "what was deleted is so no more"


def test_a_canceled_project_is_given_back_now_and_not_again(store: Store) -> None:
    made = project(cost=60, outcome="unknown", takes=9)
    store.add_project(made)

    canceled = store.end_project(made.id, "canceled", NOW + 1)

    assert canceled == replace(made, outcome="canceled", finished_at=NOW + 1, was_ended=True)
    assert status_at(canceled, NOW + 1) == "canceled"
    assert [store.balance(ACCOUNT.id, NOW + seconds) for seconds in (0, 1, 9)] == [40, 100, 100]


def test_a_project_that_completes_after_all_takes_back_a_refund_that_was_counted(store: Store) -> None:
    failing = project(cost=60, outcome="unknown", takes=5)
    store.add_project(failing)
    store.add_project(project(at=NOW + 7))  # all before this is settled

    store.end_project(failing.id, "complete", NOW + 1)

    assert [store.balance(ACCOUNT.id, NOW + seconds) for seconds in (0, 1, 5, 7)] == [40, 40, 40, 39]


def test_a_finished_project_cannot_be_ended(store: Store) -> None:
    store.add_project(made := project(takes=2))

    with pytest.raises(ProjectEnded, match="complete"):
        store.end_project(made.id, "canceled", NOW + 2)

    assert store.project(made.id) == made
    assert store.balance(ACCOUNT.id, NOW + 9) == 99


def test_a_project_never_ends_before_it_was_created(store: Store) -> None:
    store.add_project(made := project(at=NOW + 1))

    after = store.end_project(made.id, "canceled", NOW)

    assert (after.rendering_at, after.finished_at) == (NOW + 1, NOW + 1)
    assert store.balance(ACCOUNT.id, NOW) == 100


def test_a_stuck_project_stays_queued_and_is_never_given_back(store: Store) -> None:
    stuck = replace(project(cost=60, outcome="unknown"), rendering_at=inf, finished_at=inf)
    store.add_project(stuck)

    assert store.project(stuck.id) == stuck
    assert status_at(stuck, NOW + 1e9) == "queued"
    assert store.balance(ACCOUNT.id, inf) == 40
    assert store.end_project(stuck.id, "canceled", NOW + 1).rendering_at == NOW + 1
    assert store.balance(ACCOUNT.id, NOW + 1) == 100


def test_credits_are_told_before_the_number_of_jobs(store: Store) -> None:
    store.add_project(project(cost=60))

    with pytest.raises(InsufficientCredits):
        store.add_project(project(cost=60), at_most=1)
    with pytest.raises(TooManyJobs, match="1 jobs"):
        store.add_project(project(cost=40), at_most=1)
    assert store.add_project(project(at=NOW + 2, cost=40), at_most=1) == 0


def test_an_unknown_account_or_project_cannot_be_changed(store: Store) -> None:
    with pytest.raises(KeyError, match="acc_unknown"):
        store.set_account("acc_unknown", NOW, plan="pro", credits=5)
    with pytest.raises(KeyError, match="c_unknown"):
        store.end_project("c_unknown", "canceled", NOW)

    assert store.accounts() == [ACCOUNT]
    assert store.balance("acc_unknown", NOW) == 0


def test_a_charge_that_would_overdraw_later_is_refused(store: Store) -> None:
    store.add_project(project(at=NOW + 10, cost=99))

    with pytest.raises(InsufficientCredits) as refused:
        store.add_project(project(at=NOW + 5, cost=2))

    assert refused.value.balance == 1
    assert store.balance(ACCOUNT.id, NOW + 5) == 100


def test_a_charge_given_back_in_its_own_moment_never_shows(store: Store) -> None:
    store.add_project(project(at=NOW + 10, cost=100, outcome="unknown", takes=0))

    assert store.add_project(project(at=NOW + 5, cost=100)) == 0
    assert store.balance(ACCOUNT.id, NOW + 10) == 0


def test_a_refund_counts_from_the_end_of_the_job(store: Store) -> None:
    left = store.add_project(project(cost=60, outcome="no_source_face", takes=3))

    assert left == 40
    assert store.balance(ACCOUNT.id, NOW + 2.999) == 40
    assert store.balance(ACCOUNT.id, NOW + 3) == 100
    assert store.balance(ACCOUNT.id, NOW + 2.999) == 40, "a look ahead changes nothing"
    with pytest.raises(InsufficientCredits):
        store.add_project(project(at=NOW + 2, cost=41))
    assert store.add_project(project(at=NOW + 3, cost=41)) == 59


def test_a_refused_project_leaves_nothing_behind(store: Store) -> None:
    refused = project(cost=101)

    with pytest.raises(InsufficientCredits, match="100 credits left"):
        store.add_project(refused)

    assert store.project(refused.id) is None
    assert store.ledger(ACCOUNT.id).entries == [Entry(ACCOUNT.id, None, 100, NOW)]


def test_a_deleted_project_keeps_its_first_deletion_time(store: Store) -> None:
    made = project()
    store.add_project(made)

    store.delete_project(made.id, NOW + 5)
    store.delete_project(made.id, NOW + 9)

    assert store.project(made.id) == replace(made, deleted_at=NOW + 5)


def test_deleting_an_unknown_project_is_no_error(store: Store) -> None:
    store.delete_project("unknown", NOW)

    assert store.project("unknown") is None


def test_long_requests_come_back_whole(store: Store) -> None:
    long = [replace(project(), request=secrets.token_bytes(50_000) * 2, name="ß" * 500) for _ in range(3)]

    for each in long:
        store.add_project(each)

    assert [store.project(each.id) for each in long] == long


def test_a_project_in_memory_takes_less_room_than_its_request() -> None:
    store = open_store("memory://")
    store.open_account(replace(ACCOUNT, credits=10_000), NOW)
    request = b'{"assets": {"image_file_path": "api-assets/%s/image.png"}, "style": {"prompt": "%s"}}'
    prompt = b"A portrait in the last light of a day in autumn, %d steps from the sea, " * 5

    tracemalloc.start()
    try:
        for number in range(5000):
            body = request % (secrets.token_hex(12).encode(), prompt % ((number,) * 5))
            store.add_project(replace(project(), request=body))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(body) > 400
    assert taken / 5000 < 400


@pytest.mark.parametrize(
    ("asked", "because"),
    [
        ("foo://", "no store of kind 'foo'"),
        ("bluehour.db", "no store of kind 'bluehour.db'"),
        ("mysql://me:hunter2@host/db", "no store of kind 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://file.db", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///{folder}", "unable to open"),
        ("sqlite:///{folder}/missing/bluehour.db", "unable to open"),
        ("sqlite:///{folder}/notes.txt/bluehour.db", "unable to open"),
        ("sqlite:///{folder}/notes.txt", "not a database"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line_that_says_what_can(
    asked: str, because: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, no database.\n" * 50)

    with pytest.raises(StoreError, match=because) as refused:
        open_store(asked.format(folder=tmp_path))

    (line,) = str(refused.value).splitlines()
    assert "sqlite:///file (relative), sqlite:////absolute/file or postgresql://user" in line
    assert "hunter2" not in line
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_database_of_something_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    run(
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('CREATE TABLE projects (a)')",
        str(tmp_path / "other.db"),
    )
    before = (tmp_path / "other.db").read_bytes()

    with pytest.raises(StoreError, match="no such column"):
        open_store(f"sqlite:///{tmp_path}/other.db")

    assert (tmp_path / "other.db").read_bytes() == before


def test_many_may_make_one_file_at_once(tmp_path: Path) -> None:
    def open_it(place: Path) -> bytes:
        store = open_store(f"sqlite:///{place}")
        store.close()
        return store.secret()

    with ThreadPoolExecutor(16) as pool:
        for number in range(8):
            assert len(set(pool.map(open_it, [tmp_path / f"{number}.db"] * 16))) == 1


def test_opening_leaves_no_connection_behind(url: str, tmp_path: Path) -> None:
    open_store(url).close()
    store = open_store(url)

    # SQLite takes its write-ahead log away with the last connection.
    assert [each.name for each in tmp_path.iterdir()] == ["bluehour.db"]
    store.close()


def test_a_relative_url_is_a_file_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    open_store("sqlite:///bluehour.db").close()

    assert (tmp_path / "bluehour.db").is_file()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("bluehour.mock_server.core.stores.memory", "sqlalchemy"),
        ("bluehour.mock_server.core.stores.sql", "bluehour.mock_server.core.stores.memory"),
        ("bluehour.mock_server.core.stores.sqlite", "psycopg"),
    ],
)
def test_a_store_does_not_import_the_other(module: str, unwanted: str) -> None:
    run(f"import sys, {module}; sys.exit({unwanted!r} in sys.modules)")


OPEN = """
import sys
from itertools import count
from bluehour.mock_server.core.accounts import Account, InsufficientCredits
from bluehour.mock_server.core.projects import Project, new_id
from bluehour.mock_server.core.stores.notes import MemoryNotes
from bluehour.mock_server.core.stores.opening import open_store

def project(number):
    at = 1_700_000_000.0 + number
    return Project(new_id(), "acc_payer", "op", "creator", "", 1, b"{}", at, at, at)

def open_it():
    store = open_store(sys.argv[1])
    store.open_account(Account("acc_payer", "creator", int(sys.argv[2])), 1_700_000_000.0)
    return store
"""

SPEND_ALL = """
print("ready", flush=True)
sys.stdin.readline()
store = open_it()
for number in count():
    try:
        store.add_project(project(number))
    except InsufficientCredits:
        break
    print(number, flush=True)
"""

SPEND_FOR_EVER = """
store = open_it()
for number in count():
    made = project(number)
    store.add_project(made)
    print(made.id, flush=True)
"""

SPEND_IN_THREADS = """
from threading import Lock, Thread
store, printing = open_it(), Lock()

def spend():
    while True:
        made = project(0)
        store.add_project(made)
        with printing:
            print(made.id, flush=True)

for _ in range(15):
    Thread(target=spend).start()
spend()
"""

INTERRUPTED = """
import os, signal, threading
store = open_it()
ends = threading.Event()
store._database._writer.submit(lambda _: ends.wait())  # what the interrupted call waits behind
heard = []

def hear(*_):
    heard.append(None)
    if len(heard) == 1:
        raise KeyboardInterrupt

def interrupt():
    while not ends.wait(0.1):  # again, as one that comes when a call is about to wait is not heard by it
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

signal.signal(signal.SIGINT, hear)
made = project(0)
threading.Thread(target=interrupt).start()
made = project(0)
try:
    store.add_project(made)
except KeyboardInterrupt:
    ends.set()
assert heard
store.add_project(project(1))
assert store.project(made.id) is not None, "what was under way is finished"
assert store.balance("acc_payer", 1_700_000_001.0) == 8
store.close()
"""

FORK = """
import os
store = open_it()
store.add_project(project(0))
store.close()
child = os.fork()
if child == 0:
    store = open_it()
    store.add_project(project(1))
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.balance("acc_payer", 1_700_000_001.0) == 8
store.close()
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments: str) -> None:
    with start(code, *arguments) as process:
        process.communicate()
    assert process.returncode == 0


def test_two_processes_on_one_store_never_overdraw(shared_url: str) -> None:
    with (
        start(OPEN + SPEND_ALL, shared_url, "300") as one,
        start(OPEN + SPEND_ALL, shared_url, "300") as other,
    ):
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):  # from here on both make the tables and the account
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        spent = [process.communicate()[0].splitlines() for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    assert sum(map(len, spent)) == 300

    store = open_store(shared_url)
    assert store.balance(ACCOUNT.id, NOW + 300) == 0
    assert sum(line.amount for line in store.ledger(ACCOUNT.id).entries) == 0
    store.close()


@pytest.mark.parametrize("spending", [SPEND_FOR_EVER, SPEND_IN_THREADS])
def test_a_killed_writer_loses_no_acknowledged_project(spending: str, shared_url: str) -> None:
    with start(OPEN + spending, shared_url, "1000000") as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(200)]
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read()
    acknowledged += rest[: rest.rfind("\n") + 1].split()  # the last line may have been cut

    store = open_store(shared_url)
    charged = [line.project_id for line in store.ledger(ACCOUNT.id).entries if line.amount == -1]
    assert all(store.project(each) is not None for each in acknowledged)
    assert set(acknowledged) <= set(charged)
    assert len(set(charged)) == len(charged), "each is charged once"
    assert all(each is not None and store.project(each) is not None for each in charged)
    assert store.balance(ACCOUNT.id, NOW + 1_000_000) == 1_000_000 - len(charged)
    store.close()


def test_an_interrupt_leaves_a_store_that_goes_on(url: str) -> None:
    run(OPEN + INTERRUPTED, url, "10")


def test_a_file_of_an_earlier_version_gets_what_it_lacks_at_the_start(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    store.open_account(ACCOUNT, NOW)
    store.add_project(made := project())
    store.close()
    with closing(sqlite3.connect(tmp_path / "bluehour.db")) as file:
        for name in ("ledger_in_order", "projects_in_order", "projects_pending"):
            file.execute(f"DROP INDEX {name}")
        file.execute("CREATE INDEX projects_by_time ON projects (created_at)")
        for name in ("settled", "width", "height", "fps", "seconds"):
            file.execute(f"ALTER TABLE projects DROP COLUMN {name}")

    store = open_store(url)

    with closing(sqlite3.connect(tmp_path / "bluehour.db")) as file:
        indexes = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {"ledger_in_order", "projects_in_order", "projects_pending"} <= indexes
    assert "projects_by_time" not in indexes
    assert (store.projects(), store.balance(ACCOUNT.id, NOW)) == ([made], 99)
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_closed_store_opens_again_in_a_forked_worker(shared_url: str) -> None:
    run(OPEN + FORK, shared_url, "10")
