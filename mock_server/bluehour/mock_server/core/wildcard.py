"""Patterns as people type them: `*` stands for anything, everything else for itself."""

from __future__ import annotations

from collections.abc import Callable


def with_stars(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a whole text fits a pattern, in time that grows with the text.

    A regular expression would try every place for every star.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return lambda text: text == pattern
    *inner, last = rest

    def fits(text: str) -> bool:
        place, end = len(first), len(text) - len(last)
        if place > end or not (text.startswith(first) and text.endswith(last)):
            return False
        for piece in inner:  # the first place where a piece is leaves most room for the next ones
            found = text.find(piece, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return True

    return fits
