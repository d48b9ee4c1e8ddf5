"""What the journal keeps of a request: all that its author wants to see, and no secret."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.api.reply import Reply
from bluehour.mock_server.api.secrets import Secrets
from bluehour.mock_server.api.trace import Trace, Violation
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.journal.entry import LARGEST_BODY
from bluehour.mock_server.journal.feature import JournalFeature
from bluehour.mock_server.journal.journal import Journal
from bluehour.mock_server.journal.record import record
from bluehour.mock_server.journal.view import archive, shown
from bluehour.mock_server.mock import Mock
from bluehour.openapi.messages import Headers, Request

from ..conftest import FACE, UPLOADS, Caller, face


def entries(mock: Mock) -> list[dict[str, Any]]:
    assert mock.journal is not None
    return [shown(each) for each in mock.journal.all()]


def last(mock: Mock) -> dict[str, Any]:
    return entries(mock)[-1]


def test_a_create_is_kept_with_its_account_project_and_credits(caller: Caller, mock: Mock) -> None:
    project_id = caller.create(face(mouth_smile=60))
    kept = last(mock)
    assert (kept["operation"], kept["project"], kept["credits"]) == ("aiFaceEditor.editImage", project_id, -1)
    assert kept["account"] == mock.world.open_account("mhk_test_creator_100").id
    assert json.loads(kept["request"]["body"]) == face(mouth_smile=60)
    assert json.loads(kept["response"]["body"])["id"] == project_id
    assert kept["request"]["size"] == len(kept["request"]["body"])
    assert kept["response"]["size"] == len(kept["response"]["body"])
    assert ["Content-Type", "application/json"] in kept["response"]["headers"]
    assert (kept["faults"], kept["warnings"], kept["forced"]) == ([], [], None)


def test_refused_unknown_and_forced_requests_are_kept_too(caller: Caller, mock: Mock) -> None:
    caller.post(FACE, face(mouth_smile=7))
    caller.client.get("/v1/nothing")
    caller.client.put(FACE)
    caller.post(FACE, face(), headers={"Prefer": "code=503"})
    kept = entries(mock)
    assert [each["response"]["status"] for each in kept] == [400, 404, 405, 503]
    assert [each["operation"] for each in kept] == [
        "aiFaceEditor.editImage",
        None,
        None,
        kept[0]["operation"],
    ]
    assert [each["forced"] for each in kept] == [None, None, None, "Prefer: code=503"]
    assert [each["credits"] for each in kept] == [0, 0, 0, 0]


def test_a_rule_that_acted_is_named_with_what_it_did(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"name": "flaky", "delay": 0.5, "fault": "slow_drip"})
    mock.scenarios.switch("rule-1", False)
    mock.scenarios.switch("rule-1", True)
    caller.post(FACE, face())
    assert last(mock)["forced"] == "flaky: delay 0.5 s, slow drip"
    mock.scenarios.replace([{"job": "no_source_face"}])
    caller.post(FACE, face())
    assert last(mock)["forced"] == "rule-2: job no_source_face"


def test_a_dropped_connection_has_no_status_but_what_it_did(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"fault": "drop"})
    caller.post(FACE, face())
    kept = last(mock)
    assert kept["response"] == {"status": 0, "headers": [], "body": "", "size": 0}
    assert (kept["credits"], kept["forced"]) == (-1, "rule-1: drop")


def test_uploads_and_downloads_are_kept_without_their_bytes(caller: Caller, mock: Mock) -> None:
    path = caller.upload(b"a" * 1000)
    kept = last(mock)
    assert (kept["operation"], kept["request"]["path"]) == ("upload", f"/{path}")
    assert (kept["request"]["body"], kept["request"]["size"]) == (None, 1000)
    project_id = caller.create(face())
    mock.world.clock.advance(60)
    picture = caller.fetch(caller.project(project_id)["downloads"][0]["url"])
    kept = last(mock)
    assert (kept["operation"], kept["project"]) == ("download", project_id)
    assert (kept["response"]["body"], kept["response"]["size"]) == (None, len(picture.data))


def test_what_people_look_at_is_not_the_clients_doing(client: FlaskClient, mock: Mock) -> None:
    for path in ("/_mock", "/_mock/state", "/_mock/none", "/docs", "/openapi.json", "/favicon.ico"):
        client.get(path)
    assert entries(mock) == []


def test_no_secret_can_be_read_out_of_it(mock: Mock, client: FlaskClient) -> None:
    token = "mhk_live_0123456789abcdefghijklmn"
    caller = Caller(client, token)
    item = caller.post(UPLOADS, {"items": [{"type": "image", "extension": "png"}]}).json["items"][0]
    client.put(item["upload_url"], data=b"x", headers={"Authorization": f"Bearer {token}"})
    client.get("/v1/nothing", headers={"Authorization": f"Basic {token}", "Cookie": f"session={token}"})
    client.post(FACE, json=face(), headers={"Authorization": token})
    assert mock.journal is not None
    signature = item["upload_url"].rpartition("=")[2]
    shown = json.dumps([entries(mock), archive(mock.journal.all(), "http://x", "1")])
    assert token not in shown
    assert signature not in shown
    assert "mhk_live" in shown
    assert f"signature={signature[:6]}" in shown


@pytest.mark.parametrize(
    ("header", "value", "shown"),
    [
        ("Cookie", "one=0123456789abcdefghijklmnopq; two=zyxwvuts", "one=01234567…nopq; two=zyxw…"),
        (
            "Set-Cookie",
            "one=0123456789abcdefghijklmnopq; Path=/; HttpOnly",
            "one=01234567…nopq; Path=/; HttpOnly",
        ),
        ("X-Echo", "of some-token", "of some-…"),
    ],
)
def test_cookies_and_what_shows_the_token_are_shortened(header: str, value: str, shown: str) -> None:
    secrets = Secrets()
    secrets.learn("some-token")
    assert secrets.header(header, value) == shown


def test_a_signed_link_of_another_service_can_not_be_used() -> None:
    link = "https://bucket.example.com/a?X-Amz-Signature=" + "0123456789abcdef" * 4
    assert Secrets().hide(link) == "https://bucket.example.com/a?X-Amz-Signature=012345…"


def test_what_an_answer_breaks_and_what_else_there_is_to_say_is_kept(mock: Mock) -> None:
    token = "some-secret-token"
    secrets = Secrets()
    secrets.learn(token)
    trace = Trace(
        token=token,
        broken=[Violation("answer.schema", "downloads", "downloads is missing")],
        remarks=["502 is the proxy's own answer"],
    )
    reply = Reply(502, [("x-echo", token), ("set-cookie", "session=0123456789")])
    kept = record(
        Request("GET", "/v1/x"),
        trace,
        reply,
        secrets,
        at=0.0,
        ms=1.0,
        body=b"",
        size=0,
        answer=b"",
        answer_size=0,
    ).entry(1)
    seen = shown(kept)
    assert seen["broken"] == [
        {"rule": "answer.schema", "field": "downloads", "message": "downloads is missing"}
    ]
    assert seen["remarks"] == ["502 is the proxy's own answer"]
    assert seen["response"]["headers"] == [["x-echo", "some-sec…"], ["set-cookie", "session=01234…"]]
    (archived,) = archive([kept], "http://x", "1")["log"]["entries"]
    assert archived["comment"] == "answer.schema: downloads is missing; 502 is the proxy's own answer"


def test_an_api_key_of_another_contract_is_a_secret_too(client: FlaskClient, mock: Mock) -> None:
    client.get("/v1/nothing", headers={"X-Api-Key": "0123456789abcdefghijklmnopq"})
    assert "0123456789abcdefghijklmnopq" not in json.dumps(entries(mock))


@pytest.mark.parametrize("query", ["api_key={}", "a=1&access_token={}", "X-API-Key={}&b=2"])
def test_a_secret_in_the_query_is_shortened(client: FlaskClient, mock: Mock, query: str) -> None:
    client.get("/v1/nothing?" + query.format("0123456789abcdefghijklmnopq"))
    assert last(mock)["request"]["query"] == query.format("01234567…nopq")


def test_an_answer_that_is_large_is_not_kept(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"answer": {"status": 200, "body": "x" * (LARGEST_BODY + 1)}})
    caller.post(FACE, face())
    assert last(mock)["response"]["body"] is None
    assert last(mock)["response"]["size"] == LARGEST_BODY + 1


def test_only_the_last_ones_are_kept_and_all_are_counted(mock: Mock) -> None:
    small = Mock(settings=Settings(journal=10))
    caller = Caller(create_app(small).test_client(), "any")
    for number in range(25):
        caller.client.get(f"/v1/{number}")
    assert small.journal is not None
    assert [each["request"]["path"] for each in entries(small)] == [f"/v1/{n}" for n in range(15, 25)]
    assert small.journal.recorded == 25
    assert small.journal.find(16).path == "/v1/15"
    for gone in (0, 15, 26):
        with pytest.raises(KeyError):
            small.journal.find(gone)
    small.close()


def test_bodies_that_are_large_make_room_sooner_and_the_largest_are_not_kept(
    caller: Caller, mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bluehour.mock_server.journal.journal._MOST_BYTES", 10 * LARGEST_BODY)
    name = "n" * (LARGEST_BODY - 1000)
    for _ in range(20):
        caller.create({**face(), "name": name})
    assert 5 < len(entries(mock)) < 10
    caller.create({**face(), "name": "n" * LARGEST_BODY})
    kept = last(mock)
    assert kept["request"]["body"] is None
    assert kept["request"]["size"] > LARGEST_BODY
    assert kept["faults"] == []


def test_without_a_journal_nothing_is_kept() -> None:
    quiet = Mock(settings=Settings(journal=0))
    caller = Caller(create_app(quiet).test_client(), "any")
    caller.create(face())
    assert quiet.journal is None
    assert caller.client.get("/_mock/journal").json == {"entries": [], "recorded": 0, "kept": 0}
    quiet.close()


def test_an_archive_has_what_har_readers_ask_for(caller: Caller, mock: Mock) -> None:
    caller.create(face())
    caller.client.get("/v1/nothing?a=1&b=")
    assert mock.journal is not None
    log = archive(mock.journal.all(), "http://127.0.0.1:4010", "0.1.0")["log"]
    create, unknown = log["entries"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "Bluehour")
    assert create["request"]["url"] == "http://127.0.0.1:4010/v1/ai-face-editor"
    assert json.loads(create["request"]["postData"]["text"]) == face()
    assert json.loads(create["response"]["content"]["text"])["credits_charged"] == 1
    assert create["response"]["content"]["mimeType"] == "application/json"
    assert unknown["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert "postData" not in unknown["request"]
    for each in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= each.keys()


def test_the_journals_own_counting_survives_a_clear() -> None:
    journal = Journal(5)
    assert journal.all() == []
    journal.clear()
    assert journal.recorded == 0


def test_what_json_can_not_hold_is_recorded_all_the_same(mock: Mock) -> None:
    request = Request("GET", "/v1/half", Headers([("X-Half", "\udfff")]))
    reply = Reply(200, [("X-Half", "\ud800")])
    mock.feature(JournalFeature).record(request, Trace(), reply, ms=1.0)
    assert ["X-Half", "?"] in last(mock)["request"]["headers"]
    assert ["X-Half", "?"] in last(mock)["response"]["headers"]


def test_an_entry_says_which_process_answered(caller: Caller, mock: Mock) -> None:
    caller.create(face())
    assert last(mock)["process"] == {"pid": os.getpid(), "host": socket.gethostname()}
