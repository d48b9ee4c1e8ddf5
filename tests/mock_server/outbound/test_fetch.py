"""A file is fetched whole, in time and from where it may be, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bluehour.mock_server.core.assets.files import TooLarge
from bluehour.mock_server.outbound.errors import OutboundError, TargetDenied, TookTooLong
from bluehour.mock_server.outbound.fetching import fetch
from bluehour.mock_server.outbound.policy import TargetPolicy

LONG = 20.0
SHORT = 0.3
OPEN = TargetPolicy()

Handler = Callable[[socket.socket, bytes], object]


class Server:
    """Does to each connection what a test says, once the head of a request was read.

    Attributes:
        handle: called with the connection and what was read.
        requests: what was read.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.handle: Handler = lambda connection, request: None
        self.requests: list[bytes] = []
        self.is_over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def answers(self, *parts: bytes) -> None:
        self.handle = lambda connection, _: connection.sendall(b"".join(parts))

    def trickles(self, start: bytes, drop: bytes) -> None:
        """Send a start, then a drop again and again, and never end."""

        def handle(connection: socket.socket, _: bytes) -> None:
            connection.sendall(start)
            while not self.is_over.wait(0.01):
                connection.sendall(drop)

        self.handle = handle

    def close(self) -> None:
        self.is_over.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client has given up
            request = b""
            while b"\r\n\r\n" not in request and (more := connection.recv(2**16)):
                request += more
            self.requests.append(request)
            self.handle(connection, request)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "picture.png"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
    ids=["length", "chunked", "until-the-end"],
)
def test_what_comes_whole_is_kept(server: Server, target: Path, answer: bytes) -> None:
    server.answers(answer)
    fetch(f"{server.url}/a/picture.png?x=1#part", target, 5, LONG, OPEN)
    assert target.read_bytes() == b"hello"
    assert server.requests[0].startswith(b"GET /a/picture.png?x=1 HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
    ],
    ids=["length", "nothing", "between-chunks", "in-a-chunk", "no-chunk", "no-size"],
)
def test_what_is_cut_off_is_refused(server: Server, target: Path, answer: bytes) -> None:
    server.answers(answer)
    with pytest.raises(OutboundError, match="is cut off"):
        fetch(server.url, target, 1000, LONG, OPEN)
    assert not target.exists()


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b""),
        (b"", b""),
    ],
    ids=["length", "chunked", "until-the-end", "head", "continue", "silent-body", "silent"],
)
def test_a_server_that_never_ends_is_given_up(
    server: Server, target: Path, start: bytes, drop: bytes
) -> None:
    server.trickles(start, drop)
    with pytest.raises((TookTooLong, OutboundError), match=r"no answer within 0\.3 s|more than 100 headers"):
        fetch(server.url, target, 10**9, SHORT, OPEN)
    assert not target.exists()


def test_a_handshake_that_never_ends_is_given_up(server: Server, target: Path) -> None:
    server.handle = lambda connection, _: server.is_over.wait(LONG)
    with pytest.raises(TookTooLong):
        fetch(f"https://127.0.0.1:{server.port}/", target, 10**9, SHORT, OPEN)


def test_a_name_that_is_looked_up_for_ever_is_given_up(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def asleep(*_: Any, **__: Any) -> Any:
        over.wait(LONG)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", asleep)
    with pytest.raises(TookTooLong):
        fetch("http://slow.example/", target, 10**9, SHORT, OPEN)
    over.set()


@pytest.mark.parametrize(
    "length", [b"Content-Length: 11\r\n\r\n", b"\r\n"], ids=["announced", "not-announced"]
)
def test_what_is_too_large_is_not_kept(server: Server, target: Path, length: bytes) -> None:
    server.answers(b"HTTP/1.1 200 OK\r\n" + length, b"x" * 11)
    with pytest.raises(TooLarge):
        fetch(server.url, target, 10, LONG, OPEN)
    assert not target.exists()


def redirects(status: int, location: str) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/there", "there", "//127.0.0.1:{port}/there", "{url}/there#x"])
def test_a_redirect_is_followed(server: Server, target: Path, status: int, location: str) -> None:
    there = location.format(port=server.port, url=server.url)

    def handle(connection: socket.socket, request: bytes) -> None:
        is_there = request.startswith(b"GET /there ")
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if is_there else redirects(status, there)
        )

    server.handle = handle
    fetch(f"{server.url}/here", target, 10, LONG, OPEN)
    assert target.read_bytes() == b"ok"


def test_redirects_in_a_circle_are_followed_a_few_times(server: Server, target: Path) -> None:
    server.answers(redirects(302, "/again"))
    with pytest.raises(OutboundError, match="redirects more than 5 times"):
        fetch(server.url, target, 10, LONG, OPEN)
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("location", "because"),
    [
        ("file:///etc/passwd", "no http or https URL"),
        ("ftp://127.0.0.1/", "no http or https URL"),
        ("http://[::1", "no URL"),
        ("http://127.0.0.1:99999/", "no URL"),
        ("http://127.0.0.1:0/", "no URL"),
    ],
)
def test_a_redirect_out_of_http_is_refused(server: Server, target: Path, location: str, because: str) -> None:
    server.answers(redirects(302, location))
    with pytest.raises(OutboundError, match=because):
        fetch(server.url, target, 10, LONG, OPEN)


def test_a_redirect_to_what_is_denied_is_refused(server: Server, target: Path) -> None:
    inner = Server()
    server.answers(redirects(302, f"{inner.url}/secret"))
    policy = TargetPolicy.parsed([f"127.0.0.1:{server.port}"], []).served_at("0.0.0.0")
    with pytest.raises(TargetDenied, match="private address"):
        fetch(server.url, target, 10, LONG, policy)
    assert len(server.requests) == 1
    assert inner.requests == []
    inner.close()


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f000001", "localhost", "[::ffff:127.0.0.1]", "①②⑦.⓪.⓪.①"]
)
def test_no_spelling_of_this_machine_gets_round_the_policy(server: Server, target: Path, host: str) -> None:
    server.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with pytest.raises(OutboundError):
        fetch(f"http://{host}:{server.port}/", target, 10, LONG, TargetPolicy(private=False))
    assert server.requests == []


def test_a_name_is_looked_up_once_and_what_was_judged_is_called(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    real, asked = socket.getaddrinfo, []

    def rebinding(host: str, port: int, *rest: Any, **options: Any) -> Any:
        if host != "rebinding.example":
            return real(host, port, *rest, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    policy = TargetPolicy.parsed(["127.0.0.1"], []).served_at("0.0.0.0")
    fetch(f"http://rebinding.example:{server.port}/", target, 10, LONG, policy)
    assert len(asked) == 1
    assert f"\r\nHost: rebinding.example:{server.port}\r\n".encode() in server.requests[0]
    with pytest.raises(TargetDenied):
        fetch(f"http://rebinding.example:{server.port}/", target, 10, LONG, policy)


def test_where_one_address_is_silent_the_next_is_tried(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    real = socket.getaddrinfo

    def two(host: str, port: int, *rest: Any, **options: Any) -> Any:
        if host != "two.example":
            return real(host, port, *rest, **options)
        return [*real("127.0.0.3", port, *rest, **options), *real("127.0.0.1", port, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    fetch(f"http://two.example:{server.port}/", target, 10, LONG, OPEN)
    assert target.read_bytes() == b"ok"


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "it answered 404"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "it answered 302"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"", "closed connection without response"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "header line"),
    ],
)
def test_what_is_no_answer_is_told_in_one_line(
    server: Server, target: Path, answer: bytes, because: str
) -> None:
    server.answers(answer)
    with pytest.raises(OutboundError, match=because) as told:
        fetch(server.url, target, 10, LONG, OPEN)
    assert "\n" not in f"{told.value}"
    assert not target.exists()


def test_an_environment_that_names_a_proxy_changes_nothing(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    fetch(server.url, target, 10, LONG, OPEN)
    assert target.read_bytes() == b"ok"
