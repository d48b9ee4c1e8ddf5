"""One account's credits over time, as the memory store keeps them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

from ..accounts import Account, Entry


@dataclass(slots=True)
class Ledger:
    """An account's balance over time, to look up rather than add up.

    `sums[i]` is the balance from `times[i]` on. Credits that lie ahead of the last time wait in
    `planned`, a heap, so that a create appends to the arrays' end and need not correct what follows.
    """

    account: Account
    times: array[float] = field(default_factory=lambda: array("d", [-inf]))
    sums: array[int] = field(default_factory=lambda: array("q", [0]))
    planned: list[tuple[float, int]] = field(default_factory=list)
    given: list[Entry] = field(default_factory=list)
    """The lines that no project tells of."""

    def balance(self, at: float) -> int:
        """Return the balance at `at`, which may be earlier than one asked before."""
        return self.sums[self._settle(at) - 1]

    def total(self) -> int:
        """Return the sum of all amounts, those to come as well."""
        return self.sums[-1] + sum(amount for _, amount in self.planned)

    def lowest_from(self, at: float) -> int:
        """Return the lowest balance at `at` and ever after; what is planned can only raise it."""
        return min(self.sums[self._settle(at) - 1 :])

    def give(self, amount: int, at: float) -> None:
        """Let an amount that is no project's count from `at` on, and keep its line."""
        self.given.append(Entry(self.account.id, None, amount, at))
        self.add(amount, at)

    def add(self, amount: int, at: float) -> None:
        """Let an amount count from `at` on."""
        if amount > 0:
            self._plan(amount, at)
        else:
            self._settle(at)
            self._count(amount, at)

    def take_back(self, refund: int, at: float) -> None:
        """Undo the `add` of a refund, which may be still to come or counted already."""
        # Settled in one go with the refund, so that no sum sees one without the other.
        self._plan(-refund, at)

    def _plan(self, amount: int, at: float) -> None:
        if at > self.times[-1]:
            heappush(self.planned, (at, amount))
        else:
            self._count(amount, at)

    def _settle(self, at: float) -> int:
        """Move what is due by `at` into the arrays; return how many of their times are not after `at`."""
        while self.planned and self.planned[0][0] <= at:
            due, amount = heappop(self.planned)
            self._count(amount, due)
        return bisect_right(self.times, at)

    def _count(self, amount: int, at: float) -> None:
        place = bisect_right(self.times, at) - 1
        if self.times[place] != at:  # one place per time, so that no sum is halfway through its moment
            self.times.insert(place + 1, at)
            self.sums.insert(place + 1, self.sums[place])
            place += 1
        for later in range(place, len(self.sums)):
            self.sums[later] += amount
