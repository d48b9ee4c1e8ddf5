"""Answers that go wrong on their way, as a client on the other end of a real connection sees them."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mock_server.inprocess import running
from mock_server.mock import Mock, Settings

from .conftest import FACE, face


class Wire:
    """Raw HTTP to a mock in this process."""

    def __init__(self, mock: Mock, url: str) -> None:
        self.mock = mock
        self.address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self._connection = http.client.HTTPConnection(*self.address, timeout=10)

    def send(self, **headers: str) -> http.client.HTTPResponse:
        body = json.dumps(face())
        usual = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        self._connection.request("POST", FACE, body, {**usual, **headers})
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()

    @property
    def created(self) -> int:
        return len(self.mock.store.projects())


@pytest.fixture(params=["memory://", "sqlite"])  # the two lanes: in the event loop, and in threads
def wire(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Wire]:
    url = request.param if request.param == "memory://" else f"sqlite:///{tmp_path / 'mock.db'}"
    mock = Mock(settings=Settings(store=url, time_scale=0))
    with running(mock) as base_url:
        wire = Wire(mock, base_url)
        yield wire
        wire.close()
    mock.close()


def test_a_dropped_connection_says_nothing_though_the_create_was_booked(wire: Wire) -> None:
    wire.mock.scenarios.add({"fault": "drop", "times": 1})
    with pytest.raises(http.client.RemoteDisconnected):
        wire.send()
    assert wire.created == 1
    wire.close()
    assert wire.send().status == 200


def test_a_connection_can_be_lost_before_the_create_is_booked(wire: Wire) -> None:
    wire.mock.scenarios.add({"fault": "drop", "carry_out": False})
    with pytest.raises(http.client.RemoteDisconnected):
        wire.send()
    assert wire.created == 0


def test_other_connections_live_on_when_one_is_dropped(wire: Wire) -> None:
    other = Wire(wire.mock, f"http://{wire.address[0]}:{wire.address[1]}")
    assert len(other.send().read()) > 0
    wire.mock.scenarios.add({"fault": "drop", "times": 1})
    with pytest.raises(http.client.RemoteDisconnected):
        wire.send()
    assert other.send().status == 200
    other.close()


def test_a_cut_body_is_announced_longer_than_it_comes(wire: Wire) -> None:
    wire.mock.scenarios.add({"fault": "cut"})
    answer = wire.send()
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    assert cut.value.partial.startswith(b'{"id":"')
    assert wire.created == 1


def test_an_answer_without_a_body_can_be_cut_too(wire: Wire) -> None:
    wire.mock.scenarios.add({"answer": {"status": 200, "body": ""}, "fault": "cut"})
    with pytest.raises(http.client.IncompleteRead):
        wire.send().read()


def test_a_slow_drip_is_whole_in_the_end(wire: Wire) -> None:
    wire.mock.scenarios.add({"fault": "slow_drip", "drip_seconds": 0.05})
    answer = wire.send()
    assert answer.getheader("Content-Type") == "application/json"
    assert json.loads(answer.read())["credits_charged"] == 1


def test_a_slow_answer_lets_others_pass(wire: Wire) -> None:
    wire.mock.scenarios.add({"match": {"nth": 1}, "delay": 3600})
    with socket.create_connection(wire.address) as slow:
        body = json.dumps(face()).encode()
        head = f"POST {FACE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body)
        slow.setblocking(False)
        while wire.created == 0:
            assert wire.mock.clock.now()
        for _ in range(30):  # more than there are threads
            assert len(wire.send().read()) > 0
        with pytest.raises(BlockingIOError):
            slow.recv(1)


def test_a_delay_comes_before_the_answer_and_is_asked_for_by_header_too(wire: Wire) -> None:
    answer = wire.send(Prefer="delay=0.05, code=429")
    assert (answer.status, wire.created) == (429, 0)


@pytest.mark.parametrize("fault", ["cut", "slow_drip", "malformed_json", "empty_body"])
def test_a_picture_can_be_spoiled_as_well(wire: Wire, fault: str) -> None:
    project_id = json.loads(wire.send().read())["id"]
    connection = http.client.HTTPConnection(*wire.address, timeout=10)
    connection.request("GET", f"/v1/image-projects/{project_id}", headers={"Authorization": "Bearer any"})
    url = urlsplit(json.loads(connection.getresponse().read())["downloads"][0]["url"])
    wire.mock.scenarios.add({"match": {"operation": "download"}, "fault": fault, "drip_seconds": 0.05})
    connection.request("GET", f"{url.path}?{url.query}")
    answer = connection.getresponse()
    if fault == "cut":
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    else:
        picture = answer.read()
        whole = wire.mock.files.output(project_id).read_bytes()
        expected = {"slow_drip": whole, "malformed_json": whole[: len(whole) // 2], "empty_body": b""}
        assert picture == expected[fault]
    connection.close()
