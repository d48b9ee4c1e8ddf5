"""A report as it may be shown: without tokens, and with the commands that show each finding again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..exchange import Answer, Exchange, Headers, Request
from ..results import Finding, Report
from ..rules import Rule, Severity
from .curl import curl
from .secrets import Secrets

_LONGEST_BODY = 2_000
"""Bytes of a request's body that a command holds in a report for people."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request as a shell command.

    Attributes:
        whole: with the whole body.
        brief: with a file's name in place of a long body.
        left_out: bytes of the body that the brief one lacks.
    """

    whole: str
    brief: str
    left_out: int


@dataclass(frozen=True, slots=True)
class Case:
    """A finding, and what sends its requests again: the one that shows it, and those before it.

    Attributes:
        number: counted from 1, in the report's order.
        command: None where the finding has no exchange.
    """

    number: int
    finding: Finding
    command: Command | None
    related: tuple[tuple[Exchange, Command], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A report without its secrets, and its findings with their commands."""

    report: Report
    cases: tuple[Case, ...]

    def of(self, severity: Severity) -> list[Case]:
        """Return the cases of a severity that are not accepted."""
        return [
            each
            for each in self.cases
            if each.finding.rule.severity is severity and not each.finding.accepted
        ]


def shown(report: Report) -> Shown:
    """Return a report without its secrets, and its cases."""
    secrets = Secrets.of(_all_exchanges(report), report.headers)
    cases = tuple(_case(number, each, secrets) for number, each in enumerate(report.findings, 1))
    return Shown(_without_secrets(report, tuple(each.finding for each in cases), secrets), cases)


def by_rule(cases: Iterable[Case]) -> dict[Rule, list[Case]]:
    """Return cases by the rule that they break, in the order in which rules come up."""
    rules: dict[Rule, list[Case]] = {}
    for case in cases:
        rules.setdefault(case.finding.rule, []).append(case)
    return rules


def _all_exchanges(report: Report) -> Iterator[Exchange]:
    yield from report.exchanges
    for finding in report.findings:
        yield from finding.related
        if finding.exchange:
            yield finding.exchange


def _case(number: int, finding: Finding, secrets: Secrets) -> Case:
    hide = secrets.hidden
    exchange, related = finding.exchange, finding.related
    safe = replace(
        finding,
        operation=hide(finding.operation),
        field=hide(finding.field),
        message=hide(finding.message),
        words=hide(finding.words),
        exchange=exchange and _exchange(exchange, secrets),
        related=tuple(_exchange(each, secrets) for each in related),
        folded=tuple(_folded(each, secrets) for each in finding.folded),
    )
    commands = tuple(_command(each, secrets) for each in related)
    return Case(
        number,
        safe,
        _command(exchange, secrets) if exchange else None,
        tuple(zip(safe.related, commands, strict=True)),
    )


def _folded(finding: Finding, secrets: Secrets) -> Finding:
    """What is told of a finding that follows from another: no requests."""
    hide = secrets.hidden
    return Finding(finding.rule, hide(finding.operation), hide(finding.field), hide(finding.message), None)


def _command(exchange: Exchange, secrets: Secrets) -> Command:
    whole = curl(exchange.request, secrets=secrets)
    length = len(exchange.request.body)
    if length <= _LONGEST_BODY:
        return Command(whole, whole, 0)
    file = f"request-{exchange.number}.body"
    return Command(whole, curl(exchange.request, secrets=secrets, body_file=file), length)


def _without_secrets(report: Report, findings: tuple[Finding, ...], secrets: Secrets) -> Report:
    hide = secrets.hidden
    return replace(
        report,
        target=hide(report.target),
        contract=hide(report.contract),
        operations=tuple(map(hide, report.operations)),
        verdicts=tuple(
            replace(each, operation=hide(each.operation), reason=hide(each.reason))
            for each in report.verdicts
        ),
        findings=findings,
        exchanges=tuple(_exchange(each, secrets) for each in report.exchanges),
        stopped=hide(report.stopped),
        accounts={label: hide(words) for label, words in report.accounts.items()},
        notes=tuple(map(hide, report.notes)),
    )


def _exchange(exchange: Exchange, secrets: Secrets) -> Exchange:
    return replace(
        exchange,
        request=_request(exchange.request, secrets),
        answer=exchange.answer and _answer(exchange.answer, secrets),
        purpose=secrets.hidden(exchange.purpose),
        failure=secrets.hidden(exchange.failure),
    )


def _request(request: Request, secrets: Secrets) -> Request:
    return Request(
        request.method,
        secrets.hidden(request.url),
        _headers(request.headers, secrets),
        secrets.hidden_in(request.body),
    )


def _answer(answer: Answer, secrets: Secrets) -> Answer:
    return Answer(
        answer.status, _headers(answer.headers, secrets), secrets.hidden_in(answer.body), answer.seconds
    )


def _headers(headers: Headers, secrets: Secrets) -> Headers:
    return tuple((secrets.hidden(name), secrets.hidden_header(name, value)) for name, value in headers)
