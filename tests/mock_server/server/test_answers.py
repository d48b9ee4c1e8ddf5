"""Answers on their way: bytes, files, events, and those that a disruption spoils."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bluehour.mock_server.api.application import Lane
from bluehour.mock_server.api.reply import Disruption, Reply
from bluehour.mock_server.server import lanes

from .conftest import Served

GET = "GET /a HTTP/1.1\nHost: x\n\n"
HEAD = GET.replace("GET", "HEAD")


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_has_no_length(served: Served, status: int) -> None:
    served.application.answers["/a"] = Reply(status, [], b"dropped")
    client = served.client()
    for _ in range(2):
        found, headers, body = client.ask(GET)
        assert (found, body, "content-length" in headers) == (status, b"", False)


@pytest.mark.parametrize("disruption", [None, Disruption(kind="drip")])
@pytest.mark.parametrize("is_file", [False, True])
def test_head_says_how_long_the_body_is_that_it_leaves_out(
    served: Served, tmp_path: Path, is_file: bool, disruption: Disruption | None
) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    served.application.answers["/a"] = Reply(200, [], tmp_path / "file" if is_file else b"12345", disruption)
    client = served.client()
    for _ in range(2):
        _, headers, _ = client.ask(HEAD, "HEAD")
        assert headers["content-length"] == "5"
    assert client.ask(GET)[2] == b"12345"


def test_a_status_that_nobody_has_named_and_a_date_are_sent_as_they_are(served: Served) -> None:
    served.application.answers["/a"] = Reply(599, [("Date", "once")])
    client = served.client()
    client.send(GET + GET)
    client.socket.shutdown(socket.SHUT_WR)
    sent = client.to_the_end()
    assert sent.count(b"HTTP/1.1 599 \r\n") == 2
    assert sent.count(b"Date: ") == 2


def test_an_answer_may_end_the_connection(served: Served) -> None:
    served.application.answers["/a"] = Reply(200, [("connection", "close")], b"x")
    client = served.client()
    client.send(GET + GET)
    assert client.to_the_end().lower().count(b"connection: close") == 1
    assert len(served.seen) == 1


@pytest.mark.parametrize("lane", [None, "api"])
@pytest.mark.parametrize("what", ["a bug", "a header"])
def test_what_the_application_fails_at_is_told_and_logged(
    served: Served, lane: Lane | None, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> Reply:
        if what == "a header":
            return Reply(200, [("X", "a\r\nSet-Cookie: b")])
        raise RuntimeError("not handled")

    served.application.answers["/a"] = failing
    if lane is not None:
        served.application.lanes["/a"] = lane
    client = served.client()
    with caplog.at_level(logging.ERROR):
        status, _, body = client.ask(GET)
    assert (status, json.loads(body)["code"]) == (500, "internal_server_error")
    assert caplog.messages == ["GET /a could not be answered, which is a bug of the mock"]
    assert client.ask("GET /b HTTP/1.1\n\n")[0] == 200


@pytest.mark.parametrize("lane", [None, "downloads"])
@pytest.mark.parametrize("size", [0, 1000, 2**17, 5_000_001])
def test_a_file_is_sent_as_it_is(served: Served, tmp_path: Path, size: int, lane: Lane | None) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    served.application.answers["/a"] = Reply(200, [("Content-Type", "image/png")], tmp_path / "file")
    if lane is not None:
        served.application.lanes["/a"] = lane
    client = served.client()
    for _ in range(2):
        status, headers, body = client.ask(GET)
        assert (status, headers["content-type"], body == content) == (200, "image/png", True)


def test_a_file_that_is_gone_is_a_404(served: Served, tmp_path: Path) -> None:
    served.application.answers["/a"] = Reply(200, [], tmp_path / "nothing")
    status, _, body = served.client().ask(GET)
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_one_who_does_not_read_a_file_holds_up_nobody_and_is_let_go(hurried: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(50_000_000))
    hurried.application.answers["/a"] = Reply(200, [], tmp_path / "file")
    slow = hurried.client()
    slow.send(GET)
    assert hurried.client().ask("GET /b HTTP/1.1\n\n")[0] == 200
    with pytest.raises(ConnectionError):  # once the server has borne it for long enough
        slow.send_for_ever("x")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        slow.answer()


class Events:
    """Sends numbered events of a size, as fast as they are taken; or none."""

    def __init__(self, size: int = 10, most: int = 10**9) -> None:
        self.size = size
        self.most = most
        self.sent = 0
        self.is_open = False

    async def __call__(self) -> AsyncIterator[bytes]:
        self.is_open = True
        try:
            while self.sent < self.most:
                self.sent += 1
                yield b"%d%b\n" % (self.sent, b"x" * self.size)
                await asyncio.sleep(0.001)
        finally:
            self.is_open = False


def test_events_come_as_they_happen_and_end_with_their_reader(served: Served) -> None:
    events = Events()
    served.application.answers["/a"] = Reply(200, [("Content-Type", "text/event-stream")], events)
    client = served.client()
    status, headers, _ = client.ask(GET)
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert "content-length" not in headers
    heard = b""
    while b"\n5x" not in heard:
        heard += client.socket.recv(100)
    client.socket.shutdown(socket.SHUT_WR)
    until(lambda: not events.is_open)


def test_events_wait_for_a_reader_who_does_not_read_and_then_go_on(served: Served) -> None:
    events = Events(size=100_000)
    served.application.answers["/a"] = Reply(200, [], events)
    client = served.client()
    client.send(GET)
    until(lambda: events.sent > 1)
    before = 0
    while before != events.sent:
        before = events.sent
        time.sleep(0.3)
    assert before < 1000
    while events.sent == before:
        client.socket.recv(2**16)


def test_a_reader_of_events_who_reads_nothing_for_long_is_let_go(hurried: Served) -> None:
    events = Events(size=100_000)
    hurried.application.answers["/a"] = Reply(200, [], events)
    client = hurried.client()
    client.send(GET)
    until(lambda: events.is_open)
    until(lambda: not events.is_open)


def test_events_that_end_at_once_are_a_503(served: Served) -> None:
    served.application.answers["/a"] = Reply(200, [], Events(most=0))
    client = served.client()
    status, _, body = client.ask(GET)
    message = "Too many read the events already; close a console"
    assert (status, json.loads(body)) == (503, {"code": "service_unavailable", "message": message})
    assert client.to_the_end() == b""


@pytest.mark.parametrize("lane", [None, "writing"])
@pytest.mark.parametrize("is_file", [False, True])
class TestDisrupted:
    @pytest.fixture(autouse=True)
    def answering(
        self, served: Served, tmp_path: Path, is_file: bool, lane: Lane | None
    ) -> Callable[[Disruption], None]:
        (tmp_path / "file").write_bytes(b"x" * 1000)
        if lane is not None:
            served.application.lanes["/a"] = lane

        def disrupted(disruption: Disruption) -> None:
            body = tmp_path / "file" if is_file else b"x" * 1000
            served.application.answers["/a"] = Reply(200, [], body, disruption)

        self.disrupted = disrupted
        return disrupted

    def test_a_dropped_connection_says_nothing(self, served: Served) -> None:
        self.disrupted(Disruption(kind="drop"))
        client, other = served.client(), served.client()
        client.send(GET)
        assert client.to_the_end() == b""
        assert other.ask("GET /b HTTP/1.1\n\n")[0] == 200

    def test_what_came_before_a_drop_is_answered(self, served: Served) -> None:
        self.disrupted(Disruption(kind="drop"))
        client = served.client()
        client.send("GET /b HTTP/1.1\n\n" + GET + GET)
        assert client.answer()[0] == 200
        assert client.to_the_end() == b""

    def test_a_cut_body_is_announced_longer_than_it_comes(self, served: Served) -> None:
        self.disrupted(Disruption(kind="cut"))
        client = served.client()
        client.send(GET)
        head, _, body = client.to_the_end().partition(b"\r\n\r\n")
        assert body == b"x" * 500
        assert b"\r\nContent-Length: 1000" in head
        assert b"Connection" not in head

    def test_a_slow_drip_is_whole_in_the_end(self, served: Served) -> None:
        self.disrupted(Disruption(kind="drip", drip_seconds=0.05))
        client = served.client()
        assert client.ask(GET)[2] == b"x" * 1000
        assert client.ask("GET /b HTTP/1.1\n\n")[0] == 200

    def test_a_slow_drip_has_begun_but_is_far_from_its_end(self, served: Served) -> None:
        self.disrupted(Disruption(kind="drip", drip_seconds=3600))
        client = served.client()
        client.send(GET)
        heard = b""
        while not heard.endswith(b"\r\n\r\n" + b"x" * 10):
            heard += client.socket.recv(1)
        assert client.has_heard_nothing()

    def test_a_late_answer_holds_up_those_behind_it_alone(self, served: Served) -> None:
        self.disrupted(Disruption(delay=3600))
        slow = served.client()
        slow.send(GET + GET)
        until(lambda: served.seen)
        assert served.client().ask("GET /b HTTP/1.1\n\n")[0] == 200
        assert slow.has_heard_nothing()
        assert len(served.seen) == 2


def test_an_empty_answer_can_be_cut_too(served: Served) -> None:
    served.application.answers["/a"] = Reply(200, [], b"", Disruption(kind="cut"))
    client = served.client()
    client.send(GET)
    head, _, body = client.to_the_end().partition(b"\r\n\r\n")
    assert (body, b"\r\nContent-Length: 2" in head) == (b" ", True)


def test_where_too_many_wait_in_a_lane_the_next_is_told_to_come_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lanes.SIZES, "uploads", lanes.Size(2, 1))
    free = threading.Event()
    served.application.lanes["/a"] = "uploads"

    def waiting(*_: object) -> Reply:
        free.wait(30)
        return Reply(200, [])

    served.application.answers["/a"] = waiting
    clients = [served.client() for _ in range(3)]
    for client in clients:
        client.send(GET)
    until(lambda: len(served.seen) == 3)
    status, headers, body = served.client().ask(GET)
    free.set()
    assert (status, headers["retry-after"]) == (503, "1")
    assert "too many requests wait for the same (uploads)" in json.loads(body)["message"]
    assert [client.answer()[0] for client in clients] == [200, 200, 200]


def test_a_client_that_leaves_does_not_undo_what_it_asked_for(served: Served) -> None:
    free, done = threading.Event(), threading.Event()
    served.application.lanes["/a"] = "writing"

    def waiting(*_: object) -> Reply:
        free.wait(30)
        done.set()
        return Reply(200, [])

    served.application.answers["/a"] = waiting
    client = served.client()
    client.send(GET)
    until(lambda: served.seen)
    client.socket.close()
    assert served.client().ask("GET /b HTTP/1.1\n\n")[0] == 200
    free.set()
    assert done.wait(30)


def test_nothing_is_logged_of_clients_that_leave(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.application.answers["/a"] = Reply(200, [], b"x" * 10_000, Disruption(kind="drip", drip_seconds=1))
    for _ in range(3):
        client = served.client()
        client.send(GET)
        client.socket.recv(1)
        client.socket.close()
    assert served.client().ask("GET /b HTTP/1.1\n\n")[0] == 200
    assert caplog.messages == []
