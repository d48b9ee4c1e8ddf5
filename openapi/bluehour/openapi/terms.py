"""An operation's terms: what a request means, costs and makes, and what of it is not offered.

All of it is in the contract's x- keys; see the head of `magic_hour.yaml`. What a schema can say, it says:
the terms are what depends on several fields, or on the plan of who asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from .amounts import PLAN, chosen_by, is_number, key_of, value_of
from .model import Operation
from .outputs import Output, output_of
from .values import value_at
from .wording import counted, field_name

_RANGE = re.compile(r"(\d{1,15})\.\.(\d{1,15})", re.ASCII)
"""Any whole number from one to another, in a list of what is allowed."""

_of_operations = lru_cache(maxsize=1024)
"""Remembers what was found out of an operation; those of a contract that was edited are let go in time."""


@dataclass(frozen=True, slots=True)
class Objection:
    """What of a legal request is not offered.

    Attributes:
        message: what is wrong, and what would be right.
        is_of_plan: whether another plan would do.
    """

    message: str
    is_of_plan: bool = False


def meant(operation: Operation, body: Mapping[str, Any], plan: str) -> dict[str, Any]:
    """Return a copy of a request body as it is meant: with defaults, and words that stand for other values.

    Args:
        operation: whose.
        body: legal by its schema.
        plan: of the account: some defaults depend on it.
    """
    request = operation.with_defaults(dict(body))
    _replace_words(operation, request, plan)
    for path, amount in operation.annotated("x-default"):
        if value_at(request, path) is None:
            _put(request, path, value_of(amount, request, plan))
    _replace_words(operation, request, plan)
    return request


@_of_operations
def is_simple(operation: Operation) -> bool:
    """Tell whether all of its requests cost and make the same, and all that is legal is offered."""
    rules = ("x-default", "x-means", "x-allowed", "x-plan-needed", "x-required-if", "x-most-items")
    return (
        always_makes_the_same(operation)
        and not depends_on_request(operation)
        and not any(operation.annotated(rule) for rule in rules)
    )


@_of_operations
def takes_all(operation: Operation) -> bool:
    """Tell whether all that is legal is offered, on every plan, and at one price."""
    return is_simple(operation) and not operation.annotated("x-plan-limit")


def output(operation: Operation, request: Mapping[str, Any], plan: str) -> Output:
    """Return what an operation makes of a request, as `meant` returns it."""
    return output_of(operation.node.get("x-output", {}), request, plan)


def price(
    operation: Operation, request: Mapping[str, Any], plan: str, made: Output | None = None
) -> int | None:
    """Return the credits that a request costs; None where the contract has no price for such a one.

    Args:
        operation: what is asked for.
        request: as `meant` returns it.
        plan: of the account.
        made: what has really been made, if it is known; else what is asked for counts.
    """
    table = operation.node.get("x-credits", 0)
    if not isinstance(table, dict):
        return int(table)
    rate = value_of(table["rate"], request, plan)
    if "of" in table:
        count = value_of(table["of"], request, plan)
    else:
        count = _COUNTS[table["per"]](made or output(operation, request, plan))
    if (
        not is_number(rate)
        or not is_number(count)
        or count < 0
        or not is_number(credits := float(rate) * count)
    ):
        return None
    return max(int(table.get("minimum", 0)), _rounded_up(credits))


def possible_prices(operation: Operation, body: Mapping[str, Any], plans: Iterable[str]) -> list[int]:
    """Return what a legal body may cost, on one of several plans or another, the least first."""
    found = {price(operation, meant(operation, body, plan), plan) for plan in plans}
    return sorted(each for each in found if each is not None)


def always_makes_the_same(operation: Operation) -> bool:
    """Tell whether no request changes what kind of files it makes, and how many: it makes one picture."""
    return "x-output" not in operation.node


@_of_operations
def usual_price(operation: Operation) -> int:
    """Return what the cheapest published example of an operation's requests costs, in credits."""
    media = operation.json_body
    bodies = [each for each in (media.examples if media else ()) if isinstance(each, dict)] or [{}]
    prices = (price(operation, meant(operation, body, ""), "") for body in bodies)
    return min((each for each in prices if each is not None), default=0)


def settled_price(operation: Operation, request: Mapping[str, Any], plan: str, made: Output) -> int | None:
    """Return what a job costs once it is known what it made, where its price is settled then; else None.

    It is never more than was charged: what is not made is given back.
    """
    if not settles(operation):
        return None
    charged, really = price(operation, request, plan), price(operation, request, plan, made)
    return None if charged is None or really is None or really >= charged else really


def depends_on_request(operation: Operation) -> bool:
    """Tell whether its price depends on what is asked for."""
    return isinstance(operation.node.get("x-credits"), dict)


def settles(operation: Operation) -> bool:
    """Tell whether its price is an estimate, until it is known what has been made."""
    table = operation.node.get("x-credits")
    return isinstance(table, dict) and table.get("settles") is True


def really_made(asked: Output, seconds: float | None, fps: float | None) -> Output:
    """Return what is made of a source: no more than is left of it, and with no more frames in a second.

    Args:
        asked: what the request wants.
        seconds: how long the source plays, if that is known.
        fps: its frames in a second, likewise.
    """
    if asked.start is None:  # it is no part of a source
        return asked
    left = None if seconds is None else max(0.0, seconds - asked.start)
    return replace(asked, seconds=_least(asked.seconds, left), fps=_least(asked.fps, fps))


def objections(
    operation: Operation, request: Mapping[str, Any], plan: str, plans: Mapping[str, Mapping[str, int]]
) -> Iterator[Objection]:
    """Yield what of a request is not offered, so that it can't be taken though it is legal by its schema.

    Args:
        operation: what is asked for.
        request: as `meant` returns it.
        plan: of the account.
        plans: the limits of all plans, from the least plan on: the contract's `x-plans`.
    """
    yield from _above_plan(operation, request, plan, plans.get(plan, {}))
    if is_simple(operation):
        return
    yield from _missing(operation, request)
    yield from not_allowed(operation, request, plan)
    yield from _too_many(operation, request, plan)
    yield from _of_other_plans(operation, request, plan, list(plans))
    yield from _wrong_lengths(operation, request, plan)


def _above_plan(
    operation: Operation, request: Mapping[str, Any], plan: str, limits: Mapping[str, int]
) -> Iterator[Objection]:
    for path, limit_name in operation.annotated("x-plan-limit"):
        asked, limit = value_at(request, path), limits.get(limit_name)
        if is_number(asked) and limit is not None and asked > limit:
            message = f"{field_name(path)} must be at most {limit} on the {plan} plan"
            yield Objection(f"{message}. Please upgrade your plan for {asked}", is_of_plan=True)


def _missing(operation: Operation, request: Mapping[str, Any]) -> Iterator[Objection]:
    for path, conditions in operation.annotated("x-required-if"):
        for field, value in conditions.items():
            values = value if isinstance(value, list) else [value]
            there = value_at(request, tuple(field.split(".")))
            if there in values and value_at(request, path) is None:
                yield Objection(f"Missing {field_name(path)}: it is needed where {field} is {there}")


def not_allowed(operation: Operation, request: Mapping[str, Any], plan: str) -> Iterator[Objection]:
    """Yield which values of a request other values of it do not allow; what it leaves out, allows all."""
    for path, amount in operation.annotated("x-allowed"):
        value, allowed = value_at(request, path), value_of(amount, request, plan)
        if value is None or not isinstance(allowed, list):
            continue
        if not any(_is_in(each, value) for each in allowed):
            where = _where(amount, request, plan)
            known = ", ".join(key_of(each).replace("..", " to ") for each in allowed)
            if known:
                yield Objection(f"{field_name(path)} can't be {key_of(value)}{where}; allowed: {known}")
            else:
                yield Objection(f"{field_name(path)} can't be given{where}")


def _too_many(operation: Operation, request: Mapping[str, Any], plan: str) -> Iterator[Objection]:
    for path, amount in operation.annotated("x-most-items"):
        items, most = value_at(request, path), value_of(amount, request, plan)
        if isinstance(items, list) and is_number(most) and len(items) > most:
            where = _where(amount, request, plan)
            yield Objection(f"{field_name(path)} may have at most {counted(most, 'item')}{where}")


def _of_other_plans(
    operation: Operation, request: Mapping[str, Any], plan: str, plans: Sequence[str]
) -> Iterator[Objection]:
    for path, amount in operation.annotated("x-plan-needed"):
        value, needed = value_at(request, path), value_of(amount, request, plan)
        if value is None or needed not in plans or plan not in plans:
            continue
        if plans.index(needed) > plans.index(plan):
            message = f"{field_name(path)} {key_of(value)} needs the {needed} plan or a higher one"
            yield Objection(f"{message}; this account has the {plan} plan", is_of_plan=True)


def _wrong_lengths(operation: Operation, request: Mapping[str, Any], plan: str) -> Iterator[Objection]:
    made = output(operation, request, plan)
    if made.seconds is not None and made.seconds <= 0:
        yield Objection("The end must be later than the start: nothing is left between them")
    elif made.seconds and made.most_seconds and made.seconds > made.most_seconds:
        yield Objection(f"It may last at most {made.most_seconds:g} seconds, not {made.seconds:g}")
    elif price(operation, request, plan) is None:
        yield Objection("This combination of values is not offered")


_COUNTS: Mapping[str, Callable[[Output], float | None]] = {
    "image": lambda made: made.count,
    "second": lambda made: made.seconds,
    "frame": lambda made: None if made.seconds is None or made.fps is None else made.seconds * made.fps,
}
"""How many of what a price is for, by its `per`."""


def _where(amount: Any, request: Mapping[str, Any], plan: str) -> str:
    """Say which fields' values a rule is about."""
    about = [f"{name} {key_of(value)}" for name, value in chosen_by(amount, request, plan) if name != PLAN]
    return f" with {' and '.join(about)}" if about else ""


def _replace_words(operation: Operation, request: dict[str, Any], plan: str) -> None:
    for path, words in operation.annotated("x-means"):
        word = value_at(request, path)
        if isinstance(word, str) and word in words:
            _put(request, path, value_of(words[word], request, plan))


def _put(request: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a field of an object that is there."""
    parent = value_at(request, path[:-1])
    if isinstance(parent, dict) and value is not None:
        parent[path[-1]] = value


def _is_in(allowed: Any, value: Any) -> bool:
    found = _RANGE.fullmatch(allowed) if isinstance(allowed, str) else None
    if found and is_number(value):
        return bool(int(found[1]) <= value <= int(found[2]) and value == int(value))
    return bool(allowed == value)


def _least(asked: float | None, there: float | None) -> float | None:
    return asked if asked is None or there is None else min(asked, there)


def _rounded_up(credits: float) -> int:
    """Round up, but for what is only a float's own fault: 0.05 times 60 is 3."""
    return math.ceil(round(credits, 6))
