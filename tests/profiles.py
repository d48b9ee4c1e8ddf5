"""How much is tried: by default what a change can wait for, and by `make test-thorough` all there is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

FEW = 100
"""Examples of a property that says nothing else, in the profile that is loaded by default."""


def examples(count: int, **options: Any) -> settings:
    """Return settings with a number of examples of one's own.

    Args:
        count: how many by default; a profile with more than `FEW` takes more in proportion.
        options: whatever else `hypothesis.settings` takes.
    """
    return settings(max_examples=count * settings().max_examples // FEW, **options)


def few(values: Iterable[Any], *chosen: Any) -> list[Any]:
    """Return all values of a parameter, of which those that are not chosen are left to `make test-thorough`.

    Args:
        values: all of them; each a tuple where the test has several parameters.
        chosen: those that are tried by default.

    Raises:
        ValueError: one is chosen that is not among the values.
    """
    every = list(values)
    if strangers := [value for value in chosen if value not in every]:
        raise ValueError(f"not among the values: {strangers}")
    return [value if value in chosen else _thorough(value) for value in every]


def _thorough(value: Any) -> Any:
    parameters = value if isinstance(value, tuple) else (value,)
    return pytest.param(*parameters, marks=pytest.mark.thorough)
