"""Choosing among rules, a server's or a client's: by id, by group, or by a pattern with stars."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol, TypeVar

from bluehour.mock_server.core.wildcard import with_stars


class Choice(Protocol):
    """What can be chosen."""

    @property
    def id(self) -> str:
        """Its name, such as `credits.price`."""

    @property
    def group(self) -> str:
        """The first part of its id."""


_Rule = TypeVar("_Rule", bound=Choice)


def matching(pattern: str, rules: Iterable[_Rule]) -> Iterator[_Rule]:
    """Yield the rules that an id, a group or a pattern names: `credits.price`, `auth`, `*.expiry`."""
    fits = with_stars(pattern)
    return (each for each in rules if pattern == each.group or fits(each.id))


def selected(
    rules: Collection[_Rule], only: Collection[str], skip: Collection[str], command: str
) -> tuple[_Rule, ...]:
    """Return the rules that patterns choose, in their order; a pattern may be several with commas.

    Args:
        rules: all that there are.
        only: of them; all where it is empty.
        skip: and not these.
        command: whose `--rules` lists them.

    Raises:
        ValueError: a pattern names no rule, or none is left; the message says what to do, in one line.
    """
    wanted = set(_named(only, rules, command)) if only else {each.id for each in rules}
    unwanted = set(_named(skip, rules, command))
    chosen = tuple(each for each in rules if each.id in wanted - unwanted)
    if not chosen:
        raise ValueError(f"no rule is left to judge; {command} --rules lists them")
    return chosen


def patterns_in(given: Iterable[str]) -> Iterator[str]:
    """Yield the patterns that are given, each of which may be several with commas."""
    return (part.strip() for each in given for part in each.split(","))


def _named(patterns: Collection[str], rules: Collection[_Rule], command: str) -> Iterator[str]:
    for pattern in patterns_in(patterns):
        found = [each.id for each in matching(pattern, rules)]
        if not found:
            raise ValueError(f"there is no rule {pattern}; {command} --rules lists them")
        yield from found
