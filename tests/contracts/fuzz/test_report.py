"""What the report prints and what programs read; the page is in test_report_html.py."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bluehour.contracts.fuzz.clients.function import Function
from bluehour.contracts.fuzz.engine import Options, replay
from bluehour.contracts.fuzz.judge import Violation
from bluehour.contracts.fuzz.performance import Ending
from bluehour.contracts.fuzz.playing import Terms
from bluehour.contracts.fuzz.report import as_json, finding_text, html, terminal
from bluehour.contracts.fuzz.report.json_reading import from_json
from bluehour.contracts.fuzz.results import Finding, Result
from bluehour.contracts.fuzz.rules import RULES
from bluehour.contracts.fuzz.script import Place, Script, loaded
from bluehour.contracts.fuzz.strategies import Profile
from bluehour.contracts.fuzz.workers.python_worker import Task
from bluehour.openapi.contract import load

from . import careful
from .report_samples import (
    SAVED,
    TOKEN,
    asked,
    endless,
    harmful,
    kept,
    leaking,
    paid_twice,
    performance,
    result,
    sample,
)

STYLE = re.compile(r"\x1b\[\d+m")

FORMS: dict[str, Callable[[Result], str]] = {
    "terminal": lambda made: terminal(made, colour=False, width=100, saved=SAVED),
    "colours": lambda made: terminal(made, colour=True, width=60, saved=SAVED),
    "message": lambda made: "\n".join(finding_text(each, made) for each in made.findings),
    "html": lambda made: html(made, saved=SAVED),
    "json": lambda made: as_json(made, saved=SAVED),
}


def plain(made: Result, width: int = 90) -> str:
    return terminal(made, colour=False, width=width)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_has_the_token_in_it(form: str) -> None:
    text = FORMS[form](sample())
    assert TOKEN not in text
    assert "<token>" in text or "&lt;token&gt;" in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_made_of_characters_that_print(form: str) -> None:
    text = STYLE.sub("", FORMS[form](sample()))
    text.encode()  # no lone surrogate
    strange = set(text) - {"\n"} if form != "json" else set(text) & set(map(chr, range(32))) - {"\n"}
    assert [each for each in strange if not each.isprintable()] == []


def test_a_finding_tells_its_script_what_happened_and_what_to_do() -> None:
    text = plain(result(paid_twice())).replace("\N{MINUS SIGN}", "-")
    assert (
        """\
✗ pay.once  A job is paid for once

  2 creates were charged for 1 job: 2 credits
    seen in 5 scripts; the smallest is this one
    shown by
      create: it is done, and the connection is reset in place of an answer
    what happened
          0.00 s  upload-urls  POST    200
          0.01 s  upload       PUT     200
          0.02 s  create       POST    no answer, it is done, and the connection is reset
                                       in place of an answer, -1 credit
          2.02 s  create       POST    200, -1 credit
          2.50 s  poll         GET     200, complete
          3.00 s  download     GET     200
         12.50 s  it reports complete and 1 credit, saved output.png, in the ledger: 2
                  credits charged
                  its output: paid

  To do: Never send a create again"""
        in text
    )
    assert text.startswith("client.py:edit\nBluehour 0.1.0, realistic profile, seed 42, 200 scripts in 8.0 s")
    assert text.endswith("\n1 rule broken in 1 way\n")


def test_a_saved_script_is_followed_by_what_plays_it_again() -> None:
    made = result(paid_twice(), endless())
    text = terminal(made, colour=False, width=40, saved={1: "out/it's one.json"})
    commands = [line.strip() for line in text.splitlines() if "--replay" in line]
    assert commands == ["""replay: bluehour fuzz --replay 'out/it'"'"'s one.json' -- client.py:edit"""]


def test_three_findings_of_a_rule_are_told_in_full_and_the_advice_once() -> None:
    text = plain(result(*(leaking(number) for number in range(1, 6))))
    assert text.count("what happened") == 3
    assert text.count("To do:") == 1
    assert "· GET carries the token, way 5 (shown by: download 6 answered 302, redirected to" in text
    assert text.count("✗ it carries the") == 6


def test_what_repeats_itself_is_told_in_few_lines() -> None:
    text = plain(result(endless()))
    assert "2.00 s  poll      GET     200, error\n                  288 times more, until 578.00 s" in text
    assert "… 42 requests left out …" in text
    assert "the API could not be connected to any more" in text
    assert "it had to be stopped" in text


def test_what_does_not_always_show_says_so() -> None:
    assert "not steady" in plain(result(harmful()))
    assert "not steady" not in plain(result(paid_twice()))


def test_what_was_not_shrunk_to_the_end_says_so() -> None:
    unfinished = replace(paid_twice(), smallest=False)
    assert "not shrunk to the end" in plain(result(unfinished))
    assert "Not shrunk to the end" in html(result(unfinished))
    assert "not shrunk" not in plain(result(paid_twice()))


def test_a_finding_that_hangs_on_the_clock_says_what_the_clock_does_not_move() -> None:
    for text in (finding_text(endless(), result()), html(result(endless()))):
        assert "1,234.40 s of this it slept, which took no time: a clock or timer that" in text
    assert "took no time" not in plain(result(paid_twice(), leaking(1)))
    real = replace(endless(), played=replace(endless().played, virtual=False))
    assert "took no time" not in plain(result(real))


def test_a_tests_message_is_one_finding_without_colours() -> None:
    made = result(paid_twice(), endless())
    text = finding_text(made.findings[1], made, path="late.json")
    assert text.startswith("✗ end.in-time  It ends within its time\n\n  it had not ended after 600 s\n")
    assert "bluehour fuzz --replay late.json -- client.py:edit" in text
    assert "pay.once" not in text
    assert "\x1b" not in text


def test_what_was_met_and_what_was_not() -> None:
    text = plain(result()).replace("\N{MULTIPLICATION SIGN}", "x")
    assert "  create              200 x1,200, 402 x3\n" in text
    assert "  reset-after         create x4\n" in text
    assert "→ queued x9, queued → rendering x7" in text
    assert "  topics              2 of 194\n" in text
    assert "  topics              192 of the profile's 194: --examples plays more\n" in text
    assert "  endings of jobs     canceled\n" in text
    replayed = plain(result(profile="replay", topics=2))
    assert "  scripts             2 of 2\n" in replayed
    assert "Not met" not in replayed


@pytest.mark.parametrize(
    ("made", "last"),
    [
        (kept(), "No rule was seen broken in 200 scripts"),
        (
            result(stopped="it was interrupted at a topic"),
            "No rule was seen broken in 200 scripts, but it did not get to its end",
        ),
        (sample(), "4 rules broken in 8 ways"),
    ],
)
def test_the_verdict_is_the_last_line(made: Result, last: str) -> None:
    assert plain(made, 100).splitlines()[-1] == last
    assert json.loads(as_json(made))["verdict"] == last
    assert last in html(made)


@pytest.mark.parametrize("width", [1, 40, 57, 76, 90, 500])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = plain(sample(client="client.py:edit"), width).splitlines()
    assert max(map(len, lines)) <= max(40, min(width, 110))


def test_colours_are_there_only_where_they_are_asked_for() -> None:
    made = sample()
    assert "\x1b" not in terminal(made, colour=False, width=90)
    coloured = terminal(made, colour=True, width=90)
    assert STYLE.sub("", coloured) == terminal(made, colour=False, width=90)
    assert "\x1b[31m" in coloured


def test_programs_read_every_fact() -> None:
    made = sample()
    known = json.loads(as_json(made, saved=SAVED))
    assert (known["seed"], known["played"], known["exit_code"], known["exit"]) == (42, 200, 1, "findings")
    assert [each["rule"] for each in known["findings"]] == [each.violation.rule for each in made.findings]
    assert [each["number"] for each in known["findings"]] == list(range(1, 9))
    assert known["coverage"]["answers"] == dict(made.coverage.answers)
    assert known["coverage"]["topics_of"] == 194
    standings = {each["id"]: each["standing"] for each in known["rules"]}
    assert list(standings) == [rule.id for rule in RULES]
    assert (standings["pay.once"], standings["poll.pace"], standings["poll.end"]) == (
        "broken",
        "not judged",
        "kept",
    )
    first = known["findings"][0]
    assert first["path"] == SAVED[0]
    assert (first["times"], first["steady"], first["mark"]) == (5, True, "reset-after")
    lost = first["transcript"][2]
    assert (lost["place"], lost["status"], lost["fault"], lost["charged"]) == (
        "create",
        None,
        "reset-after",
        1,
    )
    assert lost["headers"]["authorization"] == "Bearer <token>"
    assert first["ending"]["credits"] == 1


def test_programs_can_play_the_scripts_again() -> None:
    made = sample()
    for told, finding in zip(json.loads(as_json(made))["findings"], made.findings, strict=True):
        assert loaded(json.dumps(told["script"])) == finding.script


def test_a_result_that_is_read_from_json_is_shown_as_it_was() -> None:
    text = as_json(sample())
    read = from_json(text)
    assert as_json(read) == text
    assert plain(read) == plain(sample())
    assert html(read) == html(sample())


def test_of_a_long_body_that_is_read_from_json_the_beginning_is_shown() -> None:
    script = Script()
    long = asked(Place.CREATE, 0.0, body=b'{"name": "' + b"a" * 9_000 + b'"}')
    played = performance(script, long, ending=Ending("done"))
    read = from_json(as_json(result(Finding(Violation("pay.once", "2 creates"), played, "t"))))
    assert "… of 9,012 bytes, the others left out" in html(read)


def test_basic_credentials_made_of_the_token_are_masked_too() -> None:
    known = json.loads(as_json(result(harmful())))
    assert known["findings"][0]["transcript"][0]["headers"]["authorization"] == "Basic <token>"


def test_a_client_that_was_played_is_reported_as_it_was() -> None:
    def silent(task: Task) -> None:
        """Claims success, and has asked for one thing."""
        careful.Client(task).upload()

    options = Options(1, 0, Profile.LEGAL, frozenset({"result.true"}), Terms(60, 5))
    made = replay(load(), Function(silent, None), options, [("usual", Script())])
    text = plain(made)
    assert "it reports success, and the project was never seen" in text
    assert "everything goes right" in text
    assert "scripts from files" in text
    assert "What happened: 2 requests" in html(made)
