"""Clients of other contracts than Magic Hour's are fuzzed by the same rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bluehour.contracts.fuzz.clients.function import Function
from bluehour.contracts.fuzz.engine import Options, fuzz
from bluehour.contracts.fuzz.playing import Terms
from bluehour.contracts.fuzz.report import terminal
from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.rules import RULES, rules_of
from bluehour.contracts.fuzz.strategies import Profile, topics
from bluehour.mock_server.cli import main
from bluehour.openapi.contract import load

from . import scribes

SPECS = Path(__file__).parents[2] / "openapi" / "specs"
SCRIBE = SPECS / "scribe-3.1.yaml"


def fuzzed(client: Callable[[Any], Any]) -> Result:
    contract = load(SCRIBE)
    function = Function(client, None, client)
    options = Options(
        examples=len(topics(contract, Profile.REALISTIC)),
        seed=0,
        profile=Profile.REALISTIC,
        rules=frozenset(rule.id for rule in rules_of(contract)),
        terms=Terms.of(function),
    )
    return fuzz(contract, function, options)


def test_a_careful_client_breaks_no_rule() -> None:
    result = fuzzed(scribes.careful)
    assert not result.findings, terminal(result, colour=False, width=110)
    assert result.coverage.endings.keys() >= {"complete", "canceled"}
    assert {"queued → rendering", "rendering → complete"} <= result.coverage.transitions.keys()
    assert "upload" not in terminal(result, colour=False, width=110)


@pytest.mark.parametrize(
    ("client", "rule_id"),
    [
        (scribes.polls_for_ever, "end.in-time"),
        (scribes.polls_on_after_a_failure, "poll.end"),
        (scribes.retries_at_once, "retry.backoff"),
        (scribes.sends_what_is_not_legal, "request.legal"),
        (scribes.follows_redirects_with_the_key, "token.host"),
        (scribes.crashes_without_a_text, "error.legal"),
    ],
)
def test_a_faulty_client_is_found_by_its_rule(client: Callable[[Any], Any], rule_id: str) -> None:
    result = fuzzed(client)
    assert rule_id in {finding.violation.rule for finding in result.findings}


def test_rules_about_projects_are_left_to_contracts_that_have_some() -> None:
    offered = {rule.id for rule in rules_of(load(SCRIBE))}
    assert offered < {rule.id for rule in RULES}
    assert not {each for each in offered if each.startswith(("pay", "upload", "download", "result", "link"))}
    assert rules_of(load()) == RULES


@pytest.mark.parametrize("spec", ["pet-shop-3.0.yaml", "petstore-3.0.yaml", "library-3.1.json"])
def test_topics_are_those_that_a_client_of_the_file_can_meet(spec: str) -> None:
    contract = load(SPECS / spec)
    for profile in Profile:
        places = {place for topic in topics(contract, profile) for place in topic.about.answers}
        assert places <= {"create", "poll", "call"}
        assert all(
            topic.about.job == ("complete",) for topic in topics(contract, profile) if not topic.about.answers
        )


def test_the_command_takes_a_file(tmp_path: Path) -> None:
    client = f"{Path(scribes.__file__)}:sends_what_is_not_legal"
    ran = CliRunner().invoke(
        main, ["fuzz", "--spec", str(SCRIBE), "--examples", "3", "--database", str(tmp_path), "--", client]
    )
    assert ran.exit_code == 1, ran.output
    assert re.search(r"request\.legal .*\n.*\n.*speakers", ran.output)


def test_a_file_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["fuzz", "--spec", str(tmp_path / "none.yaml"), "--", "client.py"])
    assert ran.exit_code == 2
    assert ran.output.endswith("none.yaml: No such file or directory\n")
