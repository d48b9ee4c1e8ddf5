"""What is sent, to whom, and how it went: values that stores keep as well."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ..core.projects import Project, status_at


@dataclass(slots=True)
class Endpoint:
    """A registered webhook.

    Attributes:
        events: the names of those that it gets.
        enabled: while it is not, its events wait.
        is_initial: whether it was there at the start, as `--webhook` has it.
        since: events that happened earlier are not for it, by the mock's clock; not kept by stores.
    """

    id: str
    url: str
    secret: str
    events: frozenset[str]
    enabled: bool = True
    is_initial: bool = False
    since: float = field(default=-math.inf, compare=False)


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
class WaitingDelivery:
    """A delivery that is neither taken nor given up, as a store keeps it.

    Attributes:
        tries: how often it was begun to be sent.
        next_at: when it is tried next.
    """

    id: str
    webhook_id: str
    event: str
    project_id: str
    body: bytes
    at: float
    tries: int
    next_at: float


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


@dataclass(slots=True)
class Delivery:
    """One event for one webhook.

    Attributes:
        at: when the event happened, by the mock's clock.
        next_at: when it is tried next; None while it is sent, and once it is delivered or given up.
        problem: why it has failed; None where it has not.
        tries: how often it was begun to be sent, before a restart as well.
        attempts: those since the start.
    """

    id: str
    endpoint: Endpoint
    event: str
    project_id: str
    body: bytes
    at: float
    next_at: float | None
    state: Literal["pending", "delivered", "failed"] = "pending"
    problem: str | None = None
    tries: int = 0
    attempts: list[Attempt] = field(default_factory=list)
