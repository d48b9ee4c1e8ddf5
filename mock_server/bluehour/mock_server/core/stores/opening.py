"""Opens the store that a URL names."""

from __future__ import annotations

from ..settings import MEMORY
from . import Store


def open_store(url: str) -> Store:
    """Open the store that a URL names: `memory://` or `sqlite:///file`.

    Raises:
        StoreError: an unknown kind, or a file that can't be opened.
    """
    if url == MEMORY:
        from .memory import MemoryStore

        return MemoryStore()
    from .sql import SqlStore

    return SqlStore(url)
