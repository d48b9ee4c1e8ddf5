"""What a mock keeps: accounts, projects and files, a contract and a clock; whoever listens is told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from random import Random
from threading import Lock

import orjson

from bluehour.openapi.contract import Contract
from bluehour.openapi.resources import Action

from .accounts import Account, TokenRefused, account_of
from .assets.files import Files
from .assets.folders import PrivateFolder
from .assets.links import Links
from .board import Board
from .clock import Clock
from .gate import Gate
from .idempotency import Key, KeysUnderWay
from .listening import Listener
from .pictures import Pictures
from .projects import Project
from .records import Record
from .settings import WORKERS, Settings
from .stores.opening import open_store

_EVERYTHING = ("journal", "accounts", "projects", "rules", "webhooks", "clock")
"""What changes with a reset."""


class World:
    """One for each server; every part may be used from any thread.

    Args:
        contract: what the server keeps to.
        settings: how it is set up.
        assets: an existing folder for uploads and pictures; without one, a private folder is made when the
            first comes, and `close()` removes it.
        clock: where none is given, as it stood when the store was left; at first, the system's time.

    Attributes:
        store: accounts, projects, uploads and webhooks.
        board: what all processes on the store know alike.
        gate: passed by every request; closed while everything is forgotten.
        pictures: of projects; none until a renderer takes the place.
        keys_under_way: those that a request of this process works on.
        random: makes ids and values up.
        base_url: what clients reach the server by, as far as it is known without a request of theirs.

    Raises:
        StoreError: the store can't be opened.
    """

    def __init__(
        self,
        contract: Contract,
        settings: Settings,
        *,
        assets: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.contract = contract
        self.settings = settings
        by_workers = settings.renderer == WORKERS
        self.store = open_store(settings.store, most_waiting=settings.most_waiting, by_workers=by_workers)
        self.board = Board(self.store.notes)
        self.clock = clock or Clock(self.board.note("clock"), self.store.notes.seconds_ahead)
        self.gate = Gate()
        self.pictures = Pictures()
        self.keys_under_way = KeysUnderWay()
        self.base_url = "http://127.0.0.1:4010"
        self.random = Random(settings.seed)  # noqa: S311 - it makes examples up, and hides nothing
        self._listeners: list[Listener] = []
        self._folder = assets
        self._own_folder: PrivateFolder | None = None
        self._setting_up = Lock()
        self.clock.on_change(lambda: self.announce("clock"))
        self.board.on_reset = self._take_up_reset
        self._news = self.board.note("news")
        self._news.follow(lambda news: self.announce(*(orjson.loads(news)[1] if news else ())))

    # Who listens.

    def listen(self, listener: Listener) -> None:
        """Have a listener told of everything from now on, behind those that listen already."""
        self._listeners.append(listener)

    def announce(self, *what: str) -> None:
        """Tell of changes that people look at; see `Listener.changed`."""
        for each in what:
            for listener in self._listeners:
                listener.changed(each)

    def announce_to_all(self, *what: str) -> None:
        """Tell all processes of changes that people look at."""
        self._news.change(lambda old: orjson.dumps([(orjson.loads(old)[0] if old else 0) + 1, what]))

    def resume(self) -> None:
        """Have everybody take up what another process left."""
        for listener in self._listeners:
            listener.resume()

    def settle(self, timeout: float) -> bool:
        """Wait until nobody has anything under way.

        Args:
            timeout: real seconds; tells whether that came true within them.
        """
        deadline = time.monotonic() + timeout
        return all(listener.settle(max(0.0, deadline - time.monotonic())) for listener in self._listeners)

    def close(self) -> None:
        """Let go of the store, and remove the private folder."""
        for listener in self._listeners:
            listener.close()
        self.board.close()
        self.store.close()
        if "files" in vars(self):
            self.files.close()
        if self._own_folder:
            self._own_folder.close()

    # What happens.

    def create_project(
        self, project: Project, most_jobs: int | None, base_url: str, key: Key | None = None
    ) -> int:
        """Store a project and charge its account, in one step or not at all; return what is left.

        Args:
            project: what is created.
            most_jobs: how many of its jobs may be unfinished, this one included; None for any number.
            base_url: what its client reaches the server by, for its events.
            key: by which its client may ask for it again.

        Raises:
            InsufficientCredits, TooManyJobs, QueueFull, KeyTaken: nothing was stored.
        """
        balance = self.store.add_project(project, most_jobs, base_url, key)
        for listener in self._listeners:
            listener.project_created(project)
        return balance

    def begin_project(self, project_id: str) -> Project:
        """Have a pending project render from now on.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: somebody has ended it.
        """
        return self._changed(self.store.begin_project(project_id, self.clock.now()))

    def end_project(self, project_id: str, outcome: str) -> Project:
        """End an unfinished project now.

        Args:
            project_id: which.
            outcome: see `Project.outcome`.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by now, or another caller was quicker.
        """
        return self._changed(self.store.end_project(project_id, outcome, self.clock.now()))

    def change_record(self, old: Record | None, new: Record) -> bool:
        """Store a new version of an item; tell whether the old one was still what is stored.

        Args:
            old: the version that was read; None where the item is new.
            new: the next.
        """
        is_changed = self.store.swap_record(old, new)
        if is_changed:
            for listener in self._listeners:
                listener.record_changed(old, new)
        return is_changed

    def _changed(self, project: Project) -> Project:
        for listener in self._listeners:
            listener.project_changed(project)
        return project

    def reset(self, clock_at: float | None = None) -> None:
        """Forget everything that happened.

        Args:
            clock_at: where the clock is to stand still; without it, it runs with the system's.
        """
        with self.board.resetting(), self.gate.closed():
            self.store.reset()  # first: where it's locked, all stays as it was
            self._forget()
            self.files.clear()
            for listener in self._listeners:
                listener.reset()
            self.clock.reset(clock_at)
        self.announce(*_EVERYTHING)

    def _take_up_reset(self) -> None:
        """Forget what this process has of a store that another one has reset, and of its files."""
        with self.gate.closed():
            self._forget()
            if self._own_folder:
                self.files.clear()
        self.announce(*_EVERYTHING)

    def _forget(self) -> None:
        for listener in self._listeners:
            listener.forget()
        self.random.seed(self.settings.seed)

    def adopt(self, contract: Contract) -> None:
        """Keep another contract from now on, with all that is stored.

        Raises:
            ValueError: it lacks what is in use; nothing has changed.
        """
        in_use = self.store.in_use()
        if gone := in_use.operations - {operation.id for operation in contract.operations}:
            raise ValueError(f"the operation {min(gone)} is gone, but has projects")
        if gone := (in_use.plans & self.plans.keys()) - contract.extension("x-plans", {}).keys():
            raise ValueError(f"the plan {min(gone)} is gone, but is somebody's")
        for listener in self._listeners:
            listener.adopt(contract)
        self.contract = contract

    # Whose it is.

    def open_account(self, token: str) -> Account:
        """Return the account that a token opens.

        Whoever goes on to charge it reads the clock afterwards: another thread may have opened it just now.

        Raises:
            TokenRefused: it opens none.
        """
        asked = self._asked_for(token)
        if asked is None:
            raise TokenRefused
        return self.store.open_account(asked, self.clock.now())

    def account_id_of(self, token: str) -> str | None:
        """Return the id of the account that a token opens, without opening it."""
        asked = self._asked_for(token)
        return None if asked is None else asked.id

    def _asked_for(self, token: str) -> Account | None:
        return account_of(
            token,
            plans=self.plans,
            default_plan=self.settings.plan,
            default_credits=self.settings.credits,
        )

    # Where it is.

    @cached_property
    def files(self) -> Files:
        """Uploads and pictures on disk."""
        with self._setting_up:
            if self._folder is None:
                self._own_folder = PrivateFolder()
                self._folder = self._own_folder.path
            return Files(self._folder, self.settings.upload_space)

    @cached_property
    def links(self) -> Links:
        """Signs links with the store's secret, so that they outlive a restart as the store does."""
        return Links(self.store.secret())

    # What the contract says of it.

    @property
    def actions(self) -> Mapping[str, Action]:
        """What operations do to the contract's resources, by operation id; none where no state is kept."""
        return {} if self.settings.stateless else self.contract.actions

    @property
    def plans(self) -> Mapping[str, Mapping[str, int]]:
        """The contract's `x-plans`: limits by plan."""
        plans: Mapping[str, Mapping[str, int]] = self.contract.extension("x-plans", {})
        return plans

    @property
    def example_projects(self) -> Sequence[str]:
        """The contract's `x-example-projects`: ids that can always be read and deleted."""
        ids: Sequence[str] = self.contract.extension("x-example-projects", ())
        return ids

    @property
    def lifetimes(self) -> Mapping[str, int]:
        """The contract's `x-lifetimes`, in seconds."""
        lifetimes: Mapping[str, int] = self.contract.extension("x-lifetimes", {})
        return lifetimes

    @property
    def advised_poll_seconds(self) -> float:
        """The shortest pause between two polls that is advised, as long as jobs here take."""
        advised: float = self.contract.extension("x-polling-seconds", 0)
        return advised * self.settings.time_scale
