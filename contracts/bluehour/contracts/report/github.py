"""The findings as annotations of GitHub Actions: lines that its runner reads out of a command's output."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

from ..results import Exit, Report
from ..rules import Severity
from .shown import Case, by_rule, shown
from .summary import conclusion
from .texts import visible

_MOST = 9
"""Rules of a severity that are told: of a step GitHub shows ten annotations of a level; one is the end's."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}
_ENDS = {Exit.CONFORMS: "notice", Exit.UNJUDGED: "warning"}


def github(report: Report) -> str:
    """Return the annotations: one for each broken rule, and one of how the check ended."""
    known = shown(report)
    lines = [_command(_ENDS.get(report.exit_code, "error"), known.report.target, conclusion(known.report))]
    for severity, level in _LEVELS.items():
        rules = by_rule(known.of(severity))
        for rule, cases in list(rules.items())[:_MOST]:
            lines.append(_command(level, f"{rule.id}: {rule.title}", " ".join(_told(cases))))
    return "\n".join(lines) + "\n"


def kept_from_the_runner(text: str) -> str:
    """Return a text in which the runner takes no line for a command, whatever a server has put there."""
    end = token_hex(16)
    return f"::stop-commands::{end}\n{text}\n::{end}::"


def _told(cases: list[Case]) -> Iterator[str]:
    first = cases[0].finding
    yield f"{first.operation}{f', {first.field}' if first.field else ''}: {first.message}"
    if len(cases) > 1:
        yield f"And {len(cases) - 1} more."
    yield f"To do: {first.rule.advice}"


def _command(level: str, title: str, message: str) -> str:
    escaped = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={escaped}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
