"""What is sent, to whom, and how it went: values that stores keep as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..core.projects import Project, status_at


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered webhook.

    Attributes:
        events: the names of those that it gets.
        enabled: while it is not, its events wait.
        is_initial: whether it was there at the start, as `--webhook` has it.
        since: events that happened earlier are not for it, by the mock's clock.
    """

    id: str
    url: str
    secret: str
    events: frozenset[str]
    enabled: bool = True
    is_initial: bool = False
    since: float = -math.inf

    def wants(self, event: str | None, at: float) -> bool:
        """Tell whether it gets an event that happened at a time."""
        return event in self.events and self.since <= at


@dataclass(frozen=True, slots=True)
class ComingEvent:
    """The next event of a project, as a store keeps it until it is handed out to webhooks.

    Attributes:
        project: as it is now.
        has_begun: whether the begin of its rendering has been handed out.
        at: when it happens, by the mock's clock.
        base_url: what the project's client reaches the mock by; it goes into links.
    """

    project: Project
    has_begun: bool
    at: float
    base_url: str

    @property
    def is_begin(self) -> bool:
        """Whether it is the begin of the rendering; a fast job skips it, as on the real service."""
        return not self.has_begun and self.project.rendering_at < self.project.finished_at

    @property
    def status(self) -> str:
        """The project's status that it announces."""
        return "rendering" if self.is_begin else status_at(self.project, self.project.finished_at)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try.

    Attributes:
        at: when, by the mock's clock, seconds since the epoch.
        headers: those that prove the event.
        status: of the answer; None where there was none.
        problem: why the event does not count as delivered; None where it does.
        ms: how long the receiver took.
    """

    at: float
    headers: dict[str, str]
    status: int | None
    problem: str | None
    ms: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook.

    Attributes:
        at: when the event happened, by the mock's clock.
        tries: how often it was begun to be sent.
        next_at: when it is tried next; `math.inf` while it is sent, and once it is delivered or given up.
        problem: why it has failed; None where it has not.
        sender: which process sends it just now, by its id on the board.
        attempts: those whose end is known.
    """

    id: str
    webhook_id: str
    event: str
    project_id: str
    body: bytes
    at: float
    tries: int
    next_at: float
    state: Literal["pending", "delivered", "failed"] = "pending"
    problem: str | None = None
    sender: str | None = None
    attempts: tuple[Attempt, ...] = ()
