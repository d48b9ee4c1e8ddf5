"""A baseline: findings that are accepted for now, each with the reason and the day on which that ends."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from .rules import ALL_RULES

_KEYS = ("rule", "operation", "reason", "until")
_HEAD = "# Findings of bluehour check that are accepted for now, each until a day: say why in its reason.\n"

_NEW_LASTS = timedelta(days=90)
_NO_REASON = "not looked into yet"

_Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That a rule is known to be broken at an operation.

    Attributes:
        rule: its id.
        operation: as reports name it.
        reason: why that is accepted.
        until: the last day on which it is.
    """

    rule: str
    operation: str
    reason: str
    until: date

    def __str__(self) -> str:
        """Tell it: `accepted until 2027-03-31: the gateway is replaced in spring`."""
        return f"accepted until {self.until}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is accepted, one entry for a rule at an operation."""

    entries: tuple[Acceptance, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """Read a baseline: YAML, a list of entries.

        Raises:
            ValueError: it is none; the message says what is wrong, in one line.
        """
        try:
            items = yaml.safe_load(file.read_bytes())
        except OSError as error:
            raise ValueError(f"--baseline: {file} can't be read: {error.strerror}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise ValueError(f"--baseline: {file} is no YAML: {' '.join(str(error).split())}") from error
        try:
            return cls(tuple(_entries(items)))
        except ValueError as error:
            raise ValueError(f"--baseline: {file} {error}") from error

    def accepts(self, rule_id: str, operation: str, today: date) -> Acceptance | None:
        """Return the entry by which a finding is accepted today; None where there is none."""
        entry = self._of(rule_id, operation)
        return entry if entry and today <= entry.until else None

    def remarks(self, broken: Collection[_Place], kept: Collection[_Place], today: date) -> Iterator[str]:
        """Say which entries are over, and which are for nothing.

        Args:
            broken: the ids of rules that were found broken, each with the operation.
            kept: those that were found kept.
            today: the day.
        """
        for entry in self.entries:
            place = (entry.rule, entry.operation)
            if place in broken and today > entry.until:
                yield f"The baseline accepts {' at '.join(place)} until {entry.until}, which is over."
            elif place in kept and place not in broken:
                yield f"The baseline accepts {' at '.join(place)}, which is kept now: take it out."

    def renewed(self, broken: Iterable[_Place], kept: Collection[_Place], today: date) -> Baseline:
        """Return what accepts whatever is broken, by its rule's id and the operation.

        Entries keep their reasons, and their days if these are not over. One of which nothing was seen stays.
        """
        found = dict.fromkeys(broken)
        unseen = [each for each in self.entries if (each.rule, each.operation) not in {*found, *kept}]
        return Baseline((*(self._renewed(*place, today) for place in found), *unseen))

    def _renewed(self, rule_id: str, operation: str, today: date) -> Acceptance:
        known = self._of(rule_id, operation)
        until = known.until if known and today <= known.until else today + _NEW_LASTS
        return Acceptance(rule_id, operation, known.reason if known else _NO_REASON, until)

    def text(self) -> str:
        """Return it as a file's content."""
        entries = [{key: getattr(each, key) for key in _KEYS} for each in self.entries]
        return _HEAD + yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=110)

    def _of(self, rule_id: str, operation: str) -> Acceptance | None:
        place = (rule_id, operation)
        return next((each for each in self.entries if (each.rule, each.operation) == place), None)


def _entries(items: Any) -> Iterator[Acceptance]:
    entries = items if isinstance(items, list) else None
    if entries is None:
        raise ValueError("is no list of entries")
    for number, item in enumerate(entries, 1):
        try:
            yield _entry(item)
        except ValueError as error:
            raise ValueError(f"has in entry {number} {error}") from error


def _entry(item: Any) -> Acceptance:
    if not isinstance(item, Mapping) or set(item) != set(_KEYS):
        raise ValueError(f"other keys than {', '.join(_KEYS[:-1])} and {_KEYS[-1]}")
    for key in ("operation", "reason"):
        if not isinstance(item[key], str) or not item[key].strip():
            raise ValueError(f"no {key}")
    if type(item["until"]) is not date:
        raise ValueError(f"until {item['until']}, which is no day, as 2027-03-31 is")
    rules = [each.id for each in ALL_RULES]
    if item["rule"] not in rules:
        near = difflib.get_close_matches(f"{item['rule']}", rules, 1, 0)
        raise ValueError(f"the rule {item['rule']}, which there is not; the nearest is {near[0]}")
    return Acceptance(*(item[key] for key in _KEYS))
