"""Words that match a regular expression, short and readable where it leaves the choice."""

from __future__ import annotations

import random
import re
import string
import warnings
from collections.abc import Iterator
from itertools import chain, product
from typing import Any

import rstr

_EASY = string.ascii_letters + string.digits
_READABLE = _EASY + string.punctuation + " éд日"  # beyond ASCII for patterns that ask for it
_LONGEST = 100_000


def words(pattern: str, low: int) -> Iterator[str]:
    """Yield words that likely match, the same ones every time, some with at least `low` characters."""
    repeats = dict.fromkeys((max(low, 3), 1, 8, 30, *range(low, max(low - 12, 0), -1)))
    for number, (_, most, exactly) in enumerate(product(range(8), repeats, (False, True))):
        try:
            with warnings.catch_warnings(action="ignore"):
                word = _Words(number, most, exactly).xeger(_for_python(pattern))
        except (re.error, ValueError, LookupError, TypeError, OverflowError, RecursionError):
            return  # the pattern is beyond rstr
        padding = _EASY[number % len(_EASY)] * max(1, low - len(word))
        yield from (word, word + padding, padding + word)


class _Words(rstr.Rstr):
    """Draws a word by a number; rstr itself draws long ones, and from sets whose order is no one's choice."""

    def __init__(self, number: int, most: int, exactly: bool) -> None:
        super().__init__(random.Random(number), printable=_EASY)  # noqa: S311 - to be repeatable, not secret
        self._most = most
        self._exactly = exactly
        self._left = _LONGEST
        self._cases = {**self._cases, "not_literal": lambda code: self._choice({chr(code)}, negated=True)}
        if number % 4 != 1:  # what a lookahead asks for stands in the words that follow, most often
            self._cases["assert"] = lambda _: ""

    def _handle_in(self, value: Any) -> str:
        states = [self._handle_state(state) for state in value]
        negated = states[0] == [False]
        return self._choice(set(chain.from_iterable(states[1:] if negated else states)), negated=negated)

    def _choice(self, named: set[str], *, negated: bool) -> str:
        choices = [char for char in _READABLE if (char in named) != negated]
        easy = [char for char in choices if char in _EASY]
        return self._random.choice(easy or choices or sorted(named))

    def _handle_repeat(self, start_range: int, end_range: int, value: Any) -> str:
        most = int(min(end_range, max(start_range, self._most)))
        times = most if self._exactly else self._random.randint(start_range, most)
        self._left -= times
        if self._left < 0:
            raise ValueError("the pattern asks for more than a readable word")
        return "".join(self._handle_state(state) for _ in range(times) for state in value)


def _for_python(pattern: str) -> str:
    """Spell an ECMA pattern for Python, near enough to draw words from."""
    classes = {"L": r"\w", "N": r"\d"}
    for_python = re.sub(r"\\p\{(\w)\w*\}", lambda found: classes.get(found[1], r"\W"), pattern)
    return for_python.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
