"""Who calls and what they have left: a bearer token is an account with a plan and a ledger."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from bluehour.openapi.errors import BluehourError

from .projects import Project

MOST_CREDITS = 10**12
"""More than anybody has, and few enough for any database's integers."""

_MADE_TO_ORDER = re.compile(r"mhk_test_(?P<plan>[a-z]+)_(?P<credits>\d{1,12})(?:_.*)?", re.ASCII | re.DOTALL)
_REFUSED = "invalid"
"""What a token says of itself: people write `mhk_test_invalid` or `INVALID_KEY` where they mean a 401."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account: what is left of its credits is the sum of its ledger."""

    id: str
    plan: str
    credits: int
    """What it was opened with."""
    token: str | None = None
    """That which opened it, as it may be shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: credits given (positive) or charged (negative), counted from `at` on."""

    account_id: str
    project_id: str | None
    """None: the account's opening credits, or a change of its balance by `Store.set_account`."""
    amount: int
    at: float


def made_to_order(plan: str, credits: int, suffix: str = "") -> str:
    """Return the token of an account with that plan and those credits; another suffix is another account."""
    return f"mhk_test_{plan}_{credits}" + (f"_{suffix}" if suffix else "")


def refused_token() -> str:
    """Return a token that no one accepts."""
    return f"mhk_test_{_REFUSED}"


class TokenRefused(BluehourError):
    """No one accepts this token."""


class InsufficientCredits(BluehourError):
    """The account can't pay for the project; nothing was stored or charged.

    Attributes:
        balance: what the account has, in credits.
    """

    def __init__(self, balance: int) -> None:
        super().__init__(f"{balance} credits left")
        self.balance = balance


class TooManyJobs(BluehourError):
    """The account runs as many jobs as it may; nothing was stored or charged.

    Attributes:
        running: how many of its projects are unfinished.
    """

    def __init__(self, running: int) -> None:
        super().__init__(f"{running} jobs are running")
        self.running = running


def account_of(
    token: str, *, plans: Collection[str], default_plan: str, default_credits: int
) -> Account | None:
    """Return the account that a bearer token opens, or None for a token that is refused.

    Every token is an account, but for those that have the word `invalid` in them, as `mhk_test_invalid`
    has. `mhk_test_<plan>_<credits>` asks for a plan and an amount of its own (a suffix `_anything` makes
    several such). The id is a digest, so a real key that a client sends is never stored. In a contract
    without plans tokens say nothing, and each is an account.
    """
    if plans and _REFUSED in token.lower():
        return None
    asked = _asked_for(token)
    if asked.plan in plans:
        return asked
    return Account(asked.id, default_plan, default_credits, asked.token)


@lru_cache(maxsize=1024)
def _asked_for(token: str) -> Account:
    """A token's account with the plan and the credits that it asks for: none and 0 of most."""
    account_id = "acc_" + hashlib.blake2b(token.encode(), digest_size=12).hexdigest()
    asked = _MADE_TO_ORDER.fullmatch(token)
    plan, credits = (asked["plan"], int(asked["credits"])) if asked else ("", 0)
    return Account(account_id, plan, credits, shortened(token))


def shortened(secret: str) -> str:
    """Return the beginning of a secret, and of a long one its end: `mhk_live…3f2a`."""
    if len(secret) >= 24:
        return f"{secret[:8]}…{secret[-4:]}"
    return f"{secret[: len(secret) // 2]}…"


def entries_of(project: Project) -> tuple[Entry, ...]:
    """Return a project's lines in the ledger: its charge at create, and what its end gives back, if anything.

    What is given back is written with the charge, in the same transaction, and counts from `finished_at` on.
    """
    charge = Entry(project.account_id, project.id, -project.credits, project.created_at)
    return (charge, *refund_of(project))


def refund_of(project: Project) -> tuple[Entry, ...]:
    """Return the one line that gives back what a project's end doesn't keep, if there is any."""
    if not project.gives_back or project.finished_at == math.inf:
        return ()
    return (Entry(project.account_id, project.id, project.credits - project.kept, project.finished_at),)
