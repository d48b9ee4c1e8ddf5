"""The store that outlives its process: tables in a SQLite file, written with SQLAlchemy Core."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from threading import Lock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from ..accounts import Account, Entry, InsufficientCredits, entries_of
from ..assets import Upload
from ..projects import Project
from . import StoreError

_ACCEPTED = "use memory://, sqlite:///file (relative) or sqlite:////absolute/file"
_BUSY_SECONDS = 30.0

_tables = sa.MetaData()
_accounts = sa.Table(
    "accounts",
    _tables,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("plan", sa.String, nullable=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
    # The ledger's sum up to a time that no charge is later than. A balance starts from here, so its
    # cost doesn't grow with the account's past; the ledger alone says what is right.
    sa.Column("settled", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.Double, nullable=False),
)
_ledger = sa.Table(
    "ledger",
    _tables,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("project_id", sa.String),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index("ledger_by_time", "account_id", "at", "amount"),
)
_projects = sa.Table(
    "projects",
    _tables,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("operation_id", sa.String, nullable=False),
    sa.Column("plan", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("rendering_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double, nullable=False),
    sa.Column("error", sa.String),
    sa.Column("deleted_at", sa.Double),
)
_uploads = sa.Table(
    "uploads",
    _tables,
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("issued_at", sa.Double, nullable=False),
    sa.Column("uploaded_at", sa.Double),
    sa.Column("error", sa.String),
)
_settings = sa.Table(
    "settings",
    _tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)


def _sum_of_ledger(after: sa.ColumnElement[float], until: sa.ColumnElement[float]) -> sa.ColumnElement[int]:
    lines = sa.select(sa.func.coalesce(sa.func.sum(_ledger.c.amount), 0))
    between = lines.where(_ledger.c.account_id == _accounts.c.id, _ledger.c.at > after, _ledger.c.at <= until)
    return between.scalar_subquery()


# Statements are built once: to build one costs more than to run it. What `insert` adds to the standard one,
# `on_conflict_...`, PostgreSQL's has under the same names.
_at: sa.BindParameter[float] = sa.bindparam("at", type_=sa.Double)
_id: sa.BindParameter[str] = sa.bindparam("wanted", type_=sa.String)

_FIND_ACCOUNT = sa.select(_accounts.c.id, _accounts.c.plan, _accounts.c.credits).where(_accounts.c.id == _id)
_ADD_ACCOUNT = insert(_accounts).on_conflict_do_nothing()
_LOCK_SETTLED = (
    sa.select(_accounts.c.settled, _accounts.c.settled_at).where(_accounts.c.id == _id).with_for_update()
)
_SETTLE = (
    sa.update(_accounts)
    .where(_accounts.c.id == _id)
    .values(settled=sa.bindparam("sum"), settled_at=sa.bindparam("until"))
)
_BALANCE = sa.select(
    (  # one of the sums is empty: `at` is after the settled time, or before it
        _accounts.c.settled
        + _sum_of_ledger(_accounts.c.settled_at, _at)
        - _sum_of_ledger(_at, _accounts.c.settled_at)
    ).label("balance")
).where(_accounts.c.id == _id)

_ADD_LINES = sa.insert(_ledger)
_FIND_LINES = (
    sa.select(_ledger.c.account_id, _ledger.c.project_id, _ledger.c.amount, _ledger.c.at)
    .where(_ledger.c.account_id == _id)
    .order_by(_ledger.c.at, _ledger.c.id)
)
_STEPS = (
    sa.select(sa.func.sum(_ledger.c.amount))
    .where(
        _ledger.c.account_id == _id,
        _ledger.c.at > sa.bindparam("after", type_=sa.Double),
        _ledger.c.at <= sa.bindparam("until", type_=sa.Double),
    )
    .group_by(_ledger.c.at)
    .order_by(_ledger.c.at)
)

_ADD_PROJECT = sa.insert(_projects)
_FIND_PROJECT = sa.select(_projects).where(_projects.c.id == _id)
_DELETE_PROJECT = (
    sa.update(_projects).where(_projects.c.id == _id, _projects.c.deleted_at.is_(None)).values(deleted_at=_at)
)

_NOT_THE_PATH = [column.name for column in _uploads.c if not column.primary_key]
_new_upload = insert(_uploads)
_PUT_UPLOAD = _new_upload.on_conflict_do_update(
    index_elements=[_uploads.c.path],
    set_={name: _new_upload.excluded[name] for name in _NOT_THE_PATH},
)
_FIND_UPLOAD = sa.select(_uploads).where(_uploads.c.path == _id)

_ADD_SETTING = insert(_settings).on_conflict_do_nothing()
_FIND_SETTING = sa.select(_settings.c.value).where(_settings.c.name == _id)


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
        try:
            self._secret = self._make_tables()
            self._log_ahead()
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise StoreError(f"{path!r} can't be used as a SQLite store: {reason}; {_ACCEPTED}") from None
        finally:
            self._engine.dispose()

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; where there is none, store this one."""
        if (stored := self._first(_FIND_ACCOUNT, account.id)) is not None:
            return Account(**stored)
        row = _row(account, _accounts) | {"settled": account.credits, "settled_at": at}
        with self._write() as connection:
            # None added: another thread or process was quicker.
            if connection.execute(_ADD_ACCOUNT, row).rowcount:
                opening = Entry(account.id, None, account.credits, at)
                connection.execute(_ADD_LINES, _row(opening, _ledger))
            return Account(**connection.execute(_FIND_ACCOUNT, {"wanted": account.id}).mappings().one())

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""
        row = self._first(_BALANCE, account_id, at=at)
        return 0 if row is None else int(row["balance"])

    def entries(self, account_id: str) -> list[Entry]:
        """Return the account's ledger, by time."""
        with self._engine.connect() as connection:
            return [Entry(*line) for line in connection.execute(_FIND_LINES, {"wanted": account_id})]

    def add_project(self, project: Project) -> int:
        """Store a project and its charge in one transaction, and return the balance that leaves.

        Raises:
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
        """
        lines = entries_of(project)
        with self._write() as connection:
            standing = _standing(connection, project.account_id, project.created_at)
            if standing.lowest < project.credits:
                raise InsufficientCredits(standing.lowest)
            connection.execute(_ADD_PROJECT, _row(project, _projects))
            connection.execute(_ADD_LINES, [_row(line, _ledger) for line in lines])
            settled = standing.latest + _sum_until(standing.until, lines)
            parameters = {"wanted": project.account_id, "sum": settled, "until": standing.until}
            connection.execute(_SETTLE, parameters)
        return standing.balance + _sum_until(project.created_at, lines)

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""
        row = self._first(_FIND_PROJECT, project_id)
        return None if row is None else Project(**row)

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""
        with self._write() as connection:
            connection.execute(_DELETE_PROJECT, {"wanted": project_id, "at": at})

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""
        rows = [_row(each, _uploads) for each in uploads]
        if not rows:  # SQLAlchemy takes an empty list for one row of defaults
            return
        with self._write() as connection:
            connection.execute(_PUT_UPLOAD, rows)

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""
        row = self._first(_FIND_UPLOAD, path)
        return None if row is None else Upload(**row)

    def secret(self) -> bytes:
        """Return the random 32 bytes that were drawn when the file was made."""
        return self._secret

    def close(self) -> None:
        """Let go of the file; a later call would open it again."""
        self._engine.dispose()

    def _make_tables(self) -> bytes:
        with self._write() as connection:
            _tables.create_all(connection)
            for table in _tables.sorted_tables:  # one that was there may be someone else's, of the same name
                connection.execute(sa.select(table).limit(0))
            connection.execute(_ADD_SETTING, {"name": "secret", "value": secrets.token_bytes(32)})
            return bytes(connection.execute(_FIND_SETTING, {"wanted": "secret"}).scalar_one())

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
        with self._writing, self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _first(self, statement: sa.Executable, wanted: str, **parameters: float) -> sa.RowMapping | None:
        """Read one row; each read is a single statement, so it sees one state of the file without BEGIN."""
        with self._engine.connect() as connection:
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


def _sum_until(at: float, lines: Iterable[Entry]) -> int:
    return sum(line.amount for line in lines if line.at <= at)


def _row(value: object, table: sa.Table) -> dict[str, Any]:
    """Return the fields of a value that the table has columns for."""
    names = (column.name for column in table.c)
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _is_busy(error: sa.exc.OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY  # the upper bits tell kinds of busy apart


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
