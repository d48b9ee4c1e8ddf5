"""`--plan`: a check is rehearsed with a mock in this process, and what it sends is told, not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.accounts import refused_token
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted

from ..exchange import label_of
from ..results import Report
from .checker import CREATES, READS, UPLOADS
from .findings import BUDGET
from .inprocess import AppWire
from .network import foreign_host
from .progress import Progress
from .run import Options, check, example_price, whole_budget

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_MOST_HOSTS = 5


def rehearse(options: Options) -> tuple[Report, Progress]:
    """Check a right server in this process, as a deployment would be checked; nothing leaves the process.

    A deployment elsewhere is taken to know no tokens but those that are given.
    """
    known = {token for token in (options.token, options.second_token, options.empty_token) if token}
    settings = Settings(time_scale=0, credits=10**9, journal=0)
    progress = Progress()
    with closing(Mock(options.contract.whole, settings)) as mock:
        if options.empty_token:
            _empty(mock, options.empty_token)
        wire = AppWire(_knowing(known, create_app(mock)) if not options.is_local else create_app(mock))
        report = check(
            replace(options, rate=0, measure=False),
            progress,
            contract=options.contract,
            wire=wire,
            sleep=lambda _: None,
        )
    return report, progress


def described(report: Report, progress: Progress, options: Options) -> str:
    """Return the plan as a table: each part with its requests and its credits; and what is left out."""
    lines = [
        f"What would be sent to {report.target}, with a budget of {report.max_credits} credits:",
        "",
        f"{'':34}{'requests':>9}{'credits':>9}{'at risk':>9}",
    ]
    for part, requests in progress.requests_by_part.items():
        sent = [each for each in report.exchanges if progress.part_of[each.number] == part]
        booked, reserved = sum(each.booked for each in sent), sum(each.reserved for each in sent)
        lines.append(f"{part:34}{requests:>9,}{booked:>9,}{reserved:>9,}")
    reserved = sum(each.reserved for each in report.exchanges)
    total = len(report.exchanges)
    lines += [
        f"{'in all':34}{total:>9,}{report.spent:>9,}{reserved:>9,}",
        "",
        "credits: what a server that keeps the contract books.",
        "at risk: what these calls would cost, were all of them accepted.",
        f"The worst case is {min(reserved, report.max_credits)} credits: no call is sent that could pass "
        "the budget.",
    ]
    lines += _left_out(report, options.contract)
    lines += _foreign(options)
    lines += [f"{note}" for note in report.notes]
    return "\n".join(lines)


def _left_out(report: Report, contract: Contract) -> Iterator[str]:
    """Say which creates the budget does not do for, and what it would take."""
    short = [each for each in report.unjudged if each.reason.startswith(BUDGET)]
    untried = {each.operation for each in short if each.rule.id == "accept.examples"}
    prices = {
        label_of(operation): example_price(operation)
        for operation in contract.operations
        if operation.behaviour == CREATES and label_of(operation) in untried
    }
    if prices:
        many, total = counted(len(prices), "operation"), counted(sum(prices.values()), "credit")
        yield ""
        yield f"Not covered, and so not judged: {many}. Their published examples cost {total}:"
        for label, price in sorted(prices.items(), key=lambda each: each[1]):
            yield f"  {label:46}{price:>6,}"
    if partly := {each.operation for each in short} - prices.keys():
        yield f"The budget does not do for all of: {', '.join(sorted(partly))}."
    if short and report.max_credits < (whole := whole_budget(contract)):
        yield f"All that a check does takes up to {counted(whole, 'credit')}: --max-credits {whole}"


def _foreign(options: Options) -> Iterator[str]:
    """Say which other hosts are called: those of links are known by the examples alone."""
    contract = options.contract
    if not any(each.behaviour == UPLOADS or each.behaviour == READS for each in contract.operations):
        return
    texts = (text for each in contract.operations for text in _texts_in(_published(each)))
    hosts = sorted({foreign_host(each, options.target) for each in texts} - {""})
    named = f", as published examples do to {', '.join(hosts[:_MOST_HOSTS])}" if hosts else ""
    yield ""
    yield f"Links of answers, for uploads and downloads, may lead to other hosts{named}."
    yield (
        "They are followed, without a token: --no-foreign-links forbids it."
        if options.follows_foreign
        else "They are not followed: --no-foreign-links. What takes one is not judged."
    )


def _published(operation: Operation) -> Iterator[Any]:
    """Examples of an operation's successful answers that hold links to follow."""
    if operation.behaviour in (UPLOADS, READS):
        for status, response in operation.responses.items():
            if status.startswith("2") and response.json is not None:
                yield from response.json.examples


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(each)


def _knowing(tokens: set[str], app: WSGIApplication) -> WSGIApplication:
    """An application that knows no other tokens than these."""

    def knowing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if token and token not in tokens:
            environ["HTTP_AUTHORIZATION"] = f"{scheme} {refused_token()}"
        return app(environ, start_response)

    return knowing


def _empty(mock: Mock, token: str) -> None:
    account = mock.world.open_account(token)
    mock.world.store.set_account(account.id, credits=0, at=mock.world.clock.now())
