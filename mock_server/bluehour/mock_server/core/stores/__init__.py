"""Where accounts, projects and uploads are kept: one protocol, one module per kind of store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bluehour.openapi.errors import BluehourError

from ..accounts import Account, Entry
from ..assets import Upload
from ..deliveries import ComingEvent, Delivery, Endpoint
from ..idempotency import Key, UsedKey
from ..projects import Project
from ..records import Record
from .deliveries import Deliveries
from .jobs import Jobs
from .notes import Notes
from .pages import Pages

ACCEPTED = (
    "use memory://, sqlite:///file (relative), sqlite:////absolute/file or "
    "postgresql://user:password@host:port/database"
)
"""The URLs that name a store, for errors."""


class StoreError(BluehourError):
    """A store's URL can't be used; the message says why and what would do, in one line."""


class StoreUnavailable(BluehourError):
    """A store can't do its work at present: its file is locked or its disk is full; the message says which.

    Nothing was changed. It may work later.
    """


@dataclass(frozen=True, slots=True)
class InUse:
    """What of a contract the stored accounts and projects speak of, by name."""

    operations: frozenset[str]
    plans: frozenset[str]


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The last entries of an account's ledger.

    Attributes:
        before: the sum of all earlier ones, in credits.
        entries: by time; a planned refund is among them ahead of its time.
    """

    before: int
    entries: list[Entry]


class Store(Protocol):
    """What every store keeps, and that it does so whole: each call happens altogether or not at all.

    All calls may come from any number of threads, and may raise StoreUnavailable.
    """

    @property
    def notes(self) -> Notes:
        """What all processes on it are to know alike; it outlives a reset."""

    @property
    def pages(self) -> Pages | None:
        """The pages of their journal; none where there is but one process."""

    @property
    def deliveries(self) -> Deliveries:
        """Events on their way to webhooks."""

    @property
    def jobs(self) -> Jobs | None:
        """The jobs of its pending projects; none where no other process renders them."""

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; a new one is stored, with its opening credits."""

    def set_account(
        self, account_id: str, at: float, *, plan: str | None = None, credits: int | None = None
    ) -> Account:
        """Give an account another plan, another balance, or both.

        Args:
            account_id: whose.
            at: when the balance is to be that.
            plan: the plan of projects from now on; what is stored keeps its own.
            credits: the balance at `at`, made so by an entry without a project; charges that count from a
                later time have still to be paid from it, and may take it below zero.

        Returns:
            The account with its plan as it is now, and the credits that it was opened with.

        Raises:
            KeyError: there is no such account.
        """

    def account(self, account_id: str) -> Account | None:
        """Return an account with the plan it has now, or None."""

    def accounts(self, limit: int | None = None) -> list[Account]:
        """Return accounts with the plans they have now, in the order they were opened.

        Args:
            limit: how many at most: those that were opened last; None for all.
        """

    def count_accounts(self) -> int:
        """Return how many accounts there are."""

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""

    def ledger(self, account_id: str, limit: int | None = None) -> LedgerPage:
        """Return the last entries of the account's ledger, at most `limit`; None for all."""

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        """Store a project together with its ledger entries, and where there are webhooks, its events to come.

        Args:
            project: what to store.
            at_most: how many of the account's projects may be unfinished at `project.created_at`, this
                one among them; None sets no limit.
            base_url: what its client reaches the mock by, for its events.
            key: to be remembered with it; of more than MOST_KEYS the oldest is forgotten.

        Returns:
            The account's balance at `project.created_at`, after the charge.

        Raises:
            KeyTaken: the key has made a project before; it is looked at first.
            InsufficientCredits: the balance at `project.created_at`, or at a later time that was already
                charged (threads may come out of order), is below `project.credits`.
            TooManyJobs: the account can pay, but has `at_most` unfinished projects already.
            QueueFull: it would be pending, and as many are as the store was opened to take. Creates at the
                same moment may each be the last that is taken.
        """

    def used_key(self, key: Key, at: float) -> UsedKey | None:
        """Return what a key has made within the last REMEMBERED_FOR seconds before `at`, or None."""

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""

    def projects(self, *, account_id: str | None = None, limit: int = 100) -> list[Project]:
        """Return projects, deleted ones too, by `created_at`, the newest first; of equals the later stored.

        Args:
            account_id: only this account's.
            limit: how many at most.
        """

    def pending_projects(self) -> list[Project]:
        """Return the projects whose outcome is PENDING, deleted ones too, in the opposite order."""

    def count_projects(self) -> int:
        """Return how many projects there are, deleted ones too."""

    def in_use(self) -> InUse:
        """Return the operations and plans without which what is stored could not be shown."""

    def begin_project(self, project_id: str, at: float) -> Project:
        """Have an unfinished project render from now on, as `projects.begun` does.

        Returns:
            The project as it is then; one that renders already stays as it is.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or somebody has ended it.
        """

    def end_project(self, project_id: str, outcome: str, at: float) -> Project:
        """End an unfinished project now, as `projects.ended` does, and mend its ledger entries.

        Args:
            project_id: which.
            outcome: `complete`, `canceled`, or a job error code.
            at: the time it is now.

        Returns:
            The project as it is then.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by `at`, or another caller was quicker, even with a later `at`
                (threads may come out of order): of several callers one succeeds.
        """

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""

    def record(self, collection: str, record_id: str) -> Record | None:
        """Return an item of another contract's collection, a deleted one too, or None."""

    def records(self, collection: str) -> list[Record]:
        """Return a collection's items that are not deleted, in the order in which they were stored first."""

    def latest_records(self, limit: int) -> list[Record]:
        """Return items of all collections that are not deleted, those that were made last first."""

    def has_records(self, collection: str) -> bool:
        """Tell whether a collection has had an item, be it deleted."""

    def count_records(self, collection: str | None = None) -> int:
        """Return how many items there are, without deleted ones: in a collection, or in all."""

    def swap_record(self, old: Record | None, new: Record) -> bool:
        """Put an item in the place of an earlier version of it, or where there was none.

        Args:
            old: the version that was read; None where the item is new.
            new: with the same collection and id, and the next version.

        Returns:
            Whether that was still what is stored; otherwise nothing has changed.
        """

    def add_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook; one that is there with its id stays as it is."""

    def put_webhook(self, endpoint: Endpoint) -> None:
        """Store a webhook, in place of the one with its id. As long as there is one, events are kept."""

    def remove_webhook(self, webhook_id: str) -> int:
        """Forget a webhook and its deliveries, and return how many of those were pending.

        An unknown id is no error.
        """

    def webhooks(self) -> list[Endpoint]:
        """Return the webhooks, in the order in which they were stored first."""

    def announce_unfinished(self, at: float, base_url: str) -> None:
        """Have events to come of all projects whose `finished_at` is later than `at`, if they have none yet.

        Args:
            at: the time it is now.
            base_url: what clients reach the mock by, for the events.
        """

    def next_event(self) -> ComingEvent | None:
        """Return the event that comes first, of equals that of the project announced first, or None.

        It is one that has come already, or will; not one at `math.inf`.
        """

    def hand_out(self, event: ComingEvent | None, deliveries: Sequence[Delivery]) -> bool:
        """Put the deliveries of an event in its place; its project's next event is then the one to come.

        Args:
            event: None for deliveries of what no project tells.
            deliveries: what is to be stored; those for a webhook that is gone are not.

        Returns:
            Whether the event was there as given. It isn't where the project was ended meanwhile, or where
            another process was quicker; then nothing has changed.
        """

    def secret(self) -> bytes:
        """Return the store's own random 32 bytes, the same for its whole life: the key that signs links."""

    def reset(self) -> None:
        """Forget accounts, ledgers, projects, records, uploads, events and deliveries.

        The secret stays, and so do the initial webhooks, switched on, for all events to come.
        """

    def close(self) -> None:
        """Let go of files and connections."""
