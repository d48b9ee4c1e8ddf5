"""The values in a body, by the paths that lead to them."""

from __future__ import annotations

from typing import Any

ITEMS = "[]"
"""In the path of a field: each item of a list."""


def value_at(body: Any, path: tuple[str, ...]) -> Any:
    """Return a body's field, or None where a step of the path is missing."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def values_at(body: Any, path: tuple[str, ...]) -> list[Any]:
    """Return all that a body has at a path, which may lead through lists by `ITEMS`."""
    return [value for _, value in places_at(body, path)]


def places_at(body: Any, path: tuple[str, ...]) -> list[tuple[tuple[str | int, ...], Any]]:
    """Return the same with where each is: the names, and in lists the numbers, that lead to it."""
    found: list[tuple[tuple[str | int, ...], Any]] = [((), body)]
    for name in path:
        if name == ITEMS:
            lists = [(at, value) for at, value in found if isinstance(value, list)]
            found = [((*at, number), item) for at, value in lists for number, item in enumerate(value)]
        else:
            objects = [(at, value) for at, value in found if isinstance(value, dict) and name in value]
            found = [((*at, name), value[name]) for at, value in objects]
    return [each for each in found if each[1] is not None]
