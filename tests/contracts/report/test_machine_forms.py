"""JUnit, JSON and HAR, as programs read them."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from bluehour.contracts.exchange import Answer
from bluehour.contracts.report import as_json, har, junit
from bluehour.contracts.results import Exit, Report
from bluehour.contracts.rules import RULES

from .reports import DELETE, FACE, READ, SPENT, exchange, finding, report

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def suites(made: Report) -> Xml.Element:
    return Xml.fromstring(junit(made).encode())


def case(root: Xml.Element, operation: str, name: str) -> Xml.Element:
    found = root.find(f"./testsuite/testcase[@classname='{operation}'][@name='{name}']")
    assert found is not None
    return found


def test_junit_has_a_case_for_each_verdict_and_counts_them(sample: Report) -> None:
    root = suites(sample)
    assert root.get("tests") == f"{len(sample.verdicts)}"
    for each in (root, *root.iter("testsuite")):
        for name, outcome in (
            ("tests", "."),
            ("failures", "failure"),
            ("skipped", "skipped"),
            ("errors", "error"),
        ):
            found = [
                test for test in each.iter("testcase") if outcome == "." or test.find(outcome) is not None
            ]
            assert each.get(name) == f"{len(found)}"
    assert (root.get("failures"), root.get("skipped")) == ("5", "20")


def test_a_failure_tells_what_a_person_needs(sample: Report) -> None:
    failure = case(suites(sample), FACE, "refuse.step").find("failure")
    assert failure is not None
    assert failure.get("message") == sample.findings[0].message
    for told in (
        "multipleOf: 5",
        "To do: Apply multipleOf",
        "curl https://",
        "Answer: 200 OK",
        '"credits_charged": 1',
    ):
        assert told in (failure.text or "")


def test_a_warning_passes_and_is_told(sample: Report) -> None:
    warned = case(suites(sample), "POST /v1/files/upload-urls", "answer.headers")
    assert [each.tag for each in warned] == ["system-out"]
    assert "lacks its header Retry-After" in (warned.findtext("system-out") or "")


def test_what_was_not_judged_is_skipped_with_its_reason(sample: Report) -> None:
    skipped = case(suites(sample), FACE, "credits.price").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == SPENT


def test_every_suite_says_how_to_make_the_check_again(sample: Report) -> None:
    for suite in suites(sample).iter("testsuite"):
        facts = {each.get("name"): each.get("value") for each in suite.iter("property")}
        assert (facts["target"], facts["seed"]) == ("https://images.example.com", "42")
        assert (facts["credits-spent"], facts["max-credits"]) == ("13", "60")


def test_a_finding_without_a_verdict_fails_all_the_same() -> None:
    told = finding("project.kept", exchange(1, label=DELETE), "It was renamed.")
    assert case(suites(report((told,), verdicts=())), DELETE, "project.kept").find("failure") is not None


@pytest.mark.parametrize(("exit_code", "outcome"), [(Exit.USAGE, "error"), (Exit.UNJUDGED, "skipped")])
def test_a_check_that_ended_early_is_no_pass(exit_code: Exit, outcome: str) -> None:
    root = suites(report(verdicts=(), exit_code=exit_code, stopped="nobody answers"))
    assert case(root, "the check", "to its end").find(outcome) is not None


def test_json_has_all_facts(sample: Report) -> None:
    facts = json.loads(as_json(sample))
    assert (facts["exit_code"], facts["exit"], facts["requests"]) == (1, "findings", 60)
    assert facts["credits"] == {"spent": 13, "budget": 60}
    assert facts["summary"] == {
        "kept": len(RULES) - 19,
        "broken": 5,
        "accepted": 0,
        "warned": 1,
        "unjudged": 13,
    }
    assert (len(facts["rules"]), len(facts["verdicts"]), len(facts["findings"])) == (
        len(RULES),
        len(sample.verdicts),
        7,
    )
    first = facts["findings"][0]
    assert (first["rule"], first["field"], first["times"]) == ("refuse.step", "style.mouth_smile", 3)
    assert first["exchange"]["response"]["status"] == 200
    assert json.loads(first["exchange"]["request"]["body"]["text"])["style"] == {"mouth_smile": 61}
    rule = next(each for each in facts["rules"] if each["id"] == "refuse.step")
    assert set(rule) == {"id", "group", "title", "place", "cost", "advice", "severity", "standing"}
    unanswered = next(each for each in facts["findings"] if each["rule"] == "answer.arrives")
    assert unanswered["exchange"]["response"] is None
    assert unanswered["exchange"]["failure"] == "timed out after 30 s"


def entries(made: Report) -> list[dict[str, Any]]:
    log = json.loads(har(made))["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    found: list[dict[str, Any]] = log["entries"]
    return found


def test_har_has_every_exchange_with_the_keys_that_readers_need(sample: Report) -> None:
    found = entries(sample)
    assert len(found) == 60
    for each in found:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(each)
        assert set(each["timings"]) == {"send", "wait", "receive"}
        common = {"httpVersion", "cookies", "headers", "headersSize", "bodySize"}
        assert common | {"method", "url", "queryString"} <= set(each["request"])
        assert common | {"status", "statusText", "content", "redirectURL"} <= set(each["response"])
        assert {"size", "mimeType"} <= set(each["response"]["content"])


def test_har_keeps_pictures_as_base64_and_leaves_out_huge_ones() -> None:
    small = exchange(1, PICTURE, label=READ, answer=Answer(200, (("Content-Type", "image/png"),), PICTURE))
    huge = exchange(2, label=READ, answer=Answer(200, (), b"\xff" * (2**20 + 1)))
    first, second = entries(report((), (small, huge)))
    content = first["response"]["content"]
    assert base64.b64decode(content["text"]) == PICTURE
    assert (content["encoding"], content["mimeType"], content["size"]) == (
        "base64",
        "image/png",
        len(PICTURE),
    )
    assert base64.b64decode(first["request"]["postData"]["text"]) == PICTURE
    assert second["response"]["content"]["comment"] == "left out: 1,048,577 bytes that are no text"


def test_har_writes_a_lost_answer_as_browsers_do() -> None:
    (entry,) = entries(report((), (exchange(1, answer=None, failure="reset"),)))
    assert (entry["response"]["status"], entry["response"]["comment"]) == (0, "reset")
