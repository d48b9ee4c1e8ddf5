"""What is gathered: findings told apart and counted, and what is known of each rule at each operation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.check.findings import BUDGET, Enough, Findings
from bluehour.contracts.exchange import ANYWHERE, Answer, Exchange, Request, label_of
from bluehour.contracts.judge import Rulings, Violation
from bluehour.contracts.results import State
from bluehour.contracts.rules import RULES, Severity, rule
from bluehour.contracts.selection import matching
from bluehour.openapi.contract import load

FACE, READ = load().operation("aiFaceEditor.editImage"), load().operation("imageProjects.getDetails")
OPERATIONS = (*(label_of(each) for each in load().operations), "upload", "download", ANYWHERE)
HERE, THERE = label_of(FACE), label_of(READ)
MOST = 25


def exchange(number: int = 1) -> Exchange:
    request = Request("POST", "http://127.0.0.1:9/v1/ai-face-editor")
    return Exchange(number, float(number), request, Answer(200), FACE)


def violation(
    rule_id: str = "refuse.maximum", field: str = "", at: str = HERE, message: str = "It is"
) -> Violation:
    return Violation(rule(rule_id), at, field, message, "maximum: 100", (exchange(99),))


@pytest.fixture
def findings() -> Findings:
    return Findings(RULES)


def states(findings: Findings) -> dict[tuple[str, str], State]:
    return {(each.rule.id, each.operation): each.state for each in findings.verdicts(OPERATIONS)}


# --- findings -----------------------------------------------------------------------------------------------


def test_a_violation_is_a_finding_with_the_exchange_that_shows_it(findings: Findings) -> None:
    findings.add(violation(field="style.head_yaw"), exchange(7))
    (found,) = findings.findings()
    assert (found.rule, found.operation, found.field) == (rule("refuse.maximum"), HERE, "style.head_yaw")
    assert (found.message, found.words, found.times) == ("It is", "maximum: 100", 1)
    assert (found.exchange, found.related) == (exchange(7), (exchange(99),))


def test_the_same_again_is_counted_and_the_first_is_shown(findings: Findings) -> None:
    for number in (3, 4, 5):
        findings.add(violation(message=f"Shown by {number}"), exchange(number))
    (found,) = findings.findings()
    assert (found.times, found.message, found.exchange) == (3, "Shown by 3", exchange(3))
    assert findings.count == 1


def test_other_rules_operations_and_fields_are_other_findings(findings: Findings) -> None:
    findings.add(violation(), exchange())
    findings.add(violation("refuse.minimum"), exchange())
    findings.add(violation(at=THERE), exchange())
    findings.add(violation(field="style"), exchange())
    assert [each.times for each in findings.findings()] == [1, 1, 1, 1]


def test_fields_beyond_a_number_are_only_counted(findings: Findings) -> None:
    for number in range(MOST + 10):
        findings.add(violation(field=f"f{number}"), exchange(number + 1))
    found = findings.findings()
    assert [each.field for each in found] == [f"f{number}" for number in range(MOST)]
    assert sum(each.times for each in found) == MOST + 10


def test_where_the_fields_are_too_many_a_known_one_is_still_counted_as_itself(findings: Findings) -> None:
    for number in range(MOST):
        findings.add(violation(field=f"f{number}"), exchange(number + 1))
    findings.add(violation(field="f7"), exchange(100))
    assert [each.field for each in findings.findings() if each.times == 2] == ["f7"]


def test_too_many_fields_of_one_operation_leave_the_others_alone(findings: Findings) -> None:
    for number in range(MOST + 1):
        findings.add(violation(field=f"f{number}"), exchange())
    findings.add(violation(field="g", at=THERE), exchange())
    findings.add(violation("refuse.minimum", field="g"), exchange())
    assert findings.count == MOST + 2


def test_findings_come_in_the_rules_order_and_then_as_they_came(findings: Findings) -> None:
    for rule_id, field in (("upload.put", "b"), ("answer.schema", "z"), ("upload.put", "a")):
        findings.add(violation(rule_id, field), exchange())
    found = [(each.rule.id, each.field) for each in findings.findings()]
    assert found == [("answer.schema", "z"), ("upload.put", "b"), ("upload.put", "a")]


def test_a_finding_needs_no_exchange(findings: Findings) -> None:
    findings.add(violation("project.ends"), None)
    assert findings.findings()[0].exchange is None


def test_where_the_first_is_all_that_is_wanted_it_ends_there_and_is_known() -> None:
    findings = Findings(RULES, only_first=True)
    with pytest.raises(Enough):
        findings.add(violation(), exchange(3))
    assert [each.exchange for each in findings.findings()] == [exchange(3)]


def test_a_warning_and_what_was_not_asked_about_do_not_end_it() -> None:
    warning = next(each for each in RULES if each.severity is Severity.WARNING)
    findings = Findings([warning, rule("credits.price")], only_first=True)
    findings.add(violation(warning.id), exchange())
    findings.add(violation("refuse.maximum"), exchange())
    assert findings.count == 1
    with pytest.raises(Enough):
        findings.add(violation("credits.price"), exchange())


# --- selection ----------------------------------------------------------------------------------------------


def test_what_was_not_asked_about_is_dropped() -> None:
    findings = Findings(list(matching("credits", RULES)))
    findings.add(violation("refuse.maximum"), exchange())
    findings.keep("refuse.minimum", HERE)
    findings.unjudged("auth.required", HERE, "no reason")
    findings.keep("credits.price", HERE)
    assert (findings.count, states(findings)) == (0, {("credits.price", HERE): State.KEPT})
    assert not findings.is_broken("refuse.maximum", HERE)


def test_one_rule_that_is_asked_about_is_wanted_among_others() -> None:
    findings = Findings([rule("credits.price")])
    assert findings.wants(("auth.required", "credits.price"))
    assert not findings.wants(("auth.required", "credits.same"))
    assert not findings.wants(())


# --- verdicts -----------------------------------------------------------------------------------------------


def test_a_rule_that_was_kept_is_counted(findings: Findings) -> None:
    for _ in range(3):
        findings.keep("answer.status", HERE)
    (verdict,) = findings.verdicts(OPERATIONS)
    assert (verdict.rule.id, verdict.operation) == ("answer.status", HERE)
    assert (verdict.state, verdict.checks, verdict.reason) == (State.KEPT, 3, "")


def test_once_broken_is_broken_however_often_it_is_kept(findings: Findings) -> None:
    findings.keep("answer.status", HERE)
    findings.add(violation("answer.status"), exchange())
    findings.keep("answer.status", HERE)
    findings.unjudged("answer.status", HERE, "the budget is spent")
    (verdict,) = findings.verdicts(OPERATIONS)
    assert (verdict.state, verdict.checks, verdict.reason) == (State.BROKEN, 2, "")


def test_what_can_not_be_judged_says_why_by_its_first_reason(findings: Findings) -> None:
    for reason in ("there is no second account", "something else"):
        findings.unjudged("auth.own-projects", THERE, reason)
    (verdict,) = findings.verdicts(OPERATIONS)
    assert (verdict.state, verdict.checks) == (State.UNJUDGED, 0)
    assert verdict.reason == "there is no second account"


def test_what_was_judged_in_part_is_kept_and_says_why_not_all(findings: Findings) -> None:
    findings.keep("accept.bounds", HERE)
    findings.unjudged("accept.bounds", HERE, "the budget is spent")
    (verdict,) = findings.verdicts(OPERATIONS)
    assert (verdict.state, verdict.reason) == (State.KEPT, "the budget is spent")


def test_verdicts_come_in_the_rules_order_and_then_in_the_operations(findings: Findings) -> None:
    for rule_id, at in (
        ("upload.put", "upload"),
        ("answer.status", ANYWHERE),
        ("answer.status", THERE),
        ("answer.arrives", "download"),
        ("answer.status", HERE),
    ):
        findings.keep(rule_id, at)
    assert [(each.rule.id, each.operation) for each in findings.verdicts(OPERATIONS)] == [
        ("answer.arrives", "download"),
        ("answer.status", HERE),
        ("answer.status", THERE),
        ("answer.status", ANYWHERE),
        ("upload.put", "upload"),
    ]


def test_what_a_judge_says_is_taken(findings: Findings) -> None:
    rulings = Rulings(exchange())
    rulings.keep("answer.status")
    rulings.violate("answer.schema", "id is missing", "id")
    assert rulings.expect("answer.headers", True, "Never told")
    assert not rulings.expect("answer.leak", False, "It shows a path")
    findings.take(rulings.all, exchange(5))
    assert states(findings) == {
        ("answer.status", HERE): State.KEPT,
        ("answer.schema", HERE): State.BROKEN,
        ("answer.headers", HERE): State.KEPT,
        ("answer.leak", HERE): State.BROKEN,
    }
    assert {each.exchange for each in findings.findings()} == {exchange(5)}


def test_the_budget_is_told_from_other_reasons(findings: Findings) -> None:
    findings.unjudged("accept.bounds", HERE, f"{BUDGET}10 credits may be needed, and 0 are left of 0")
    findings.unjudged("accept.bounds", THERE, "there is no second account")
    assert findings.is_untried(HERE)
    assert not findings.is_untried(THERE)
    assert not findings.is_untried(ANYWHERE)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["keep", "violation", "unjudged"]),
            st.sampled_from(["answer.status", "refuse.type", "upload.put"]),
            st.sampled_from([HERE, THERE, ANYWHERE]),
            st.integers(0, 40).map("f{}".format),
        ),
        max_size=80,
    )
)
def test_nothing_that_is_found_gets_lost(steps: list[tuple[str, str, str, str]]) -> None:
    findings = Findings(RULES)
    for kind, rule_id, at, field in steps:
        if kind == "keep":
            findings.keep(rule_id, at)
        elif kind == "violation":
            findings.add(violation(rule_id, field, at), exchange())
        else:
            findings.unjudged(rule_id, at, field)
    broken = [(rule_id, at) for kind, rule_id, at, _ in steps if kind == "violation"]
    kept = [(rule_id, at) for kind, rule_id, at, _ in steps if kind == "keep"]
    verdicts = {(each.rule.id, each.operation): each for each in findings.verdicts(OPERATIONS)}
    assert sum(each.times for each in findings.findings()) == len(broken)
    assert len(findings.findings()) == findings.count
    assert verdicts.keys() == {(rule_id, at) for _, rule_id, at, _ in steps}
    for place, verdict in verdicts.items():
        assert verdict.checks == kept.count(place)
        assert (verdict.state is State.BROKEN) == (place in broken) == findings.is_broken(*place)
        assert (verdict.state is State.UNJUDGED) == (place not in broken and place not in kept)
