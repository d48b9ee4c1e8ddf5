"""No secret can be read out of what is shown, and nothing is taken for wrong because one is hidden."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.api.secrets import Secrets
from bluehour.mock_server.app import Application
from bluehour.mock_server.journal.view import archive
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.requestlog import RequestLog, json_line, text_line

from ..conftest import FACE, Caller, face
from .test_recording import entries, last

TOKEN = "mhk_live_0123456789abcdefghijklmn"


def shown(mock: Mock) -> str:
    """All that the journal and its archive say."""
    assert mock.journal is not None
    return json.dumps([entries(mock), archive(mock.journal.all(), "http://x", "1")], ensure_ascii=False)


def test_the_callers_token_is_shortened_wherever_it_stands(client: FlaskClient, mock: Mock) -> None:
    caller = Caller(client, TOKEN)
    caller.create({**face(), "name": TOKEN})
    caller.post(FACE, {TOKEN: TOKEN, "assets": TOKEN}, headers={"Prefer": f"code={TOKEN}", "X-Also": TOKEN})
    client.get(f"/v1/image-projects/{TOKEN}?x={TOKEN}", headers=caller.headers)
    client.get(f"/v1/{TOKEN}?x={TOKEN}")
    mock.scenarios.add({"answer": {"status": 200, "body": TOKEN, "headers": {"X-Echo": TOKEN}}})
    caller.post(FACE, face())
    assert TOKEN not in shown(mock)
    assert last(mock)["response"]["body"] == "mhk_live…klmn"


def test_a_token_that_was_only_sent_to_no_operation_is_shortened(client: FlaskClient, mock: Mock) -> None:
    client.get(f"/v1/nothing/{TOKEN}", headers={"Authorization": f"Bearer {TOKEN}"})
    assert TOKEN not in shown(mock)


@pytest.mark.parametrize(
    "header",
    ["X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key", "X-Auth-Token", "X-Secret"],
)
def test_what_is_a_key_by_its_name_is_shortened(client: FlaskClient, mock: Mock, header: str) -> None:
    client.post(f"/v1/{TOKEN}", headers={header: TOKEN})
    assert TOKEN not in shown(mock)
    assert dict(last(mock)["request"]["headers"])[header] == "mhk_live…klmn"


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Request-Id", "Sec-WebSocket-Key", "Tokens"])
def test_what_is_none_is_not(client: FlaskClient, mock: Mock, name: str) -> None:
    client.get("/v1/nothing", headers={name: TOKEN})
    assert TOKEN in shown(mock)


@pytest.mark.parametrize("query", ["key={}", "a=1&key={}&b", "access_token={}", "password={}", "a=1;key={}"])
def test_what_a_query_calls_a_key_is_shortened(client: FlaskClient, mock: Mock, query: str) -> None:
    client.get("/v1/nothing?" + query.format(TOKEN))
    assert last(mock)["request"]["query"] == query.format("mhk_live…klmn")


@pytest.mark.parametrize("token", ["json", "application", "application/json", "face", "image_file_path"])
def test_a_token_that_is_a_word_makes_no_fault(client: FlaskClient, mock: Mock, token: str) -> None:
    Caller(client, token).create(face(mouth_smile=60))
    kept = last(mock)
    assert (kept["faults"], kept["warnings"]) == ([], [])
    assert dict(kept["request"]["headers"])["Authorization"] != f"Bearer {token}"


def test_a_short_token_garbles_nothing(client: FlaskClient, mock: Mock) -> None:
    Caller(client, "json").create(face())
    kept = last(mock)
    assert dict(kept["request"]["headers"])["Content-Type"] == "application/json"
    assert dict(kept["request"]["headers"])["Authorization"] == "Bearer js…"


@pytest.mark.parametrize("line", [text_line, json_line])
def test_the_log_has_no_token_and_no_endless_line(mock: Mock, line: Any) -> None:
    lines: list[str] = []
    app = Application(mock, RequestLog(lines.append, line, mock.secrets.hide))
    caller = Caller(app.flask.test_client(), TOKEN)
    caller.client.get(f"/v1/{TOKEN}", headers=caller.headers)
    caller.client.get(f"/v1/image-projects/{TOKEN}", headers=caller.headers)
    caller.post(FACE, face(), headers={"Prefer": f"code={TOKEN}"})
    caller.client.get("/v1/" + "x" * 10_000)
    caller.post(FACE, {"assets": 1, **{f"{'x' * 100}{number}": 1 for number in range(100)}})
    caller.client.get("/v1/漢")
    assert all(TOKEN not in each and len(each) < 1000 for each in lines), lines
    assert "/v1/mhk_live…klmn" in lines[0]
    assert "/v1/漢" in lines[-1]


def test_a_secret_is_found_in_every_form_in_which_it_may_be_written() -> None:
    secrets = Secrets()
    secrets.learn('a "quoted" and/or \xc3\xa9 one')
    for form in (
        'a "quoted" and/or é one',
        'a \\"quoted\\" and/or \\u00e9 one',
        "a%20%22quoted%22%20and%2For%20%C3%A9%20one",
    ):
        assert form not in secrets.hide(f"<{form}>")


def test_only_so_many_are_remembered_and_the_last_ones_are() -> None:
    secrets = Secrets()
    for number in range(1000):
        secrets.learn(f"secret-number-{number:04}")
    assert "0999" not in secrets.hide("secret-number-0999")
    assert secrets.hide("secret-number-0000") == "secret-number-0000"
    assert len(secrets._known) == 256
    assert sum(map(len, secrets._by_start.values())) == 256


def test_urls_lose_their_users_and_what_is_a_key_by_its_name(client: FlaskClient, mock: Mock) -> None:
    url = "http://user:otherpassword@host/a.png?sig=s3cr3ts1gn&X-Amz-Signature=0123456789"
    client.get("/v1/nothing", headers={"Referer": url, "X-From": url}, query_string="auth=s3cr3tauth")
    Caller(client, TOKEN).post(FACE, {**face(url), "name": TOKEN})
    headers = json.dumps([entry["request"]["headers"] for entry in entries(mock)])
    queries = json.dumps([entry["request"]["query"] for entry in entries(mock)])
    assert not [
        secret for secret in ("s3cr3ts1gn", "0123456789", "s3cr3tauth") if secret in headers + queries
    ]
    assert "otherpassword" not in shown(mock)


def test_a_token_that_json_spells_otherwise_is_shortened(client: FlaskClient, mock: Mock) -> None:
    spelt = "".join(f"\\u{ord(letter):04x}" for letter in TOKEN)
    body = json.dumps(face())[:-1] + f', "name": "{spelt}"}}'
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    assert client.post(FACE, data=body, headers=headers).status_code == 200
    assert spelt not in shown(mock).replace("\\\\", "\\")
    assert TOKEN not in shown(mock)
    projects = client.get("/_mock/projects").get_data(as_text=True)
    assert TOKEN not in projects
    assert "mhk_live…klmn" in projects


@given(
    secrets=st.lists(st.text("ab", min_size=6, max_size=9), min_size=1, max_size=30),
    text=st.text("abc", max_size=60),
    long=st.booleans(),
)
def test_whatever_is_known_is_found_wherever_it_stands(secrets: list[str], text: str, long: bool) -> None:
    known = Secrets()
    for each in secrets:
        known.learn(each)
    hidden = known.hide(text + "c" * 3000 if long else text)
    assert not any(each in hidden for each in secrets)
