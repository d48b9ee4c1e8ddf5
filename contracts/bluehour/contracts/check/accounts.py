"""Whose tokens a check calls with: those that it was given, and test accounts where the server has them.

Bluehour's mock makes an account of any token, with the plan and the credits that the token names. Where a
deployment keeps this convention, an account's ledger can be seen from outside, credit by credit.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bluehour.mock_server.core.accounts import made_to_order, refused_token
from bluehour.openapi.contract import Contract

TEST_TOKEN = "mhk_test_"  # noqa: S105 - how tokens begin that nobody gave
"""How the token begins that is made for a check on this machine that was given none."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account to call with.

    Attributes:
        label: what it is called in reports: `main`, `second`, …
        token: what is sent.
        credits: what it has at first; None where that is not known.
        plan: the plan that it is on; None likewise.
    """

    label: str
    token: str
    credits: int | None = None
    plan: str | None = None


class Accounts:
    """The accounts of one check.

    Args:
        contract: its plans are used for test accounts.
        main: the token that everything is tried with.
        second: another account's token, if there is one.
        empty: the token of an account that is known to have no credits, if there is one.
    """

    def __init__(
        self, contract: Contract, main: str, second: str | None = None, empty: str | None = None
    ) -> None:
        self.main = Account("main", main)
        self.second = Account("second", second) if second else None
        self.empty = Account("empty", empty, 0) if empty else None
        self.refused = Account("refused", refused_token())
        self.made_to_order = False
        self._plans: Mapping[str, Mapping[str, int]] = contract.extension("x-plans", {})
        self._used: dict[str, str] = {}

    def convention_holds(self) -> None:
        """The deployment makes accounts of tokens, so there are as many as are wanted."""
        self.made_to_order = True
        self.second = self.second or self.with_credits(100, "second")
        self.empty = self.empty or self.with_credits(0, "empty")

    def tell_plan(self, plan: object) -> None:
        """The deployment says what plan the main account is on."""
        if isinstance(plan, str) and plan in self._plans:
            self.main = replace(self.main, plan=plan)

    def limits_of(self, account: Account) -> Mapping[str, int]:
        """Return the limits of an account's plan; none where it is not known."""
        return self._plans.get(account.plan or "", {})

    def probe(self) -> Account:
        """Return an account that there is only where tokens make accounts."""
        return self._made(self._roomiest, 0, "probe")

    def with_credits(self, credits: int, label: str) -> Account:
        """Return a fresh test account that has these credits, on a plan that allows everything."""
        return self._made(self._roomiest, credits, label)

    def on_tightest_plan(self, credits: int, label: str) -> Account:
        """Return a fresh test account on the plan that allows least."""
        return self._made(self._tightest, credits, label)

    def described(self) -> dict[str, str]:
        """Return what each account is, by its label, without its token."""
        sources = {"main": "--token"}
        if self.second is not None:
            sources["second"] = "a test account" if self.second.label in self._used else "--second-token"
        if self.empty is not None:
            sources["empty"] = "a test account with no credits" if "empty" in self._used else "--empty-token"
        return sources | self._used

    @property
    def _tightest(self) -> str:
        return min(self._plans, key=lambda name: self._plans[name].get("longest-edge", 0), default="any")

    @property
    def _roomiest(self) -> str:
        return max(self._plans, key=lambda name: self._plans[name].get("longest-edge", 0), default="any")

    def _made(self, plan: str, credits: int, label: str) -> Account:
        self._used[label] = f"a test account on the plan {plan} with {credits} credits"
        return Account(label, made_to_order(plan, credits, secrets.token_hex(5)), credits, plan)
