"""The report that `bluehour check` prints: what is broken, a line for each group of rules, the verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import click

from bluehour.openapi.wording import counted

from ..exchange import Answer, Exchange
from ..results import Exit, Report, Verdict
from ..rules import Rule, Severity
from .shown import Case, Command, Shown, by_rule, shown
from .summary import Group, Standing, by_reason, conclusion, groups, outcome, spending
from .texts import cut, duration, size, status_words, text_of, visible

NARROWEST, WIDEST = 40, 110
_MOST_CASES = 5
_LONGEST_BODY = 300
_MOST_WORDS = 12
"""Lines of the contract's own words."""

_MARKS = {Severity.ERROR: "✗", Severity.WARNING: "! warning:"}
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_ENDS = {Exit.CONFORMS: "green", Exit.FINDINGS: "red", Exit.USAGE: "red", Exit.UNJUDGED: "yellow"}


def terminal(report: Report, *, colour: bool, width: int) -> str:
    """Return the summary, in lines of about `width` characters; commands are never broken."""
    page = Page(colour, max(NARROWEST, min(width, WIDEST)))
    known = shown(report)
    return joined(
        _heading(page, known.report),
        *_findings(page, known, Severity.ERROR),
        *_findings(page, known, Severity.WARNING),
        _accepted(page, known.report),
        _groups(page, known.report),
        _unjudged(page, known.report),
        page.notes(known.report.notes),
        _ending(page, known.report),
    )


def finding_of(report: Report, rule: Rule) -> str:
    """Return what the summary says of one broken rule, without colours, as a test's message."""
    cases = [each for each in shown(report).cases if each.finding.rule == rule]
    return "\n".join(_broken_rule(Page(False, WIDEST), rule, cases))


class Page:
    """How wide lines are, and whether they have colours. Nothing gets into a line but through it."""

    def __init__(self, colour: bool, width: int) -> None:
        self._colour = colour
        self.width = width

    def ink(self, text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
        """Return a piece of a line."""
        text = visible(text).replace("\n", "\\n").replace("\t", "    ")
        if not self._colour or not text or not (colour or bold or dim):
            return text
        return click.style(text, fg=colour, bold=bold or None, dim=dim or None)

    def wrapped(
        self, text: str, indent: str, colour: str | None = None, *, bold: bool = False, dim: bool = False
    ) -> Iterator[str]:
        """Yield the lines of a sentence."""
        for line in textwrap.wrap(visible(text), self.width - len(indent)) or [""]:
            yield indent + self.ink(line, colour, bold=bold, dim=dim)

    def label(self, text: str) -> str:
        """Return what is said over a part of a finding."""
        return f"    {self.ink(text, 'cyan')}"

    def title(self, mark: str, title: str, colour: str) -> Iterator[str]:
        """Yield the lines of a rule's title, behind what marks it."""
        first, *rest = textwrap.wrap(title, self.width - 2, initial_indent=" " * len(mark))
        yield self.ink(f"{mark}  ", colour, bold=True) + self.ink(first.lstrip(), bold=True)
        yield from (f"  {self.ink(line, bold=True)}" for line in rest)

    def notes(self, notes: Sequence[str]) -> Iterator[str]:
        """Yield the section of notes, nothing where there are none."""
        if notes:
            yield self.ink("Notes", bold=True)
        for note in notes:
            first, *rest = self.wrapped(note, "    ")
            yield f"  - {first[4:]}"
            yield from rest


def joined(*sections: Iterable[str]) -> str:
    """Return sections as a text, with an empty line between those that have lines."""
    return "\n\n".join("\n".join(lines) for each in sections if (lines := list(each))) + "\n"


def _heading(page: Page, report: Report) -> Iterator[str]:
    yield f"{page.ink(report.target, bold=True)} {page.ink(f'against {report.contract}')}"
    yield from page.wrapped(outcome(report), "", _ENDS[report.exit_code])
    facts = (
        f"Bluehour {report.version}",
        f"seed {report.seed}",
        f"{counted(len(report.exchanges), 'request')} in {duration(report.seconds)}",
        spending(report),
    )
    yield from page.wrapped(", ".join(facts), "", dim=True)


def _findings(page: Page, known: Shown, severity: Severity) -> Iterator[Iterator[str]]:
    chosen = known.of(severity)
    for rule, cases in by_rule(chosen).items():
        yield _broken_rule(page, rule, cases)


def _accepted(page: Page, report: Report) -> Iterator[str]:
    if report.accepted:
        yield page.ink("Broken, and accepted by the baseline", bold=True)
    places = dict.fromkeys((each.rule.id, each.operation, each.accepted) for each in report.accepted)
    for rule_id, operation, acceptance in places:
        yield from page.wrapped(f"{rule_id} at {operation}", "  ")
        yield from page.wrapped(f"{acceptance}", "    ", dim=True)


def _broken_rule(page: Page, rule: Rule, cases: Sequence[Case]) -> Iterator[str]:
    """The first case in full, a few in two lines each, then what to do about all of them."""
    yield from page.title(f"{_MARKS[rule.severity]} {rule.id}", rule.title, _COLOURS[rule.severity])
    for number, case in enumerate(cases[:_MOST_CASES]):
        yield ""
        yield from _case(page, case)
        if number == 0:
            yield from _evidence(page, case)
    if len(cases) > _MOST_CASES:
        yield ""
        yield f"  {page.ink(f'… and {len(cases) - _MOST_CASES:,} more: see the report', dim=True)}"
    yield ""
    yield from page.wrapped(f"To do: {rule.advice}", "  ")


def _case(page: Page, case: Case) -> Iterator[str]:
    finding = case.finding
    where = f"{finding.operation}{f', {finding.field}' if finding.field else ''}"
    times = f"  {finding.times:,} times" if finding.times > 1 else ""
    yield f"  {page.ink(where, 'cyan')}{page.ink(times, dim=True)}"
    yield from page.wrapped(finding.message, "    ")
    if finding.folded:
        yield from page.wrapped(finding.consequences, "    ", dim=True)


def _evidence(page: Page, case: Case) -> Iterator[str]:
    finding = case.finding
    yield ""
    yield from _contract(page, finding.rule, finding.words)
    for exchange, command in case.related:
        yield page.label(f"First request {exchange.number}")
        yield from _command(page, command)
    if finding.exchange and case.command:
        yield page.label(f"Request {finding.exchange.number}")
        yield from _command(page, case.command)
        yield page.label("Answer")
        yield from _answer(page, finding.exchange)


def _contract(page: Page, rule: Rule, words: str) -> Iterator[str]:
    yield page.label("Contract")
    yield from page.wrapped(rule.place, "      ", dim=True)
    lines = words.splitlines()
    for line in lines[:_MOST_WORDS]:
        yield f"      {page.ink(line)}"
    if len(lines) > _MOST_WORDS:
        yield f"      {page.ink(f'… and {len(lines) - _MOST_WORDS} more lines', dim=True)}"


def _command(page: Page, command: Command) -> Iterator[str]:
    yield from (f"      {page.ink(line)}" for line in command.brief.splitlines())
    if command.left_out:
        yield f"      {page.ink(f'# {size(command.left_out)} of body are in the JSON report', dim=True)}"


def _answer(page: Page, exchange: Exchange) -> Iterator[str]:
    answer = exchange.answer
    if answer is None:
        yield from page.wrapped(f"none: {exchange.failure}", "      ")
        return
    facts = (status_words(answer.status), answer.header("Content-Type"), duration(answer.seconds))
    yield f"      {page.ink(', '.join(fact for fact in facts if fact))}"
    for line in _hard_wrapped(_body(answer), page.width - 6):
        yield f"      {page.ink(line)}"


def _body(answer: Answer) -> str:
    text = text_of(answer.body)
    if text is None:
        return f"{size(len(answer.body))} that are no text"
    return visible(cut(text, _LONGEST_BODY)).replace("\n", "\\n")


def _hard_wrapped(text: str, width: int) -> Iterable[str]:
    return (text[start : start + width] for start in range(0, len(text), width))


def _groups(page: Page, report: Report) -> Iterator[str]:
    known = groups(report)
    columns = [standing for standing in Standing if any(group.count[standing] for group in known)]
    wide = max(len(name) for name in ("Rules", *(group.name for group in known)))
    if known:
        titles = "".join(f"{standing:>12}" for standing in columns)
        yield page.ink(f"{'Rules':<{wide}}{titles}{'checks':>12}", dim=True)
    for group in known:
        yield f"{page.ink(f'{group.name:<{wide}}')}{_cells(page, group, columns)}"


def _cells(page: Page, group: Group, columns: Sequence[Standing]) -> str:
    cells = (page.ink(f"{group.count[each] or '':>12}", _CELLS[each]) for each in columns)
    return f"{''.join(cells)}{page.ink(f'{group.checks:>12,}', dim=True)}"


_CELLS = {
    Standing.KEPT: "green",
    Standing.BROKEN: "red",
    Standing.ACCEPTED: "yellow",
    Standing.WARNED: "yellow",
    Standing.UNJUDGED: None,
}


def _unjudged(page: Page, report: Report) -> Iterator[str]:
    reasons = by_reason(report)
    if reasons:
        yield page.ink("Not judged", bold=True)
    for reason, verdicts in reasons.items():
        yield from page.wrapped(f"{reason}:", "  ")
        yield from page.wrapped(_places(verdicts), "    ", dim=True)


def _places(verdicts: Sequence[Verdict]) -> str:
    """Rules by id, each with the number of operations where there are several."""
    count = Counter(each.rule.id for each in verdicts)
    return ", ".join(
        f"{rule} at {number} operations" if number > 1 else rule for rule, number in count.items()
    )


def _ending(page: Page, report: Report) -> Iterator[str]:
    if report.stopped and report.exit_code is not Exit.USAGE:
        yield from page.wrapped(f"Stopped before its end: {report.stopped}", "", "yellow")
    yield page.ink(conclusion(report), _ENDS[report.exit_code], bold=True)
