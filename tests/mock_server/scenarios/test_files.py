"""Scenario files, as a person writes them, and what a slip in one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluehour.mock_server.mock import Mock
from bluehour.mock_server.scenarios.rules import RuleError
from bluehour.mock_server.scenarios.scenarios import read_scenario

from ..conftest import FACE, Caller, face

GOOD = """\
rules:
  - name: too fast
    match: { operation: aiFaceEditor.editImage, nth: 2 }
    answer: { status: 429, retry_after: 2 }
  - match: { token: "slow*" }
    delay: 0.5
"""


def test_a_file_of_rules_is_taken(tmp_path: Path, caller: Caller, mock: Mock) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    mock.scenarios.start_with(read_scenario(path))
    answers = [caller.post(FACE, face()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert answers[1].headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("rules: [{match: {operation: x}, dealy: 1}]", r"'dealy' was unexpected"),
        ("rules: [{delay: -1}]", r"rules\[0\].delay must be at least 0"),
        ("rules: [{answer: {status: 42}}]", r"rules\[0\].answer.status must be at least 200"),
        ("rules: [{answer: {}}]", r"Missing required field: rules\[0\].answer.status \(expected integer\)"),
        ("rules: [{fault: explode}]", r"rules\[0\].fault: expected one of 'drop', 'cut'"),
        ("rules: [{job: Ünknown}]", r"rules\[0\].job"),
        ("rules: {}", "Invalid type for rules: expected array, got object"),
        ("rule: []", "Missing required field: rules"),
        ("- delay: 1", "expected object, got array"),
        ("", "expected object, got null"),
        ("rules: [{answer: {status: 200, body: .inf}}]", "JSON can't hold this number at line 1"),
        ("rules: [{answer: {status: 200, body: !!set {a}}}]", "2002:set' at line 1"),
        ("rules: [{answer: {status: 200, body: " + "[" * 300, "nested more than 200 levels deep, at line 1"),
        ("rules: [", r"not valid YAML: .*line \d"),
        ("{", "not valid JSON"),
    ],
)
def test_a_slip_in_a_file_is_told_in_one_line_with_its_place(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(RuleError, match=wrong) as refused:
        read_scenario(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="No such file or directory"):
        read_scenario(tmp_path / "none.yaml")
