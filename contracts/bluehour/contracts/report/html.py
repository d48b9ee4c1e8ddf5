"""The report as one page of HTML that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from ..results import Exit, Report, Verdict
from ..rules import Severity
from .framing import STYLES, frame, template
from .matrix import matrix
from .pictures import Picture, credits_picture, latency_picture
from .secrets import variable_of
from .shown import Case, Shown, by_rule, shown
from .summary import Standing, by_reason, outcome
from .texts import pretty, size, status_words, visible

_MOST_ROWS = 1_000
_MOST_OPEN = 6
"""Findings whose evidence is open from the start."""
_LONGEST_BODY = 3_000

_HERE = Path(__file__).parent

_BANNERS = {
    Exit.CONFORMS: ("good", "✓", "Conforms"),
    Exit.FINDINGS: ("bad", "✗", "Does not conform"),
    Exit.UNJUDGED: ("warn", "?", "Not all judged"),
    Exit.USAGE: ("bad", "✗", "Not checked"),
}


def html(report: Report) -> str:
    """Return the page."""
    known = shown(report)
    return _template().render(
        **frame(*STYLES),
        Standing=Standing,
        report=known.report,
        banner=_BANNERS[report.exit_code],
        outcome=outcome(known.report),
        started=_date(report.started_at),
        chapters=_chapters(known),
        open_cases=len(known.cases) <= _MOST_OPEN,
        matrix=matrix(known),
        pictures=_pictures(known.report),
        reasons=[_Reason(reason, verdicts) for reason, verdicts in by_reason(known.report).items()],
        rows=known.report.exchanges[:_MOST_ROWS],
    )


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why some things were not judged: which rules, each with the operations where it was not."""

    words: str
    verdicts: Sequence[Verdict]

    @property
    def rules(self) -> dict[str, list[str]]:
        rules: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            rules.setdefault(verdict.rule.id, []).append(verdict.operation)
        return rules


def _chapters(known: Shown) -> list[tuple[str, str, dict[Any, list[Case]]]]:
    """Errors, warnings, then what is accepted: a heading, its anchor, and the cases by rule."""
    chapters = (
        ("Broken rules", "broken", known.of(Severity.ERROR)),
        ("Warnings", "warnings", known.of(Severity.WARNING)),
        ("Accepted by the baseline", "accepted", [each for each in known.cases if each.finding.accepted]),
    )
    return [(title, anchor, by_rule(cases)) for title, anchor, cases in chapters if cases]


def _pictures(report: Report) -> list[Picture]:
    if not report.exchanges:
        return []
    return [credits_picture(report.exchanges, report.max_credits), latency_picture(report.exchanges)]


@cache
def _template() -> Template:
    filters: dict[str, Callable[..., Any]] = {
        "size": size,
        "status_words": status_words,
        "variable": variable_of,
        "without": _without,
        "body": partial(pretty, longest=_LONGEST_BODY),
        "breakable": _breakable,
    }
    return template(_HERE / "templates", "report.html", filters)


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _without(url: str, base: str) -> str:
    """What is behind the address that all requests go to."""
    return url.removeprefix(base.rstrip("/")) or "/"


def _breakable(path: str) -> Markup:
    """A path that may be broken into lines behind its slashes."""
    return Markup("/<wbr>").join(visible(path).split("/"))
