"""What was wrong so far, counted: what a proxy says when it is stopped, and what it exits with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from bluehour.openapi.faults import Fault
from bluehour.openapi.wording import counted, printable

from ..judge import Violation
from ..rules import Severity


@dataclass(slots=True)
class Count:
    """One kind of wrong: where, what, how it was said first, and how often it was seen."""

    where: str
    what: str
    example: str
    times: int = 0


@dataclass(slots=True)
class Tally:
    """Everything wrong so far.

    Attributes:
        requests: how many there were.
        faulty: how many of them broke the contract.
        wrong: how many answers did, or never came.
        has_errors: whether anything of it is more than a warning.
    """

    requests: int = 0
    faulty: int = 0
    wrong: int = 0
    has_errors: bool = False
    _faults: dict[tuple[str, str], Count] = field(default_factory=dict)
    _violations: dict[tuple[str, str], Count] = field(default_factory=dict)

    def add(self, where: str, faults: Iterable[Fault], violations: Iterable[Violation]) -> None:
        """Count a request: where it went, what was wrong with it, and with its answer."""
        faults, violations = list(faults), list(violations)
        self.requests += 1
        self.faulty += bool(faults)
        self.wrong += bool(violations)
        self.has_errors |= bool(faults) or any(each.rule.severity is Severity.ERROR for each in violations)
        for fault in faults:
            _count(self._faults, where, fault.where, fault.message)
        for violation in violations:
            _count(self._violations, violation.operation, violation.rule.id, violation.message)

    def summary(self) -> str:
        """Return all of it in a few lines."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        if not self.requests:
            yield "No request has come."
            return
        requests = counted(self.requests, "request")
        if not (self.faulty or self.wrong):
            yield f"{requests}, and nothing broke the contract."
            return
        yield f"{requests}: {self.faulty:,} faulty, {self.wrong:,} with an answer that breaks the contract."
        if self._faults:
            yield from ("", "Faults of requests", *_table(self._faults.values()))
        if self._violations:
            yield from ("", "Broken rules of answers", *_table(self._violations.values()))


def _count(counts: dict[tuple[str, str], Count], where: str, what: str, example: str) -> None:
    counts.setdefault((where, what), Count(where, what, example)).times += 1


def _table(counts: Iterable[Count]) -> Iterator[str]:
    rows = sorted(counts, key=attrgetter("times"), reverse=True)
    cells = [(f"{row.times:,}", row.what, row.where) for row in rows]
    times, what, where = (max(map(len, column)) for column in zip(*cells, strict=True))
    for row in rows:
        yield printable(f"  {row.times:>{times},}  {row.what:<{what}}  {row.where:<{where}}  {row.example}")
