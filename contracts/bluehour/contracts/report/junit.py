"""The report as JUnit XML, for CI: a suite for each operation, and in it a case for each rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as Xml

from bluehour.mock_server.core.clock import isoformat

from ..results import Exit, Report, State
from ..rules import Rule, Severity
from .shown import Case, shown
from .summary import conclusion
from .texts import duration, pretty, size, status_words, visible

_LONGEST_BODY = 2_000
_MOST_CASES = 10
"""Findings of one rule at one operation that are told in full."""

_Place = tuple[str, Rule]


def junit(report: Report) -> str:
    """Return the XML. Broken rules fail, what was not judged is skipped; all else is told, and passes."""
    known = shown(report)
    cases: dict[_Place, list[Case]] = {}
    for each in known.cases:
        cases.setdefault((each.finding.operation, each.finding.rule), []).append(each)
    root = Xml.Element("testsuites", {"name": "bluehour check", "time": f"{report.seconds:.3f}"})
    for operation, tests in _tests(known.report, cases).items():
        root.append(_suite(known.report, operation, tests))
    if report.stopped:
        root.append(_suite(known.report, "the check", [_stopped(known.report)]))
    _count(root, root.iter("testcase"))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, "unicode")}\n'


def _tests(report: Report, cases: Mapping[_Place, list[Case]]) -> dict[str, list[Xml.Element]]:
    """A test for each rule at each operation, and for findings at places of which there is no verdict."""
    tests: dict[str, list[Xml.Element]] = {operation: [] for operation in report.operations}
    judged = set()
    for verdict in report.verdicts:
        place = (verdict.operation, verdict.rule)
        judged.add(place)
        skipped = verdict.reason if verdict.state is State.UNJUDGED else None
        broken = verdict.state is State.BROKEN
        tests.setdefault(verdict.operation, []).append(_test(place, cases.get(place, []), skipped, broken))
    for place in cases:
        if place not in judged:
            tests.setdefault(place[0], []).append(_test(place, cases[place], None, broken=True))
    return {operation: each for operation, each in tests.items() if each}


def _test(place: _Place, cases: Sequence[Case], skipped: str | None, broken: bool) -> Xml.Element:
    operation, rule = place
    test = Xml.Element("testcase", {"name": rule.id, "classname": visible(operation), "time": "0"})
    if broken or cases:
        accepted = cases[0].finding.accepted if cases else None
        if accepted:
            Xml.SubElement(test, "system-out").text = visible(f"{accepted}\n\n{_text(rule, cases)}")
        elif rule.severity is Severity.ERROR:
            message = "; ".join(each.finding.message for each in cases[:3]) or rule.title
            failure = Xml.SubElement(test, "failure", {"message": visible(message), "type": rule.id})
            failure.text = _text(rule, cases)
        else:
            Xml.SubElement(test, "system-out").text = f"Warning\n\n{_text(rule, cases)}"
    elif skipped is not None:
        Xml.SubElement(test, "skipped", {"message": visible(skipped or "no reason given")})
    return test


def _stopped(report: Report) -> Xml.Element:
    """That a check has ended early is no rule's fault, but CI must not take it for a pass."""
    test = Xml.Element("testcase", {"name": "to its end", "classname": "the check", "time": "0"})
    outcome = "error" if report.exit_code is Exit.USAGE else "skipped"
    Xml.SubElement(test, outcome, {"message": visible(report.stopped)})
    return test


def _text(rule: Rule, cases: Sequence[Case]) -> str:
    parts = [f"{rule.title}\nContract: {rule.place}\nTo do: {rule.advice}"]
    parts += ["\n".join(_case(each)) for each in cases[:_MOST_CASES]]
    if len(cases) > _MOST_CASES:
        parts.append(f"… and {len(cases) - _MOST_CASES:,} more")
    return visible("\n\n".join(parts))


def _case(case: Case) -> Iterator[str]:
    finding, exchange = case.finding, case.finding.exchange
    yield f"{finding.field}: {finding.message}" if finding.field else finding.message
    if finding.folded:
        yield finding.consequences
    if finding.words:
        yield f"The contract says:\n{finding.words.rstrip()}"
    for before, command in case.related:
        yield f"First request {before.number}:\n{command.brief}"
    if exchange and case.command:
        yield f"Request {exchange.number}:\n{case.command.brief}"
        if case.command.left_out:
            yield f"# {size(case.command.left_out)} of body are in the JSON report"
    if exchange and exchange.answer:
        answer = exchange.answer
        yield f"Answer: {status_words(answer.status)}, {duration(answer.seconds)}"
        yield pretty(answer.body, _LONGEST_BODY)
    elif exchange:
        yield f"Answer: none, {exchange.failure}"


def _suite(report: Report, operation: str, tests: Sequence[Xml.Element]) -> Xml.Element:
    seconds = sum(each.answer.seconds for each in report.exchanges if each.answer and each.label == operation)
    attributes = {
        "name": visible(operation),
        "time": f"{seconds:.3f}",
        "timestamp": isoformat(report.started_at).removesuffix("Z"),
    }
    suite = Xml.Element("testsuite", attributes)
    _count(suite, tests)
    properties = Xml.SubElement(suite, "properties")
    for name, value in _facts(report):
        Xml.SubElement(properties, "property", {"name": name, "value": visible(value)})
    suite.extend(tests)
    return suite


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield from (("target", report.target), ("contract", report.contract), ("bluehour", report.version))
    yield from (("seed", f"{report.seed}"), ("credits-spent", f"{report.spent}"))
    yield from (("max-credits", f"{report.max_credits}"), ("verdict", conclusion(report)))
    if report.stopped:
        yield "stopped", report.stopped


def _count(element: Xml.Element, tests: Iterator[Xml.Element] | Sequence[Xml.Element]) -> None:
    tests = list(tests)
    element.set("tests", f"{len(tests)}")
    for name, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, f"{sum(each.find(outcome) is not None for each in tests)}")
