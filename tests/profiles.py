"""How many examples a property is tried with, in whichever profile of `conftest` is loaded."""

from __future__ import annotations

from typing import Any

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
