"""Which of the journal's entries a caller wants to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..core.wildcard import with_stars
from ..core.world import World
from .entry import Entry
from .judging import faults_of, warnings_of

Predicate = Callable[[Entry], bool]


def filter_of(parameters: Mapping[str, Any], world: World) -> Predicate:
    """Return a function that tells whether an entry fits every parameter that was given."""
    wanted = [
        predicate(value)
        for name, predicate in _PREDICATES.items()
        if (value := parameters.get(name)) is not None
    ]
    if (token := parameters.get("token")) is not None:
        wanted.append(_account(world.account_id_of(token)))
    return lambda entry: all(fits(entry) for fits in wanted)


def _operation(name: str) -> Predicate:
    return lambda entry: entry.operation_id == name


def _method(name: str) -> Predicate:
    return lambda entry: entry.method == name.upper()


def _path(pattern: str) -> Predicate:
    fits = with_stars(pattern)
    return lambda entry: fits(entry.path)


def _status(text: str) -> Predicate:
    if text[1:].lower() == "xx":
        return lambda entry: entry.status // 100 == int(text[0])
    return lambda entry: entry.status == int(text)


def _account(account_id: str | None) -> Predicate:
    return lambda entry: entry.account_id == account_id


def _project(project_id: str) -> Predicate:
    return lambda entry: entry.note.get("project") == project_id


def _faulty(wanted: bool) -> Predicate:
    return lambda entry: bool(faults_of(entry)) is wanted


def _warned(wanted: bool) -> Predicate:
    return lambda entry: bool(warnings_of(entry)) is wanted


def _broken(wanted: bool) -> Predicate:
    return lambda entry: bool(entry.broken) is wanted


def _after(number: int) -> Predicate:
    return lambda entry: entry.id > number


_PREDICATES: Mapping[str, Callable[[Any], Predicate]] = {
    "after": _after,
    "operation": _operation,
    "method": _method,
    "path": _path,
    "status": _status,
    "account": _account,
    "project": _project,
    "broken": _broken,
    # Last, as they take the longest.
    "faulty": _faulty,
    "warned": _warned,
}
