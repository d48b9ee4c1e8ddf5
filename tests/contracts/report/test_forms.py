"""What every form of a report has to stand: empty checks, large ones, and whatever a server may answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bluehour.contracts.exchange import Answer
from bluehour.contracts.results import Exit, Report

from .conftest import Form
from .reports import HARMFUL, exchange, finding, large, report


def test_a_report_is_text_that_every_file_can_hold(form: Form, sample: Report) -> None:
    assert form(sample).encode().decode() == form(sample)


def test_a_check_that_sent_nothing_has_a_report_too(form: Form) -> None:
    nothing = report(verdicts=(), operations=(), accounts={}, exit_code=Exit.USAGE, stopped="nobody answers")
    assert "nobody answers" in form(nothing).lower() or '"entries":[]' in form(nothing)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00\x01" * 64,
        b'{"name": "\\ud800", "deep": ' + b"[" * 5_000,
        b"[" * 100_000 + b"]" * 100_000,
        HARMFUL.encode("utf-8", "replace") * 2_000,
        b'{"a": NaN, "b": 1e999, "c": ' + b"9" * 5_000 + b"}",
    ],
    ids=["nothing", "bytes", "cut off", "deep", "harmful", "numbers"],
)
def test_whatever_a_server_answers_is_shown(form: Form, body: bytes) -> None:
    headers = (("Content-Type", HARMFUL), (HARMFUL, HARMFUL))
    shown = exchange(1, body, answer=Answer(299, headers, body, 0.01), purpose=HARMFUL)
    told = finding("answer.schema", shown, HARMFUL, field=HARMFUL, words=HARMFUL, operation=HARMFUL)
    made = report(
        (told,), (shown,), notes=(HARMFUL,), stopped=HARMFUL, target=HARMFUL, accounts={"main": HARMFUL}
    )
    assert form(made).encode()


def test_a_finding_without_an_exchange_is_told(form: Form) -> None:
    made = report((finding("credits.balance", None, "The balance is 3 credits short"),), (exchange(1),))
    assert "The balance is 3 credits short" in form(made) or '"entries"' in form(made)


def test_large_checks_make_reports_that_can_be_opened(form: Form) -> None:
    assert len(form(large(500))) < 600_000


def test_long_bodies_are_cut_but_in_the_reports_for_programs(form: Form) -> None:
    body = b'{"name": "' + b"x" * 100_000 + b'"}'
    shown = tuple(exchange(number, body, answer=Answer(200, (), body)) for number in (1, 2, 3))
    findings = tuple(finding("refuse.step", each, f"Wrong in {each.number}") for each in shown)
    text = form(report(findings, shown))
    whole = '"exit_code"' in text or '"entries"' in text
    assert ("x" * 100_000 in text) == whole
    assert whole or len(text) < 200_000


def test_no_form_changes_the_report(form: Form, sample: Report) -> None:
    before = replace(sample)
    form(sample)
    assert sample == before
