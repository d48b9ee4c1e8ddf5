"""The store that outlives its process: tables in a SQLite file, written with SQLAlchemy Core."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from math import inf
from threading import Lock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from ...webhooks.deliveries import ComingEvent, Endpoint, WaitingDelivery
from ..accounts import Account, Entry, InsufficientCredits, TooManyJobs, entries_of, refund_of
from ..assets import Upload
from ..projects import Project, begun, ended
from . import InUse, StoreError, StoreUnavailable
from .tables import ACCOUNTS, DELIVERIES, LEDGER, OUTBOX, PROJECTS, SETTINGS, TABLES, UPLOADS, WEBHOOKS

_ACCEPTED = "use memory://, sqlite:///file (relative) or sqlite:////absolute/file"
_BUSY_SECONDS = 5.0
"""For how long another process may hold the file; then the call is given up."""

_QUEUED_SECONDS = 30.0
"""For how long those of this process may wait for each other."""

_LACKS = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
)


def _sum_of_ledger(after: sa.ColumnElement[float], until: sa.ColumnElement[float]) -> sa.ColumnElement[int]:
    lines = sa.select(sa.func.coalesce(sa.func.sum(LEDGER.c.amount), 0))
    between = lines.where(LEDGER.c.account_id == ACCOUNTS.c.id, LEDGER.c.at > after, LEDGER.c.at <= until)
    return between.scalar_subquery()


# Statements are built once: to build one costs more than to run it. What `insert` adds to the standard one,
# `on_conflict_...`, PostgreSQL's has under the same names.
_at: sa.BindParameter[float] = sa.bindparam("at", type_=sa.Double)
_id: sa.BindParameter[str] = sa.bindparam("wanted", type_=sa.String)

_every_account = sa.select(ACCOUNTS.c.id, ACCOUNTS.c.plan, ACCOUNTS.c.credits)
_FIND_ACCOUNTS = _every_account.order_by(ACCOUNTS.c.number)
_FIND_ACCOUNT = _every_account.where(ACCOUNTS.c.id == _id)
_ADD_ACCOUNT = insert(ACCOUNTS).on_conflict_do_nothing()
_SET_PLAN = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == _id).values(plan=sa.bindparam("new_plan"))
_LOCK_SETTLED = (
    sa.select(ACCOUNTS.c.settled, ACCOUNTS.c.settled_at).where(ACCOUNTS.c.id == _id).with_for_update()
)
_SETTLE = (
    sa.update(ACCOUNTS)
    .where(ACCOUNTS.c.id == _id)
    .values(settled=sa.bindparam("sum"), settled_at=sa.bindparam("until"))
)
_CORRECT_SETTLED = (
    sa.update(ACCOUNTS)
    .where(ACCOUNTS.c.id == _id, ACCOUNTS.c.settled_at >= _at)
    .values(settled=ACCOUNTS.c.settled + sa.bindparam("change"))
)
_BALANCE = sa.select(
    (  # one of the sums is empty: `at` is after the settled time, or before it
        ACCOUNTS.c.settled
        + _sum_of_ledger(ACCOUNTS.c.settled_at, _at)
        - _sum_of_ledger(_at, ACCOUNTS.c.settled_at)
    ).label("balance")
).where(ACCOUNTS.c.id == _id)

_ADD_LINES = sa.insert(LEDGER)
_DROP_LINE = sa.delete(LEDGER).where(
    *(LEDGER.c[name] == sa.bindparam(f"its_{name}") for name in ("account_id", "project_id", "amount", "at"))
)
_FIND_LINES = (
    sa.select(LEDGER.c.account_id, LEDGER.c.project_id, LEDGER.c.amount, LEDGER.c.at)
    .where(LEDGER.c.account_id == _id)
    .order_by(LEDGER.c.at, LEDGER.c.number)
)
_STEPS = (
    sa.select(sa.func.sum(LEDGER.c.amount))
    .where(
        LEDGER.c.account_id == _id,
        LEDGER.c.at > sa.bindparam("after", type_=sa.Double),
        LEDGER.c.at <= sa.bindparam("until", type_=sa.Double),
    )
    .group_by(LEDGER.c.at)
    .order_by(LEDGER.c.at)
)

_ADD_PROJECT = sa.insert(PROJECTS)
_every_project = sa.select(*(column for column in PROJECTS.c if column.name != "number"))
_KINDS = sa.select(PROJECTS.c.operation_id, PROJECTS.c.plan).distinct()
_PLANS = sa.select(ACCOUNTS.c.plan).distinct()
_COUNT_PROJECTS = sa.select(sa.func.count()).select_from(PROJECTS)
_FIND_PROJECT = _every_project.where(PROJECTS.c.id == _id)
_LOCK_PROJECT = _FIND_PROJECT.with_for_update()
_NEWEST_FIRST = _every_project.order_by(PROJECTS.c.created_at.desc(), PROJECTS.c.number.desc())
_COUNT_UNFINISHED = sa.select(sa.func.count()).where(
    PROJECTS.c.account_id == _id, PROJECTS.c.finished_at > _at
)
_OWNER = sa.select(PROJECTS.c.account_id).where(PROJECTS.c.id == _id).scalar_subquery()
_LOCK_OWNER = sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.id == _OWNER).with_for_update()
_TURN = ("outcome", "rendering_at", "finished_at", "was_ended")
_TURN_PROJECT = (
    sa.update(PROJECTS)
    .where(PROJECTS.c.id == _id)
    .values({name: sa.bindparam(f"new_{name}") for name in _TURN})
)
_DELETE_PROJECT = (
    sa.update(PROJECTS).where(PROJECTS.c.id == _id, PROJECTS.c.deleted_at.is_(None)).values(deleted_at=_at)
)

_NOT_THE_PATH = [column.name for column in UPLOADS.c if not column.primary_key]
_new_upload = insert(UPLOADS)
_PUT_UPLOAD = _new_upload.on_conflict_do_update(
    index_elements=[UPLOADS.c.path],
    set_={name: _new_upload.excluded[name] for name in _NOT_THE_PATH},
)
_FIND_UPLOAD = sa.select(UPLOADS).where(UPLOADS.c.path == _id)

_webhook = insert(WEBHOOKS)
_PUT_WEBHOOK = _webhook.on_conflict_do_update(
    index_elements=[WEBHOOKS.c.id],
    set_={
        each.name: _webhook.excluded[each.name] for each in WEBHOOKS.c if each.name not in ("id", "number")
    },
)
_FIND_WEBHOOKS = sa.select(*(each for each in WEBHOOKS.c if each.name != "number")).order_by(
    WEBHOOKS.c.number
)
_ANY_WEBHOOK = sa.select(WEBHOOKS.c.id).limit(1)
_DROP_WEBHOOK = sa.delete(WEBHOOKS).where(WEBHOOKS.c.id == _id)
_DROP_LATER_WEBHOOKS = sa.delete(WEBHOOKS).where(~WEBHOOKS.c.is_initial)
_SWITCH_ON = sa.update(WEBHOOKS).values(enabled=True)

_ANNOUNCE = sa.insert(OUTBOX)
_ANNOUNCE_UNFINISHED = sa.insert(OUTBOX).from_select(
    ["project_id", "base_url", "has_begun", "next_at"],
    sa.select(PROJECTS.c.id, sa.bindparam("base_url", type_=sa.String), sa.false(), PROJECTS.c.rendering_at)
    .where(
        PROJECTS.c.finished_at > _at,
        ~sa.exists().where(OUTBOX.c.project_id == PROJECTS.c.id),
    )
    .order_by(PROJECTS.c.number),
)
_NEXT_EVENT = (
    _every_project.add_columns(OUTBOX.c.base_url, OUTBOX.c.has_begun, OUTBOX.c.next_at)
    .join(OUTBOX, OUTBOX.c.project_id == PROJECTS.c.id)
    .order_by(OUTBOX.c.next_at, OUTBOX.c.number)
    .limit(1)
)
_FINISHED_AT = sa.select(PROJECTS.c.finished_at).where(PROJECTS.c.id == OUTBOX.c.project_id).scalar_subquery()
_as_given = (
    OUTBOX.c.project_id == _id,
    OUTBOX.c.has_begun == sa.bindparam("begun", type_=sa.Boolean),
    OUTBOX.c.next_at == _at,
)
_BEGIN_EVENTS = sa.update(OUTBOX).where(*_as_given).values(has_begun=True, next_at=_FINISHED_AT)
_END_EVENTS = sa.delete(OUTBOX).where(*_as_given)
_MOVE_EVENT = (
    sa.update(OUTBOX)
    .where(OUTBOX.c.project_id == _id)
    .values(next_at=sa.case((OUTBOX.c.has_begun, sa.bindparam("end")), else_=sa.bindparam("begin")))
)

_ADD_DELIVERIES = sa.insert(DELIVERIES)
_TRY_DELIVERY = (
    sa.update(DELIVERIES)
    .where(DELIVERIES.c.id == _id, DELIVERIES.c.tries == sa.bindparam("made", type_=sa.Integer))
    .values(tries=DELIVERIES.c.tries + 1, next_at=sa.bindparam("again_at", type_=sa.Double))
)
_DROP_DELIVERY = sa.delete(DELIVERIES).where(DELIVERIES.c.id == _id)
_DROP_ITS_DELIVERIES = sa.delete(DELIVERIES).where(DELIVERIES.c.webhook_id == _id)
_FIND_DELIVERIES = sa.select(*(each for each in DELIVERIES.c if each.name != "number")).order_by(
    DELIVERIES.c.number
)

_ADD_SETTING = insert(SETTINGS).on_conflict_do_nothing()
_FIND_SETTING = sa.select(SETTINGS.c.value).where(SETTINGS.c.name == _id)


class SqlStore:
    """Keeps everything in a SQLite file that any number of processes may share.

    What a call has stored survives the death of the process (`kill -9`). Connections are opened when
    they are needed and none is left open by the constructor, so a process may open a store, close it,
    fork, and open it again in the child.
    """

    def __init__(self, url: str) -> None:
        """Open the file that `sqlite:///file` or `sqlite:////absolute/file` names, or make it.

        Raises:
            StoreError: another kind of URL, or a file that can't be read and written as this store.
        """
        path = _path_of(url)
        self._engine = _engine_of(path)
        self._writing = Lock()
        self._has_webhooks = False  # changed by who writes alone
        try:
            self._secret = self._make_tables()
            self._log_ahead()
        except (StoreUnavailable, sa.exc.DBAPIError, sqlite3.Error) as error:
            cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
            reason = cause.orig if isinstance(cause, sa.exc.DBAPIError) else error
            raise StoreError(f"{path!r} can't be used as a SQLite store: {reason}; {_ACCEPTED}") from None
        finally:
            self._engine.dispose()

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; where there is none, store this one."""
        if (stored := self._first(_FIND_ACCOUNT, account.id)) is not None:
            return Account(**stored)
        row = _row(account, ACCOUNTS) | {"settled": account.credits, "settled_at": at}
        with self._write() as connection:
            # None added: another thread or process was quicker.
            if connection.execute(_ADD_ACCOUNT, row).rowcount:
                opening = Entry(account.id, None, account.credits, at)
                connection.execute(_ADD_LINES, _row(opening, LEDGER))
            return Account(**connection.execute(_FIND_ACCOUNT, {"wanted": account.id}).mappings().one())

    def set_account(
        self, account_id: str, at: float, *, plan: str | None = None, credits: int | None = None
    ) -> Account:
        """Give an account another plan, another balance at `at`, or both, in one transaction.

        Raises:
            KeyError: there is no such account.
        """
        with self._write() as connection:
            standing = _standing(connection, account_id, at)
            if plan is not None:
                connection.execute(_SET_PLAN, {"wanted": account_id, "new_plan": plan})
            account = connection.execute(_FIND_ACCOUNT, {"wanted": account_id}).mappings().first()
            if account is None:
                raise KeyError(account_id)
            if credits is not None and credits != standing.balance:
                _book(connection, standing, [Entry(account_id, None, credits - standing.balance, at)])
            return Account(**account)

    def accounts(self) -> list[Account]:
        """Return all accounts, in the order they were opened."""
        with self._read() as connection:
            return [Account(*row) for row in connection.execute(_FIND_ACCOUNTS)]

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""
        row = self._first(_BALANCE, account_id, at=at)
        return 0 if row is None else int(row["balance"])

    def entries(self, account_id: str) -> list[Entry]:
        """Return the account's ledger, by time."""
        with self._read() as connection:
            return [Entry(*line) for line in connection.execute(_FIND_LINES, {"wanted": account_id})]

    def add_project(self, project: Project, at_most: int | None = None, base_url: str = "") -> int:
        """Store a project and its charge in one transaction, and return the balance that leaves.

        Raises:
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
            TooManyJobs: the account has `at_most` unfinished projects already.
        """
        lines = entries_of(project)
        with self._write() as connection:
            standing = _standing(connection, project.account_id, project.created_at)
            if standing.lowest < project.credits:
                raise InsufficientCredits(standing.lowest)
            if at_most is not None:
                _refuse_above(connection, project, at_most)
            connection.execute(_ADD_PROJECT, _row(project, PROJECTS))
            if self._has_webhooks:
                connection.execute(
                    _ANNOUNCE,
                    {
                        "project_id": project.id,
                        "base_url": base_url,
                        "has_begun": False,
                        "next_at": project.rendering_at,
                    },
                )
            _book(connection, standing, lines)
        return standing.balance + _sum_until(project.created_at, lines)

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""
        row = self._first(_FIND_PROJECT, project_id)
        return None if row is None else Project(**row)

    def projects(
        self, *, account_id: str | None = None, unfinished_at: float | None = None, limit: int = 100
    ) -> list[Project]:
        """Return projects, the newest first."""
        statement = _NEWEST_FIRST.limit(limit)
        if account_id is not None:
            statement = statement.where(PROJECTS.c.account_id == account_id)
        if unfinished_at is not None:
            statement = statement.where(PROJECTS.c.finished_at > unfinished_at)
        with self._read() as connection:
            return [Project(**row) for row in connection.execute(statement).mappings()]

    def count_projects(self) -> int:
        """Return how many projects there are."""
        with self._read() as connection:
            return int(connection.execute(_COUNT_PROJECTS).scalar_one())

    def in_use(self) -> InUse:
        """Return the operations and plans without which what is stored could not be shown."""
        with self._read() as connection:
            kinds = [tuple(row) for row in connection.execute(_KINDS)]
            plans = set(connection.execute(_PLANS).scalars())
        return InUse(frozenset(each for each, _ in kinds), frozenset(plans | {plan for _, plan in kinds}))

    def begin_project(self, project_id: str, at: float) -> Project:
        """Have an unfinished project render from now on, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or somebody has ended it.
        """
        with self._write() as connection:
            after = _change(connection, project_id, lambda project: begun(project, at))[1]
            _move_event(connection, after)
            return after

    def end_project(self, project_id: str, outcome: str, at: float) -> Project:
        """End an unfinished project now, in one transaction with its refund, and return it as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or another caller was quicker.
        """
        with self._write() as connection:
            before, after = _change(connection, project_id, lambda project: ended(project, outcome, at))
            _move_refund(connection, before, after)
            _move_event(connection, after)
            return after

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""
        with self._write() as connection:
            connection.execute(_DELETE_PROJECT, {"wanted": project_id, "at": at})

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""
        rows = [_row(each, UPLOADS) for each in uploads]
        if not rows:  # SQLAlchemy takes an empty list for one row of defaults
            return
        with self._write() as connection:
            connection.execute(_PUT_UPLOAD, rows)

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""
        row = self._first(_FIND_UPLOAD, path)
        return None if row is None else Upload(**row)

    def put_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook, in place of the one with its id."""
        row = _row(endpoint, WEBHOOKS) | {"events": ",".join(sorted(endpoint.events))}
        with self._write() as connection:
            connection.execute(_PUT_WEBHOOK, row)
            self._has_webhooks = True

    def remove_webhook(self, webhook_id: str) -> None:
        """Forget a webhook and the deliveries that wait for it; an unknown id is no error."""
        with self._write() as connection:
            connection.execute(_DROP_WEBHOOK, {"wanted": webhook_id})
            connection.execute(_DROP_ITS_DELIVERIES, {"wanted": webhook_id})
            self._look_for_webhooks(connection)

    def webhooks(self) -> list[Endpoint]:
        """Return the webhooks, in the order in which they were stored first."""
        with self._read() as connection:
            rows = [dict(row) for row in connection.execute(_FIND_WEBHOOKS).mappings()]
        return [
            Endpoint(**{**row, "events": frozenset(filter(None, row["events"].split(",")))}) for row in rows
        ]

    def announce_unfinished(self, at: float, base_url: str) -> None:
        """Have events to come of all projects whose end is later than `at`, if they have none yet."""
        with self._write() as connection:
            connection.execute(_ANNOUNCE_UNFINISHED, {"at": at, "base_url": base_url})

    def next_event(self) -> ComingEvent | None:
        """Return the event that comes first, of equals that of the project announced first, or None."""
        with self._read() as connection:
            row = connection.execute(_NEXT_EVENT).mappings().first()
        if row is None or row["next_at"] == inf:
            return None
        columns = dict(row)
        base_url, has_begun, at = (columns.pop(name) for name in ("base_url", "has_begun", "next_at"))
        return ComingEvent(Project(**columns), has_begun, at, base_url)

    def hand_out(self, event: ComingEvent, deliveries: Sequence[WaitingDelivery]) -> bool:
        """Put deliveries in an event's place, in one transaction; tell whether it was there as given."""
        statement = _BEGIN_EVENTS if event.is_begin else _END_EVENTS
        given = {"wanted": event.project.id, "begun": event.has_begun, "at": event.at}
        with self._write() as connection:
            if not connection.execute(statement, given).rowcount:
                return False
            if deliveries:
                connection.execute(_ADD_DELIVERIES, [_row(each, DELIVERIES) for each in deliveries])
            return True

    def try_delivery(self, delivery_id: str, tries: int, next_at: float) -> bool:
        """Count one more try of a waiting delivery; tell whether it waits, and was tried so often."""
        with self._write() as connection:
            given = {"wanted": delivery_id, "made": tries, "again_at": next_at}
            return bool(connection.execute(_TRY_DELIVERY, given).rowcount)

    def end_delivery(self, delivery_id: str) -> None:
        """Forget a waiting delivery: it is taken, or given up."""
        with self._write() as connection:
            connection.execute(_DROP_DELIVERY, {"wanted": delivery_id})

    def waiting_deliveries(self) -> list[WaitingDelivery]:
        """Return the deliveries that wait, in the order in which they were handed out."""
        with self._read() as connection:
            return [WaitingDelivery(**row) for row in connection.execute(_FIND_DELIVERIES).mappings()]

    def secret(self) -> bytes:
        """Return the random 32 bytes that were drawn when the file was made."""
        return self._secret

    def reset(self) -> None:
        """Forget everything but the secret and the initial webhooks."""
        with self._write() as connection:
            # Accounts first: whoever charges one holds it till its project is stored.
            for table in (ACCOUNTS, LEDGER, PROJECTS, UPLOADS, OUTBOX, DELIVERIES):
                connection.execute(sa.delete(table))
            connection.execute(_DROP_LATER_WEBHOOKS)
            connection.execute(_SWITCH_ON)
            self._look_for_webhooks(connection)

    def close(self) -> None:
        """Let go of the file; a later call would open it again."""
        self._engine.dispose()

    def _make_tables(self) -> bytes:
        with self._write() as connection:
            TABLES.create_all(connection)
            for table in TABLES.sorted_tables:  # one that was there may be someone else's, of the same name
                connection.execute(sa.select(table).limit(0))
            self._look_for_webhooks(connection)
            connection.execute(_ADD_SETTING, {"name": "secret", "value": secrets.token_bytes(32)})
            return bytes(connection.execute(_FIND_SETTING, {"wanted": "secret"}).scalar_one())

    def _look_for_webhooks(self, connection: sa.Connection) -> None:
        self._has_webhooks = connection.execute(_ANY_WEBHOOK).first() is not None

    def _log_ahead(self) -> None:
        """Let readers and the writer not wait for each other; the file remembers it."""
        # Where two processes make this switch at once, one is told "busy" without the usual wait.
        give_up_at = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                with self._engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                    return
            except sa.exc.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up_at:
                    raise
            time.sleep(0.01)

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        """Hold SQLite's one write lock from the first read on: what is read in here can't be out of date."""
        # Threads queue for a lock of ours first, because SQLite's is polled, with naps between the tries.
        if not self._writing.acquire(timeout=_QUEUED_SECONDS):
            raise StoreUnavailable("the store is locked by a call that does not end")
        try:
            with _unavailable(), self._engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        finally:
            self._writing.release()

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with _unavailable(), self._engine.connect() as connection:
            yield connection

    def _first(self, statement: sa.Executable, wanted: str, **parameters: float) -> sa.RowMapping | None:
        """Read one row; each read is a single statement, so it sees one state of the file without BEGIN."""
        with self._read() as connection:
            return connection.execute(statement, {"wanted": wanted, **parameters}).mappings().first()


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


def _standing(connection: sa.Connection, account_id: str, at: float) -> _Standing:
    row = connection.execute(_LOCK_SETTLED, {"wanted": account_id}).first()
    settled, settled_at = (0, at) if row is None else row
    after, until = sorted((settled_at, at))
    window = {"wanted": account_id, "after": after, "until": until}
    steps = [int(step) for step in connection.execute(_STEPS, window).scalars()]
    if at >= settled_at:
        balance = settled + sum(steps)
        return _Standing(balance, balance, balance, at)
    balance = settled - sum(steps)
    return _Standing(balance, min(accumulate(steps, initial=balance)), settled, settled_at)


def _book(connection: sa.Connection, standing: _Standing, lines: Sequence[Entry]) -> None:
    """Write ledger lines of one account, which may be charges at the standing's time, and settle up to it."""
    connection.execute(_ADD_LINES, [_row(line, LEDGER) for line in lines])
    settled = standing.latest + _sum_until(standing.until, lines)
    connection.execute(_SETTLE, {"wanted": lines[0].account_id, "sum": settled, "until": standing.until})


def _refuse_above(connection: sa.Connection, project: Project, at_most: int) -> None:
    window = {"wanted": project.account_id, "at": project.created_at}
    running = connection.execute(_COUNT_UNFINISHED, window).scalar_one()
    if running >= at_most:
        raise TooManyJobs(running)


def _change(
    connection: sa.Connection, project_id: str, changed: Callable[[Project], Project]
) -> tuple[Project, Project]:
    """Store what becomes of a project, and return it before and after."""
    # The account first, as `add_project` does, so that no two can wait for each other.
    connection.execute(_LOCK_OWNER, {"wanted": project_id}).first()
    row = connection.execute(_LOCK_PROJECT, {"wanted": project_id}).mappings().first()
    if row is None:
        raise KeyError(project_id)
    before = Project(**row)
    after = changed(before)
    turn = {f"new_{name}": getattr(after, name) for name in _TURN}
    connection.execute(_TURN_PROJECT, {"wanted": project_id, **turn})
    return before, after


def _move_refund(connection: sa.Connection, before: Project, after: Project) -> None:
    """Give back at the end that a project has now, not at the one that was planned."""
    for line in refund_of(before):
        connection.execute(_DROP_LINE, {f"its_{name}": value for name, value in _row(line, LEDGER).items()})
        _correct_settled(connection, line, -line.amount)
    for line in refund_of(after):
        connection.execute(_ADD_LINES, _row(line, LEDGER))
        _correct_settled(connection, line, line.amount)


def _move_event(connection: sa.Connection, project: Project) -> None:
    """Have a project's next event happen when it happens now."""
    times = {"begin": project.rendering_at, "end": project.finished_at}
    connection.execute(_MOVE_EVENT, {"wanted": project.id, **times})


def _correct_settled(connection: sa.Connection, line: Entry, change: int) -> None:
    connection.execute(_CORRECT_SETTLED, {"wanted": line.account_id, "at": line.at, "change": change})


def _sum_until(at: float, lines: Iterable[Entry]) -> int:
    return sum(line.amount for line in lines if line.at <= at)


def _row(value: object, table: sa.Table) -> dict[str, Any]:
    """Return the fields of a value that the table has columns for."""
    names = (column.name for column in table.c)
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


@contextmanager
def _unavailable() -> Iterator[None]:
    """Have what the machine lacks be a StoreUnavailable; a fault of ours stays what it is."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise StoreUnavailable("too many calls wait for the store") from error
    except sa.exc.DatabaseError as error:
        if _code_of(error) in _LACKS:
            raise StoreUnavailable(f"the store's file can't be used: {error.orig}") from error
        raise


def _is_busy(error: sa.exc.OperationalError) -> bool:
    return _code_of(error) == sqlite3.SQLITE_BUSY


def _code_of(error: sa.exc.DatabaseError) -> int:
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF  # the upper bits tell kinds of one apart


def _path_of(url: str) -> str:
    scheme, _, path = url.partition("://")
    if scheme != "sqlite":  # the rest is not shown: it may hold a password
        raise StoreError(f"there is no store of kind {scheme!r}; {_ACCEPTED}")
    if not path.startswith("/") or path in ("/", "/:memory:") or "\0" in path:
        raise StoreError(f"{url!r} names no file; {_ACCEPTED}")
    return path.removeprefix("/")


def _engine_of(path: str) -> sa.Engine:
    # Python's own implicit BEGIN is turned off: it would come too late, after the first read.
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path),
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None},
        pool_size=16,
        max_overflow=0,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")  # enough for a killed process, if not for a power cut

    return engine
