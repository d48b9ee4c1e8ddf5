"""The rules of a field that depend on other fields or on the plan, for a person: what its x- keys say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .cases import Grid, cases_of, code, grid, in_words, shown
from .rules import Node, any_of, listing, mapping

_LONGEST = 140
"""Characters of a rule that is told in a line; a longer one is a table."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule.

    Attributes:
        words: all of it; where it is long, what the table is about.
        table: the cases of a long one.
    """

    words: str
    table: Grid | None = None


def conditions(node: Node) -> Iterator[Condition]:
    """Yield the rules of a field that its x- keys say."""
    if "x-default" in node:
        yield _condition(node["x-default"], "default", "Default", shown)
    for meaning, names in _meanings(mapping(node.get("x-means"))):
        yield Condition(f"{', '.join(names)} mean{'s' if len(names) == 1 else ''} {meaning}")
    if "x-allowed" in node:
        yield _condition(node["x-allowed"], "", "Allowed values", _allowed, _only)
    if "x-most-items" in node:
        yield _condition(node["x-most-items"], "at most", "Most items", lambda most: f"{shown(most)} items")
    if "x-plan-needed" in node:
        yield _condition(node["x-plan-needed"], "plan:", "Plan", lambda plan: f"{shown(plan)} or higher")
    if needed := mapping(node.get("x-required-if")):
        yield Condition(f"required with {any_of([_having(field, each) for field, each in needed.items()])}")


def _condition(
    amount: Any,
    words: str,
    title: str,
    show: Callable[[Any], str],
    show_in_words: Callable[[Any], str] | None = None,
) -> Condition:
    """Return a rule in words that begin so, or as a table with that title."""
    cases = cases_of(amount)
    line = f"{words} {in_words(cases, show_in_words or show)}".strip()
    table = grid(cases, title, show)
    if len(line) <= _LONGEST or not table.names:
        return Condition(line)
    return Condition(f"{title} by {', '.join(table.heads[: table.names])}", table)


def _meanings(words: Node) -> Iterator[tuple[str, list[str]]]:
    """Yield what words stand for, and which do."""
    meanings: dict[str, list[str]] = {}
    for word, amount in words.items():
        meanings.setdefault(in_words(cases_of(amount)), []).append(code(word))
    yield from meanings.items()


def _only(allowed: Any) -> str:
    return "not" if allowed == [] else f"only {_allowed(allowed)}"


def _allowed(allowed: Any) -> str:
    """Return a list of allowed values, in which `a..b` is any whole number from a to b."""
    return any_of([_range(each) for each in listing(allowed)]) if allowed else "none: leave it out"


def _range(value: Any) -> str:
    return value.replace("..", " to ") if isinstance(value, str) and ".." in value else shown(value)


def _having(field: str, values: Any) -> str:
    return f"{code(field)} {any_of([shown(each) for each in listing(values) or [values]])}"
