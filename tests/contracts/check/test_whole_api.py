"""A check of the whole API: nothing is found in the mock, and a budget goes to each kind's cheapest first."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner

from bluehour.contracts.check.checker import is_success
from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check, example_price
from bluehour.contracts.exchange import label_of
from bluehour.contracts.results import Exit, Report
from bluehour.contracts.rules import RULES
from bluehour.mock_server.app import create_app
from bluehour.mock_server.cli import main
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load

CREATES = [each for each in load().operations if each.behaviour == "create-project"]
NOBODY = "http://127.0.0.1:9"

SPENDING = [rule for rule in RULES if rule.group in {"accept", "credits", "project"}]
SPENDING = [rule for rule in SPENDING if rule.id != "accept.random"]


def checked(**options: Any) -> Report:
    """Check the mock, without a network: waiting moves its clock."""
    clock = Clock()
    with closing(Mock(settings=Settings(time_scale=0.01, journal=0), clock=clock)) as mock:
        given = Options(**{"target": NOBODY, "token": "any-token", **options})
        return check(given, wire=AppWire(create_app(mock)), sleep=clock.advance, now=clock.now)


@cache
def for_a_little() -> Report:
    return checked(rules=SPENDING, max_credits=60)


def accepted(report: Report) -> set[str]:
    return {exchange.label for exchange in report.exchanges if is_success(exchange)}


def test_a_small_budget_covers_the_cheapest_of_each_kind_and_finds_nothing() -> None:
    report = for_a_little()
    assert [f"{each.rule.id} {each.operation} {each.message}" for each in report.findings] == []
    assert report.spent <= 60
    for kind in {each.project_kind for each in CREATES}:
        cheapest = min((each for each in CREATES if each.project_kind == kind), key=example_price)
        assert label_of(cheapest) in accepted(report)


def test_what_was_never_tried_is_not_judged_and_the_exit_code_says_so() -> None:
    report = for_a_little()
    left_out = {label_of(each) for each in CREATES} - accepted(report)
    assert "POST /v1/text-to-video" in left_out
    unjudged = {each.operation for each in report.unjudged if each.rule.id == "accept.examples"}
    assert left_out <= unjudged
    assert report.exit_code is Exit.UNJUDGED


@pytest.mark.thorough
def test_nothing_is_found_in_the_mock() -> None:
    report = checked()
    assert [f"{each.rule.id} {each.operation} {each.message}" for each in report.findings] == []
    assert report.exit_code is Exit.CONFORMS
    assert {label_of(each) for each in load().operations} <= accepted(report)


@pytest.mark.thorough
@pytest.mark.parametrize("most", [60, 500, 5_000])
def test_the_plan_says_what_a_budget_leaves_out_and_what_that_costs(most: int) -> None:
    told = CliRunner().invoke(main, ["check", NOBODY, "--plan", "--max-credits", f"{most}"]).output
    total = next(line.split() for line in told.splitlines() if line.startswith("in all"))
    assert int(total[3].replace(",", "")) <= most
    left_out = [each for each in CREATES if f"{label_of(each)} " in told.partition("Not covered")[2]]
    assert bool(left_out) == (most < 5_000)
    assert not left_out or f"cost {sum(map(example_price, left_out)):,} credits" in told
    assert "--max-credits" in told.rpartition("All that a check does")[2]
