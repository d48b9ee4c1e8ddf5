"""Answers that go wrong on their way, as a client on the other end of a real connection sees them."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.mock_server.server.listening import HostError

from ..conftest import FACE, face


class Wire:
    """Raw HTTP to a mock in this process."""

    def __init__(self, mock: Mock, url: str) -> None:
        self.mock = mock
        self.address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self._connection = http.client.HTTPConnection(*self.address, timeout=60)

    def send(self, **headers: str) -> http.client.HTTPResponse:
        body = json.dumps(face())
        usual = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        self._connection.request("POST", FACE, body, {**usual, **headers})
        return self._connection.getresponse()

    @contextmanager
    def raw(self, header: str = "X-Nothing: 1") -> Iterator[socket.socket]:
        """Send a create whose answer is not waited for, once it was carried out or answered instead."""
        before = self.mock.journal.recorded if self.mock.journal is not None else 0
        with socket.create_connection(self.address, timeout=60) as connection:
            body = json.dumps(face()).encode()
            head = f"POST {FACE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\n{header}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            deadline = time.monotonic() + 60
            while self.mock.journal is not None and self.mock.journal.recorded == before:
                assert time.monotonic() < deadline, "the create was never answered"
                time.sleep(0.001)
            yield connection

    def close(self) -> None:
        self._connection.close()

    @property
    def created(self) -> int:
        return len(self.mock.world.store.projects())


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


def test_a_connection_over_ipv6_is_dropped_as_well() -> None:
    mock = Mock()
    mock.scenarios.add({"fault": "drop"})
    try:
        serving = running(mock, host="::1")
        url = serving.__enter__()
    except HostError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    wire = Wire(mock, url)
    with pytest.raises(http.client.RemoteDisconnected):
        wire.send()
    wire.close()
    serving.__exit__(None, None, None)
    mock.close()


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


def test_a_slow_drip_has_begun_but_is_far_from_its_end(wire: Wire) -> None:
    wire.mock.scenarios.add({"fault": "slow_drip", "drip_seconds": 3600})
    with wire.raw() as connection:
        received = b""
        while not received.endswith(b"{"):  # the body's first byte
            received += connection.recv(1)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)


def test_a_slow_drip_is_whole_in_the_end(wire: Wire) -> None:
    wire.mock.scenarios.add({"fault": "slow_drip", "drip_seconds": 0.05})
    answer = wire.send()
    assert answer.getheader("Content-Type") == "application/json"
    assert json.loads(answer.read())["credits_charged"] == 1


def test_a_slow_answer_lets_others_pass(wire: Wire) -> None:
    wire.mock.scenarios.add({"match": {"nth": 1}, "delay": 3600})
    with wire.raw() as slow:
        for _ in range(30):  # more than there are threads
            assert len(wire.send().read()) > 0
        assert wire.created == 31
        slow.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.recv(1)


def test_a_slow_answer_can_be_asked_for_by_header(wire: Wire) -> None:
    with wire.raw("Prefer: delay=3600, code=429") as slow:
        for _ in range(3):
            assert len(wire.send().read()) > 0
        slow.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.recv(1)


@pytest.mark.parametrize("fault", ["cut", "slow_drip", "malformed_json", "empty_body"])
def test_a_picture_can_be_spoiled_as_well(wire: Wire, fault: str) -> None:
    project_id = json.loads(wire.send().read())["id"]
    connection = http.client.HTTPConnection(*wire.address, timeout=60)
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
        whole = wire.mock.world.files.output(project_id, "output.png").read_bytes()
        expected = {"slow_drip": whole, "malformed_json": whole[: len(whole) // 2], "empty_body": b""}
        assert picture == expected[fault]
    connection.close()
