"""The credits that a check may cost: the worst case of a call is set aside before it is sent."""

from __future__ import annotations

import math
from http import HTTPStatus
from threading import Lock
from typing import Any

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.wording import counted

from ..exchange import Answer


class BudgetSpent(BluehourError):
    """The next call could pass the budget; it was not sent."""


class Budget:
    """Credits, counted the way that can't be too few, and requests. May be used from any thread.

    Args:
        most: what may be spent at most.
        requests: how many may be sent at most; None for any number.
    """

    def __init__(self, most: int, requests: int | None = None) -> None:
        self.most = most
        self.requests = requests
        self.sent = 0
        self._spent = 0
        self._reserved = 0
        self._out_of_requests = False
        self._lock = Lock()

    @property
    def spent(self) -> int:
        """What has been spent, refunds not deducted."""
        return self._spent

    @property
    def is_out_of_requests(self) -> bool:
        """Whether a request was not sent, as there had been as many as may be."""
        return self._out_of_requests

    @property
    def left(self) -> int:
        """What may still be reserved; never below 0."""
        return max(0, self.most - self._spent - self._reserved)

    def can_spare(self, amount: int) -> bool:
        """Tell whether something that is merely good to know costs a tenth of what is left, or less."""
        return amount <= self.left // 10

    def reserve(self, amount: int) -> None:
        """Set aside what the next call may cost.

        Raises:
            BudgetSpent: there is not as much left; nothing is set aside.
        """
        with self._lock:
            if amount > self.left:
                raise BudgetSpent(self.lacks(amount))
            if self.requests is not None and self.sent >= self.requests:
                self._out_of_requests = True
                raise BudgetSpent(f"{counted(self.requests, 'request')} have been sent, as many as may be")
            self._reserved += amount
            self.sent += 1

    def lacks(self, amount: int) -> str:
        """Say that there is not as much left."""
        return f"{counted(amount, 'credit')} may be needed, and {self.left} are left of {self.most}"

    def book(self, reserved: int, cost: int) -> int:
        """Turn what was set aside into what it has cost, and return all that is spent by now."""
        with self._lock:
            self._reserved -= reserved
            self._spent += cost
            return self._spent


def cost_of(answer: Answer | None, price: int) -> int:
    """Return what a call has cost, in the worst case where that is not known.

    A refusal is free, also of a method that the server does not know. An acceptance costs the operation's
    price at least, whatever it says; one that says more, of either kind, costs what it says. What failed or
    was never answered may have been carried out.

    Args:
        answer: None where none came.
        price: of the operation, in credits.
    """
    if answer is None:
        return price
    least = 0 if 400 <= answer.status < 500 or answer.status == HTTPStatus.NOT_IMPLEMENTED else price
    names = ("credits_charged", "frame_cost") if price else ()
    return max([least, *(_credits(answer.field(name)) for name in names)])


def _credits(value: Any) -> int:
    """What a body says, rounded up; nothing where that is no number."""
    return 0 if isinstance(value, bool) or not isinstance(value, int | float) else math.ceil(value)
