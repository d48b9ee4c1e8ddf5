"""No report tells a token, wherever it stands; what is no token, a command still sends."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from bluehour.contracts.exchange import Request
from bluehour.contracts.report import as_json
from bluehour.contracts.results import Report

from .conftest import Form
from .reports import (
    SECOND,
    TARGET,
    TOKEN,
    answer,
    bearer,
    edit,
    exchange,
    finding,
    report,
)


def talkative() -> Report:
    """A check whose token is everywhere: in the URL, in bodies, in answers and in words."""
    everywhere = f"{TOKEN} {TOKEN.upper()} {TOKEN}"
    shown = exchange(
        1,
        {"name": everywhere},
        request=Request(
            "POST", f"{TARGET}/v1/x?key={TOKEN}", bearer(), json.dumps({"a": everywhere}).encode()
        ),
        answer=replace(
            answer(200, {"name": everywhere}), headers=(("X-Token", TOKEN), ("Set-Cookie", "sid=5e5e5e5e5e"))
        ),
        purpose=everywhere,
        failure=everywhere,
    )
    picture = exchange(
        2, b"\xff" + SECOND.encode(), account="second", request=Request("PUT", TARGET, bearer(SECOND))
    )
    told = finding("answer.leak", shown, everywhere, field=everywhere, words=everywhere, related=(picture,))
    return report(
        (told,), (shown, picture), notes=(everywhere,), stopped=everywhere, accounts={"main": everywhere}
    )


def test_no_token_is_in_any_report(form: Form) -> None:
    text = form(talkative())
    for token in (TOKEN, SECOND):
        assert token not in text
        assert token.upper() not in text


def test_no_report_shows_a_signature_or_a_cookie(form: Form, sample: Report) -> None:
    assert "5e" * 32 not in form(sample)
    assert "5e5e5e5e5e" not in form(talkative())


def test_a_token_in_bytes_is_hidden_too() -> None:
    exchanged = exchange(1, b"\xff" + TOKEN.encode() + b"\0", answer=answer(200, b"\xfe" + TOKEN.encode()))
    facts = json.loads(as_json(report((finding("answer.leak", exchanged, "m"),), (exchanged,))))
    shown = facts["findings"][0]["exchange"]
    for body in (shown["request"]["body"], shown["response"]["body"]):
        assert TOKEN.encode() not in base64.b64decode(body["base64"])


def test_each_account_has_a_variable_of_its_own(sample: Report) -> None:
    facts = json.loads(as_json(sample))
    shown = next(each for each in facts["findings"] if each["rule"] == "auth.own-projects")
    assert '"Authorization: Bearer $BLUEHOUR_SECOND_TOKEN"' in shown["exchange"]["request"]["curl"]
    assert '"Authorization: Bearer $BLUEHOUR_TOKEN"' in shown["related"][0]["request"]["curl"]


def curl_with(authorization: str) -> str:
    """The command of a request with these credentials and no account, in a check that has a token."""
    headers = (("Authorization", authorization),)
    made_up = exchange(2, request=Request("GET", f"{TARGET}/v1/x", headers), account="")
    made = report((finding("auth.required", made_up, "m"),), (exchange(1, edit()), made_up))
    return str(json.loads(as_json(made))["findings"][0]["exchange"]["request"]["curl"])


def test_made_up_credentials_stay_in_the_command() -> None:
    assert "-H 'Authorization: Bearer no-such-token-anywhere'" in curl_with("Bearer no-such-token-anywhere")
    assert "-H 'Authorization: Basic dTpw'" in curl_with("Basic dTpw")
    assert "-H 'Authorization: Bearer'" in curl_with("Bearer")


def test_credentials_that_are_made_of_a_token_do_not() -> None:
    encoded = base64.b64encode(f"{TOKEN}:".encode()).decode()
    for authorization in (f"Bearer {TOKEN[:-1]}", f"Basic {encoded}", TOKEN, f"Bearer {TOKEN.swapcase()}"):
        assert authorization.rpartition(" ")[2] not in curl_with(authorization)


def test_where_no_exchange_has_an_account_all_credentials_are_secret(form: Form) -> None:
    shown = exchange(1, edit(name=TOKEN), account="")
    assert TOKEN not in form(report((finding("answer.leak", shown, f"It shows {TOKEN}"),), (shown,)))


def test_a_token_that_is_a_word_does_not_garble_the_report(form: Form) -> None:
    headers = (("Authorization", "Bearer style"),)
    shown = exchange(1, request=Request("GET", f"{TARGET}/v1/style", headers))
    text = form(report((finding("answer.leak", shown, "style is wrong in /v1/style"),), (shown,)))
    assert "/v1/style" in text
    assert "Bearer style" not in text
