"""The command `bluehour logs`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .remote import Remote, tell, with_control

if TYPE_CHECKING:
    from ..control.client import Control, Entry

_LOOKS_EVERY = 0.5
"""Seconds between two looks for what is new."""


@click.command(cls=Remote)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "--lines", "-n", type=click.IntRange(0, 10_000), default=20, show_default=True, help="How many."
)
@click.option("--operation", metavar="ID", help="Of an operation alone; upload and download are some, too.")
@click.option("--method", help="By this method alone.")
@click.option("--path", help="Of a path alone; * stands for anything.")
@click.option("--status", metavar="STATUS", help="With an answer of this status alone, or a class: 4xx.")
@click.option("--faulty", is_flag=True, default=None, help="Only requests that break the contract.")
@with_control
def logs(control: Control, /, follow: bool, lines: int, as_json: bool, **filters: Any) -> None:
    """Show the requests to a running mock, a line each.

    Exit codes: 0 done, 2 the mock can't be asked (one line says why), 3 stopped by Ctrl-C.
    """
    from ..server.requestlog import text_line
    from ..terminal import takes_colours

    line = partial(text_line, colour=takes_colours(sys.stdout))
    for entry in _entries(control, filters, lines, follow):
        tell([entry], lambda each: [line(_facts(each))], as_json=as_json)


def _entries(control: Control, filters: Mapping[str, Any], lines: int, follow: bool) -> Iterator[Entry]:
    """Yield the last ones, and then, where that is asked for, what comes."""
    last = _newest(control)
    for entry in control.journal.entries(**filters, limit=lines) if lines else []:
        last = max(last, entry.id)
        yield entry
    while follow:
        for entry in control.journal.entries(**filters, after=last):
            last = entry.id
            yield entry
        time.sleep(_LOOKS_EVERY)
        if _newest(control) < last:  # the mock has begun anew
            last = 0


def _newest(control: Control) -> int:
    return max((entry.id for entry in control.journal.entries(limit=1)), default=0)


def _facts(entry: Entry) -> Mapping[str, Any]:
    facts: dict[str, Any] = {
        "at": int(entry.at.timestamp()),
        "status": entry.response.status,
        "method": entry.request.method,
        "path": entry.request.path,
        "ms": round(entry.ms, 1),
    }
    if entry.response.status >= 400:
        facts["error"] = _reason(entry)
    elif entry.credits < 0:
        facts |= {"project": entry.project, "charged": -entry.credits}
    elif entry.project:
        facts["project"] = entry.project
    if entry.forced:
        facts["forced"] = entry.forced
    return facts


def _reason(entry: Entry) -> str:
    if entry.faults:
        return "; ".join(f"{fault.where}: {fault.message}" for fault in entry.faults)
    try:
        return str(entry.response.json["message"])
    except (ValueError, KeyError, TypeError):
        return ""
