"""The store that outlives its process: tables in a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from math import inf
from typing import Any, NamedTuple

from ..accounts import Account, Entry, InsufficientCredits, TooManyJobs, entries_of, refund_of
from ..assets import Upload
from ..deliveries import ComingEvent, Delivery, Endpoint
from ..idempotency import Key, KeyTaken, UsedKey
from ..projects import Project, QueueFull, begun, ended
from ..records import Record
from . import InUse, LedgerPage
from . import statements as sql
from .database import NONE, Database, Session, Statement, Values
from .deliveries import Deliveries
from .jobs import Jobs
from .notes import Notes
from .pages import Pages
from .sql_deliveries import SqlDeliveries, add_deliveries
from .sql_notes import SqlNotes, note_reset
from .sql_pages import SqlPages, clear_pages


class SqlStore:
    """Keeps everything in the tables of a database that any number of processes may share.

    What a call has stored survives the death of the process (`kill -9`): it returns after the commit.
    Connections are opened when they are needed and none is left open by the constructor, so a process may
    open a store, close it, fork, and open it again in the child.
    """

    def __init__(self, database: Database, most_waiting: int | None = None) -> None:
        """Make of the tables what the database lacks.

        Args:
            database: where they are.
            most_waiting: how many pending projects are taken; None for any number.

        Raises:
            StoreError: it can't be read and written as this store.
        """
        self._database = database
        self._secret = database.make_ready()
        self.notes: Notes = SqlNotes(database)
        self.pages: Pages | None = SqlPages(database)
        self.deliveries: Deliveries = SqlDeliveries(database)
        self.jobs: Jobs | None = None
        self._most_waiting = most_waiting

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; where there is none, store this one."""
        return self.account(account.id) or self._database.change(
            lambda session: _opened(session, account, at)
        )

    def set_account(
        self, account_id: str, at: float, *, plan: str | None = None, credits: int | None = None
    ) -> Account:
        """Give an account another plan, another balance at `at`, or both, in one transaction.

        Raises:
            KeyError: there is no such account.
        """

        def change(session: Session) -> Account:
            session.hold(account_id)
            standing = _standing(session, account_id, at)
            account = _account(session, account_id)
            if account is None:
                raise KeyError(account_id)
            if credits is not None and credits != standing.balance:
                _book(session, standing, [Entry(account_id, None, credits - standing.balance, at)])
            if plan is None:
                return account
            session.change(sql.SET_PLAN, {"wanted": account_id, "new_plan": plan})
            return replace(account, plan=plan)

        return self._database.change(change)

    def account(self, account_id: str) -> Account | None:
        """Return an account, or None."""
        with self._database.reading() as session:
            return _account(session, account_id)

    def accounts(self, limit: int | None = None) -> list[Account]:
        """Return the accounts that were opened last, in the order they were opened."""
        return [Account(*row) for row in reversed(self._find(sql.LAST_ACCOUNTS, {"limit": _limited(limit)}))]

    def count_accounts(self) -> int:
        """Return how many accounts there are."""
        ((count,),) = self._find(sql.COUNT_ACCOUNTS)
        return int(count)

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""
        with self._database.reading() as session:
            return _balance(session, account_id, at)

    def ledger(self, account_id: str, limit: int | None = None) -> LedgerPage:
        """Return the account's last entries by time, and what the earlier ones sum up to."""
        wanted = {"wanted": account_id, "limit": _limited(limit)}
        with self._database.reading() as session, session.snapshot():
            entries = [Entry(*line) for line in reversed(session.find(sql.LAST_LINES, wanted))]
            total = _balance(session, account_id, inf)
        return LedgerPage(total - _sum_until(inf, entries), entries)

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        """Store a project and its charge in one transaction, and return the balance that leaves.

        Raises:
            KeyTaken: the key has made a project before.
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
            TooManyJobs: the account has `at_most` unfinished projects already.
            QueueFull: it would be pending, as too many are.
        """
        lines, row = entries_of(project), row_of(project)
        event = {"wanted": project.id, "base_url": base_url, "begin": project.rendering_at}

        def add(session: Session) -> int:
            if key is not None and (used := _used(session, key, project.created_at)):
                raise KeyTaken(used)
            standing = _standing(session, project.account_id, project.created_at)
            if standing.lowest < project.credits:
                raise InsufficientCredits(standing.lowest)
            if at_most is not None:
                _refuse_above(session, project, at_most)
            if project.is_pending and self._most_waiting is not None:
                _refuse_when_full(session, self._most_waiting)
            session.change(sql.ADD_PROJECT, row)
            session.change(sql.ANNOUNCE, event)
            if key is not None:
                _remember(session, key, project)
            _book(session, standing, lines)
            return standing.balance + _sum_until(project.created_at, lines)

        return self._database.change(add)

    def used_key(self, key: Key, at: float) -> UsedKey | None:
        """Return what a key has made, as long as it is remembered, or None."""
        with self._database.reading() as session:
            return _used(session, key, at)

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""
        rows = self._find(sql.FIND_PROJECT, {"wanted": project_id})
        return _project(rows[0]) if rows else None

    def projects(self, *, account_id: str | None = None, limit: int = 100) -> list[Project]:
        """Return projects, the newest first."""
        statement = sql.NEWEST_PROJECTS if account_id is None else sql.ITS_NEWEST_PROJECTS
        return [_project(row) for row in self._find(statement, {"wanted": account_id, "limit": limit})]

    def pending_projects(self) -> list[Project]:
        """Return the projects that wait for a renderer, the oldest first."""
        return [_project(row) for row in self._find(sql.PENDING_PROJECTS)]

    def count_projects(self) -> int:
        """Return how many projects there are."""
        ((count,),) = self._find(sql.COUNT_PROJECTS)
        return int(count)

    def in_use(self) -> InUse:
        """Return the operations and plans without which what is stored could not be shown."""
        kinds = self._find(sql.KINDS)
        plans = {plan for (plan,) in self._find(sql.PLANS)}
        return InUse(frozenset(each for each, _ in kinds), frozenset(plans | {plan for _, plan in kinds}))

    def begin_project(self, project_id: str, at: float) -> Project:
        """Have an unfinished project render from now on, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or somebody has ended it.
        """

        def begin(session: Session) -> Project:
            _, after = _turn(session, project_id, lambda project: begun(project, at))
            _move_event(session, after)
            return after

        return self._database.change(begin)

    def end_project(self, project_id: str, outcome: str, at: float) -> Project:
        """End an unfinished project now, in one transaction with its refund, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or another caller was quicker.
        """

        def end(session: Session) -> Project:
            before, after = _turn(session, project_id, lambda project: ended(project, outcome, at))
            _move_refund(session, before, after)
            _move_event(session, after)
            return after

        return self._database.change(end)

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""
        self._database.change(
            lambda session: session.change(sql.DELETE_PROJECT, {"wanted": project_id, "at": at})
        )

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""
        rows = [row_of(each) for each in uploads]
        self._database.change(lambda session: _change_each(session, sql.PUT_UPLOAD, rows))

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""
        rows = self._find(sql.FIND_UPLOAD, {"wanted": path})
        return Upload(*rows[0]) if rows else None

    def record(self, collection: str, record_id: str) -> Record | None:
        """Return an item of a collection, a deleted one too, or None."""
        rows = self._find(sql.FIND_RECORD, {"of": collection, "wanted": record_id})
        return _record(rows[0]) if rows else None

    def records(self, collection: str) -> list[Record]:
        """Return a collection's items that are not deleted, in the order in which they were stored first."""
        return [_record(row) for row in self._find(sql.FIND_RECORDS, {"of": collection})]

    def latest_records(self, limit: int) -> list[Record]:
        """Return items of all collections that are not deleted, those that were made last first."""
        return [_record(row) for row in self._find(sql.LATEST_RECORDS, {"limit": limit})]

    def has_records(self, collection: str) -> bool:
        """Tell whether a collection has had an item, be it deleted."""
        return bool(self._find(sql.ANY_RECORD, {"of": collection}))

    def count_records(self, collection: str | None = None) -> int:
        """Return how many items there are, without deleted ones: in a collection, or in all."""
        statement = sql.COUNT_RECORDS if collection is None else sql.COUNT_ITS_RECORDS
        ((count,),) = self._find(statement, {"of": collection})
        return int(count)

    def swap_record(self, old: Record | None, new: Record) -> bool:
        """Put an item in the place of the version that was read; tell whether that was still the one."""
        row = row_of(new)
        if old is None:
            return bool(self._database.change(lambda session: session.change(sql.ADD_RECORD, row)))
        given = {f"new_{name}": value for name, value in row.items()}
        given |= {"of": new.collection, "wanted": new.id, "read": old.version}
        return bool(self._database.change(lambda session: session.change(sql.CHANGE_RECORD, given)))

    def add_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook; one that is there with its id stays as it is."""
        self._database.change(lambda session: session.change(sql.ADD_WEBHOOK, _webhook_row(endpoint)))

    def put_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook, in place of the one with its id."""
        self._database.change(lambda session: session.change(sql.PUT_WEBHOOK, _webhook_row(endpoint)))

    def remove_webhook(self, webhook_id: str) -> int:
        """Forget a webhook and its deliveries; return how many of those were pending."""

        def remove(session: Session) -> int:
            session.hold_all()
            session.change(sql.DROP_WEBHOOK, {"wanted": webhook_id})
            gone = session.change(sql.DROP_ITS_DELIVERIES, {"wanted": webhook_id})
            return sum(state is None for (state,) in gone)

        return self._database.change(remove)

    def webhooks(self) -> list[Endpoint]:
        """Return the webhooks, in the order in which they were stored first."""
        return [_endpoint(*row) for row in self._find(sql.FIND_WEBHOOKS)]

    def announce_unfinished(self, at: float, base_url: str) -> None:
        """Have events to come of all projects whose end is later than `at`, if they have none yet."""

        def announce(session: Session) -> None:
            session.hold_all()
            session.change(sql.ANNOUNCE_UNFINISHED, {"at": at, "base_url": base_url})

        self._database.change(announce)

    def next_event(self) -> ComingEvent | None:
        """Return the event that comes first, of equals that of the project announced first, or None."""
        for *project, has_begun, at, base_url in self._find(sql.NEXT_EVENT):
            if at < inf:
                return ComingEvent(_project(project), bool(has_begun), at, base_url)
        return None

    def hand_out(self, event: ComingEvent | None, deliveries: Sequence[Delivery]) -> bool:
        """Put deliveries in an event's place, in one transaction; tell whether it was there as given."""
        if event is None:
            self._database.change(lambda session: add_deliveries(session, deliveries))
            return True
        statement = sql.BEGIN_EVENTS if event.is_begin else sql.END_EVENTS
        given = {"wanted": event.project.id, "begun": event.has_begun, "at": event.at}

        def put(session: Session) -> bool:
            session.hold_its_account(event.project.id)
            was_there = bool(session.change(statement, given))
            if was_there:
                add_deliveries(session, deliveries)
            return was_there

        return self._database.change(put)

    def secret(self) -> bytes:
        """Return the random 32 bytes that were drawn when the tables were made."""
        return self._secret

    def reset(self) -> None:
        """Forget everything but the secret and the initial webhooks."""

        def forget(session: Session) -> None:
            session.hold_all()
            for statement in (*sql.EMPTY_TABLES, sql.DROP_LATER_WEBHOOKS, sql.AS_AT_THE_START):
                session.change(statement)
            clear_pages(session)
            self._forget_jobs(session)
            note_reset(session)

        self._database.change(forget)

    def close(self) -> None:
        """Let go of the database; a later call would open it again."""
        self._database.close()

    def _forget_jobs(self, session: Session) -> None:
        """Forget the jobs that wait, where there are any; within the transaction of a reset."""

    def _find(self, statement: Statement, values: Values = NONE) -> list[Any]:
        with self._database.reading() as session:
            return session.find(statement, values)


class _Standing(NamedTuple):
    """An account before a charge, read under the write lock."""

    balance: int
    """At the time of the charge."""
    lowest: int
    """From then on."""
    latest: int
    """At `until`."""
    until: float
    """The charge's time, or that of a later charge which came first."""


def _standing(session: Session, account_id: str, at: float) -> _Standing:
    found = session.first(sql.STANDING, {"wanted": account_id, "at": at})
    balance, lowest_change, latest, until = found or (0, None, 0, at)
    return _Standing(balance, balance + min(0, lowest_change or 0), latest, until)


def _book(session: Session, standing: _Standing, lines: Sequence[Entry]) -> None:
    """Write ledger lines of one account, which may be charges at the standing's time, and settle up to it."""
    _change_each(session, sql.ADD_LINES, map(row_of, lines))
    settled = standing.latest + _sum_until(standing.until, lines)
    session.change(sql.SETTLE, {"wanted": lines[0].account_id, "sum": settled, "until": standing.until})


def _used(session: Session, key: Key, at: float) -> UsedKey | None:
    row = session.first(sql.FIND_KEY, {"wanted": key.account_id, "key": key.key, "at": at})
    return None if row is None else UsedKey(*row)


def _remember(session: Session, key: Key, project: Project) -> None:
    """Keep a key with what it makes, and forget those that are too old or too many."""
    session.change(sql.DROP_KEY, {"wanted": key.account_id, "key": key.key})
    session.change(sql.ADD_KEY, {**row_of(key), "project_id": project.id, "at": project.created_at})
    session.change(sql.FORGET_KEYS, {"at": project.created_at})
    session.change(sql.FORGET_KEYS_BEYOND)


def _refuse_above(session: Session, project: Project, at_most: int) -> None:
    window = {"wanted": project.account_id, "at": project.created_at}
    (running,) = session.first(sql.COUNT_UNFINISHED, window)
    if running >= at_most:
        raise TooManyJobs(running)


def _refuse_when_full(session: Session, most: int) -> None:
    (waiting,) = session.first(sql.COUNT_PENDING, {"limit": most})
    if waiting >= most:
        raise QueueFull(waiting)


def _opened(session: Session, account: Account, at: float) -> Account:
    """Store an account with its opening credits; where another was quicker, return that one's."""
    session.hold(account.id)
    if session.change(sql.ADD_ACCOUNT, {**row_of(account), "settled": account.credits, "settled_at": at}):
        session.change(sql.ADD_LINES, row_of(Entry(account.id, None, account.credits, at)))
        return account
    return Account(*session.first(sql.FIND_ACCOUNT, {"wanted": account.id}))


def _account(session: Session, account_id: str) -> Account | None:
    row = session.first(sql.FIND_ACCOUNT, {"wanted": account_id})
    return None if row is None else Account(*row)


def _balance(session: Session, account_id: str, at: float) -> int:
    row = session.first(sql.BALANCE, {"wanted": account_id, "at": at})
    return 0 if row is None else int(row[0])


def _turn(
    session: Session, project_id: str, changed: Callable[[Project], Project]
) -> tuple[Project, Project]:
    """Store what becomes of a project, and return it before and after."""
    session.hold_its_account(project_id)
    row = session.first(sql.FIND_PROJECT_TO_CHANGE, {"wanted": project_id})
    if row is None:
        raise KeyError(project_id)
    before = _project(row)
    after = changed(before)
    turn = {f"new_{name}": value for name, value in row_of(after).items()}
    session.change(sql.TURN_PROJECT, {"wanted": project_id, **turn})
    return before, after


def _move_refund(session: Session, before: Project, after: Project) -> None:
    """Give back at the end that a project has now, not at the one that was planned."""
    for line in refund_of(before):
        session.change(sql.DROP_LINE, row_of(line))
        _correct_settled(session, line, -line.amount)
    for line in refund_of(after):
        session.change(sql.ADD_LINES, row_of(line))
        _correct_settled(session, line, line.amount)


def _move_event(session: Session, project: Project) -> None:
    """Have a project's next event happen when it happens now."""
    times = {"begin": project.rendering_at, "end": project.finished_at}
    session.change(sql.MOVE_EVENT, {"wanted": project.id, **times})


def _correct_settled(session: Session, line: Entry, change: int) -> None:
    session.change(sql.CORRECT_SETTLED, {"wanted": line.account_id, "at": line.at, "change": change})


def _sum_until(at: float, lines: Iterable[Entry]) -> int:
    return sum(line.amount for line in lines if line.at <= at)


def _change_each(session: Session, statement: Statement, rows: Iterable[Values]) -> None:
    for row in rows:
        session.change(statement, row)


def _limited(limit: int | None) -> int:
    return 2**62 if limit is None else limit  # SQLite has no better word for all


_WAS_ENDED = [field.name for field in fields(Project)].index("was_ended")


def _project(row: Sequence[Any]) -> Project:
    values = [*row]
    values[_WAS_ENDED] = bool(values[_WAS_ENDED])  # SQLite has no booleans
    return Project(*values)


def _record(row: Sequence[Any]) -> Record:
    values = [*row]
    values[-2] = bool(values[-2])  # SQLite has no booleans
    return Record(*values)


def _webhook_row(endpoint: Endpoint) -> dict[str, Any]:
    return row_of(endpoint) | {"events": ",".join(sorted(endpoint.events))}


def _endpoint(
    id_: str, url: str, secret: str, events: str, enabled: int, is_initial: int, since: float | None
) -> Endpoint:
    names = frozenset(filter(None, events.split(",")))
    return Endpoint(
        id_, url, secret, names, bool(enabled), bool(is_initial), -inf if since is None else since
    )


def row_of(value: Any) -> dict[str, Any]:
    """Return a dataclass's fields by their names, as the columns are called."""
    return {name: getattr(value, name) for name in value.__slots__}
