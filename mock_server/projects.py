"""An image project's life, as pure functions of its row and the time."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from itertools import count

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _BASE36 for second in _BASE36]
_created_here = count(secrets.randbelow(36**4))
_this_process = "".join(secrets.choice(_BASE36) for _ in range(4))


@dataclass(frozen=True, slots=True)
class Project:
    """One accepted create: what was asked, what it cost, and when it will have been done.

    Times are seconds since the epoch. The outcome is known from the start, and `status_at` tells
    how much of it shows: no thread moves states.
    """

    id: str
    account_id: str
    operation_id: str
    """The operation that created it; its contract holds type, price and defaults."""
    plan: str
    """The account's plan at create; it decides the picture's size."""
    name: str
    credits: int
    """What the create charged; see `credits_charged_at` for what is left of it after a refund."""
    request: bytes
    """The request body as it came, JSON."""
    created_at: float
    rendering_at: float
    finished_at: float
    error: str | None = None
    """The job error code that it ends in; None completes."""
    deleted_at: float | None = None


def status_at(project: Project, now: float) -> str:
    """Return `queued`, `rendering`, and from `finished_at` on `complete` or `error`."""
    if now < project.rendering_at:
        return "queued"
    if now < project.finished_at:
        return "rendering"
    return "complete" if project.error is None else "error"


def credits_charged_at(project: Project, now: float) -> int:
    """Return what the project has cost by `now`: nothing once its error gave the credits back."""
    return 0 if status_at(project, now) == "error" else project.credits


def new_id() -> str:
    """Return a fresh id in the vendor's form, a cuid: c, then 24 characters of time, counter and chance."""
    moment = int(time.time() * 1000) * 36**4 + next(_created_here) % 36**4
    chance = int.from_bytes(os.urandom(6))
    return f"c{_base36(moment, pairs=6)}{_this_process}{_base36(chance, pairs=4)}"


def _base36(number: int, pairs: int) -> str:
    """The lowest digits of a number, two at a time."""
    digits = ""
    for _ in range(pairs):
        number, pair = divmod(number, 36 * 36)
        digits = _PAIRS[pair] + digits
    return digits
