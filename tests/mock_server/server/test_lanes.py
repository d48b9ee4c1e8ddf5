"""What takes long holds up nothing else: pictures, stalled bodies, and readers who do not read."""

from __future__ import annotations

import http.client
import io
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from bluehour.mock_server.api import sources
from bluehour.mock_server.console import feed as events
from bluehour.mock_server.console.feature import ConsoleFeature
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.rendering import room
from bluehour.mock_server.server import lanes
from bluehour.mock_server.server.connection import Limits
from bluehour.mock_server.server.inprocess import running

from ..api.test_lifecycle import png
from ..conftest import FACE, UPLOADS, face


class Served:
    """A mock that is really served, and calls to it."""

    def __init__(self, mock: Mock, url: str) -> None:
        self.mock = mock
        self.address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)

    def call(
        self, method: str, path: str, body: Any = None, timeout: float = 30
    ) -> tuple[int, dict[str, str], Any]:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(*self.address, timeout=timeout)) as connection:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            read = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return (
            answer.status,
            {name.lower(): value for name, value in answer.headers.items()},
            json.loads(read) if is_json else read,
        )

    def upload_link(self) -> str:
        item = {"type": "image", "extension": "png"}
        _, _, answer = self.call("POST", UPLOADS, {"items": [item]})
        parts = urlsplit(answer["items"][0]["upload_url"])
        return f"{parts.path}?{parts.query}"

    def download_link(self) -> str:
        """The link of a picture that has not been made yet."""
        _, _, made = self.call("POST", FACE, face())
        _, _, project = self.call("GET", f"/v1/image-projects/{made['id']}")
        parts = urlsplit(project["downloads"][0]["url"])
        return f"{parts.path}?{parts.query}"

    @contextmanager
    def raw(self, head: str, body: bytes = b"") -> Iterator[socket.socket]:
        with socket.create_connection(self.address, timeout=30) as connection:
            connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
            yield connection


@pytest.fixture
def served() -> Iterator[Served]:
    mock = Mock(settings=Settings(time_scale=0))
    with running(mock) as url:
        yield Served(mock, url)
    mock.close()


@pytest.fixture
def impatient() -> Iterator[Served]:
    """A mock that is served to clients for which it does not wait for long."""
    limits = Limits(silence=0.3, unread=0.1, lingers=0.1)
    with closing(Mock()) as mock, running(mock, limits=limits) as url:
        yield Served(mock, url)


def test_nothing_else_waits_for_pictures(served: Served) -> None:
    made = served.download_link()
    assert served.call("GET", made)[0] == 200
    with ThreadPoolExecutor(20) as clients:
        with all_rooms(served.mock):  # as if pictures took for ever
            uploads = [clients.submit(served.call, "PUT", served.upload_link(), png()) for _ in range(10)]
            downloads = [clients.submit(served.call, "GET", served.download_link()) for _ in range(10)]
            while not served.mock.world.files._incoming.path.glob("*.png"):
                pass
            assert served.call("GET", "/_mock/state")[0] == 200
            assert served.call("GET", "/docs")[0] == 200
            assert served.call("POST", FACE, face())[0] == 200
            assert served.call("GET", made)[0] == 200
            assert not any(each.done() for each in (*uploads, *downloads))
        assert {each.result()[0] for each in (*uploads, *downloads)} == {200}


@pytest.mark.parametrize("what", ["upload", "download"])
def test_a_reset_does_not_wait_for_pictures_and_they_are_told_of_it(served: Served, what: str) -> None:
    link = served.upload_link() if what == "upload" else served.download_link()
    asked = threading.Event()
    room = served.mock.rendering.outputs.room
    for_picture = room.for_picture

    def asking(*values: Any) -> Any:
        asked.set()
        return for_picture(*values)

    room.for_picture = asking  # type: ignore[method-assign, assignment]  # tells of it
    with ThreadPoolExecutor(1) as clients:
        with all_rooms(served.mock):
            method, body = ("PUT", png()) if what == "upload" else ("GET", None)
            call = clients.submit(served.call, method, link, body)
            assert asked.wait(30)
            assert served.call("POST", "/_mock/reset")[0] == 200
        status, _, answer = call.result()
    assert (status, answer["code"]) == (503, "service_unavailable")
    assert "was reset meanwhile" in answer["message"]
    assert list(served.mock.world.files.upload("x").parents[1].rglob("*.png")) == []


@contextmanager
def all_rooms(mock: Mock) -> Iterator[None]:
    """Leave no room for any picture to be decoded or rendered."""
    with ExitStack() as stack:
        stack.enter_context(mock.rendering.outputs.room._large)
        for _ in range(room._SMALL_AT_ONCE):
            stack.enter_context(mock.rendering.outputs.room._small)
        yield


def test_small_pictures_do_not_wait_for_large_ones(served: Served) -> None:
    large = io.BytesIO()
    Image.new("RGB", (4000, 4000)).save(large, "PNG")
    with ThreadPoolExecutor(6) as clients:
        with served.mock.rendering.outputs.room._large:
            uploads = [
                clients.submit(served.call, "PUT", served.upload_link(), large.getvalue()) for _ in range(6)
            ]
            assert served.call("PUT", served.upload_link(), png())[0] == 200
            assert served.call("GET", served.download_link())[0] == 200
            assert not any(each.done() for each in uploads)
        assert {each.result()[0] for each in uploads} == {200}


def wait_for(condition: Any) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_pictures_that_do_not_come_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_FETCH_SECONDS", 3.0)
    mock = Mock(settings=Settings(time_scale=0, fetch_assets=True, credits=3))
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as silent,
        running(mock) as url,
        ThreadPoolExecutor(60) as clients,
    ):
        served, address = Served(mock, url), silent.getsockname()
        body = face(f"http://127.0.0.1:{address[1]}/photo.png")
        creates = [clients.submit(served.call, "POST", FACE, body) for _ in range(60)]
        wait_for(lambda: mock.world.gate._inside == 0)
        assert served.call("POST", "/_mock/reset")[0] == 200
        assert served.call("POST", FACE, face())[0] == 200
        assert served.call("GET", "/_mock/state")[0] == 200
        assert served.call("PUT", served.upload_link(), png())[0] == 200
        assert not all(each.done() for each in creates)
        for each in creates:
            status, _, answer = each.result()
            assert status in (422, 503), answer  # in time, or the reset came first
    assert mock.world.store.count_projects() == 1
    mock.close()


def test_writers_that_wait_for_a_locked_store_leave_the_readers_their_threads(tmp_path: Path) -> None:
    file = tmp_path / "mock.db"
    mock = Mock(settings=Settings(store=f"sqlite:///{file}", time_scale=0))
    writers = 3 * lanes.SIZES["writing"].threads
    with running(mock) as url, ThreadPoolExecutor(writers) as clients:
        served = Served(mock, url)
        _, _, made = served.call("POST", FACE, face())
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            creates = [clients.submit(served.call, "POST", FACE, face()) for _ in range(writers)]
            wait_for(lambda: mock.world.gate._inside == lanes.SIZES["writing"].threads)
            for _ in range(20):
                assert served.call("GET", f"/v1/image-projects/{made['id']}")[0] == 200
            assert served.call("GET", "/_mock/state")[0] == 200
            assert not any(each.done() for each in creates)
            other.execute("ROLLBACK")
        assert {each.result()[0] for each in creates} == {200}
        assert mock.world.store.count_projects() == writers + 1
    mock.close()


def test_where_too_many_wait_the_next_is_told_to_come_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lanes.SIZES, "uploads", lanes.Size(4, 0))
    links = [served.upload_link() for _ in range(5)]
    with ThreadPoolExecutor(len(links)) as clients:
        with all_rooms(served.mock):
            uploads = [clients.submit(served.call, "PUT", link, png()) for link in links]
            wait_for(lambda: any(each.done() for each in uploads))
        answers = sorted((each.result() for each in uploads), key=lambda answer: answer[0])
    assert [status for status, _, _ in answers] == [200] * (len(links) - 1) + [503]
    _, headers, body = answers[-1]
    assert (body["code"], headers["retry-after"]) == ("service_unavailable", "1")
    assert served.mock.journal is not None
    assert served.mock.journal.all()[-1].status in (200, 503)


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_a_body_that_stalls_is_ended_with_a_408(impatient: Served, size: int) -> None:
    head = f"PUT {impatient.upload_link()} HTTP/1.1\nHost: a\nContent-Length: {size}\n"
    with impatient.raw(head, b"x" * 50) as client:
        told = b""
        while piece := client.recv(2**16):  # to its end: the connection is closed
            told += piece
    assert told.startswith(b"HTTP/1.1 408 ")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["code"] == "request_timeout"
    assert impatient.mock.journal is not None
    assert impatient.mock.journal.all()[-1].status == 408


@pytest.mark.parametrize("end", [b"ZZ\r\n", b"5\r\nab", b""])
@pytest.mark.parametrize("path", ["upload", FACE, "/_mock/clock"])
def test_a_body_in_chunks_that_is_cut_off_is_not_taken_for_whole(
    served: Served, path: str, end: bytes
) -> None:
    body = b'{"frozen":true}' if path == "/_mock/clock" else json.dumps(face()).encode()
    method, target = ("PUT", served.upload_link()) if path == "upload" else ("POST", path)
    before = served.mock.world.store.count_projects()
    head = f"{method} {target} HTTP/1.1\nHost: 127.0.0.1\nAuthorization: Bearer any\n"
    head += "Content-Type: application/json\nTransfer-Encoding: chunked\n"
    with served.raw(head, b"%x\r\n%s\r\n%s" % (len(body), body, end)) as client:
        client.shutdown(socket.SHUT_WR)
        told = client.recv(2**16)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert served.mock.world.store.count_projects() == before
    assert not served.mock.world.clock.frozen
    assert list(served.mock.world.files.upload("x").parent.iterdir()) == []


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_a_body_that_ends_before_its_length_is_a_400_for_whoever_still_hears(
    served: Served, size: int
) -> None:
    head = f"POST {FACE} HTTP/1.1\nHost: a\nContent-Length: {size}\n"
    with served.raw(head, b"{}") as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(2**16).startswith(b"HTTP/1.1 400 ")


def test_a_body_that_trickles_is_ended_too(impatient: Served) -> None:
    head = f"PUT {impatient.upload_link()} HTTP/1.1\nHost: a\nContent-Length: 5000000\n"
    with impatient.raw(head) as client:
        client.settimeout(0.05)
        told = b""
        while not told:
            client.sendall(b"x")
            try:
                told = client.recv(2**16)
            except TimeoutError:
                continue
    assert told.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/v1/ai-face-editor", "/_mock/rules", "/anything"])
def test_what_the_disk_has_no_room_for_is_a_503_in_the_envelope(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(io.BytesIO):
        def __init__(self, *_: object) -> None:
            super().__init__()

        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Full)
    status, headers, body = served.call("POST", path, b"x" * 2**20)
    assert (status, body["code"], headers["retry-after"]) == (503, "service_unavailable", "1")
    assert "No space left on device" in body["message"]
    assert caplog.messages == ["answered 503: a file can't be written or read: No space left on device"]


def test_a_reader_that_does_not_read_is_told_of_a_gap_and_goes_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_MOST_KEPT", 50)
    head = "GET /_mock/events HTTP/1.1\nHost: 127.0.0.1\n"
    with ExitStack() as readers:
        client = readers.enter_context(served.raw(head))
        assert client.recv(2**16).startswith(b"HTTP/1.1 200 ")
        sent, big = 400, "x" * 40_000
        for _ in range(sent):
            served.call("POST", FACE, {**face(), "name": big})
        client.settimeout(10)
        told = b""
        while b"event: gap" not in told:
            told += client.recv(2**16)
        missed = int(told.partition(b"event: gap\ndata: ")[2].partition(b"\n")[0])
        assert len(told) < sent * len(big) / 2
        assert 0 < missed < sent
        served.mock.world.clock.advance(1)
        while b'event: changed\ndata: "clock"' not in told:
            told += client.recv(2**16)


def test_a_reader_that_reads_nothing_for_long_is_let_go(impatient: Served) -> None:
    with impatient.raw("GET /_mock/events HTTP/1.1\nHost: 127.0.0.1\n") as client:
        assert client.recv(2**16).startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: len(impatient.mock.feature(ConsoleFeature).feed._readers) == 1)
        until = time.monotonic() + 60
        while impatient.mock.feature(ConsoleFeature).feed._readers:
            impatient.call("POST", FACE, {**face(), "name": "x" * 40_000})
            assert time.monotonic() < until


def test_no_more_readers_are_let_in_than_there_may_be(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_MOST_READERS", 1)
    with served.raw("GET /_mock/events HTTP/1.1\nHost: 127.0.0.1\n") as client:
        assert client.recv(2**16).startswith(b"HTTP/1.1 200 ")
        status, _, body = served.call("GET", "/_mock/events")
        assert (status, body["code"]) == (503, "service_unavailable")


def test_a_reader_that_leaves_makes_room_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_MOST_READERS", 1)
    for _ in range(3):
        with served.raw("GET /_mock/events HTTP/1.1\nHost: 127.0.0.1\n") as client:
            assert client.recv(2**16).startswith(b"HTTP/1.1 200 ")
        until = time.monotonic() + events._HEARTBEAT / 2
        while served.mock.feature(ConsoleFeature).feed._readers and time.monotonic() < until:
            time.sleep(0.005)
        assert not served.mock.feature(ConsoleFeature).feed._readers


def test_threads_are_ended_with_the_server() -> None:
    before = threading.active_count()
    mock = Mock()
    with running(mock) as url:
        served = Served(mock, url)
        assert served.call("GET", "/_mock/state")[0] == 200
        assert served.call("PUT", served.upload_link(), png())[0] == 200
    mock.close()
    wait_for(lambda: threading.active_count() <= before + 1)
