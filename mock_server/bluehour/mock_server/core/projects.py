"""A project's life, as pure functions of its row and the time."""

from __future__ import annotations

import os
import random
import secrets
import time
from dataclasses import dataclass, replace
from itertools import count
from uuid import UUID

from bluehour.openapi.errors import BluehourError

PENDING = "pending"
"""The outcome of a project that is really rendered, until it is: nobody knows yet."""

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _BASE36 for second in _BASE36]
_created_here = count(secrets.randbelow(36**4))
_this_process = "".join(secrets.choice(_BASE36) for _ in range(4))
# Ids are no secrets. The system's own source of chance would give the interpreter away at each, to threads
# that may keep it for a while.
_chance = random.Random()  # noqa: S311 - see above
os.register_at_fork(after_in_child=_chance.seed)


@dataclass(frozen=True, slots=True)
class Project:
    """One accepted create: what was asked, what it cost, and when it will have been done.

    Times are seconds since the epoch, `math.inf` for those that never come: a job may be stuck in its queue.
    Times and outcome are known from the start, and `status_at` tells how much of them shows: no thread moves
    states. Only of a project that is really rendered they are not: its outcome is `PENDING` and its times
    never come, until the renderer fills them in; see `begun` and `ended`.
    """

    id: str
    account_id: str
    operation_id: str
    """The operation that created it; its contract holds type, price and defaults."""
    plan: str
    """The account's plan at create; it decides the picture's size."""
    name: str
    credits: int
    """What the create charged; see `credits_charged_at` for what is left of it at the end."""
    request: bytes
    """The request body as it was meant: JSON, without its Content-Encoding."""
    created_at: float
    rendering_at: float
    finished_at: float
    outcome: str = "complete"
    """How it ends: `complete`, `canceled`, or in an error, whose job error code stands here; or `PENDING`."""
    deleted_at: float | None = None
    was_ended: bool = False
    """Whether somebody ended it, ahead of its plan or because there was none; see `ended`."""
    settled: int | None = None
    """What it costs once it is complete, where it is billed by what is made."""
    width: int | None = None
    height: int | None = None
    """Pixels of what is made, where its kind shows them."""
    fps: float | None = None
    """Frames in a second of what is made, likewise."""
    seconds: float | None = None
    """How long it plays, likewise."""

    @property
    def error(self) -> str | None:
        """The job error code that it ends in, or None."""
        return None if self.outcome in ("complete", "canceled", PENDING) else self.outcome

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a renderer, or for the end of its work."""
        return self.outcome == PENDING

    @property
    def is_refunded(self) -> bool:
        """Whether its end gives the credits back; the vendor says so of canceled videos, and we of images."""
        return self.outcome != "complete"

    @property
    def kept(self) -> int:
        """What its end leaves of the charge, in credits."""
        return 0 if self.is_refunded else self.credits if self.settled is None else self.settled

    @property
    def gives_back(self) -> bool:
        """Whether its end has a line in the ledger: a refund, or what was charged for what was not made."""
        return self.is_refunded or self.kept != self.credits


class ProjectEnded(BluehourError):
    """The project can't be ended, because it has finished by itself or by somebody else; nothing changed.

    Attributes:
        outcome: how it ended, see `Project.outcome`.
    """

    def __init__(self, outcome: str) -> None:
        super().__init__(f"ended before: {outcome}")
        self.outcome = outcome


class QueueFull(BluehourError):
    """As many projects wait for a renderer as may; nothing was stored or charged.

    Attributes:
        waiting: how many they are.
    """

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} projects wait to be rendered")
        self.waiting = waiting


def status_at(project: Project, now: float) -> str:
    """Return `queued`, `rendering`, and from `finished_at` on `complete`, `canceled` or `error`."""
    if now < project.rendering_at:
        return "queued"
    if now < project.finished_at:
        return "rendering"
    return project.outcome if project.error is None else "error"


def credits_charged_at(project: Project, now: float) -> int:
    """Return what the project has cost by `now`: once it ended, what it kept of its charge."""
    return project.kept if now >= project.finished_at else project.credits


def begun(project: Project, at: float) -> Project:
    """Return a project as it is once its rendering has begun, at `at` if it had not before.

    Raises:
        ProjectEnded: it has finished by then, or somebody has ended it, be it at a later time.
    """
    at = max(at, project.created_at)
    if project.was_ended or project.finished_at <= at:
        raise ProjectEnded(project.outcome)
    return replace(project, rendering_at=min(project.rendering_at, at))


def ended(project: Project, outcome: str, at: float) -> Project:
    """Return a project as it is when it ends at `at` rather than as planned.

    It ends at its `created_at` if `at` is earlier, as it can be where threads read the clock in one order and
    come in another: a refund must not count before its charge.

    Raises:
        ProjectEnded: it has finished by then, or somebody has ended it, be it at a later time.
    """
    at = max(at, project.created_at)
    if project.was_ended or project.finished_at <= at:
        raise ProjectEnded(project.outcome)
    rendering_at = min(project.rendering_at, at)
    return replace(project, outcome=outcome, rendering_at=rendering_at, finished_at=at, was_ended=True)


def new_id(form: str | None = None) -> str:
    """Return a fresh id in the vendor's form, a cuid: c, then 24 characters of time, counter and chance.

    Args:
        form: `uuid` for one of those.
    """
    if form == "uuid":
        return f"{UUID(int=_chance.getrandbits(128), version=4)}"
    moment = int(time.time() * 1000) * 36**4 + next(_created_here) % 36**4
    return f"c{_base36(moment, pairs=6)}{_this_process}{_base36(_chance.getrandbits(48), pairs=4)}"


def _base36(number: int, pairs: int) -> str:
    """The lowest digits of a number, two at a time."""
    digits = ""
    for _ in range(pairs):
        number, pair = divmod(number, 36 * 36)
        digits = _PAIRS[pair] + digits
    return digits
