"""What is sent, to whom, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Endpoint:
    """A registered webhook.

    Attributes:
        events: the names of those that it gets.
        enabled: while it is not, its events wait.
    """

    id: str
    url: str
    secret: str
    events: frozenset[str]
    enabled: bool = True


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
        next_at: when it is tried next; None once it is delivered or given up.
    """

    id: str
    endpoint: Endpoint
    event: str
    project_id: str
    body: bytes
    at: float
    next_at: float | None
    state: Literal["pending", "delivered", "failed"] = "pending"
    attempts: list[Attempt] = field(default_factory=list)
