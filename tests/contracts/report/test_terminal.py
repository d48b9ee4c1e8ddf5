"""The summary that the command prints."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bluehour.contracts.report import finding_of, terminal
from bluehour.contracts.results import Exit, Report, State, Verdict
from bluehour.contracts.rules import RULES, rule

from .reports import FACE, HARMFUL, SPENT, answer, edit, exchange, finding, report

STEP = rule("refuse.step")
STYLE = re.compile(r"\x1b\[\d+m")


def plain(made: Report, width: int = 80) -> str:
    return terminal(made, colour=False, width=width)


def test_what_is_broken_comes_first_and_the_verdict_last() -> None:
    shown = exchange(
        12, {"style": {"mouth_smile": 61}}, booked=1, spent=27, answer=answer(200, {"id": "cmwq3t12"})
    )
    told = finding(
        "refuse.step",
        shown,
        "200 was answered: style.mouth_smile is 61.",
        field="style.mouth_smile",
        words="mouth_smile:\n  multipleOf: 5\n",
        times=3,
    )
    verdicts = (
        Verdict(STEP, FACE, State.BROKEN, 1),
        Verdict(rule("refuse.type"), FACE, State.KEPT, 1_204),
        Verdict(rule("credits.price"), FACE, State.UNJUDGED, 0, SPENT),
    )
    made = report((told,), (shown,), verdicts=verdicts, notes=("The account's plan is creator.",))
    assert (
        plain(made)
        == """\
https://images.example.com against Magic Hour image editors
1 rule is broken, 1 kept, 1 not judged
Bluehour 0.1.0, seed 42, 1 request in 18.4 s, 27 of 60 credits spent

✗ refuse.step  A number off its step is refused

  POST /v1/ai-face-editor, style.mouth_smile  3 times
    200 was answered: style.mouth_smile is 61.

    Contract
      multipleOf in the request's schema
      mouth_smile:
        multipleOf: 5
    Request 12
      curl https://images.example.com/v1/ai-face-editor \\
        -H "Authorization: Bearer $BLUEHOUR_TOKEN" \\
        -H 'Content-Type: application/json' \\
        --data-raw '{"style": {"mouth_smile": 61}}'
    Answer
      200 OK, application/json, 12 ms
      {"id": "cmwq3t12"}

  To do: Apply multipleOf, to fractions too; do not round.

Rules          kept      broken  not judged      checks
refuse            1           1                   1,205
credits                                   1           0

Not judged
  the next create could pass --max-credits:
    credits.price

Notes
  - The account's plan is creator.

1 rule is broken, 1 kept, 1 not judged; 27 of 60 credits spent
"""
    )


def test_many_findings_of_a_rule_are_told_shortly() -> None:
    shown = [exchange(number, edit(mouth_smile=61)) for number in range(1, 18)]
    text = plain(report(tuple(finding("refuse.step", each, f"Wrong in {each.number}.") for each in shown)))
    assert text.count("curl ") == 1
    assert "Wrong in 5." in text
    assert "Wrong in 6." not in text
    assert "… and 12 more: see the report" in text


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (Exit.CONFORMS, f"conforms: {len(RULES)} rules kept; 0 of 60 credits spent"),
        (
            Exit.UNJUDGED,
            f"no broken rule, but not everything was judged: {len(RULES)} kept; 0 of 60 credits spent",
        ),
        (Exit.USAGE, "not checked: nobody answers; 0 of 60 credits spent"),
    ],
)
def test_the_last_line_is_the_verdict(exit_code: Exit, expected: str) -> None:
    stopped = "nobody answers" if exit_code is Exit.USAGE else ""
    assert plain(report(exit_code=exit_code, stopped=stopped)).splitlines()[-1] == expected


def test_one_broken_rule_can_be_told_alone(sample: Report) -> None:
    text = finding_of(sample, rule("refuse.maximum"))
    assert text.startswith("✗ refuse.maximum  A number above its maximum is refused\n")
    assert text.endswith("To do: Apply the upper bound; do not clamp.")
    assert text in plain(sample, 110)


def test_a_warning_fails_nothing_and_is_said(sample: Report) -> None:
    lines = plain(sample, 100).splitlines()
    assert "! warning: answer.headers  The headers that are declared for the status are there" in lines
    assert (
        lines[-1]
        == f"5 rules are broken, {len(RULES) - 19} kept, 1 warning, 13 not judged; 13 of 60 credits spent"
    )


def test_a_rule_that_was_not_judged_everywhere_is_not_kept() -> None:
    verdicts = (Verdict(STEP, FACE, State.KEPT, 9), Verdict(STEP, "upload", State.UNJUDGED, 0, SPENT))
    assert plain(report(verdicts=verdicts, exit_code=Exit.UNJUDGED)).endswith(
        "not everything was judged: 0 kept, 1 not judged; 0 of 60 credits spent\n"
    )


@pytest.mark.parametrize("colour", [True, False])
def test_nothing_that_a_server_answers_steers_the_terminal(sample: Report, colour: bool) -> None:
    harmful = replace(sample, target=HARMFUL, contract=HARMFUL, stopped=HARMFUL, notes=(HARMFUL,))
    text = terminal(harmful, colour=colour, width=100)
    assert STYLE.search(text) if colour else not STYLE.search(text)
    assert all(line.isprintable() for line in STYLE.sub("", text).splitlines())
    assert r"\x1b[31mred\x00\u202e\ud800" in text


def test_colours_change_nothing_else(sample: Report) -> None:
    assert STYLE.sub("", terminal(sample, colour=True, width=90)) == plain(sample, 90)


@pytest.mark.parametrize("width", [40, 80, 110])
def test_lines_fit_but_for_commands(sample: Report, width: int) -> None:
    lines = plain(sample, width).splitlines()
    commands = ("curl ", "-H ", "--data-raw ")
    long = [line for line in lines if len(line) > max(width, 80) and not line.strip().startswith(commands)]
    assert long == []
