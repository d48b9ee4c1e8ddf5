"""The matrix of a report: rules down, operations across, and in each cell what is known there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product
from string import ascii_lowercase

from ..results import Report, State, Verdict
from ..rules import Rule, Severity
from .shown import Case, Shown
from .summary import Group, groups


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of a rule at an operation.

    Attributes:
        kind: `kept`, `broken`, `accepted`, `warned`, `unjudged`, or `blank` where the rule does not apply.
        count: checks that found it kept, or findings.
        reason: why it was not judged, or not to the end.
        letter: stands for the reason in the matrix.
        case: the number of the first finding; 0 where there is none.
    """

    kind: str
    count: int = 0
    reason: str = ""
    letter: str = ""
    case: int = 0


@dataclass(frozen=True, slots=True)
class Matrix:
    """All cells.

    Attributes:
        columns: the operations.
        groups: each with its rules, and of every rule a cell for each operation.
        reasons: why things were not judged, each with its letter.
    """

    columns: tuple[str, ...]
    groups: Sequence[tuple[Group, Mapping[Rule, Sequence[Cell]]]]
    reasons: Mapping[str, str]


def matrix(known: Shown) -> Matrix:
    """Return the matrix, with a row for each rule that applies to any operation."""
    columns = _columns(known.report)
    reasons = dict.fromkeys(each.reason for each in known.report.verdicts if each.reason)
    letters = dict(zip(reasons, _letters(), strict=False))
    cell = _cells(known, letters)
    rows = [
        (group, {rule: [cell(rule, operation) for operation in columns] for rule in group.rules})
        for group in groups(known.report)
    ]
    return Matrix(columns, rows, letters)


def _columns(report: Report) -> tuple[str, ...]:
    """The report's operations, and whatever else a verdict or a finding names."""
    judged = (each.operation for each in report.verdicts)
    found = (each.operation for each in report.findings)
    return tuple(dict.fromkeys((*report.operations, *judged, *found)))


def _letters() -> Iterator[str]:
    """A, b, …, z, aa, ab and so on."""
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))


def _cells(known: Shown, letters: Mapping[str, str]) -> Callable[[Rule, str], Cell]:
    verdicts = {(each.rule, each.operation): each for each in known.report.verdicts}
    cases: dict[tuple[Rule, str], list[Case]] = {}
    for case in known.cases:
        cases.setdefault((case.finding.rule, case.finding.operation), []).append(case)

    def cell(rule: Rule, operation: str) -> Cell:
        place = (rule, operation)
        return _cell(rule, verdicts.get(place), cases.get(place, []), letters)

    return cell


def _cell(rule: Rule, verdict: Verdict | None, cases: Sequence[Case], letters: Mapping[str, str]) -> Cell:
    reason = verdict.reason if verdict else ""
    letter = letters.get(reason, "")
    if cases or (verdict and verdict.state is State.BROKEN):
        kind = "broken" if rule.severity is Severity.ERROR else "warned"
        if cases and all(each.finding.accepted for each in cases):
            kind = "accepted"
        return Cell(kind, len(cases), reason, letter, cases[0].number if cases else 0)
    if verdict is None:
        return Cell("blank")
    kind = "kept" if verdict.state is State.KEPT else "unjudged"
    return Cell(kind, verdict.checks, reason, letter)
