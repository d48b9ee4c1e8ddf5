"""The result as one page of HTML that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Template

from ...report.framing import STYLES, frame, template
from ...report.texts import cut, pretty
from ..results import Exit, Result
from ..script import IN_WORDS
from . import met
from .shown import HOSTS, Case, moment, per_second, shown, standings, verdict
from .states import states_picture

_MOST_OPEN = 5
"""Findings whose performance is open from the start; of more, the first of each rule."""
_LONGEST_BODY = 1_500
_LONGEST_OUTPUT = 4_000
_MOST_REQUESTS = 30
"""Requests of a performance that are shown in full."""

_HERE = Path(__file__).parent

_BANNERS = {
    Exit.KEPT: ("good", "✓"),
    Exit.FINDINGS: ("bad", "✗"),
    Exit.UNJUDGED: ("warn", "?"),
    Exit.USAGE: ("bad", "✗"),
}


def html(result: Result, *, saved: Mapping[int, str] | None = None) -> str:
    """Return the page."""
    coverage = result.coverage
    rules = shown(result, saved)
    return _template().render(
        **frame(*STYLES, _HERE / "static" / "fuzz.css"),
        most_requests=_MOST_REQUESTS,
        fault_words={str(fault): words for fault, words in IN_WORDS.items()},
        result=result,
        banner=_BANNERS[result.exit_code],
        verdict=verdict(result),
        rate=per_second(result),
        rules=rules,
        standings=standings(result),
        opened=_opened(rules),
        is_replay=result.profile == "replay",
        answers=met.answers(coverage),
        codes=met.codes(coverage),
        faults=met.faults(coverage),
        nobody_there=met.nobody_there(coverage),
        states=states_picture(coverage),
        topics_played=met.topics_played(result),
        unmet=met.unmet(result),
    )


def _opened(rules: Mapping[Any, list[Case]]) -> set[int]:
    """The numbers of the findings that are open from the start."""
    numbers = [case.number for cases in rules.values() for case in cases]
    if len(numbers) <= _MOST_OPEN:
        return set(numbers)
    return {cases[0].number for cases in rules.values()}


def _lanes(case: Case) -> list[tuple[str, str]]:
    """The hosts that were asked in a performance, and their names; the API is always there."""
    asked = {step.asked.host for step in case.steps} | {"api"}
    return [(host, name) for host, name in HOSTS.items() if host in asked]


@cache
def _template() -> Template:
    filters: dict[str, Callable[..., Any]] = {
        "lanes": _lanes,
        "moment": moment,
        "body": partial(pretty, longest=_LONGEST_BODY),
        "output": _output,
    }
    return template(_HERE / "templates", "fuzz.html", filters)


def _output(output: str) -> str:
    return cut(output.strip("\n"), _LONGEST_OUTPUT)
