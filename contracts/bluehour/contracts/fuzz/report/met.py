"""What the client has met, as tables: answers by place and status, faults by kind and place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..coverage import Coverage
from ..results import Result
from ..script import Fault, Place

_PLACES = [str(place) for place in Place]
_LEGAL = {Fault.EXPIRED}
"""What the contract has, so that scripts of every profile have it."""
_UNSEEN = {Fault.REFUSED}
"""Nobody sees who meets it, so that nobody can say that it was not met."""


@dataclass(frozen=True)
class Table:
    """Counts by row and column; both have some.

    Attributes:
        columns: their names.
        rows: the counts of each row, by its name.
    """

    columns: Sequence[str]
    rows: Mapping[str, Sequence[int]]

    def pairs(self, row: str) -> list[tuple[str, int]]:
        """Return the counts of a row that are not 0, with their columns."""
        return [(name, count) for name, count in zip(self.columns, self.rows[row], strict=True) if count]


def answers(coverage: Coverage) -> Table:
    """Return how often each place has answered each status."""
    counts: Counter[tuple[str, str]] = Counter()
    for (place, status, _), count in _answers(coverage):
        counts[place, status] += count
    return _table(counts)


def codes(coverage: Coverage) -> dict[str, list[tuple[str, int]]]:
    """Return the errors' codes by place: `402 plan_upgrade_required`, and how often."""
    found: dict[str, list[tuple[str, int]]] = {}
    for (place, status, code), count in sorted(_answers(coverage)):
        if code and status >= "4":
            found.setdefault(place, []).append((f"{status} {code}", count))
    return {place: found[place] for place in sorted(found, key=_order)}


def faults(coverage: Coverage) -> Table:
    """Return how often each fault was met at each place; a page is called by its status."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, count in coverage.faults.items():
        place, _, kind = name.partition(" ")
        if place in _PLACES:
            counts[kind, place] += count
    return _table(counts)


def nobody_there(coverage: Coverage) -> int:
    """Return in how many scripts nothing could connect to the API."""
    return coverage.faults["nobody there"]


def unmet(result: Result) -> dict[str, list[str]]:
    """Return what was not met, by what it is; a replay has what it has."""
    if result.profile == "replay":
        return {}
    coverage = result.coverage
    found = {
        "answers of": [place for place in result.places if place not in answers(coverage).rows],
        "faults": [kind for kind in _kinds(result) if kind not in _met_faults(coverage)],
        "endings of jobs": [
            state for state in result.ends if not any(_is_of(state, each) for each in coverage.endings)
        ],
    }
    return {what: names for what, names in found.items() if names}


def topics_played(result: Result) -> int:
    """Return how many topics were played."""
    return len(result.coverage.topics)


def _kinds(result: Result) -> list[str]:
    unseen = _UNSEEN if Place.DOWNLOAD in result.places else _UNSEEN | _LEGAL
    is_legal = result.profile == "legal"
    return [str(fault) for fault in Fault if fault not in unseen and (not is_legal or fault in _LEGAL)]


def _met_faults(coverage: Coverage) -> set[str]:
    return {name.partition(" ")[2] for name in coverage.faults}


def _is_of(state: str, ending: str) -> bool:
    return ending.partition(" ")[0] == state


def _answers(coverage: Coverage) -> Iterator[tuple[tuple[str, str, str], int]]:
    for name, count in coverage.answers.items():
        place, status, code = (*name.split(" ", 2), "")[:3]
        yield (place, status, code), count


def _table(counts: Counter[tuple[str, str]]) -> Table:
    rows = sorted({row for row, _ in counts}, key=_order)
    columns = sorted({column for _, column in counts}, key=_order)
    return Table(columns, {row: [counts[row, column] for column in columns] for row in rows})


def _order(name: str) -> tuple[int, str]:
    """Places in the order in which clients come to them, all else by name."""
    return (_PLACES.index(name), "") if name in _PLACES else (len(_PLACES), name)
