"""The report that `bluehour fuzz` prints: what is broken and by which script, what was met, the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from bluehour.openapi.wording import counted

from ...report.terminal import NARROWEST, WIDEST, Page, joined
from ...report.texts import cut, duration, visible
from ..results import Exit, Finding, Result
from ..rules import Rule
from . import met
from .shown import Case, Step, case, moment, per_second, shown, verdict

_MOST_IN_FULL = 3
"""Findings of a rule; the others are told in a line each."""
_ALIGNED = 76
"""Columns of a terminal that has room for a table of requests."""
_LONGEST_OUTPUT = 400
_TIMES = "\N{MULTIPLICATION SIGN}"

_ENDS = {Exit.KEPT: "green", Exit.FINDINGS: "red", Exit.USAGE: "red", Exit.UNJUDGED: "yellow"}
_OUTCOMES = {"done": "green", "refused": "yellow"}

Piece = tuple[str, str | None]
"""Words, and their colour."""


def terminal(result: Result, *, colour: bool, width: int, saved: Mapping[int, str] | None = None) -> str:
    """Return the report, in lines of at most `width` characters; commands are never broken."""
    page = Page(colour, max(NARROWEST, min(width, WIDEST)))
    return joined(
        _heading(page, result),
        *(_broken_rule(page, rule, cases) for rule, cases in shown(result, saved).items()),
        _met(page, result),
        _unmet(page, result),
        page.notes(result.notes),
        _ending(page, result),
    )


def finding_text(finding: Finding, result: Result, *, path: str = "") -> str:
    """Return one finding without colours, as a test's message; `path` is where its script was saved."""
    page = Page(False, WIDEST)
    one = case(finding, result, path)
    lines = (
        *page.title(f"✗ {one.rule.id}", one.rule.title, "red"),
        "",
        *_in_full(page, one),
        "",
        *_advice(page, one.rule),
    )
    return "\n".join(lines)


def _heading(page: Page, result: Result) -> Iterator[str]:
    yield from page.wrapped(result.client, "", bold=True)
    facts = (
        f"Bluehour {result.version}",
        *filter(None, [result.operation]),
        "scripts from files" if result.profile == "replay" else f"{result.profile} profile",
        f"seed {result.seed}",
        f"{counted(result.played, 'script')} in {duration(result.seconds)}",
        f"{per_second(result)} a second",
    )
    yield from page.wrapped(", ".join(facts), "", dim=True)


# What is broken.


def _broken_rule(page: Page, rule: Rule, cases: Sequence[Case]) -> Iterator[str]:
    """A few findings in full, the others in a line each, then what to do about all of them."""
    yield from page.title(f"✗ {rule.id}", rule.title, "red")
    for one in cases[:_MOST_IN_FULL]:
        yield ""
        yield from _in_full(page, one)
    if len(cases) > _MOST_IN_FULL:
        yield ""
        yield from page.wrapped("and in other ways:", "  ", dim=True)
    for one in cases[_MOST_IN_FULL:]:
        yield from _in_a_line(page, one)
    yield ""
    yield from _advice(page, rule)


def _advice(page: Page, rule: Rule) -> Iterator[str]:
    yield from page.wrapped(f"To do: {rule.advice}", "  ")


def _in_a_line(page: Page, one: Case) -> Iterator[str]:
    line = _line(f"{one.violation.message} (shown by: {'; '.join(one.story)})")
    room = page.width - 4
    yield f"  {page.ink('·', 'red')} {page.ink(line if len(line) <= room else f'{line[: room - 1]}…')}"
    if one.replay:
        yield f"    {page.ink(one.replay, dim=True)}"


def _in_full(page: Page, one: Case) -> Iterator[str]:
    yield from page.wrapped(_line(one.violation.message), "  ", "cyan")
    yield from _how_often(page, one)
    yield page.label("shown by")
    for sentence in one.story:
        yield from page.wrapped(_line(sentence), "      ")
    yield page.label("what happened")
    yield from _transcript(page, one)
    if one.replay:
        yield f"    {page.ink('replay:', 'cyan')} {page.ink(one.replay)}"


def _how_often(page: Page, one: Case) -> Iterator[str]:
    if one.finding.times > 1:
        yield from page.wrapped(
            f"seen in {one.finding.times:,} scripts; the smallest is this one", "    ", dim=True
        )
    if not one.finding.steady:
        yield from page.wrapped(
            "not steady: the same script does not always show it, so it hangs on time or chance",
            "    ",
            "yellow",
        )
    if not one.finding.smallest:
        yield from page.wrapped(
            "not shrunk to the end, for the client is slow: not all of what it is shown by may be needed",
            "    ",
            "yellow",
        )


def _transcript(page: Page, one: Case) -> Iterator[str]:
    places = max([len(step.label) for step in one.steps], default=0)
    for step in one.steps:
        if step.left_out:
            yield from page.wrapped(f"… {counted(step.left_out, 'request')} left out …", "      ", dim=True)
        yield from _step(page, step, places)
        if step.times > 1:
            message = f"{step.times - 1:,} times more, until {moment(step.until)}"
            yield from page.wrapped(message, _behind_time(page), dim=True)
    for words in one.unseen:
        yield from page.wrapped(words, _behind_time(page), "red")
    yield from _end_of_client(page, one)


def _step(page: Page, step: Step, places: int) -> Iterator[str]:
    """A row of a table where there is room for one, else the same words in lines."""
    time, method, pieces = moment(step.asked.at), _line(step.asked.method), list(_of_answer(step))
    if page.width < _ALIGNED or len(method) > 6:
        words: list[Piece] = [(f"{time} {step.label} {method}", None)]
        yield from _flowed(page, [*words, *pieces], "      ", "        ")
    else:
        row = f"      {time:>10}  {step.label:<{places}}  {method:<6}  "
        yield from _flowed(page, pieces, page.ink(row), " " * len(row))


def _of_answer(step: Step) -> Iterator[Piece]:
    """What was answered, and what is to be said of it."""
    status = step.asked.status
    yield step.status, "green" if 200 <= status < 300 else "yellow" if 300 <= status < 500 else "red"
    if step.target:
        yield step.target, None
    if step.fault:
        yield step.fault, "red"
    if step.retry_after:
        yield f"Retry-After: {step.retry_after}", "yellow"
    if step.charged:
        yield step.charged, "magenta"
    if step.asked.state:
        yield step.asked.state, "blue"
    for event in step.delivered:
        yield f"before it {event}", "cyan"
    for wrong in step.wrongs:
        yield f"✗ {_line(wrong)}", "red"


def _end_of_client(page: Page, one: Case) -> Iterator[str]:
    colour = _OUTCOMES.get(one.ending.outcome, "red")
    pieces: list[Piece] = [(moment(one.played.seconds), None), (one.ended, colour)]
    pieces += [(_line(one.error), colour)] if one.error else []
    pieces += [(one.files, None)] if one.files else []
    pieces.append((f"in the ledger: {one.ledger}", None))
    indent = _behind_time(page)
    if page.width < _ALIGNED:
        yield from _flowed(page, pieces, "      ", indent)
    else:
        yield from _flowed(page, pieces[1:], f"      {page.ink(f'{pieces[0][0]:>10}')}  ", indent)
    if one.clock:
        yield from page.wrapped(one.clock, indent, dim=True)
    if one.ending.output.strip():
        output = cut(_line(one.ending.output), _LONGEST_OUTPUT)
        yield from page.wrapped(f"its output: {output}", indent, dim=True)


def _behind_time(page: Page) -> str:
    """What stands before words that belong to the line above."""
    return " " * (8 if page.width < _ALIGNED else 18)


# What was met.


def _met(page: Page, result: Result) -> Iterator[str]:
    coverage = result.coverage
    answers, faults = met.answers(coverage), met.faults(coverage)
    yield page.ink("Met", bold=True)
    for place in answers.rows:
        yield from _counts(page, place, answers.pairs(place))
    codes = sum(len(each) for each in met.codes(coverage).values())
    if codes:
        yield from _row(page, "error codes", [(f"{codes} different, by place and status", None)])
    if met.nobody_there(coverage):
        yield from _counts(page, "nobody there", [("scripts", met.nobody_there(coverage))])
    for kind in faults.rows:
        yield from _counts(page, kind, faults.pairs(kind), "red")
    yield from _counts(page, "states", coverage.transitions.most_common())
    yield from _counts(page, "jobs end in", coverage.endings.most_common())
    yield from _counts(page, "events", coverage.events.most_common())
    yield from _counts(page, "client", coverage.outcomes.most_common())
    played = f"{met.topics_played(result):,} of {result.topics:,}"
    yield from _row(page, "scripts" if result.profile == "replay" else "topics", [(played, None)])


def _counts(
    page: Page, name: str, counts: Iterable[tuple[str, int]], colour: str | None = None
) -> Iterator[str]:
    pieces: list[Piece] = [(f"{what} {_TIMES}{count:,}".replace(" ", "\0"), None) for what, count in counts]
    if pieces:
        yield from _row(page, name, pieces, colour)


def _row(page: Page, name: str, pieces: Sequence[Piece], colour: str | None = None) -> Iterator[str]:
    if page.width < _ALIGNED:
        yield f"  {page.ink(name, colour or 'cyan')}"
        yield from _flowed(page, pieces, "    ", "    ")
    else:
        yield from _flowed(page, pieces, f"  {page.ink(f'{name:<18}', colour or 'cyan')}  ", " " * 22)


def _unmet(page: Page, result: Result) -> Iterator[str]:
    unmet = met.unmet(result)
    left = 0 if result.profile == "replay" else result.topics - met.topics_played(result)
    if unmet or left > 0:
        yield page.ink("Not met", bold=True)
    for what, names in unmet.items():
        yield from _row(page, what, [(name, None) for name in names])
    if left > 0:
        yield from _row(
            page, "topics", [(f"{left:,} of the profile's {result.topics:,}: --examples plays more", None)]
        )


def _ending(page: Page, result: Result) -> Iterator[str]:
    if result.stopped:
        yield from page.wrapped(f"Stopped before its end: {result.stopped}", "", "yellow")
    for line in textwrap.wrap(verdict(result), page.width):
        yield page.ink(line, _ENDS[result.exit_code], bold=True)


# Lines.


def _line(text: str) -> str:
    r"""A text in one line, with what does not print as its escape; a line break is a space."""
    return visible(" ".join(text.split())) if text.isascii() else " ".join(visible(text).split())


def _flowed(page: Page, pieces: Sequence[Piece], first: str, rest: str) -> Iterator[str]:
    r"""Lines of words that keep their colours, with commas between the pieces.

    `first` and `rest` stand before the first line and before all others, `first` no wider to the eye; a `\0`
    is a space at which no line ends.
    """
    room = page.width - len(rest)
    line: list[Piece] = []
    before = first
    for word, colour in _words(pieces, room):
        if line and sum(len(each) + 1 for each, _ in line) + len(word) > room:
            yield before + _inked(page, line)
            line, before = [], rest
        line.append((word, colour))
    yield before + _inked(page, line)


def _words(pieces: Sequence[Piece], room: int) -> Iterator[Piece]:
    """Words that fit into a line each."""
    for number, (text, colour) in enumerate(pieces):
        comma = "" if number == len(pieces) - 1 else ","
        for word in f"{text}{comma}".split():
            shown = visible(word.replace("\0", " "))
            yield from ((shown[start : start + room], colour) for start in range(0, len(shown), room))


def _inked(page: Page, line: Sequence[Piece]) -> str:
    runs = groupby(line, key=lambda piece: piece[1])
    return " ".join(page.ink(" ".join(word for word, _ in run), colour) for colour, run in runs)
