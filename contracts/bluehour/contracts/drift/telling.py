"""The differences as lines for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import click

from bluehour.mock_server import __version__
from bluehour.openapi.wording import cut, printable

from .differences import ABSENT, Difference, Severity

FORMAT = 1
"""Changes with the meaning of a field; a new field does not change it."""

_COLOURS = {Severity.BREAKING: "red", Severity.ADDED: "green", Severity.CHANGED: "yellow"}
_WHOLE = ("operation", "webhook")
_COUNTED = {name: f"{name}s" for name in (*_WHOLE, "field", "parameter", "media type")}
_COUNTED |= {"status": "statuses", "detail": "details"}
_LONGEST_LINE = 300


def lines(found: Sequence[Difference], *, colour: bool) -> Iterator[str]:
    """Yield a line for each difference, under its operation, the gravest first; then how many there are."""
    order = [*Severity]
    for (_, heading), group in groupby(sorted(found, key=lambda one: _section(one)[0]), _section):
        yield click.style(printable(heading), bold=True) if colour else printable(heading)
        for one in sorted(group, key=lambda one: order.index(one.severity)):
            operation = "" if heading == one.operation else one.operation
            place = " ".join(filter(None, (operation, one.where, one.field)))
            line = f"{place}: {message(one)}" if place else message(one)
            severity = f"  {one.severity:10} "
            severity = click.style(severity, fg=_COLOURS.get(one.severity)) if colour else severity
            yield severity + printable(cut(line, _LONGEST_LINE))
        yield ""
    yield summary(found)


def _section(one: Difference) -> tuple[int, str]:
    if one.severity is Severity.UNPUBLISHED:
        return 2, "Deprecated, and not published: no drift"
    return (0, "Operations") if one.what in _WHOLE else (1, one.operation)


def message(one: Difference) -> str:
    """Return what differs, in half a line: `maximum 100 → 50`."""
    verb, *_ = one.kind.value
    values = [_shown(each) for each in (one.ours, one.theirs) if each is not ABSENT]
    if verb == "changed" and values:
        return f"{one.what} {_shown(one.ours)} → {_shown(one.theirs)}"
    return ": ".join([f"{one.what} {verb}", *values])


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "none" if value is ABSENT else value if isinstance(value, str) and value else json.dumps(value)


def summary(found: Sequence[Difference]) -> str:
    """Return how many differences there are of what, in a line."""
    drift = [one for one in found if one.severity is not Severity.UNPUBLISHED]
    things = Counter((one.what, one.kind.value[0].partition(",")[0]) for one in drift if one.what in _COUNTED)
    things["detail", "changed"] = len(drift) - things.total()
    severities = Counter(one.severity for one in found)
    counted = [
        f"{n:,} {what if n == 1 else many} {verb}"
        for what, many in _COUNTED.items()
        for verb in ("added", "gone", "changed")
        if (n := things[what, verb])
    ]
    grave = [f"{severities[each]:,} {each}" for each in Severity if severities[each]]
    return f"{', '.join(counted) or 'No drift'}" + (f" ({', '.join(grave)})" if grave else "")


def as_json(found: Sequence[Difference], **facts: Any) -> str:
    """Return the differences as an object.

    - `format`, `bluehour` (its version) and the facts that are given
    - `summary`: how many are `breaking`, `added`, `changed` and `deprecated`
    - `differences`: each with `severity`, `operation`, `where`, `field`, `what`, `kind`, `message`, and with
      `ours` and `theirs` where there is such a value
    """
    severities = Counter(one.severity for one in found)
    summed = {severity: severities[severity] for severity in Severity}
    told = {"format": FORMAT, "bluehour": __version__, **facts, "summary": summed}
    return json.dumps(told | {"differences": [*map(_facts, found)]}, indent=2)


def _facts(one: Difference) -> dict[str, Any]:
    names = ("severity", "operation", "where", "field", "what", "ours", "theirs")
    facts = {name: value for name in names if (value := getattr(one, name)) is not ABSENT}
    return facts | {"kind": one.kind.name.lower(), "message": message(one)}
