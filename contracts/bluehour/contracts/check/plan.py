"""`--plan`: a check is rehearsed with a mock in this process, and what it sends is told, not sent."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.accounts import refused_token
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock

from ..results import Report
from .inprocess import AppWire
from .progress import Progress
from .run import Options, check

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def rehearse(options: Options) -> tuple[Report, Progress]:
    """Check a right server in this process, as a deployment would be checked; nothing leaves the process.

    A deployment elsewhere is taken to know no tokens but those that are given.
    """
    known = {token for token in (options.token, options.second_token, options.empty_token) if token}
    settings = Settings(time_scale=0, credits=10**9, journal=0)
    progress = Progress()
    with closing(Mock(options.contract, settings)) as mock:
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


def described(report: Report, progress: Progress) -> str:
    """Return the plan as a table: each part with its requests and its credits."""
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
    short = {verdict.operation for verdict in report.unjudged if verdict.reason.startswith("budget")}
    if short:
        lines.append(f"The budget does not do for all of: {', '.join(sorted(short))}.")
    lines += [f"{note}" for note in report.notes]
    return "\n".join(lines)


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
