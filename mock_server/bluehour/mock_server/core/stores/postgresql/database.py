"""A PostgreSQL database as the SQL store uses it: connections that mend, transactions, what errors mean."""

from __future__ import annotations

import hashlib
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from .. import StoreError, StoreUnavailable
from ..database import NONE, Result, Session, Texts, Values
from ..statements import HOLD_ACCOUNT, HOLD_ITS_ACCOUNT
from . import jobs
from .addresses import address_of
from .create import Create, Created
from .schema import LOCK, complete
from .values import adapt

_MOST_CONNECTIONS = 8
"""Of a process; a server has a hundred for all."""
_WAIT_SECONDS = 10.0
"""For how long a call waits for one of them."""

_MOST_CALLS = 5
"""By which the server's time is found."""
_LOOKS_EVERY = 0.1
"""Seconds after which whoever waits for notifications may be stopped."""

_LACKS = (
    psycopg.OperationalError,  # the server is away, full, or busy with a lock
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.UndefinedTable,  # somebody has dropped the schema
    psycopg.errors.UndefinedFunction,
)

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgreSQLSession(Session):
    """Runs statements on psycopg's connection."""

    def __init__(self, connection: Connection, texts: Texts, channel: str) -> None:
        super().__init__(texts)
        self._connection = connection
        self._channel = channel

    def hold(self, account_id: str) -> None:
        """Lock the account's row."""
        self.find(HOLD_ACCOUNT, {"wanted": account_id})

    def hold_its_account(self, project_id: str) -> None:
        """Lock the row of a project's account."""
        self.find(HOLD_ITS_ACCOUNT, {"wanted": project_id})

    def hold_all(self) -> None:
        """Lock the table, which even those wait for that look for a row to lock and find none."""
        self._run("LOCK TABLE accounts IN EXCLUSIVE MODE")

    def now(self) -> float:
        """Return the server's time, whatever machine asks."""
        ((now,),) = self._run("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(now)

    def tell(self) -> None:
        """Send a notification, which comes with the commit."""
        self._run("SELECT pg_notify(%(channel)s, '')", {"channel": self._channel})

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read in a transaction that sees nothing of later ones."""
        with self._connection.transaction():
            self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def _run(self, text: str, values: Values = NONE) -> list[Any]:
        found = self._connection.execute(text, values, prepare=True, binary=True)
        return found.fetchall() if found.description else []


class PostgreSQL:
    """A database that any number of threads, processes and machines read and write at once."""

    def __init__(self, url: str) -> None:
        """Take the database that a URL names.

        Raises:
            StoreError: it is no URL of one.
        """
        self._address = address_of(url)
        self._texts = Texts(sa.make_url("postgresql+psycopg://").get_dialect()())
        # Channels belong to a database, and their names are short.
        self._channel = f"bluehour_{hashlib.sha256(self._address.schema.encode()).hexdigest()[:16]}"
        self._listening: Connection | None = None
        self._create = Create(self._texts)
        creator: Any = self._connected  # psycopg's types are stricter than SQLAlchemy's of the DB-API
        self._pool: sa.Pool = sa.QueuePool(
            creator,
            pool_size=_MOST_CONNECTIONS,
            max_overflow=0,
            timeout=_WAIT_SECONDS,
            use_lifo=True,
            reset_on_return=None,  # nothing is left open
        )
        sa.event.listen(self._pool, "checkout", _refuse_broken)

    def make_ready(self) -> bytes:
        """Make what the schema lacks, and return the store's secret.

        Raises:
            StoreError: the database can't be reached or used.
        """
        try:
            with self._connected() as connection:
                return complete(connection, self._address, self._texts, self._create)
        except psycopg.Error as error:
            shown = self._address.shown
            raise StoreError(f"{shown} can't be used as a store: {_line_of(error)}") from None

    def make_ready_for_jobs(self) -> None:
        """Make what is lacking for jobs that other processes do.

        Raises:
            StoreError: the database can't be used for them.
        """
        shown = self._address.shown
        try:
            with self._connected() as connection:
                jobs.complete(connection, self._address, self._texts, LOCK)
        except psycopg.Error as error:
            raise StoreError(f"{shown} can't be used for bluehour work: {_line_of(error)}") from None

    @contextmanager
    def reading(self) -> Iterator[PostgreSQLSession]:
        """Read; each statement sees what is committed when it begins."""
        with self._connection() as connection:
            yield PostgreSQLSession(connection, self._texts, self._channel)

    def change(self, make: Callable[[Session], Result]) -> Result:
        """Make a change in a transaction of its own."""
        with self._connection() as connection, connection.transaction():
            return make(PostgreSQLSession(connection, self._texts, self._channel))

    def create(self, values: Values) -> Created:
        """Call the function that stores and charges a project; see `Create.call`."""
        with self._connection() as connection:
            (found,) = connection.execute(self._create.call, values, prepare=True, binary=True)
            return Created(*found)

    def seconds_ahead(self) -> float:
        """Return by how much the server's time is ahead of `time.monotonic()`, by the quickest call."""
        found = []
        with self.reading() as session:
            for _ in range(_MOST_CALLS):
                asked_at = time.monotonic()
                now = session.now()
                answered_at = time.monotonic()
                found.append((answered_at - asked_at, now - (asked_at + answered_at) / 2))
        return min(found)[1]

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Wait until somebody has sent a notification, or so long, or until it is stopped."""
        try:
            if self._listening is None:
                self._listening = self._connected()
                self._listening.execute(f"LISTEN {self._channel}")
                return  # something may have come before
            until = time.monotonic() + seconds
            while not stopped() and time.monotonic() < until:
                if [*self._listening.notifies(timeout=_LOOKS_EVERY, stop_after=1)]:
                    break
        except psycopg.Error as error:
            self._stop_listening()
            raise StoreUnavailable(f"the store's database can't be used: {_line_of(error)}") from error

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def close(self) -> None:
        """Let go of all connections; the next call opens another."""
        self._stop_listening()
        self._pool.dispose()
        self._pool = self._pool.recreate()

    def _connected(self) -> Connection:
        connection = psycopg.connect(**self._address.parameters, autocommit=True)
        adapt(connection)
        return connection

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection.

        Raises:
            StoreUnavailable: there is none, or what it is used for fails for a lack of something.
        """
        try:
            with self._lent() as connection:
                yield connection
        except sa.exc.TimeoutError as error:
            raise StoreUnavailable("too many calls wait for the store") from error
        except sa.exc.InvalidRequestError as error:
            raise StoreUnavailable("the store's database ends connections as they are made") from error
        except _LACKS as error:
            raise StoreUnavailable(f"the store's database can't be used: {_line_of(error)}") from error

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        lent = self._pool.connect()
        connection: Any = lent.driver_connection
        try:
            yield connection
        finally:
            if connection.info.transaction_status == TransactionStatus.IDLE:
                lent.close()
            else:  # broken, or interrupted amid something
                lent.invalidate()


def _refuse_broken(connection: Connection, *_: object) -> None:
    """Have the pool open another connection in the place of one that its server has ended.

    A server says so, which can be seen without a word to it: a restart of it costs only calls under way.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return
    try:
        connection.execute("")
    except psycopg.OperationalError as error:
        raise sa.exc.DisconnectionError from error


def _line_of(error: psycopg.Error) -> str:
    """Return what an error says, in one line; passwords are never in it."""
    return " ".join((error.diag.message_primary or f"{error}").split())
