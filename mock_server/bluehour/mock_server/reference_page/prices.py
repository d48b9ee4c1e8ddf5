"""An operation's price, for a person: what its table says, and what a request costs on each plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bluehour.openapi import terms
from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted

from .cases import TIMES, Case, Grid, code, grid, in_words, numbers_in, shown
from .offers import offered, values_of
from .rules import any_of

Plans = Mapping[str, Mapping[str, Any]]
"""The contract's plans with their limits, from the least on; none where it has none."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an operation costs.

    Attributes:
        short: all of it, or its range: `10 credits`, `24 to 288 credits a second`.
        words: the rest, a sentence each.
        table: what depends on the request.
    """

    short: str
    words: tuple[str, ...] = ()
    table: Grid | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request costs: its credits, or what of it is not offered."""

    credits: int | None
    objections: tuple[str, ...] = ()


def price_of(operation: Operation) -> Price | None:
    """Return an operation's price; None where the contract has none."""
    said = operation.node.get("x-credits")
    if said is None:
        return None
    if not isinstance(said, dict):
        return Price(counted(int(said), "credit") if said else "free")
    cases = offered(operation, said["rate"])
    table = grid(cases, "Credits", order=lambda field: list(values_of(operation)(field)))
    unit = f"{'an' if said['per'] == 'image' else 'a'} {said['per']}"
    return Price(
        f"{_range(numbers_in(cases))} {unit}",
        tuple(_words(said, operation.node.get("x-output", {}), partial(offered, operation))),
        table if table.names else None,
    )


def _range(rates: list[float]) -> str:
    least, most = min(rates), max(rates)
    if least != most:
        return f"{shown(least)} to {shown(most)} credits"
    return f"{shown(least)} credit{'' if least == 1 else 's'}"


_COUNTED_BY = {"image": ["count"], "second": ["seconds"], "frame": ["seconds", "fps"]}
"""What of `x-output` tells how many of what a price is for."""


def _words(
    said: Mapping[str, Any], output: Mapping[str, Any], cases: Callable[[Any], list[Case]]
) -> Iterator[str]:
    """Yield how a price comes of a rate.

    Args:
        said: `x-credits`.
        output: `x-output`.
        cases: returns those of an amount.
    """
    amounts = [said["of"]] if "of" in said else [output.get(name, 1) for name in _COUNTED_BY[said["per"]]]
    counts = [in_words(cases(amount)) for amount in amounts]
    if len(counts) > 1:
        counts = [f"({count})" if " " in count else count for count in counts]
    if counts != ["1"]:
        yield f"{said['per'].capitalize()}s: {TIMES.join(counts)}."
    if said["per"] != "image":
        yield "The price is rounded up to a whole credit."
    if said.get("minimum"):
        yield f"It is at least {counted(said['minimum'], 'credit')}."
    if said.get("settles"):
        yield (
            "It is an estimate: at the job's end it is settled to the frames that were really made, "
            "and what is too much is given back."
        )


def cost(operation: Operation, body: Mapping[str, Any], plan: str, plans: Plans) -> Cost:
    """Return what a request costs.

    Args:
        operation: what is asked for.
        body: legal by its schema.
        plan: of the account.
        plans: all of them.
    """
    request = terms.meant(operation, body, plan)
    messages = tuple(each.message for each in terms.objections(operation, request, plan, plans))
    return Cost(None, messages) if messages else Cost(terms.price(operation, request, plan))


def cost_in_words(operation: Operation, body: Mapping[str, Any], plans: Plans) -> str:
    """Return what a request costs on the highest plan, and on those where that differs."""
    by_cost: dict[Cost, list[str]] = {}
    for plan in reversed(list(plans) or [""]):
        by_cost.setdefault(cost(operation, body, plan, plans), []).append(plan)
    (usual, _), *others = by_cost.items()
    return "; ".join((_told(usual), *(_told(other, on) for other, on in others)))


def _told(cost: Cost, plans: Sequence[str] = ()) -> str:
    where = f" on the {any_of([code(plan) for plan in reversed(plans)])} plan" if plans else ""
    if cost.credits is None:
        return f"not offered{where}: {'; '.join(cost.objections)}"
    return (counted(cost.credits, "credit") if cost.credits else "free") + where
