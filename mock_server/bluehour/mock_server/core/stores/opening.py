"""Opens the store that a URL names."""

from __future__ import annotations

from ..installing import command_for
from ..settings import MEMORY
from . import ACCEPTED, Store, StoreError


def open_store(url: str, *, most_waiting: int | None = None, by_workers: bool = False) -> Store:
    """Open the store that a URL names: `memory://`, `sqlite:///file` or `postgresql://host/database`.

    Args:
        url: which.
        most_waiting: how many pending projects it takes; None for any number.
        by_workers: whether they are jobs for `bluehour work`, which only PostgreSQL has.

    Raises:
        StoreError: an unknown kind, or a file or a database that can't be opened.
    """
    kind = url.partition("://")[0]
    if by_workers and kind in ("memory", "sqlite"):
        raise StoreError(
            f"bluehour work can't render what is in {url}: it and its servers need a --store postgresql://…"
        )
    if url == MEMORY:
        from .memory import MemoryStore

        return MemoryStore(most_waiting)
    if kind == "sqlite":
        from .sql import SqlStore
        from .sqlite import SQLite

        return SqlStore(SQLite(url), most_waiting)
    if kind in ("postgresql", "postgres"):
        try:
            from .postgresql import PostgreSQLStore
        except ImportError:  # psycopg, or the libpq that it needs
            raise StoreError(
                f"a store in PostgreSQL needs more than the mock does: {command_for('postgres')}"
            ) from None
        return PostgreSQLStore(url, most_waiting, by_workers)
    raise StoreError(f"there is no store of kind {kind!r}; {ACCEPTED}")  # the rest may hold a password
