"""Where accounts, projects and uploads are kept: one protocol, one module per kind of store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..accounts import Account, Entry
from ..assets import Upload
from ..projects import Project


class StoreError(Exception):
    """A store's URL can't be used; the message says why and what would do, in one line."""


class Store(Protocol):
    """What every store keeps, and that it does so whole: each call happens altogether or not at all.

    All calls may come from any number of threads.
    """

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; a new one is stored, with its opening credits."""

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""

    def entries(self, account_id: str) -> list[Entry]:
        """Return the account's ledger, by time; a planned refund is in it ahead of its time."""

    def add_project(self, project: Project) -> int:
        """Store a project together with its ledger entries.

        Returns:
            The account's balance at `project.created_at`, after the charge.

        Raises:
            InsufficientCredits: the balance at `project.created_at`, or at a later time that was already
                charged (threads may come out of order), is below `project.credits`.
        """

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""

    def secret(self) -> bytes:
        """Return the store's own random 32 bytes, the same for its whole life: the key that signs links."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_store(url: str) -> Store:
    """Open the store that a URL names: `memory://` or `sqlite:///file`.

    Raises:
        StoreError: an unknown kind, or a file that can't be opened.
    """
    if url == "memory://":
        from .memory import MemoryStore

        return MemoryStore()
    from .sql import SqlStore

    return SqlStore(url)
