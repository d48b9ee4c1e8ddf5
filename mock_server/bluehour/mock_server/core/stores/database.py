"""What the SQL store asks of a database: SQLAlchemy's statements, run as text on the driver's connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

Values = Mapping[str, Any]
NONE: Values = {}
Statement = sa.ClauseElement
Result = TypeVar("Result")


class Texts:
    """Statements as one dialect writes them; each is made text once."""

    def __init__(self, dialect: sa.Dialect) -> None:
        self.dialect = dialect
        self._known: dict[Statement, tuple[str, dict[str, Any]]] = {}

    def of(self, statement: Statement) -> tuple[str, dict[str, Any]]:
        """Return a statement's text, and the parameters that are its own."""
        known = self._known.get(statement)
        if known is None:
            compiled = statement.compile(dialect=self.dialect)
            own = {name: value for name, value in compiled.params.items() if value is not None}
            known = self._known[statement] = f"{compiled}", own
        return known


class Session(ABC):
    """Runs statements on one connection.

    Measured with SQLite: to find a row takes 9 microseconds so, and 31 by SQLAlchemy's own connection.

    Raises:
        StoreUnavailable: from each method; the machine or the network lacks something. A fault of ours stays
            what it is.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.changes = 0
        """How many statements have changed something, or have tried."""

    def find(self, statement: Statement, values: Values = NONE) -> list[Any]:
        """Return the rows that a statement finds, as tuples."""
        text, given = self._texts.of(statement)
        return self._run(text, {**given, **values} if given else values)

    def first(self, statement: Statement, values: Values = NONE) -> Any:
        """Return the first row that a statement finds, or None."""
        rows = self.find(statement, values)
        return rows[0] if rows else None

    def change(self, statement: Statement, values: Values = NONE) -> list[Any]:
        """Change something, and return the rows that the statement returns of it.

        They alone say whether there was something to change: drivers count rows in ways of their own.
        """
        self.changes += 1
        return self.find(statement, values)

    @abstractmethod
    def hold(self, account_id: str) -> None:
        """Keep others from changing an account until this transaction ends; see what they did before."""

    @abstractmethod
    def hold_its_account(self, project_id: str) -> None:
        """Hold the account of a project likewise, if there is one."""

    @abstractmethod
    def hold_all(self) -> None:
        """Keep others from changing any account until this transaction ends."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Have all that is read in the block be of one moment."""

    @abstractmethod
    def now(self) -> float:
        """Return a time in seconds that all who share the database agree on; it says no date."""

    @abstractmethod
    def tell(self) -> None:
        """Wake those who `wait` for changes once this transaction is on disk."""

    @abstractmethod
    def _run(self, text: str, values: Values = NONE) -> list[Any]: ...


class Database(Protocol):
    """Where the SQL store keeps its tables. All calls may come from any number of threads."""

    def make_ready(self) -> bytes:
        """Make what is lacking of the tables, and return the store's secret. No connection stays open.

        Raises:
            StoreError: this database can't be used; one line says why.
        """

    def reading(self) -> AbstractContextManager[Session]:
        """Read; each statement sees one state of the database."""

    def change(self, make: Callable[[Session], Result]) -> Result:
        """Make a change in a transaction of its own, and return once that is on disk.

        Args:
            make: makes the change on the session it gets. It may be called twice, as if never before.
        """

    def seconds_ahead(self) -> float:
        """Return by how much the date that all agree on is ahead of `time.monotonic()`."""

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Wait until others may have changed something, or so long, or until it is stopped.

        For one thread alone: it has a connection of its own.
        """

    def close(self) -> None:
        """Let go of files and connections; the next call opens them again."""
