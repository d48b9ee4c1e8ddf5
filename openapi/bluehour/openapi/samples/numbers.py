"""Numbers within bounds, in steps, in exact arithmetic: 0.01 is a hundredth, as it is written."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

_MANY = 80
_LOW: dict[str, Callable[[Any, Any], bool]] = {"minimum": operator.ge, "exclusiveMinimum": operator.gt}
_HIGH: dict[str, Callable[[Any, Any], bool]] = {"maximum": operator.le, "exclusiveMaximum": operator.lt}
_KEEPS = _LOW | _HIGH


def numbers(shape: dict[str, Any], *, whole: bool) -> Iterator[float]:
    """Yield numbers that are legal under a plain schema, small and round ones first."""
    limits = {key: Fraction(str(shape[key])) for key in (*_LOW, *_HIGH, "multipleOf") if key in shape}
    low = max((limits[key] for key in _LOW if key in limits), default=None)
    high = min((limits[key] for key in _HIGH if key in limits), default=None)
    step = limits.pop("multipleOf", Fraction(0))
    if whole:
        step = Fraction(step.numerator or 1)  # what 1 and p/q both divide, p does
    legal = [
        number
        for number in dict.fromkeys(_drawn(low, high, step))
        if not (step and number % step) and all(_KEEPS[key](number, limits[key]) for key in limits)
    ]
    # Readers that divide floats, as most do, take the multiples first that such a division leaves whole.
    legal.sort(key=lambda number: step > 0 and not (_plain(number) / _plain(step)).is_integer())
    yield from map(_plain, legal)


def _drawn(low: Fraction | None, high: Fraction | None, step: Fraction) -> Iterator[Fraction]:
    yield from (Fraction(1),) if step else (Fraction(3, 2), Fraction(1))
    if low is not None and high is not None and not step:
        yield (low + high) / 2
        yield from (low + (high - low) * part / _MANY for part in range(_MANY + 1))
    stride = step or Fraction(1)
    if low is None and high is not None:
        yield from (stride * (math.floor(high / stride) - number) for number in range(_MANY))
    first = 1 if low is None else math.ceil(low / stride)
    yield from (stride * (first + number) for number in range(_MANY))
    yield from (Fraction(0), -stride)


def _plain(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)
