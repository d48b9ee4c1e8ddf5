"""Opens the store that a URL names."""

from __future__ import annotations

from ..installing import command_for
from ..settings import MEMORY
from . import ACCEPTED, Store, StoreError


def open_store(url: str) -> Store:
    """Open the store that a URL names: `memory://`, `sqlite:///file` or `postgresql://host/database`.

    Raises:
        StoreError: an unknown kind, or a file or a database that can't be opened.
    """
    kind = url.partition("://")[0]
    if url == MEMORY:
        from .memory import MemoryStore

        return MemoryStore()
    if kind == "sqlite":
        from .sql import SqlStore
        from .sqlite import SQLite

        return SqlStore(SQLite(url))
    if kind in ("postgresql", "postgres"):
        try:
            from .postgresql import PostgreSQLStore
        except ImportError:  # psycopg, or the libpq that it needs
            raise StoreError(
                f"a store in PostgreSQL needs more than the mock does: {command_for('postgres')}"
            ) from None
        return PostgreSQLStore(url)
    raise StoreError(f"there is no store of kind {kind!r}; {ACCEPTED}")  # the rest may hold a password
