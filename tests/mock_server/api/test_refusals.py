"""Bad input gets a clear answer in the envelope, never a 500, and never costs a credit."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bluehour.mock_server.mock import Mock
from tests.profiles import examples

from ..conftest import FACE, PHOTO, UPLOADS, Caller, data, face, photo

JSON_TYPE = {"Content-Type": "application/json"}


def balance(mock: Mock, token: str) -> int:
    return mock.world.store.balance(mock.world.open_account(token).id, mock.world.clock.now())


@pytest.fixture
def uncharged(mock: Mock) -> Callable[[], bool]:
    return lambda: balance(mock, "mhk_test_creator_100") == 100


def refused(answer: TestResponse, status: int, code: str, message: str | None = None) -> None:
    assert answer.status_code == status, answer.data[:300]
    assert answer.content_type == "application/json"
    assert set(data(answer)) == {"code", "message"}
    assert data(answer)["code"] == code
    if message is not None:
        assert data(answer)["message"] == message


@pytest.mark.parametrize(
    "path", ["/", "/v1/nothing", "/v1/ai-face-editor/", "//v1/ai-face-editor", "/v1/image-projects/"]
)
def test_an_unknown_path_is_404(caller: Caller, path: str) -> None:
    refused(caller.client.get(path, headers=caller.headers), 404, "not_found", "Not Found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", FACE, {"POST", "OPTIONS"}),
        ("DELETE", PHOTO, {"POST", "OPTIONS"}),
        ("POST", "/v1/image-projects/cuid-example", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("PATCH", UPLOADS, {"POST", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_405_and_says_what_is_allowed(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)
    refused(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "mhk_live_apikey",
        "Bearer a b",
        "Bearer mhk_test_invalid",
        "Bearer MY_INVALID_KEY",
    ],
)
def test_a_request_without_a_usable_bearer_is_401(client: FlaskClient, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for answer in (
        client.post(FACE, json=face(), headers=headers),
        client.get("/v1/image-projects/cuid-example", headers=headers),
    ):
        refused(answer, 401, "unauthorized", "Unauthorized")


def test_the_scheme_may_be_in_lower_case(client: FlaskClient) -> None:
    assert client.post(FACE, json=face(), headers={"Authorization": "bearer any"}).status_code == 200


def test_credentials_are_judged_before_the_body(client: FlaskClient) -> None:
    refused(client.post(FACE, data=b"{"), 401, "unauthorized")


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        (None, "Invalid Content-Type: expected application/json, got none"),
        ("text/plain", "Invalid Content-Type: expected application/json, got text/plain"),
        ("multipart/form-data", "Invalid Content-Type: expected application/json, got multipart/form-data"),
    ],
)
def test_a_wrong_content_type_is_told(
    caller: Caller, uncharged: Callable[[], bool], content_type: str | None, message: str
) -> None:
    answer = caller.post(FACE, data=orjson.dumps(face()), content_type=content_type)
    refused(answer, 400, "invalid_request", message)
    assert uncharged()


def test_a_charset_is_no_wrong_content_type(caller: Caller) -> None:
    answer = caller.post(FACE, data=orjson.dumps(face()), content_type="application/json; charset=utf-8")
    assert answer.status_code == 200


def test_no_body_at_all_is_told_as_the_vendor_does(caller: Caller) -> None:
    refused(caller.post(FACE), 400, "invalid_request", "Missing request body")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"style": NaN}',
        b'{"style": 1e999}',
        b'{"style": Infinity}',
        b'{"name": "\\ud800", "assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {}}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"a": 1} trailing',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        orjson.dumps({"assets": {}, "style": {}, "name": "a\0b"}),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_json_or_no_object_is_refused(
    caller: Caller, uncharged: Callable[[], bool], body: bytes
) -> None:
    refused(caller.post(FACE, data=body, headers=JSON_TYPE), 400, "invalid_request")
    assert uncharged()


@pytest.mark.parametrize("levels", [200, 300, 900])
def test_a_deeply_nested_body_is_refused(caller: Caller, uncharged: Callable[[], bool], levels: int) -> None:
    message = "Invalid value for body: nested more than 200 levels deep, at extra/a/a/a/…"
    refused(caller.post(FACE, {**face(), "extra": nested(levels)}), 400, "invalid_request", message)
    assert uncharged()


def test_the_deepest_body_that_is_accepted_can_be_looked_at(caller: Caller) -> None:
    assert caller.post(FACE, {**face(), "extra": nested(199)}).status_code == 200
    for shown in ("projects", "journal", "journal.har"):
        answer = caller.client.get(f"/_mock/{shown}")
        assert answer.status_code == 200
        assert b'"extra' in answer.data or b'\\"extra' in answer.data


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**face(), "name": "a\0b"}, "name"),
        (face("api-assets/id/\0.png"), "assets.image_file_path"),
        ({**face(), "x": [{"\0": 1}]}, "x[0]"),
    ],
)
def test_a_nul_character_is_refused_with_its_place(
    caller: Caller, uncharged: Callable[[], bool], body: dict[str, Any], field: str
) -> None:
    message = f"Invalid value for {field}: must not contain the character NUL"
    refused(caller.post(FACE, body), 400, "invalid_request", message)
    assert uncharged()


def test_the_words_for_nul_are_no_nul(caller: Caller) -> None:
    assert caller.post(FACE, {**face(), "name": "a\\u0000b"}).status_code == 200


def test_a_body_of_fifty_megabytes_is_413(caller: Caller, uncharged: Callable[[], bool]) -> None:
    body = io.BytesIO(b'{"name": "' + b"a" * 50_000_000 + b'"}')
    refused(caller.post(FACE, input_stream=body, headers=JSON_TYPE), 413, "payload_too_large")
    assert uncharged()


def test_every_fault_of_a_body_is_in_one_message(caller: Caller, uncharged: Callable[[], bool]) -> None:
    body = photo(resolution="768")
    del body["style"]["prompt"]
    message = (
        "Missing required field: style.prompt (expected string); "
        "Invalid type for resolution: expected integer, got string"
    )
    refused(caller.post(PHOTO, body), 400, "invalid_request", message)
    assert uncharged()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (face(mouth_smile=7), "style.mouth_smile must be a multiple of 5"),
        (face(mouth_smile=105), "style.mouth_smile must be at most 100"),
        (face(head_yaw=-105), "style.head_yaw must be at least -100"),
        (face(enhance_face=1), "Invalid type for style.enhance_face: expected boolean, got integer"),
        (face(""), "assets.image_file_path must have at least 1 character"),
        ({**face(), "name": None}, "Invalid type for name: expected string, got null"),
        ({"assets": {"image_file_path": "a"}}, "Missing required field: style (expected object)"),
    ],
)
def test_each_rule_of_the_face_editor_is_kept(caller: Caller, body: dict[str, Any], message: str) -> None:
    refused(caller.post(FACE, body), 400, "invalid_request", message)


@pytest.mark.parametrize(
    "body",
    [
        face(),
        face(mouth_smile=-0.0, head_yaw=5.0, head_roll=-100, head_pitch=100),
        {**face(), "unknown": {"key": [1]}, "style": {"unknown": None}},
        {**face(), "name": ""},
        {**face(), "name": "ü" * 4000},
    ],
)
def test_legal_edges_are_accepted(caller: Caller, body: dict[str, Any]) -> None:
    assert caller.post(FACE, body).status_code == 200


@pytest.mark.parametrize("resolution", [512, 1024, 768.0])
def test_a_resolution_up_to_the_plans_cap_is_accepted(caller: Caller, resolution: float) -> None:
    assert caller.post(PHOTO, photo(resolution=resolution)).status_code == 200


def test_a_resolution_above_the_plans_cap_wants_an_upgrade(client: FlaskClient, mock: Mock) -> None:
    free = Caller(client, "mhk_test_free_100")
    refused(free.post(PHOTO, photo(resolution=577)), 402, "plan_upgrade_required")
    assert free.post(PHOTO, photo(resolution=576)).status_code == 200
    assert balance(mock, "mhk_test_free_100") == 90


def test_an_account_that_cannot_pay_is_told_what_it_has(client: FlaskClient, mock: Mock) -> None:
    poor = Caller(client, "mhk_test_creator_9")
    message = "Insufficient credits: this costs 10 credits, and your account has 9 credits"
    refused(poor.post(PHOTO, photo()), 402, "insufficient_credits", message)
    assert poor.post(FACE, face()).status_code == 200
    assert balance(mock, "mhk_test_creator_9") == 8


@pytest.mark.parametrize(
    ("asset", "part"),
    [
        ("portrait.png", "never issued"),
        ("api-assets/nobody/image.png", "never issued"),
        ("https://example.com/photo", "invalid image extension"),
        ("https://example.com/movie.mp4", "'mp4' is an invalid image extension"),
        ("https://", "invalid image extension"),
        ("https://[", "invalid image extension"),
        ("ftp://example.com/photo.jpg", "never issued"),
        ("api-assets/test/no_such_error.png", "never issued"),
        ("my-image/id/1234.png", "never issued"),
        ("image/", "never issued"),
        ("video/id/1234.mp4", "'mp4' is an invalid image extension"),
    ],
)
def test_an_asset_that_cannot_be_used_is_422(
    caller: Caller, uncharged: Callable[[], bool], asset: str, part: str
) -> None:
    answer = caller.post(FACE, face(asset))
    refused(answer, 422, "unprocessable_entity")
    assert part in answer.json["message"]
    assert uncharged()


@pytest.mark.parametrize(
    "asset",
    [
        "https://example.com/photo.jpg",
        "http://example.com/a/b.PNG?token=1#x",
        "https://magichour.ai/my-library?imageId=cabc",
    ],
)
def test_an_asset_url_is_accepted_by_its_extension_and_not_fetched(caller: Caller, asset: str) -> None:
    assert caller.post(FACE, face(asset)).status_code == 200


@pytest.mark.parametrize(
    "asset", ["saved-items/me/hat/image.png", "image/id/1234.jpg", "image/id", "image/../../x"]
)
def test_an_asset_of_the_library_need_not_be_uploaded(caller: Caller, mock: Mock, asset: str) -> None:
    project_id = caller.create(face(asset))
    mock.world.clock.advance(60)
    (download,) = caller.project(project_id)["downloads"]
    assert caller.fetch(download["url"]).mimetype == "image/png"


def test_a_project_of_another_account_is_not_found(client: FlaskClient, caller: Caller) -> None:
    project_id = caller.create(face())
    stranger = Caller(client, "somebody-else")
    refused(
        client.get(f"/v1/image-projects/{project_id}", headers=stranger.headers),
        404,
        "not_found",
        "Not Found",
    )
    refused(stranger.delete(project_id), 404, "not_found", "Not Found")
    assert caller.project(project_id)["enabled"] is True


@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"]),
    path=st.text(max_size=12).map(lambda text: "/v1/image-projects/" + quote(text))
    | st.sampled_from([FACE, PHOTO, UPLOADS, "/outputs/a/b", "/api-assets/a/b", "/openapi.json"]),
    query=st.binary(max_size=8).map(lambda raw: raw.decode("latin-1")),
    body=st.binary(max_size=40)
    | st.text(max_size=20).map(lambda text: orjson.dumps({"style": {"prompt": "x"}})),
    content_type=st.sampled_from(
        [None, "application/json", "text/html", ";;;", "application/json; charset=x"]
    ),
)
def test_no_request_is_answered_with_a_server_error(
    client: FlaskClient, method: str, path: str, query: str, body: bytes, content_type: str | None
) -> None:
    headers = {"Authorization": "Bearer any"}
    answer = client.open(
        path, method=method, query_string=query, data=body, content_type=content_type, headers=headers
    )
    assert answer.status_code < 500
    if answer.status_code >= 400 and method != "HEAD":
        assert set(data(answer)) == {"code", "message"}


def test_a_query_of_bytes_that_are_no_text_is_no_failure(client: FlaskClient) -> None:
    for path in ("/v1/nothing", "/_mock/journal", "/_mock"):
        answer = client.get(path, environ_overrides={"QUERY_STRING": "x=\xff&limit=\xff"})
        assert answer.status_code in (200, 400, 404)


NESTED = ["[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300]


@pytest.mark.parametrize("nested", NESTED, ids=["lists", "objects"])
def test_what_is_nested_deeper_than_can_be_shown_is_refused(
    caller: Caller, mock: Mock, uncharged: Callable[[], bool], nested: str
) -> None:
    body = orjson.dumps(face())[:-1] + b',"x":' + nested.encode() + b"}"
    answer = caller.client.post(FACE, data=body, headers={**caller.headers, **JSON_TYPE})
    refused(answer, 400, "invalid_request")
    assert data(answer)["message"].startswith(
        "Invalid value for body: nested more than 200 levels deep, at x/"
    )
    assert uncharged()
    assert caller.client.get("/_mock/projects").status_code == 200


LONG = "x" * 100_000
ONE_LINE = 300
"""Characters."""


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (UPLOADS, {"items": [{"type": "image", "extension": LONG}]}, {}, 422),
        (UPLOADS, {"items": [{"type": LONG, "extension": "png"}]}, {}, 400),
        (FACE, face(LONG), {}, 422),
        (FACE, face(f"https://127.0.0.1/a.{LONG}"), {}, 422),
        (FACE, {**face(), "name": [LONG]}, {}, 400),
        (FACE, {**face(), LONG + "\0": 1}, {}, 400),
        (FACE, face(), {"Prefer": f"code={LONG}"}, 400),
        (FACE, face(), {"Prefer": f"delay={LONG}"}, 400),
        (FACE, face(), {"Content-Type": LONG}, 400),
        ("/_mock/rules", {"delay": 1, "name": [LONG]}, {}, 400),
        ("/_mock/rules", {"delay": 1, LONG: 1}, {}, 400),
        ("/_mock/rules", {"delay": 1, "match": {"operation": LONG}}, {}, 400),
        ("/_mock/accounts", {"token": "a-token", "plan": LONG}, {}, 400),
        ("/_mock/clock", {"set": LONG}, {}, 400),
        ("/_mock/webhooks", {"url": LONG}, {}, 400),
        ("/_mock/webhooks", {"url": "http://127.0.0.1:9", "events": [LONG]}, {}, 400),
        (f"/_mock/deliveries/{LONG}/resend", None, {}, 404),
    ],
)
def test_a_refusal_repeats_no_more_than_a_line_of_what_was_sent(
    caller: Caller, mock: Mock, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = caller.post(path, headers={**JSON_TYPE, **headers}, data=orjson.dumps(body))
    assert (answer.status_code, len(answer.json["message"]) <= ONE_LINE) == (status, True), answer.json
    for entry in data(caller.client.get("/_mock/journal"))["entries"]:
        assert all(len(fault["message"]) <= ONE_LINE for fault in entry["faults"])


def test_of_very_many_faults_their_number_is_told(caller: Caller) -> None:
    answer = caller.post(UPLOADS, {"items": [{"type": "image"}] * 30})
    assert answer.json["message"].endswith("; … and 10 more")
    answer = caller.post(UPLOADS, {"items": [{"type": "image"}] * 10_000})
    assert answer.json["message"].endswith("; … and 30 or more others")
    assert len(answer.json["message"]) < 2000
