"""A baseline: what it accepts fails no check, and no entry of it goes stale in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner, Result

from bluehour.mock_server.cli import main
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.serving import Served, served
from tests.editors import editors_file

WRONG = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
TODAY = datetime.now(UTC).date()
ENTRY = {"rule": "path.unknown", "operation": "any path", "reason": "the old gateway", "until": TODAY}


@pytest.fixture
def wrong() -> Iterator[Served]:
    with served(WRONG) as server:
        yield server


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(url: str, *args: Any) -> Result:
    options = ("--spec", f"{editors_file()}", "--only", "path.unknown", "--only", "answer.leak")
    return CliRunner().invoke(main, ["check", url, *options, *map(str, args)])


def said(result: Result) -> str:
    return " ".join(result.output.split())


def baseline(**fields: Any) -> tuple[str, str]:
    Path("baseline.yaml").write_text(yaml.safe_dump([ENTRY | fields]))
    return "--baseline", "baseline.yaml"


def test_what_is_accepted_is_told_apart_and_does_not_fail(wrong: Served) -> None:
    result = run(
        wrong.url, *baseline(), "--report", "a.html", "--json", "a.json", "--junit", "a.xml"
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    words = f"accepted until {TODAY}: the old gateway"
    assert f"path.unknown at any path {words}" in said(result)
    assert "1 rule kept, 1 accepted" in said(result)
    assert words in Path("a.html").read_text()
    (finding,) = json.loads(Path("a.json").read_text())["findings"]
    assert finding["accepted"] == {"reason": "the old gateway", "until": f"{TODAY}"}
    root = ElementTree.parse("a.xml").getroot()
    assert root.get("failures") == "0"
    assert words in "".join(root.itertext())


def test_a_finding_of_another_rule_fails_beside_it(wrong: Served) -> None:
    result = run(wrong.url, *baseline(rule="answer.leak"))
    assert result.exit_code == 1
    assert "1 rule is broken" in result.output


def test_the_first_finding_that_is_not_accepted_is_enough(wrong: Served) -> None:
    assert run(wrong.url, "-x").exit_code == 1
    accepting = run(wrong.url, *baseline(), "-x")
    assert accepting.exit_code == 0
    assert "1 accepted" in accepting.output


def test_an_entry_that_is_over_accepts_nothing_and_is_told(wrong: Served) -> None:
    over = TODAY - timedelta(days=1)
    result = run(wrong.url, *baseline(until=over))
    assert result.exit_code == 1
    assert f"accepts path.unknown at any path until {over}, which is over" in said(result)


def test_an_entry_whose_rule_is_kept_is_told_and_one_that_was_not_judged_is_not() -> None:
    with served(None) as right:
        result = run(right.url, *baseline())
        other = run(right.url, *baseline(operation="DELETE /v1/nothing"))
    assert result.exit_code == 0
    assert "accepts path.unknown at any path, which is kept now: take it out" in said(result)
    assert "take it out" not in said(other)


def test_a_baseline_is_written_from_the_findings_and_the_next_check_passes_by_it(wrong: Served) -> None:
    assert run(wrong.url, "--write-baseline", "new.yaml").exit_code == 1
    (entry,) = yaml.safe_load(Path("new.yaml").read_text())
    assert (entry["rule"], entry["operation"]) == ("path.unknown", "any path")
    assert entry["until"] > TODAY + timedelta(days=80)
    assert run(wrong.url, "--baseline", "new.yaml").exit_code == 0


def test_entries_keep_their_reasons_and_those_that_are_for_nothing_go(wrong: Served) -> None:
    unseen = ENTRY | {"rule": "auth.required", "operation": "GET /v1/x"}
    place = next(iter(_judged(wrong)))
    Path("old.yaml").write_text(
        yaml.safe_dump([ENTRY, ENTRY | {"rule": "answer.leak", "operation": place}, unseen])
    )
    run(wrong.url, "--baseline", "old.yaml", "--write-baseline", "old.yaml")
    assert yaml.safe_load(Path("old.yaml").read_text()) == [ENTRY, unseen]


def _judged(server: Served) -> list[str]:
    """Where the rule answer.leak is judged."""
    run(server.url, "--json", "a.json")
    verdicts = json.loads(Path("a.json").read_text())["verdicts"]
    return [each["operation"] for each in verdicts if each["rule"] == "answer.leak" and each["checks"]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "no YAML"),
        ("rule: path.unknown", "no list of entries"),
        ("- path.unknown", "in entry 1 other keys than rule, operation, reason and until"),
        ("- {rule: path.unknown, operation: any path, until: 2099-01-01}", "entry 1 other keys than"),
        ("- {rule: path.unknwn, operation: a, reason: b, until: 2099-01-01}", "the nearest is path.unknown"),
        ("- {rule: path.unknown, operation: a, reason: '', until: 2099-01-01}", "in entry 1 no reason"),
        ("- {rule: path.unknown, operation: a, reason: b, until: soon}", "until soon, which is no day"),
        ("- {rule: [], operation: a, reason: b, until: 2099-01-01}", "the rule [], which there is not"),
    ],
)
def test_what_is_wrong_in_a_baseline_is_told_in_a_line(text: str, says: str) -> None:
    Path("baseline.yaml").write_text(text)
    result = run("http://127.0.0.1:9", "--baseline", "baseline.yaml")
    assert result.exit_code == 2
    assert result.output.startswith("Error: --baseline: baseline.yaml ")
    assert result.output.count("\n") == 1
    assert says in result.output
