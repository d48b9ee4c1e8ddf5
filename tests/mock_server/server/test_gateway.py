"""What reaches the application of a request, and what becomes of one that it can't be asked about."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.openapi.contract import load

FACE = "/v1/ai-face-editor"


@pytest.fixture
def served() -> Iterator[Mock]:
    with closing(Mock()) as mock, running(mock):
        yield mock


def asked(mock: Mock, target: str, method: str = "GET") -> tuple[int, Any]:
    """Send a request as it stands, in UTF-8; return its status and its JSON."""
    address = mock.world.base_url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), 20) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        content = answer.read()
    return answer.status, json.loads(content) if content.startswith(b"{") else None


@pytest.mark.parametrize("query", ["x=漢", "漢", "x=é", "x=😀&y=%ff"])
@pytest.mark.parametrize(
    ("path", "status"),
    [(FACE, 405), ("/v1/nothing", 404), ("/_mock/state", 200), ("/docs", 200), ("/openapi.json", 200)],
)
def test_a_query_may_have_any_character(served: Mock, path: str, status: int, query: str) -> None:
    assert asked(served, f"{path}?{query}")[0] == status


def test_a_query_and_a_path_are_kept_as_they_were_sent(served: Mock) -> None:
    asked(served, "/v1/漢?x=漢")
    asked(served, "/v1/%E6%BC%A2?x=%E6%BC%A2")
    shown = [entry["request"] for entry in asked(served, "/_mock/journal")[1]["entries"]]
    assert [(each["path"], each["query"]) for each in shown] == [
        ("/v1/漢", "x=漢"),
        ("/v1/漢", "x=%E6%BC%A2"),
    ]


def test_a_parameter_means_what_it_says_in_every_script(served: Mock) -> None:
    for name in ("漢", "%E6%BC%A2"):
        assert asked(served, f"/_mock/journal?operation={name}")[0] == 200
    status, answer = asked(served, "/_mock/journal?status=漢")
    assert (status, "'漢'" in answer["message"]) == (400, True)


def test_percent_signs_are_taken_away_once(served: Mock) -> None:
    asked(served, "/v1/%2541")
    assert asked(served, "/_mock/journal")[1]["entries"][0]["request"]["path"] == "/v1/%41"


def test_what_fails_beside_the_application_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_environ: Any, _start_response: Any) -> Any:
        raise RuntimeError("not seen by any handler")

    with closing(Mock()) as mock, running(mock, make_app=lambda _: broken), caplog.at_level(logging.ERROR):
        for path in (FACE, "/_mock/state"):  # in the event loop, and in a thread
            status, answer = asked(mock, path)
            expected, message = load().errors["internal_server_error"]
            assert status == expected
            assert answer == {"code": "internal_server_error", "message": message}
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"GET {path} could not be answered, which is a bug of the mock" for path in (FACE, "/_mock/state")
    ]
