"""A SQLite file as the SQL store uses it: how it is opened, read and written, and what its errors mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from . import StoreError, StoreUnavailable

ACCEPTED = "use memory://, sqlite:///file (relative) or sqlite:////absolute/file"
_BUSY_SECONDS = 5.0
"""For how long another process may hold the file; then the call is given up."""

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

Values = Mapping[str, Any]
NONE: Values = {}
_Texts = dict[sa.ClauseElement, tuple[str, dict[str, Any]]]


class Session:
    """Runs SQLAlchemy's statements on the driver's connection, as text that is made once.

    Measured: to find a row takes 9 microseconds so, and 31 by SQLAlchemy's own connection.

    Raises:
        StoreUnavailable: from each method; the machine lacks something. A fault of ours stays what it is.
    """

    def __init__(self, connection: sqlite3.Connection, dialect: sa.Dialect, texts: _Texts) -> None:
        self._connection = connection
        self._dialect = dialect
        self._texts = texts
        self.changes = 0
        """How many statements have changed something, or have tried."""

    def find(self, statement: sa.ClauseElement, values: Values = NONE) -> list[Any]:
        """Return the rows that a statement finds, as tuples."""
        text, given = self._text(statement)
        return self._run(text, {**given, **values} if given else values)

    def first(self, statement: sa.ClauseElement, values: Values = NONE) -> Any:
        """Return the first row that a statement finds, or None."""
        rows = self.find(statement, values)
        return rows[0] if rows else None

    def change(self, statement: sa.ClauseElement, values: Values = NONE) -> list[Any]:
        """Change something, and return the rows that the statement returns of it."""
        self.changes += 1
        return self.find(statement, values)

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

    def _text(self, statement: sa.ClauseElement) -> tuple[str, dict[str, Any]]:
        """Return a statement's text, and the parameters that are its own."""
        known = self._texts.get(statement)
        if known is None:
            compiled = statement.compile(dialect=self._dialect)
            own = {name: value for name, value in compiled.params.items() if value is not None}
            known = self._texts[statement] = f"{compiled}", own
        return known


class Database:
    """A file that any number of threads and processes read, and of this process one thread writes."""

    def __init__(self, path: str) -> None:
        self.engine = _engine_of(path)
        self._texts: _Texts = {}
        self._written: sa.PoolProxiedConnection | None = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read; each statement sees one state of the file."""
        with closing(self._connection()) as connection:
            yield self._session(connection)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Change something in a transaction, as the only one; to be called by one thread at a time.

        SQLite's write lock is held from the first read on: what is read in here can't be out of date.
        """
        if self._written is None:  # kept: what it has in its cache stays right as long as nobody else writes
            self._written = self._connection()
        session = self._session(self._written)
        with session.transaction("IMMEDIATE"):
            yield session

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        if self._written is not None:
            self._written.close()
            self._written = None
        self.engine.dispose()

    def log_ahead(self) -> None:
        """Let readers and the writer not wait for each other; the file remembers it."""
        # Where two processes make this switch at once, one is told "busy" without the usual wait.
        give_up_at = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                with self.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                    return
            except sa.exc.OperationalError as error:
                if _code_of(error.orig) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
            time.sleep(0.01)

    def _connection(self) -> sa.PoolProxiedConnection:
        try:
            return self.engine.raw_connection()
        except sa.exc.TimeoutError as error:
            raise StoreUnavailable("too many calls wait for the store") from error
        except sqlite3.Error as error:
            _raise_if_lacking(error)
            raise

    def _session(self, connection: sa.PoolProxiedConnection) -> Session:
        driver: Any = connection.driver_connection
        return Session(driver, self.engine.dialect, self._texts)


def _raise_if_lacking(error: sqlite3.Error) -> None:
    """Tell what the machine lacks from a fault of ours, which stays what it is."""
    if _code_of(error) in _LACKS:
        raise StoreUnavailable(f"the store's file can't be used: {error}") from error


def _code_of(error: BaseException | None) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # the upper bits tell kinds of one apart


def path_of(url: str) -> str:
    """Return the path of a SQLite file's URL.

    Raises:
        StoreError: it is no such URL.
    """
    scheme, _, path = url.partition("://")
    if scheme != "sqlite":  # the rest is not shown: it may hold a password
        raise StoreError(f"there is no store of kind {scheme!r}; {ACCEPTED}")
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
