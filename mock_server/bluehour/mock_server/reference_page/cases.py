"""What depends on a request, for a person to read: the contract's amounts as cases, in words or as a table.

Words have names and values in backticks, as a description has them. Whatever is no amount, as a stranger's
x- keys may hold, is shown as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from bluehour.openapi.amounts import PLAN, is_number, key_of

from .rules import any_of, compact, mapping

TIMES, MINUS = " \N{MULTIPLICATION SIGN} ", " \N{MINUS SIGN} "

_NOTHING = "\N{EN DASH}"
_ANY = "any"
_OTHERS = "any other"

_MOST_CASES = 400
"""Cases of one amount."""

_MOST_COLUMNS = 8

_Labels = tuple[tuple[str | None, ...], ...]
"""Of each field the values that a row is about: None for all that have no row, nothing where any is meant."""


@dataclass(frozen=True, slots=True)
class Case:
    """A value, and when it is that: by field what it has then, None for any other than those listed."""

    when: Mapping[str, str | None]
    value: Any


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        heads: what its columns are called.
        rows: their cells.
        names: how many cells of each row, from the first on, say what it is about.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int


class Formula(str):
    """An amount that only a request gives a value, in words."""


def code(value: Any) -> str:
    """Return a name or a value as code."""
    return f"`{str(value).replace('`', '')}`"


def shown(value: Any) -> str:
    """Return an amount without cases, for a person."""
    if isinstance(value, Formula):
        return value
    if is_number(value):
        return f"{value:,g}" if abs(value) < 1_000_000 else f"{value}"
    return code(key_of(value) if isinstance(value, str | bool) else compact(value))


def cases_of(amount: Any) -> list[Case]:
    """Return all values that an amount may have, in the contract's order."""
    return list(islice(_cases(amount), _MOST_CASES))


def _cases(amount: Any) -> Iterator[Case]:
    if not isinstance(amount, dict) or not amount:
        yield Case({}, amount)
    elif "by" in amount and mapping(amount.get("of")):
        yield from _listed(str(amount["by"]), amount["of"], amount)
    elif "field" in amount:
        yield Case({}, Formula(code(amount["field"])))
    elif "characters" in amount:
        yield Case({}, Formula(f"the number of characters of {code(amount['characters'])}"))
    else:
        yield from _calculated(amount)


def _listed(field: str, values: Mapping[str, Any], amount: Mapping[str, Any]) -> Iterator[Case]:
    if "else" not in amount and all(key == value for key, value in values.items()):
        yield Case({}, Formula(code(field)))
        return
    found: list[tuple[str | None, Any]] = list(values.items())
    if "else" in amount:
        found.append(("false" if list(values) == ["true"] else None, amount["else"]))
    for key, inner in found:
        for case in _cases(inner):
            yield Case({field: key, **case.when}, case.value)


def _calculated(amount: Mapping[str, Any]) -> Iterator[Case]:
    word, operands = next(iter(amount.items()))
    if word not in _CALCULATIONS or not isinstance(operands, list):
        yield Case({}, amount)
        return
    for parts in islice(product(*(cases_of(each) for each in operands)), _MOST_CASES):
        when: dict[str, str | None] = {}
        if all(when.setdefault(field, key) == key for part in parts for field, key in part.when.items()):
            yield Case(when, _calculation(word, [part.value for part in parts]))


def _calculation(word: str, values: Sequence[Any]) -> Any:
    calculate, words = _CALCULATIONS[word]
    if values and all(map(is_number, values)):
        return calculate(values)
    return Formula(words([shown(value) for value in values]))


_CALCULATIONS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Sequence[str]], str]]] = {
    "product": (math.prod, TIMES.join),
    "difference": (lambda values: values[0] - sum(values[1:]), MINUS.join),
    "smallest": (min, lambda values: f"the smaller of {' and '.join(values)}"),
}
"""How numbers come together, and how it is said of what is not known yet, by an amount's word."""


# --- in words -----------------------------------------------------------------------------------------------


def in_words(cases: Sequence[Case], show: Callable[[Any], str] = shown) -> str:
    """Return cases as a line: `480p` on the `free` plan; else `720p`.

    Args:
        cases: as `cases_of` returns them.
        show: how a value is told.
    """
    fields = _fields(cases)
    clauses = [_clause(value, fields, labels) for labels, (value,) in _rows(cases, fields, show)]
    if len(fields) == 1:  # named once is enough
        clauses[1:] = [clause.replace(f" with {code(fields[0])} ", " with ", 1) for clause in clauses[1:]]
    return "; ".join(clauses)


def _clause(value: str, fields: Sequence[str], labels: _Labels) -> str:
    known = [(field, keys) for field, keys in zip(fields, labels, strict=True) if keys]
    named = {field: any_of([code(key) for key in keys if key is not None]) for field, keys in known}
    plan, others = named.pop(PLAN, ""), [f"{code(field)} {keys}" for field, keys in named.items() if keys]
    parts = [
        "else" if any(None in keys for _, keys in known) else "",
        value,
        f"on the {plan} plan" if plan else "",
        f"with {' and '.join(others)}" if others else "",
    ]
    return " ".join(filter(None, parts))


# --- as a table ---------------------------------------------------------------------------------------------


def grid(
    cases: Sequence[Case],
    head: str,
    show: Callable[[Any], str] = shown,
    order: Callable[[str], Sequence[str]] = lambda field: (),
) -> Grid:
    """Return cases as a table: the last field that all of them name is across, all others are down.

    Args:
        cases: as `cases_of` returns them.
        head: what the values are called, where no field is across.
        show: how a value is told.
        order: returns a field's values, as far as they are known, in the order of columns.
    """
    fields = _fields(cases)
    across = next((one for one in reversed(fields[1:]) if all(one in each.when for each in cases)), None)
    columns = _columns(cases, across, order) if across else [None]
    if len(columns) > _MOST_COLUMNS:
        across, columns = None, [None]
    down = [field for field in fields if field != across]
    rows = _rows(cases, down, show, across, columns)
    return Grid(
        (*map(_head, down), *([_label((key,)) for key in columns] if across else [head])),
        tuple((*map(_label, labels), *cells) for labels, cells in rows),
        len(down),
    )


def _columns(cases: Sequence[Case], across: str, order: Callable[[str], Sequence[str]]) -> list[str | None]:
    there = dict.fromkeys(each.when[across] for each in cases)
    known = [key for key in order(across) if key in there]
    return [*known, *(key for key in there if key not in known)]


def _head(field: str) -> str:
    return "plan" if field == PLAN else code(field)


def _label(keys: tuple[str | None, ...]) -> str:
    return ", ".join(_OTHERS if key is None else code(key) for key in keys) or _ANY


def _fields(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(field for case in cases for field in case.when))


_Rows = list[tuple[_Labels, tuple[str, ...]]]
"""What each row is about, and its cells."""


def _rows(
    cases: Sequence[Case],
    down: Sequence[str],
    show: Callable[[Any], str],
    across: str | None = None,
    columns: Sequence[str | None] = (None,),
) -> _Rows:
    """Return the rows of a table with fields down and one across, or with a column of values in its place."""
    found: dict[_Labels, dict[str | None, str]] = {}
    for case in cases:
        labels: _Labels = tuple((case.when[field],) if field in case.when else () for field in down)
        found.setdefault(labels, {})[case.when[across] if across else None] = show(case.value)
    rows = [(labels, tuple(by.get(key, _NOTHING) for key in columns)) for labels, by in found.items()]
    for index in range(len(down)):
        rows = _merged(rows, index)
    return rows


def _merged(rows: _Rows, index: int) -> _Rows:
    """Return rows of which those that differ in one field's value only are one."""
    groups: dict[Any, list[str | None]] = {}
    for labels, cells in rows:
        keys = labels[index]
        # What is meant by "any other" and by "any" stays apart, at its place behind what is listed.
        kind = keys if keys in ((), (None,)) else "listed"
        groups.setdefault((labels[:index], labels[index + 1 :], cells, kind), []).extend(keys)
    return [((*before, tuple(keys), *after), cells) for (before, after, cells, _), keys in groups.items()]


def numbers_in(cases: Sequence[Case]) -> list[float]:
    """Return the numbers among the values."""
    return [case.value for case in cases if is_number(case.value)]
