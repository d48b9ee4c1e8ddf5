"""What travels, byte by byte, and what is made of servers that answer badly, late or not at all."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.check.connection import NoAnswer, NotSent
from bluehour.contracts.check.wire import LARGEST_ANSWER, LARGEST_FILE, HttpWire
from bluehour.contracts.exchange import Answer, Headers, Request
from tests.profiles import examples

from .raw import PATIENCE, Peer, Server, answering, ok, serving

SHORT = 0.2
"""A timeout, in seconds, for answers that never come."""


@pytest.fixture
def wire() -> Iterator[HttpWire]:
    with closing(HttpWire()) as wire:
        yield wire


@pytest.fixture
def echo() -> Iterator[Server]:
    """A server that answers every request with its own bytes."""

    def script(peer: Peer) -> None:
        while asked := peer.request():
            peer.send(ok(b"" if asked.startswith(b"HEAD ") else asked))

    with serving(script) as server:
        yield server


def send(
    wire: HttpWire,
    server: Server,
    path: str = "/",
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    *,
    fresh: bool = True,
    timeout: float = PATIENCE,
    most: int = LARGEST_ANSWER,
) -> Answer:
    return wire.send(Request(method, server.url + path, headers, body), timeout, fresh=fresh, most=most)


def answered(wire: HttpWire, answer: bytes, method: str = "GET") -> Answer:
    """What the wire makes of bytes that a server answers before it closes."""
    with serving(answering(answer)) as server:
        return send(wire, server, method=method)


def unanswered(wire: HttpWire, answer: bytes) -> str:
    with pytest.raises(NoAnswer) as told:
        answered(wire, answer)
    return str(told.value)


# --- what is sent -------------------------------------------------------------------------------------------


def test_a_get_carries_a_host_and_nothing_else(wire: HttpWire, echo: Server) -> None:
    assert send(wire, echo, "/v1/x").body == (
        f"GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1:{echo.port}\r\n\r\n".encode()
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_that_is_left_out_has_a_length_of_nothing(wire: HttpWire, echo: Server, method: str) -> None:
    assert send(wire, echo, method=method).body == (
        f"{method} / HTTP/1.1\r\nHost: 127.0.0.1:{echo.port}\r\nContent-Length: 0\r\n\r\n".encode()
    )


def test_headers_keep_their_order_their_case_and_their_repetition(wire: HttpWire, echo: Server) -> None:
    headers = (("x-b", "2"), ("X-A", "1"), ("x-b", "  3 "), ("Authorization", ""))
    assert send(wire, echo, method="POST", headers=headers, body=b"{}").body.split(b"\r\n") == [
        b"POST / HTTP/1.1",
        f"Host: 127.0.0.1:{echo.port}".encode(),
        b"x-b: 2",
        b"X-A: 1",
        b"x-b:   3 ",
        b"Authorization: ",
        b"Content-Length: 2",
        b"",
        b"{}",
    ]


def test_a_header_is_sent_as_utf_8_and_broken_bytes_as_they_are(wire: HttpWire, echo: Server) -> None:
    sent = send(wire, echo, headers=(("X-Name", "Zoë 東京"), ("X-Raw", "a\udcffb"))).body
    assert "X-Name: Zoë 東京\r\n".encode() in sent
    assert b"X-Raw: a\xffb\r\n" in sent


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "//x",
        "/../..;/a",
        "/./a",
        "/%zz",
        "/%2e%2E",
        "/a%00b?c=%20",
        "/a?b=c?d&&=",
        "/?",
        "/[x]{y}",
    ],
)
def test_an_odd_path_is_sent_as_it_is(wire: HttpWire, echo: Server, path: str) -> None:
    assert send(wire, echo, path).body.startswith(f"GET {path} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(("path", "target"), [("", "/"), ("?a=b", "/?a=b"), ("?a=b/c", "/?a=b/c")])
def test_a_url_without_a_path_asks_for_the_root(wire: HttpWire, echo: Server, path: str, target: str) -> None:
    assert send(wire, echo, path).body.startswith(f"GET {target} HTTP/1.1\r\n".encode())


names = st.from_regex(r"X-[-a-zA-Z0-9_!#$%&'*+.^`|~]{1,12}", fullmatch=True)
values = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


def test_any_request_arrives_as_it_is(wire: HttpWire, echo: Server) -> None:
    @examples(60)
    @given(st.sampled_from(["POST", "PUT", "DELETE", "ODD"]), st.lists(st.tuples(names, values)), st.binary())
    def arrives(method: str, headers: list[tuple[str, str]], body: bytes) -> None:
        head, _, rest = send(
            wire, echo, method=method, headers=tuple(headers), body=body, fresh=False
        ).body.partition(b"\r\n\r\n")
        first, _, *lines = head.split(b"\r\n")
        if body or method in ("POST", "PUT"):
            assert lines.pop() == b"Content-Length: %d" % len(body)
        assert first == f"{method} / HTTP/1.1".encode()
        assert lines == [f"{name}: {value}".encode() for name, value in headers]
        assert rest == body

    arrives()
    assert echo.connections == 1


def test_a_large_body_arrives_whole(wire: HttpWire, echo: Server) -> None:
    body = bytes(range(256)) * 20_000
    assert send(wire, echo, method="PUT", body=body, most=LARGEST_FILE).body.endswith(body)


def test_of_a_body_without_an_end_no_more_is_read_than_an_answer_may_have(wire: HttpWire) -> None:
    piece = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + piece * 100
    assert unanswered(wire, endless) == "its answer has more than 4 MiB"


def test_a_body_that_is_small_until_it_is_inflated_stays_as_it_is(wire: HttpWire) -> None:
    bomb = gzip.compress(bytes(50 * 2**20))
    assert answered(wire, ok(bomb, "Content-Encoding: gzip")).body == bomb


# --- what cannot be sent ------------------------------------------------------------------------------------


def unsent(wire: HttpWire, url: str, headers: Headers = ()) -> str:
    with pytest.raises(NotSent) as told:
        wire.send(Request("GET", url, headers), PATIENCE, fresh=True)
    return str(told.value)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_refused_connection_is_told(wire: HttpWire) -> None:
    assert unsent(wire, f"http://127.0.0.1:{closed_port()}/") == "Connection refused"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/v1/x",
        "http://",
        "http:///v1/x",
        "ftp://127.0.0.1/",
        "file:///etc/hostname",
        "javascript:alert(1)",
        "http://[::1/",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:-1/",
        "http://a b/",
        "http://a\x00b/",
        f"http://{'a' * 70}/",
        "http://\ud800/",
    ],
    ids=ascii,
)
def test_a_url_that_leads_nowhere_is_told(wire: HttpWire, url: str) -> None:
    assert unsent(wire, url)


def test_a_name_that_nobody_has_is_told(wire: HttpWire, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert unsent(wire, "http://nobody.invalid/") == "Name or service not known"


def test_a_server_that_speaks_no_tls_is_not_reached_by_https(wire: HttpWire) -> None:
    def speaks_plainly(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.send(ok(b"{}"))

    with serving(speaks_plainly) as server:
        assert unsent(wire, server.url.replace("http:", "https:"))


@pytest.mark.parametrize("path", ["/a b", "/a\nb", "/a\x00b", "/é", "/\ud800"], ids=ascii)
def test_a_path_that_http_cannot_carry_is_not_sent(wire: HttpWire, echo: Server, path: str) -> None:
    unsent(wire, echo.url + path)
    assert echo.requests == []


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX-B: b", "\ud800"], ids=ascii)
def test_a_header_that_http_cannot_carry_is_not_sent(wire: HttpWire, echo: Server, value: str) -> None:
    unsent(wire, echo.url, (("X-A", value),))
    assert echo.requests == []


# --- what is answered ---------------------------------------------------------------------------------------


def test_an_answer_is_returned_with_all_its_headers_in_order(wire: HttpWire) -> None:
    answer = answered(wire, ok(b"hello", "X-B: 1", "x-a: Zoë", "X-B: 2"))
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers == (("X-B", "1"), ("x-a", "Zoë"), ("X-B", "2"), ("Content-Length", "5"))
    assert answer.header("x-b") == "1"
    assert 0 <= answer.seconds < PATIENCE


def test_a_chunked_answer_is_put_together(wire: HttpWire) -> None:
    chunks = b"3\r\nabc\r\n4;name=value\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"
    answer = answered(wire, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.body == b"abcdefg"


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 200"])
def test_without_a_length_the_answer_ends_with_the_connection(wire: HttpWire, first: bytes) -> None:
    assert answered(wire, first + b"\r\nContent-Type: text/plain\r\n\r\nhello").body == b"hello"


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 70\r\n\r\n"]
)
def test_an_answer_that_can_have_no_body_ends_behind_its_head(wire: HttpWire, answer: bytes) -> None:
    with serving(answering(answer, ok(b"next"))) as server:
        assert send(wire, server, fresh=False).body == b""
        assert send(wire, server, fresh=False).body == b"next"
        assert server.connections == 1


def test_the_answer_to_head_has_a_length_and_no_body(wire: HttpWire) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n"
    with serving(answering(head, ok(b"next"))) as server:
        answer = send(wire, server, method="HEAD", fresh=False)
        assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "70")
        assert send(wire, server, fresh=False).body == b"next"


def test_a_redirect_is_returned_and_not_followed(wire: HttpWire, echo: Server) -> None:
    answer = answered(wire, f"HTTP/1.1 302 Found\r\nLocation: {echo.url}\r\n\r\n".encode())
    assert (answer.status, answer.header("Location")) == (302, echo.url)
    assert echo.requests == []


@pytest.mark.parametrize("interim", [b"100 Continue", b"103 Early Hints\r\nLink: </a>"])
def test_an_interim_answer_is_passed_over(wire: HttpWire, interim: bytes) -> None:
    assert answered(wire, b"HTTP/1.1 " + interim + b"\r\n\r\n" + ok(b"{}")).body == b"{}"


def test_compressed_bytes_stay_as_they_are(wire: HttpWire) -> None:
    body = b"\x1f\x8b\x08 no gzip at all"
    assert answered(wire, ok(body, "Content-Encoding: gzip")).body == body


def test_an_answer_before_the_body_was_read_counts(wire: HttpWire) -> None:
    def impatient(peer: Peer) -> None:
        peer.head()
        peer.send(ok(b"no"))
        peer.until_it_leaves()

    with serving(impatient) as server:
        assert send(wire, server, method="PUT", body=b"x" * 200_000).body == b"no"


# --- what is no answer --------------------------------------------------------------------------------------


def test_a_connection_that_is_closed_without_an_answer_is_told(wire: HttpWire) -> None:
    assert unanswered(wire, b"") == "it closed the connection without an answer"


def test_a_connection_that_is_torn_down_is_told(wire: HttpWire) -> None:
    def crash(peer: Peer) -> None:
        peer.request()
        peer.reset()

    with serving(crash) as server, pytest.raises(NoAnswer, match="closed the connection without an answer"):
        send(wire, server)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_none(wire: HttpWire, answer: bytes) -> None:
    assert "cut off" in unanswered(wire, answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"HTTP/1.1 nonsense\r\n\r\n",
        b"HTTP/1.1 20 Short\r\n\r\n",
        b"FTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 80_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_garbage_in_place_of_http_is_no_answer(wire: HttpWire, answer: bytes) -> None:
    assert "no HTTP" in unanswered(wire, answer)


def test_silence_is_waited_for_no_longer_than_the_timeout(wire: HttpWire) -> None:
    with serving(lambda peer: peer.until_it_leaves()) as server:
        with pytest.raises(NoAnswer, match=f"did not answer within {SHORT} s"):
            send(wire, server, timeout=SHORT)
        assert server.connections == 1


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n",
    ],
)
def test_an_answer_that_drips_is_waited_for_no_longer_either(wire: HttpWire, beginning: bytes) -> None:
    drops, pause = 60, Event()
    left: list[int] = []

    def drip(peer: Peer) -> None:
        peer.request()
        peer.send(beginning)
        for drop in range(drops):
            if not peer.send(b"x"):
                return left.append(drops - drop)
            pause.wait(SHORT / 4)
        return None

    with serving(drip) as server, pytest.raises(NoAnswer, match=f"did not answer within {SHORT} s"):
        send(wire, server, timeout=SHORT)
    assert left, "nobody has hung up before the last drop"


# --- connections that are kept ------------------------------------------------------------------------------


def test_a_connection_is_kept_for_the_next_request(wire: HttpWire, echo: Server) -> None:
    for _ in range(3):
        send(wire, echo, fresh=False)
    assert (echo.connections, len(echo.requests)) == (1, 3)


def test_a_fresh_request_neither_takes_a_kept_connection_nor_leaves_one(wire: HttpWire, echo: Server) -> None:
    send(wire, echo, fresh=True)
    send(wire, echo, fresh=False)
    send(wire, echo, fresh=True)
    assert echo.connections == 3
    send(wire, echo, fresh=False)
    assert echo.connections == 3


@pytest.mark.parametrize("answer", [ok(b"", "Connection: close"), b"HTTP/1.0 200 OK\r\n\r\n"])
def test_a_connection_that_the_server_will_close_is_not_kept(wire: HttpWire, answer: bytes) -> None:
    with serving(answering(answer)) as server:
        for _ in range(2):
            assert send(wire, server, fresh=False).status == 200
        assert server.connections == 2


def test_what_follows_an_answer_is_not_taken_for_the_next_one(wire: HttpWire) -> None:
    with serving(answering(ok(b"one") + ok(b"unasked"), ok(b"two"))) as server:
        assert [send(wire, server, fresh=False).body for _ in range(2)] == [b"one", b"one"]
        assert server.connections == 2


def test_a_kept_connection_that_the_server_has_closed_is_replaced(wire: HttpWire) -> None:
    with serving(answering(ok(b"one"))) as server:
        for _ in range(3):
            assert send(wire, server, fresh=False).body == b"one"
        assert (server.connections, len(server.requests)) == (3, 3)


def test_a_kept_connection_that_closes_upon_the_request_is_replaced_once(wire: HttpWire) -> None:
    def once_only(peer: Peer) -> None:
        if peer.request() and server.connections == 1:
            peer.send(ok())
            peer.request()

    with serving(once_only) as server:
        send(wire, server, fresh=False)
        with pytest.raises(NoAnswer, match="closed the connection"):
            send(wire, server, fresh=False)
        assert (server.connections, len(server.requests)) == (2, 3)


def test_a_fresh_request_is_never_sent_twice(wire: HttpWire) -> None:
    with serving(answering(b"")) as server:
        for sent in (1, 2, 3):
            with pytest.raises(NoAnswer):
                send(wire, server, method="POST", fresh=True)
            assert (server.connections, len(server.requests)) == (sent, sent)


def test_silence_on_a_kept_connection_is_not_asked_again(wire: HttpWire) -> None:
    """Only a connection that was closed while idle says nothing of the request; a silent one has it."""

    def answers_once(peer: Peer) -> None:
        peer.request()
        peer.send(ok())
        peer.request()
        peer.until_it_leaves()

    with serving(answers_once) as server:
        send(wire, server, fresh=False)
        with pytest.raises(NoAnswer, match="did not answer within"):
            send(wire, server, fresh=False, timeout=SHORT)
        assert len(server.requests) == 2


def test_garbage_on_a_kept_connection_is_not_asked_again(wire: HttpWire) -> None:
    with serving(answering(ok(), b"garbage\r\n\r\n")) as server:
        send(wire, server, fresh=False)
        with pytest.raises(NoAnswer, match="no HTTP"):
            send(wire, server, fresh=False)
        assert len(server.requests) == 2


def test_each_place_has_a_connection_of_its_own(wire: HttpWire, echo: Server) -> None:
    with serving(answering(ok(b"other"), ok(b"other"))) as other:
        for _ in range(2):
            send(wire, echo, fresh=False)
            assert send(wire, other, fresh=False).body == b"other"
        assert (echo.connections, other.connections) == (1, 1)


def test_a_closed_wire_keeps_nothing(wire: HttpWire, echo: Server) -> None:
    send(wire, echo, fresh=False)
    wire.close()
    send(wire, echo, fresh=False)
    assert echo.connections == 2
