"""Everything that one mock keeps: the contract, the clock, the store, the files, and how it was set up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any

from bluehour.openapi.contract import Contract, load

from .core.accounts import Account, account_of
from .core.assets.files import Files
from .core.assets.folders import PrivateFolder
from .core.assets.links import Links
from .core.clock import Clock
from .control.events import Feed
from .api.call import BEARER, Refusal
from .core.gate import Gate
from .journal.habits import Habits
from .journal.journal import Journal
from .api.secrets import Secrets, shortened
from .outbound import TargetPolicy
from .rendering.opening import open_stage
from .rendering.queue import RenderQueue, Unqueued
from .scenarios.rules import RuleError
from .scenarios.scenarios import Scenarios
from .core.stores import Store, open_store
from .webhooks.webhooks import Webhooks

if TYPE_CHECKING:
    from .core.projects import Project
    from .rendering import Renderer, Stage


_SMALL_AT_ONCE = 2
"""Small pictures that are decoded side by side."""

_LARGE_EDGE = 2048
"""Pixels of the longer edge from which on a picture that is rendered is large."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a mock is set up; every field is an option of `bluehour serve`.

    Attributes:
        store: where accounts and projects live: `memory://` or `sqlite:///file`.
        time_scale: how long a job takes, in shares of the vendor's own median; 0 finishes at once.
        plan: the plan of an account whose token does not name one.
        credits: what such an account has at first.
        fetch_assets: whether a picture that is named by URL is fetched.
        concurrency: whether a plan limits how many jobs run at a time.
        journal: how many requests are kept to look at; 0 keeps none.
        upload_space: bytes of uploads that are kept in all.
        control_token: what opens the control API; without one, it is open to callers on this machine.
        allow_targets: private servers that pictures and webhooks may be at, though others reach the mock.
        deny_targets: servers that they may not be at.
        renderer: what makes the pictures: `simulated`, or `reference`, which really edits them.
        device: where the reference renderer runs: `auto`, `cpu` or `cuda`.
        photo_model: the folder of a diffusion pipeline for its photo editor; without one, it knows tones
            and styles only.
    """

    store: str = "memory://"
    time_scale: float = 0.1
    plan: str = "creator"
    credits: int = 10_000
    fetch_assets: bool = False
    concurrency: bool = False
    journal: int = 1000
    upload_space: int = 10 * 2**30
    control_token: str | None = None
    allow_targets: tuple[str, ...] = ()
    deny_targets: tuple[str, ...] = ()
    renderer: str = "simulated"
    device: str = "auto"
    photo_model: Path | None = None


class Mock:
    """What the behaviours work on. One per server; every part may be used from any thread.

    Args:
        contract: Magic Hour's own where none is given.
        settings: the defaults where none are given.
        assets: an existing folder for uploads and pictures; without one, a private folder is made
            when the first comes, and `close()` removes it.
        clock: the system's time where none is given.
        upstream: what a proxy stands before, whose journal this is; without it, this is a mock.
        stage: what really renders; as the settings say where none is given.

    Raises:
        RendererError: the renderer can't be used.
        StoreError: the store can't be opened.
        ValueError: what is allowed or denied is no target.
    """

    def __init__(
        self,
        contract: Contract | None = None,
        settings: Settings | None = None,
        *,
        assets: Path | None = None,
        clock: Clock | None = None,
        upstream: str | None = None,
        stage: Stage[Any, Any] | None = None,
    ) -> None:
        self.contract = contract or load()
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.targets = TargetPolicy.parsed(self.settings.allow_targets, self.settings.deny_targets)
        self.stage = stage or open_stage(
            self.settings.renderer, self.settings.device, self.settings.photo_model
        )
        self.store: Store = open_store(self.settings.store)
        self.scenarios = Scenarios(self.contract)
        self.journal = Journal(self.settings.journal) if self.settings.journal else None
        self.habits = Habits(self)
        self.secrets = Secrets()
        self.gate = Gate()
        self.feed = Feed()
        if self.journal is not None:
            self.journal.on_record(self.feed.publish_record)
        self.clock.on_change(lambda: self.feed.publish("clock"))
        self.webhooks = Webhooks(self, on_change=lambda: self.feed.publish("webhooks"))
        self.queue = None if self.stage is None else RenderQueue(self, self.stage)
        self.base_url = "http://127.0.0.1:4010"
        self.upstream = upstream
        self.shown_tokens: dict[str, str] = {}
        self._folder = assets
        self._own_folder: PrivateFolder | None = None
        self._setting_up = Lock()
        self._large = BoundedSemaphore(1)
        self._small = BoundedSemaphore(_SMALL_AT_ONCE)

    def close(self) -> None:
        """Let go of the store, and remove the private folder; what is being rendered is dropped."""
        if self.queue is not None:
            self.queue.close()
        self.webhooks.close()
        self.store.close()
        if "files" in vars(self):
            self.files.close()
        if self._own_folder:
            self._own_folder.close()

    def end_project(self, project_id: str, outcome: str) -> Project:
        """End an unfinished project now, and tell webhooks of it.

        Args:
            project_id: which.
            outcome: see `Project.outcome`.

        Raises:
            KeyError: there is no such project.
            ProjectEnded: it has finished by now, or another caller was quicker.
        """
        project = self.store.end_project(project_id, outcome, self.clock.now())
        self.webhooks.follow(project)
        return project

    def settle(self, timeout: float) -> bool:
        """Wait until no picture is being made and no event is due.

        Args:
            timeout: real seconds; tells whether that came true within them.
        """
        deadline = time.monotonic() + timeout
        if self.queue is not None and not self.queue.settle(timeout):
            return False
        return self.webhooks.settle(max(0.0, deadline - time.monotonic()))

    def reset(self, clock_at: float | None = None) -> None:
        """Forget everything that happened; rules and webhooks are as they were at the start.

        Args:
            clock_at: where the clock is to stand still; without it, it runs with the system's.
        """
        with self.gate.closed():
            self.store.reset()  # first: where it's locked, all stays as it was
            if self.queue is not None:
                self.queue.clear()
            self.webhooks.reset()
            self.scenarios.reset()
            self.files.clear()
            self.shown_tokens.clear()
            self.habits.clear()
            if self.journal is not None:
                self.journal.clear()
            self.clock.reset(clock_at)

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
        try:
            self.scenarios.adopt(contract)
        except RuleError as error:
            raise ValueError(f"a rule does not fit: {error}") from error
        self.contract = contract

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

    @cached_property
    def renderer(self) -> Renderer:
        """Makes a picture at once, where no queue has; imported late, since few clients download one."""
        from .rendering.simulated import SimulatedRenderer

        return SimulatedRenderer() if self.stage is None else Unqueued(self.stage)

    @contextmanager
    def room_for(self, picture: Path | None, largest_edge: float = 0) -> Iterator[None]:
        """Decode and render a picture in here: one large one at a time, as that takes memory, or a few small.

        Args:
            picture: what is decoded, if anything.
            largest_edge: of what is rendered, in pixels.
        """
        from .rendering.pictures import is_large

        large = largest_edge > _LARGE_EDGE or (picture is not None and is_large(picture))
        with self._large if large else self._small:
            yield

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

    def account(self, token: str) -> Account:
        """Return the account that a token opens.

        Whoever goes on to charge it reads the clock afterwards: another thread may have opened it just now.

        Raises:
            Refusal: no one accepts this token.
        """
        account = self.account_of(token)
        if account is None:
            raise Refusal("unauthorized", headers=BEARER)
        return account

    def account_of(self, token: str) -> Account | None:
        """Return the account that a token opens, or None where no one accepts it."""
        asked = self._asked_for(token)
        if asked is None:
            return None
        if asked.id not in self.shown_tokens:
            self.shown_tokens[asked.id] = shortened(token)
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

    def fault_of(self, picture: Path) -> str | None:
        """Return the job error that a file ends in which should be a picture, or None."""
        from .rendering.pictures import fault_of

        with self.room_for(picture):
            return fault_of(picture)

    def error_message(self, code: str) -> str:
        """Return what a job error's code says to a person, from the contract's `x-job-errors`."""
        messages: Mapping[str, Any] = self.contract.extension("x-job-errors", {})
        return str(messages.get(code, messages.get("unknown_error", code)))
