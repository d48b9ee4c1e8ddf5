"""Who may use /_mock: callers on this machine, or whoever has the token; nobody else, for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock

from ..conftest import data

PATHS = ("/_mock", "/_mock/", "/_mock/state", "/_mock/openapi.json", "/_mock/events", "/_mock/static/main.js")


def statuses(client: FlaskClient, address: str = "127.0.0.1", **headers: str) -> set[int]:
    environ = {"REMOTE_ADDR": address}
    return {
        client.get(path, environ_overrides=environ, headers=headers, buffered=True).status_code
        for path in PATHS
    }


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    mock = Mock()
    yield create_app(mock).test_client()
    mock.close()


@pytest.fixture
def locked() -> Iterator[FlaskClient]:
    mock = Mock(settings=Settings(control_token="s3cret"))
    yield create_app(mock).test_client()
    mock.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_callers_on_this_machine_are_let_in(client: FlaskClient, address: str) -> None:
    assert statuses(client, address) == {200}


@pytest.mark.parametrize(
    "address", ["192.168.0.7", "172.17.0.1", "8.8.8.8", "fe80::1", "::ffff:10.0.0.1", "?"]
)
def test_callers_elsewhere_are_not(client: FlaskClient, address: str) -> None:
    assert statuses(client, address) == {403}
    answer = client.post("/_mock/reset", json={}, environ_overrides={"REMOTE_ADDR": address}, buffered=True)
    assert answer.status_code == 403
    assert "--control-token" in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4010", "127.0.0.1:4010", "[::1]:4010", "[::1]"])
def test_this_machine_is_called_by_its_own_names(client: FlaskClient, host: str) -> None:
    assert statuses(client, Host=host) == {200}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4010", "127.0.0.1.evil.example", "localhost.evil"]
)
def test_a_page_that_leads_here_by_a_name_of_its_own_reads_nothing(client: FlaskClient, host: str) -> None:
    assert statuses(client, Host=host) == {403}


def test_the_api_itself_is_open_to_everyone(client: FlaskClient) -> None:
    answer = client.get(
        "/v1/image-projects/cuid-example",
        headers={"Authorization": "Bearer any", "Host": "mock.internal"},
        environ_overrides={"REMOTE_ADDR": "192.168.0.7"},
    )
    assert answer.status_code == 200


def test_with_a_token_whoever_has_it_is_let_in_from_anywhere(locked: FlaskClient) -> None:
    with_token = {"Authorization": "Bearer s3cret", "Host": "mock.internal:4010"}
    assert statuses(locked, "192.168.0.7", **with_token) == {200}
    assert statuses(locked, "127.0.0.1", Authorization="bearer s3cret") == {200}


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer ", "s3cret", "Basic s3cret"])
def test_without_it_nobody_is(locked: FlaskClient, header: str) -> None:
    assert statuses(locked, **({"Authorization": header} if header else {})) == {401}


def test_a_browser_signs_in_once_and_keeps_the_token_out_of_the_address(locked: FlaskClient) -> None:
    signed_in = locked.get("/_mock?token=s3cret")
    cookie = signed_in.headers["Set-Cookie"]
    assert (signed_in.status_code, signed_in.headers["Location"]) == (302, "/_mock")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/_mock" in cookie
    assert statuses(locked) == {200}


def test_a_wrong_token_in_the_address_opens_nothing(locked: FlaskClient) -> None:
    locked.get("/_mock?token=wrong")
    assert statuses(locked) == {401}


OTHER_SITES = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8080"},
)


@pytest.mark.parametrize("headers", OTHER_SITES, ids=str)
def test_a_bodyless_post_from_another_site_changes_nothing(
    client: FlaskClient, locked: FlaskClient, headers: dict[str, str]
) -> None:
    client.post("/_mock/rules", json={"delay": 0})
    assert client.post("/_mock/reset", headers=headers).status_code == 403
    assert len(data(client.get("/_mock/rules"))["rules"]) == 1
    locked.get("/_mock?token=s3cret")  # the browser has the cookie, and sends it
    assert locked.post("/_mock/reset", headers=headers).status_code == 403


def test_the_consoles_own_page_and_a_link_from_anywhere_are_let_in(client: FlaskClient) -> None:
    own = {"Origin": "http://localhost:4010", "Host": "localhost:4010", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/_mock/reset", headers=own).status_code == 200
    behind_a_proxy = {"Origin": "https://localhost:4010", "Host": "localhost:4010"}
    assert client.post("/_mock/reset", headers=behind_a_proxy).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/_mock", headers=link).status_code == 200
    assert client.get("/_mock/journal", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


BY_A_PROXY = (
    {"Forwarded": "for=203.0.113.7;proto=https"},
    {"X-Forwarded-For": "203.0.113.7"},
    {"X-Forwarded-Host": "mock.example"},
    {"X-Forwarded-Proto": "https"},
    {"X-Real-IP": "203.0.113.7"},
    {"Via": "1.1 varnish"},
    {"CF-Connecting-IP": "203.0.113.7"},
    {"True-Client-IP": "203.0.113.7"},
    {"X-Forwarded-For": ""},
)


@pytest.mark.parametrize("headers", BY_A_PROXY, ids=str)
def test_what_comes_by_a_proxy_on_this_machine_wants_the_token(
    client: FlaskClient, locked: FlaskClient, headers: dict[str, str]
) -> None:
    assert statuses(client, **headers) == {403}
    refused = client.post("/_mock/reset", json={}, headers=headers)
    assert refused.status_code == 403
    assert next(iter(headers)).lower() in refused.text.lower()
    assert "--control-token" in refused.text
    assert statuses(locked, **headers) == {401}
    assert statuses(locked, **headers, Authorization="Bearer s3cret") == {200}
