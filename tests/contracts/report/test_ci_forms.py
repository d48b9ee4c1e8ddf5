"""SARIF and GitHub's annotations, as what reads them takes them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from bluehour.contracts.baseline import Acceptance
from bluehour.contracts.report import github, kept_from_the_runner, sarif
from bluehour.contracts.results import Exit, Report
from bluehour.mock_server.cli import main
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.serving import served
from tests.editors import editors_file

from .reports import HARMFUL, exchange, finding, report

_COMMAND = re.compile(r"::(error|warning|notice) title=([^:,]*)::(.*)")


def run_of(made: Report) -> dict[str, Any]:
    log = json.loads(sarif(made))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def accepting(made: Report) -> Report:
    """The same, but for its first finding, which is accepted."""
    first, *rest = made.findings
    known = Acceptance(first.rule.id, first.operation, "known since May", date(2099, 1, 1))
    return replace(made, findings=(replace(first, accepted=known), *rest))


# --- SARIF --------------------------------------------------------------------------------------------------


def test_every_finding_is_a_result_of_a_rule_that_the_run_describes(sample: Report) -> None:
    run = run_of(sample)
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = driver["rules"]
    assert len({each["id"] for each in rules}) == len(rules)
    assert all(each["shortDescription"]["text"] and each["help"]["text"] for each in rules)
    assert len(run["results"]) == len(sample.findings)
    for result, found in zip(run["results"], sample.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == found.rule.id
        assert result["level"] == found.rule.severity
        assert found.operation in result["message"]["text"]


def test_a_result_has_the_place_that_code_scanning_wants_and_the_exchange(sample: Report) -> None:
    result = next(each for each in run_of(sample)["results"] if each["ruleId"] == "refuse.step")
    (place,) = result["locations"]
    assert urlsplit(place["physicalLocation"]["artifactLocation"]["uri"]).path == "/v1/ai-face-editor"
    assert place["physicalLocation"]["region"]["startLine"] >= 1
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "POST /v1/ai-face-editor"
    assert result["webRequest"]["method"] == "POST"
    assert "mouth_smile" in result["webRequest"]["body"]["text"]
    assert result["webResponse"]["statusCode"] == 200


def test_findings_can_be_told_apart_and_known_again(sample: Report) -> None:
    def prints(made: Report) -> list[str]:
        return [json.dumps(each["partialFingerprints"]) for each in run_of(made)["results"]]

    assert len(set(prints(sample))) == len(sample.findings)
    other = replace(
        sample, findings=tuple(replace(each, message="In other words.") for each in sample.findings)
    )
    assert prints(other) == prints(sample)


def test_what_is_accepted_is_suppressed_with_its_reason(sample: Report) -> None:
    first, *rest = run_of(accepting(sample))["results"]
    (suppression,) = first["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert "known since May" in suppression["justification"]
    assert not any("suppressions" in each for each in rest)


def test_a_check_that_ended_early_was_no_successful_run() -> None:
    early = run_of(report(verdicts=(), exit_code=Exit.UNJUDGED, stopped="nobody answers"))
    (invocation,) = early["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 3)
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "nobody answers"
    assert run_of(report())["invocations"][0]["executionSuccessful"]


# --- GitHub -------------------------------------------------------------------------------------------------


def commands(made: Report) -> list[tuple[str, str, str]]:
    """The annotations: level, title and text."""
    found = []
    for line in github(made).splitlines():
        parts = _COMMAND.fullmatch(line)
        assert parts, line
        found.append((parts[1], parts[2], parts[3]))
    return found


def test_the_end_and_each_broken_rule_are_an_annotation(sample: Report) -> None:
    end, *rules = commands(sample)
    assert end[0] == "error"
    assert "rules are broken" in end[2]
    broken = {each.rule.id for each in sample.findings}
    assert {title.split("%3A")[0] for _, title, _ in rules} == broken
    levels = {title.split("%3A")[0]: level for level, title, _ in rules}
    assert (levels["refuse.step"], levels["answer.headers"]) == ("error", "warning")
    assert any("POST /v1/ai-face-editor, style.mouth_smile: " in text for _, _, text in rules)


def test_what_is_accepted_is_no_annotation(sample: Report) -> None:
    assert not any("refuse.step" in title for _, title, _ in commands(accepting(sample)))


def test_no_more_are_made_than_github_shows(sample: Report) -> None:
    many = tuple(
        finding(each.id, exchange(1), "Wrong.") for each in {each.rule: 0 for each in sample.verdicts}
    )
    levels = [level for level, _, _ in commands(report(many))]
    assert levels.count("error") == 10


@pytest.mark.parametrize(("end", "level"), [(Exit.CONFORMS, "notice"), (Exit.UNJUDGED, "warning")])
def test_a_check_without_findings_has_one_annotation(end: Exit, level: str) -> None:
    assert [each[0] for each in commands(report(exit_code=end))] == [level]


def test_a_server_can_not_write_an_annotation() -> None:
    hostile = f"a\r\n::error title=b::c%0A {HARMFUL}"
    made = report((finding("answer.schema", exchange(1), hostile, field=hostile, operation=hostile),))
    assert len(commands(made)) == 2
    kept = kept_from_the_runner("::error::x").splitlines()
    assert kept[0].removeprefix("::stop-commands::") == kept[-1].strip(":")
    assert kept[0] != kept_from_the_runner("::error::x").splitlines()[0]


@pytest.mark.parametrize(
    ("variable", "option", "annotated"),
    [("true", [], True), ("", [], False), ("true", ["--no-github"], False), ("", ["--github"], True)],
)
def test_the_command_annotates_on_github_or_where_it_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, option: list[str], annotated: bool
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", variable)
    wrong = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
    with served(wrong) as server:
        arguments = ["check", server.url, "--spec", f"{editors_file()}", "--only", "path.unknown", *option]
        output = CliRunner().invoke(main, arguments).output
    assert ("::error title=path.unknown%3A" in output) == annotated
    assert ("::stop-commands::" in output) == annotated
