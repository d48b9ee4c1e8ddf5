"""A SQLite file as the SQL store uses it: how it is made, read and written, and what its errors mean."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import sqlalchemy as sa

from . import ACCEPTED, StoreError, StoreUnavailable
from .database import NONE, Result, Session, Texts, Values
from .statements import ADD_SETTING, FIND_SETTING
from .tables import FORMER_INDEXES, TABLES
from .writer import Writer

_BUSY_SECONDS = 5.0
"""For how long another process may hold the file; then the call is given up."""
_QUEUED_SECONDS = 30.0
"""For how long a change may wait for others of this process that come first."""

_LOOKS_EVERY = 0.02
"""Seconds between two looks at whether another process has changed the file; one takes 10 microseconds."""

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


class SQLiteSession(Session):
    """Runs statements on SQLite's driver. Changes hold the write lock, so they need not hold an account."""

    def __init__(self, connection: sqlite3.Connection, texts: Texts) -> None:
        super().__init__(texts)
        self._connection = connection

    def hold(self, account_id: str) -> None:
        """Do nothing."""

    def hold_its_account(self, project_id: str) -> None:
        """Do nothing."""

    def hold_all(self) -> None:
        """Do nothing."""

    def now(self) -> float:
        """Return the time since the machine was started: all its processes are on this one."""
        return time.monotonic()

    def tell(self) -> None:
        """Do nothing: SQLite can say whether a file has changed."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Read in a transaction."""
        return self.transaction("DEFERRED")

    @contextmanager
    def transaction(self, kind: str) -> Iterator[None]:
        """Begin a transaction; commit where the block ends, roll back where it or the commit fails."""
        self._run(f"BEGIN {kind}")
        try:
            yield
            self._run("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()

    def _run(self, text: str, values: Values = NONE) -> list[Any]:
        try:
            return self._connection.execute(text, values).fetchall()
        except sqlite3.Error as error:
            _raise_if_lacking(error)
            raise


class SQLite:
    """A file that any number of threads and processes read, and of this process one thread writes."""

    def __init__(self, url: str) -> None:
        """Take the file that `sqlite:///file` or `sqlite:////absolute/file` names.

        Raises:
            StoreError: it names none.
        """
        self._path = _path_of(url)
        self._engine = _engine_of(self._path)
        self._texts = Texts(self._engine.dialect)
        self._writer = Writer(self._writing)
        self._written: sa.PoolProxiedConnection | None = None

    def make_ready(self) -> bytes:
        """Make what the file lacks, also of indexes, and return its secret.

        Raises:
            StoreError: the file can't be read and written as this store.
        """
        try:
            secret = self._completed()
            self._log_ahead()
        except (StoreUnavailable, sa.exc.DBAPIError, sqlite3.Error) as error:
            reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error.__cause__ or error
            raise StoreError(
                f"{self._path!r} can't be used as a SQLite store: {reason}; {ACCEPTED}"
            ) from None
        finally:
            self.close()
        return secret

    @contextmanager
    def reading(self) -> Iterator[SQLiteSession]:
        """Read; each statement sees one state of the file."""
        with closing(self._connection()) as connection:
            yield self._session(connection)

    def change(self, make: Callable[[Session], Result]) -> Result:
        """Have the writer make a change, and wait until it is on disk."""
        made = self._writer.submit(make)
        try:
            return made.result(_QUEUED_SECONDS)
        except TimeoutError:
            if made.cancel():
                raise StoreUnavailable("the store is locked by a call that does not end") from None
            return made.result()

    def seconds_ahead(self) -> float:
        """Return by how much the system's time is ahead of `time.monotonic()`."""
        return time.time() - time.monotonic()

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Wait until somebody has changed the file, or so long, or until it is stopped."""
        until = time.monotonic() + seconds
        with closing(self._connection()) as connection:
            driver: Any = connection.driver_connection
            before = _data_version(driver)
            while not stopped() and time.monotonic() < until and _data_version(driver) == before:
                time.sleep(_LOOKS_EVERY)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        self._writer.close()
        if self._written is not None:
            self._written.close()
            self._written = None
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[SQLiteSession]:
        """Change something in a transaction, as the only one; to be called by one thread at a time.

        SQLite's write lock is held from the first read on: what is read in here can't be out of date.
        """
        if self._written is None:  # kept: what it has in its cache stays right as long as nobody else writes
            self._written = self._connection()
        session = self._session(self._written)
        with session.transaction("IMMEDIATE"):
            yield session

    def _completed(self) -> bytes:
        with self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            TABLES.create_all(connection)
            for table in TABLES.sorted_tables:  # one that was there may be someone else's, of the same name
                _add_later_columns(connection, table)
                connection.execute(sa.select(table).limit(0))
                for index in table.indexes:
                    connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
            for name in FORMER_INDEXES:
                connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
            connection.execute(ADD_SETTING, {"name": "secret", "value": secrets.token_bytes(32)})
            return bytes(connection.execute(FIND_SETTING, {"wanted": "secret"}).scalar_one())

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
                if _code_of(error.orig) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
            time.sleep(0.01)

    def _connection(self) -> sa.PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except sa.exc.TimeoutError as error:
            raise StoreUnavailable("too many calls wait for the store") from error
        except sqlite3.Error as error:
            _raise_if_lacking(error)
            raise

    def _session(self, connection: sa.PoolProxiedConnection) -> SQLiteSession:
        driver: Any = connection.driver_connection
        return SQLiteSession(driver, self._texts)


def _data_version(connection: sqlite3.Connection) -> int:
    """Return a number that others' changes change."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _add_later_columns(connection: sa.Connection, table: sa.Table) -> None:
    """Give a table of an earlier version the columns that have come since, which may be empty."""
    there = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
    for column in table.columns:
        if column.name not in there and column.nullable:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")


def _raise_if_lacking(error: sqlite3.Error) -> None:
    """Tell what the machine lacks from a fault of ours, which stays what it is."""
    if _code_of(error) in _LACKS:
        raise StoreUnavailable(f"the store's file can't be used: {error}") from error


def _code_of(error: BaseException | None) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # the upper bits tell kinds of one apart


def _path_of(url: str) -> str:
    path = url.partition("://")[2]
    if not path.startswith("/") or path in ("/", "/:memory:") or "\0" in path:
        raise StoreError(f"{url!r} names no file; {ACCEPTED}")
    return path.removeprefix("/")


def _engine_of(path: str) -> sa.Engine:
    # Python's own implicit BEGIN is turned off: it would come too late, after the first read.
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path),
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None},
        paramstyle="named",
        pool_size=16,
        max_overflow=0,
        pool_reset_on_return=None,  # nothing is left open
        pool_use_lifo=True,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")  # enough for a killed process, if not for a power cut

    return engine
