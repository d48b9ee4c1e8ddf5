"""`Prefer: code=…, delay=…` on any request."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.api.call import Refusal
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.scenarios.prefer import preferred
from bluehour.openapi.contract import load

from ..conftest import FACE, Caller, data, face


def codes() -> list[int]:
    """Every status that the contract names, and some that it doesn't."""
    named = {int(s) for o in load().operations for s in o.responses if s.isdecimal()}
    return sorted(named | set(load().server_responses) | {202, 301, 409, 418, 503, 599})


@pytest.mark.parametrize("code", codes())
def test_any_status_can_be_asked_for_and_costs_nothing(caller: Caller, mock: Mock, code: int) -> None:
    answer = caller.post(FACE, face(), headers={"Prefer": f"code={code}"})
    assert answer.status_code == code
    assert (
        mock.world.store.balance(mock.world.open_account("mhk_test_creator_100").id, mock.world.clock.now())
        == 100
    )
    declared = load().operation("aiFaceEditor.editImage").response(code)
    if declared is not None and declared.json is not None:
        assert declared.json.schema.accepts(answer.json)
    elif code != 204:
        assert answer.json["message"]


def test_an_error_that_is_asked_for_has_the_envelope_of_its_status(caller: Caller) -> None:
    def envelope(code: int) -> object:
        return caller.post(FACE, face(), headers={"Prefer": f"code={code}"}).json

    assert envelope(401) == {"code": "unauthorized", "message": "Unauthorized"}
    assert envelope(429) == {"code": "too_many_requests", "message": "Too Many Requests"}
    assert envelope(503) == {"code": "service_unavailable", "message": "Service Unavailable"}
    assert envelope(599) == {"code": "status_599", "message": "Status 599"}


def test_it_answers_before_the_body_is_judged_but_after_the_token(client: FlaskClient) -> None:
    headers = {"Prefer": "code=503"}
    unauthorized = client.post(FACE, json=face(), headers=headers)
    assert unauthorized.status_code == 401
    assert Caller(client, "any").post(FACE, {"no": "face"}, headers=headers).status_code == 503


@pytest.mark.parametrize(
    ("header", "wrong"),
    [
        ("code=99", "code must be a status from 200 to 599, got '99'"),
        ("code=600", "code must be a status from 200 to 599, got '600'"),
        ("code=teapot", "code must be a status from 200 to 599, got 'teapot'"),
        ("delay=-1", "delay must be seconds from 0 to 3600, got '-1'"),
        ("delay=nan", "delay must be seconds from 0 to 3600, got 'nan'"),
        ("delay=soon", "delay must be seconds from 0 to 3600, got 'soon'"),
    ],
)
def test_what_there_can_not_be_is_a_400_that_says_so(caller: Caller, header: str, wrong: str) -> None:
    answer = caller.post(FACE, face(), headers={"Prefer": header})
    assert (answer.status_code, data(answer)["message"]) == (400, f"Invalid Prefer header: {wrong}")


def test_preferences_that_are_not_ours_change_nothing(caller: Caller) -> None:
    answer = caller.post(FACE, face(), headers={"Prefer": "respond-async, wait=10"})
    assert (answer.status_code, answer.json["credits_charged"]) == (200, 1)


def test_code_and_delay_go_together_in_either_order() -> None:
    for header in ("code=429, delay=1.5", "delay=1.5, code=429", 'DELAY="1.5", Code=429'):
        effect = preferred(header, Random(0))
        assert effect is not None
        assert effect.answer is not None
        assert (effect.answer.status, effect.delay) == (429, 1.5)


@given(st.text())
def test_whatever_the_header_says_the_answer_is_an_effect_nothing_or_a_refusal(header: str) -> None:
    with suppress(Refusal):
        effect = preferred(header, Random(0))
        assert effect is None or effect.cause == f"Prefer: {header}"
