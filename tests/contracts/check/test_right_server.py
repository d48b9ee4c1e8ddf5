"""A server that keeps the contract: nothing is found, and it costs little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

import pytest

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Exit, Report
from bluehour.contracts.rules import RULES, Rule
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.contracts.check.real_accounts import knowing
from tests.deviants.serving import TIME_SCALE, served
from tests.editors import EDITORS
from tests.profiles import few

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TARGET = "http://127.0.0.1:4010"

BRIEF = [rule for rule in RULES if rule.group not in {"refuse", "method", "path"}]
"""The rules that look at what accounts have, pay and own; a refusal is the same for any of them."""

whatever_is_asked = pytest.mark.parametrize("rules", few([BRIEF, [*RULES]], BRIEF), ids=["brief", "all"])


def told(report: Report) -> list[str]:
    return [f"{each.rule.id} at {each.operation}: {each.message}" for each in report.findings]


@cache
def checked_over_http(seed: int) -> tuple[Report, int]:
    """Check a right server with all rules; return the report too, and what the server has booked."""
    with served(None) as server:
        report = check(Options(server.url, "any-token", seed=seed), contract=EDITORS)
        return report, server.booked()


@pytest.mark.parametrize("seed", few([0, 1, 2**31], 0))
def test_nothing_is_found_over_http_for_at_most_60_credits(seed: int) -> None:
    report, booked = checked_over_http(seed)
    assert told(report) == []
    assert report.exit_code is Exit.CONFORMS
    assert booked == report.spent <= 60


def test_every_rule_is_judged_where_accounts_are_made_of_tokens() -> None:
    report, _ = checked_over_http(0)
    judged = {verdict.rule.id for verdict in report.verdicts if verdict.checks}
    assert {rule.id for rule in RULES} - judged == set()
    assert [verdict for verdict in report.unjudged if verdict.rule.id != "upload.expiry"] == []


@whatever_is_asked
def test_nothing_is_found_where_the_server_has_accounts_of_its_own(rules: Sequence[Rule]) -> None:
    with knowing("mhk_live_first_account", "mhk_live_second_account") as (wire, clock, _):
        options = Options(TARGET, "mhk_live_first_account", "mhk_live_second_account", rules=rules)
        report = check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
    assert told(report) == []
    assert report.exit_code is Exit.CONFORMS
    assert report.spent <= 60
    unjudged = {verdict.rule.id for verdict in report.unjudged}
    assert {"credits.empty", "credits.balance", "credits.plan"} <= unjudged
    assert "auth.own-projects" not in unjudged


@pytest.mark.thorough
@whatever_is_asked
def test_an_account_that_is_known_to_be_empty_makes_legal_requests_free(rules: Sequence[Rule]) -> None:
    with knowing("mhk_live_first_account", "mhk_test_pro_0") as (wire, clock, _):
        options = Options(TARGET, "mhk_live_first_account", empty_token="mhk_test_pro_0", rules=rules)
        report = check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
    assert told(report) == []
    assert report.spent <= 45
    assert not any(verdict.rule.id == "credits.empty" for verdict in report.unjudged)


@pytest.mark.thorough
@whatever_is_asked
def test_a_plan_that_allows_less_is_no_fault(rules: Sequence[Rule]) -> None:
    with knowing("mhk_test_free_1000_mine") as (wire, clock, _):
        options = Options(TARGET, "mhk_test_free_1000_mine", rules=rules)
        report = check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
    assert told(report) == []


@whatever_is_asked
def test_an_account_that_runs_out_of_credits_is_no_fault(rules: Sequence[Rule]) -> None:
    with knowing("mhk_test_pro_12_mine") as (wire, clock, _):
        options = Options(TARGET, "mhk_test_pro_12_mine", rules=rules)
        report = check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
    assert told(report) == []


def test_a_token_that_is_refused_is_told_and_nothing_is_judged() -> None:
    with knowing("somebody-elses") as (wire, clock, _):
        report = check(
            Options(TARGET, "mine"), contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now
        )
    assert report.exit_code is Exit.UNJUDGED
    assert "the token is refused" in report.stopped
    assert len(report.exchanges) == 1


def test_without_a_budget_what_is_free_is_judged_and_it_is_told_that_this_is_not_all() -> None:
    with knowing("mine-and-nobody-elses") as (wire, clock, mock):
        options = Options(TARGET, "mine-and-nobody-elses", max_credits=0)
        report = check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
        assert [account.credits for account in mock.world.store.accounts()] == [10_000]
    assert told(report) == []
    assert report.spent == 0
    assert report.exit_code is Exit.UNJUDGED
    reasons = {
        verdict.reason for verdict in report.unjudged if verdict.operation == "POST /v1/ai-photo-editor"
    }
    assert any(reason.startswith("budget: 10 credits may be needed") for reason in reasons)


@pytest.mark.thorough
@whatever_is_asked
def test_links_that_live_for_seconds_are_used_again_once_they_have_expired(rules: Sequence[Rule]) -> None:
    from bluehour.openapi.contract import Contract, load

    document = dict(load().document)
    document["x-lifetimes"] = {"upload-link": 9, "upload": 604800, "download-link": 9}
    contract, clock = Contract(document), Clock()
    with closing(Mock(contract, Settings(time_scale=TIME_SCALE), clock=clock)) as mock:
        wire = AppWire(create_app(mock))
        options = Options(TARGET, "any-token", rules=rules)
        report = check(options, contract=contract, wire=wire, sleep=clock.advance, now=clock.now)
    assert told(report) == []
    checks = {verdict.rule.id: verdict.checks for verdict in report.verdicts}
    assert checks["upload.expiry"] > 0
    purposes = [exchange.purpose for exchange in report.exchanges]
    assert purposes.count("a link that has expired") >= 2


def test_a_server_that_is_always_too_busy_is_not_judged() -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("429 Too Many Requests", [("Content-Type", "application/json")])
        return [b'{"code": "too_many_requests", "message": "Too Many Requests"}']

    waits: list[float] = []
    report = check(Options(TARGET, "any-token"), contract=EDITORS, wire=AppWire(app), sleep=waits.append)
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    assert "429" in report.stopped
    assert waits == sorted(waits)
    assert len(waits) > 2
