"""The report as one page of HTML that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

import mock_server
from openapi.wording import counted

from ..check.results import Exit, Report, Verdict
from ..rules import Severity
from .matrix import matrix
from .pictures import Picture, credits_picture, latency_picture
from .secrets import variable_of
from .shown import Case, Shown, by_rule, shown
from .summary import Standing, by_reason, outcome
from .texts import cut, duration, pretty, size, status_words, visible

_MOST_ROWS = 1_000
_MOST_OPEN = 6
"""Findings whose evidence is open from the start."""
_LONGEST_BODY = 3_000

_HERE = Path(__file__).parent
_MOCK = Path(mock_server.__path__[0])
_STYLES = (_MOCK / "reference_page" / "static" / "base.css", _HERE / "static" / "report.css")
_ICON = _MOCK / "console" / "static" / "icon.svg"

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
        **_frame(),
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
    """Errors, then warnings: a heading, its anchor, and the cases by rule."""
    titles = ((Severity.ERROR, "Broken rules", "broken"), (Severity.WARNING, "Warnings", "warnings"))
    return [
        (title, anchor, by_rule(cases))
        for severity, title, anchor in titles
        if (cases := [each for each in known.cases if each.finding.rule.severity is severity])
    ]


def _pictures(report: Report) -> list[Picture]:
    if not report.exchanges:
        return []
    return [credits_picture(report.exchanges, report.max_credits), latency_picture(report.exchanges)]


@cache
def _frame() -> dict[str, Any]:
    """What is the same on every page: the style, which the page's policy names by its hash, and the icon."""
    style = "\n".join(path.read_text("utf-8") for path in _STYLES)
    # On paper it is light, whatever the screen is.
    style = style.replace("@media (prefers-color-scheme", "@media screen and (prefers-color-scheme")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    icon = _ICON.read_text("utf-8")
    return {
        "style": Markup(style),  # noqa: S704 - our own file
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        "icon": f"data:image/svg+xml;base64,{base64.b64encode(icon.encode()).decode()}",
        "Standing": Standing,
    }


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_finalized,
    )
    environment.filters |= {
        "counted": counted,
        "cut": cut,
        "duration": duration,
        "size": size,
        "status_words": status_words,
        "variable": variable_of,
        "without": _without,
        "body": _body,
        "breakable": _breakable,
    }
    return environment.get_template("report.html")


def _finalized(value: Any) -> Any:
    """Whatever gets into the page goes through here: as Markup it is ours, else it is made visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _body(body: bytes) -> str:
    return pretty(body, _LONGEST_BODY)


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _without(url: str, base: str) -> str:
    """What is behind the address that all requests go to."""
    return url.removeprefix(base.rstrip("/")) or "/"


def _breakable(path: str) -> Markup:
    """A path that may be broken into lines behind its slashes."""
    return Markup("/<wbr>").join(visible(path).split("/"))
