"""For each rule there is a deviant that a check finds by it; `make test-thorough` has every deviant found."""

from __future__ import annotations

import pytest

from bluehour.contracts.results import Exit
from bluehour.contracts.rules import RULES, rule
from tests.deviants.breaking import BREAKING
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.checking import NAMING, checked, measured
from tests.deviants.deviant import Deviant
from tests.deviants.known import NOT_FOUND
from tests.profiles import few

BESIDES = (rule("credits.empty"), rule("project.found"))
"""What has to be known before some others can be judged: which account can't pay, and what a project is."""

FOUND = [each for each in DEVIANTS if each.name not in NOT_FOUND]


@pytest.mark.parametrize(("rule_id", "deviant"), BREAKING.items(), ids=BREAKING)
def test_a_broken_rule_is_found_and_named(rule_id: str, deviant: Deviant) -> None:
    of_any_answer = rule_id.startswith("answer.")  # asked of whatever is sent, and so of all there is to send
    report = checked(deviant, rules=tuple({rule(rule_id), *BESIDES}), only_first=of_any_answer)
    assert rule_id in {finding.rule.id for finding in report.findings}, f"not found: {deviant.breaks}"
    assert report.spent <= report.max_credits


def test_every_rule_is_broken_by_a_deviant() -> None:
    assert [each.id for each in RULES] == list(BREAKING)


@pytest.mark.thorough
@pytest.mark.parametrize("deviant", FOUND, ids=lambda deviant: deviant.name)
def test_a_deviant_is_found(deviant: Deviant) -> None:
    report = checked(deviant, only_first=True)
    assert report.exit_code is Exit.FINDINGS, f"not found: {deviant.breaks}"
    assert report.spent <= report.max_credits


LATE = (
    "upscale-factor-defaults-to-one",
    "long-prompt-fails-in-the-job",
    "every-fifteenth-picture-is-cut-off",
)
PAYING = tuple(each for each in NAMING if each.group in {"accept", "credits", "project", "download"})


@pytest.mark.parametrize("name", few(LATE, *LATE[:2]))
def test_what_shows_late_is_found_within_60_credits(name: str) -> None:
    deviant = next(each for each in DEVIANTS if each.name == name)
    report, booked = measured(deviant, max_credits=60, rules=PAYING)
    assert {each.rule.id for each in report.findings} & {"project.complete", "download.size", "download.link"}
    assert booked <= 60


def test_the_list_of_those_that_are_not_found_has_no_strangers() -> None:
    assert NOT_FOUND.keys() <= {each.name for each in DEVIANTS}
