"""Whatever passes arrives as it was sent, in both directions."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.check.network import Network
from bluehour.contracts.proxy.guarding import is_for_a_console
from bluehour.mock_server.journal.view import shown
from tests.profiles import examples

from .running import Proxied, RawServer, Wire, connected, proxied

_TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OF_A_CONNECTION = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"}
_FRAMING = {b"content-length", b"transfer-encoding", b"host", b"expect", b"content-encoding"}


def _is_plain(name: bytes) -> bool:
    return name.lower() not in _OF_A_CONNECTION | _FRAMING


names = st.text(_TOKEN, min_size=1, max_size=12).map(str.encode).filter(_is_plain)
values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30
).map(lambda text: text.strip(" \t").encode("latin-1"))
spellings = st.sampled_from([b": ", b":", b":\t", b":  "])
lines = st.tuples(names, spellings, values).map(b"".join)
headers = st.lists(
    st.one_of(
        lines, st.sampled_from([b"X-Twice: 1", b"x-twice: 2", b"Set-Cookie: a=b", b"Content-Encoding: gzip"])
    ),
    max_size=8,
)
methods = st.one_of(
    st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"HEAD"]),
    st.text(_TOKEN, min_size=1, max_size=8).map(str.encode).filter(lambda name: name != b"CONNECT"),
)
_IN_TARGETS = "".join(chr(code) for code in range(0x21, 0xFF) if code != 0x7F)
targets = st.one_of(
    st.sampled_from(
        [
            b"/",
            b"//double//slash/../dots/./",
            b"/v1/image-projects/a%2fb%2Fc%00%c3%a9?x=%2f+%20&x=&&y",
            b"/v1/ai-face-editor?a=b?c=d&e",
            b"*",
        ]
    ),
    st.text(_IN_TARGETS, max_size=30).map(lambda text: b"/" + text.encode("latin-1")),
    st.text(_IN_TARGETS, max_size=30).map(lambda text: b"/v1/image-projects/" + text.encode("latin-1")),
    st.text(_IN_TARGETS, max_size=30).map(lambda text: b"/v1/ai-face-editor?" + text.encode("latin-1")),
).filter(lambda target: not is_for_a_console(target))
bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.binary(max_size=200).map(gzip.compress),
    st.just(b'{"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {"mouth_smile": 61}}'),
    st.integers(60_000, 200_000).map(lambda size: b"x" * size),
)
statuses = st.one_of(st.sampled_from([200, 201, 302, 400, 404, 500, 503]), st.integers(200, 999)).filter(
    lambda status: status not in (204, 304)
)
reasons = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20
).map(lambda text: text.encode("latin-1"))


@dataclass(frozen=True)
class Framed:
    """A body, how its end is told, and in which pieces it is sent."""

    content: bytes
    how: str
    cuts: tuple[int, ...] = ()

    @property
    def header(self) -> list[bytes]:
        if self.how == "length":
            return [b"Content-Length: %d" % len(self.content)]
        return [b"Transfer-Encoding: chunked"] if self.how == "chunked" else []

    @property
    def pieces(self) -> Iterator[bytes]:
        edges = [0, *sorted({cut % (len(self.content) + 1) for cut in self.cuts}), len(self.content)]
        for start, end in pairwise(edges):
            if part := self.content[start:end]:
                yield b"%x;a=b\r\n%s\r\n" % (len(part), part) if self.how == "chunked" else part
        if self.how == "chunked":
            yield b"0\r\nX-Trailer: 1\r\n\r\n"


def framed(*hows: str) -> st.SearchStrategy[Framed]:
    cuts = st.lists(st.integers(0, 10**6), max_size=3).map(tuple)
    return st.builds(Framed, bodies, st.sampled_from(hows), cuts)


@st.composite
def asked(draw: st.DrawFn) -> Framed:
    body = draw(framed("length", "chunked", "none"))
    return body if body.how != "none" else Framed(b"", "none")


@pytest.fixture(scope="module")
def recording() -> Iterator[tuple[RawServer, Proxied]]:
    server = RawServer()
    with proxied(server.url, journal=50) as proxy:
        yield server, proxy
    server.close()


def _passed_on(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if line.partition(b":")[0].lower() not in _OF_A_CONNECTION]


@examples(250)
@given(methods, targets, headers, asked(), statuses, reasons, headers, framed("length", "chunked", "close"))
def test_a_request_and_its_answer_arrive_as_they_were_sent(
    recording: tuple[RawServer, Proxied],
    method: bytes,
    target: bytes,
    sent: list[bytes],
    body: Framed,
    status: int,
    reason: bytes,
    answered: list[bytes],
    answer: Framed,
) -> None:
    server, proxy = recording
    got: list[tuple[list[bytes], bytes]] = []
    answer_lines = [*answered, *answer.header]

    def handle(wire: Wire) -> None:
        got.append(wire.message())
        wire.send(b"\r\n".join([b"HTTP/1.1 %d %s" % (status, reason), *answer_lines, b"", b""]))
        for piece in answer.pieces if method != b"HEAD" else ():
            wire.send(piece)

    server.handle = handle
    already = len(proxy.verdicts)
    with connected(proxy.port) as wire:
        request_lines = [*sent[:2], b"hOST: example.com", *sent[2:], *body.header]
        wire.send(b"\r\n".join([method + b" " + target + b" HTTP/1.1", *request_lines, b"", b""]))
        for piece in body.pieces:
            wire.send(piece)
        if method == b"HEAD":
            lines, content = wire.head().split(b"\r\n")[:-2], b""
        else:
            lines, content = wire.message(to_the_end=True)

    (((first, *arrived), arrived_body),) = got
    assert first == method + b" " + target + b" HTTP/1.1"
    host = b"hOST: 127.0.0.1:%d" % server.port
    assert arrived == [host if line.startswith(b"hOST") else line for line in request_lines]
    assert arrived_body == body.content
    assert lines[0] == b"HTTP/1.1 %d %s" % (status, reason)
    assert _passed_on(lines[1:]) == answer_lines
    assert content == (b"" if method == b"HEAD" else answer.content)
    verdict = proxy.verdict(already + 1)
    assert (verdict.method, verdict.status) == (method.decode(), status)
    assert verdict.remarks == ()
    assert shown(proxy.kept[-1])["request"]["method"] == method.decode()
    assert server.problems == []


def test_headers_of_ones_own_take_the_place_of_the_clients_and_no_journal_has_them(server: RawServer) -> None:
    got: list[tuple[list[bytes], bytes]] = []

    def handle(wire: Wire) -> None:
        got.append(wire.message())
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server.handle = handle
    own = (("X-Gateway", "s3cr3t"), ("X-Team", "Zoë"))
    with proxied(server.url, network=Network(headers=own)) as proxy, connected(proxy.port) as wire:
        wire.send(b"GET /v1/image-projects/one HTTP/1.1\r\nHost: a\r\nx-team: ours\r\nX-Other: 1\r\n\r\n")
        wire.message()
        entries = proxy.entries()
    (((_, *arrived), _),) = got
    host = b"Host: 127.0.0.1:%d" % server.port
    assert arrived == [host, b"X-Other: 1", b"X-Gateway: s3cr3t", "X-Team: Zoë".encode()]
    assert "s3cr3t" not in f"{entries}"
    assert "ours" in f"{entries}"


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"DELETE", b"HTTP/1.1 204 No Content\r\nX-Left: nothing\r\n\r\n"),
        (b"GET", b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\n\r\n'),
        (b"GET", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        (b"GET", b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/%2f\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_answers_without_a_body_leave_the_connection_for_the_next(
    server: RawServer, proxy: Proxied, method: bytes, answer: bytes
) -> None:
    def handle(wire: Wire) -> None:
        while wire.head():
            wire.send(answer)

    server.handle = handle
    with connected(proxy.port) as wire:
        for number in (1, 2, 3):
            wire.send(method + b" /v1/x HTTP/1.1\r\nHost: a\r\n\r\n")
            assert wire.head() == answer
            assert proxy.verdict(number).status == int(answer[9:12])
    if method != b"DELETE":
        assert server.connections == 1


def test_headers_between_neighbours_are_not_passed_on(server: RawServer, proxy: Proxied) -> None:
    got: list[bytes] = []

    def handle(wire: Wire) -> None:
        got.append(wire.head())
        wire.send(
            b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nX-Own: 1\r\nConnection: X-Hop, keep-alive\r\n"
            b"X-Hop: 1\r\nContent-Length: 0\r\n\r\n"
        )

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\n"
            b"Upgrade: websocket\r\nProxy-Connection: close\r\nAccept: */*\r\n\r\n"
        )
        answer = wire.to_the_end()
    assert got == [b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n\r\n" % server.port]
    assert answer == b"HTTP/1.1 200 OK\r\nX-Own: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_a_path_of_the_upstream_is_put_before_every_target(server: RawServer) -> None:
    got: list[bytes] = []

    def handle(wire: Wire) -> None:
        got.append(wire.head().split(b"\r\n")[0])
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server.handle = handle
    with proxied(f"{server.url}/api/") as proxy, connected(proxy.port) as wire:
        wire.send(b"GET /v1?a HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.head()
        wire.send(b"GET http://some.host/v2 HTTP/1.1\r\nHost: some.host\r\n\r\n")
        wire.head()
    assert got == [b"GET /api/v1?a HTTP/1.1", b"GET /api/v2 HTTP/1.1"]


def test_a_client_of_http_1_0_gets_no_chunks(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.to_the_end() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde"


def test_an_answer_that_comes_in_pieces_passes_in_pieces(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two"):
            wire.send(b"3\r\n%s\r\n" % word)
            assert wire.exactly(3) == word  # the next follows once this has arrived
        wire.send(b"0\r\n\r\n")

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
        assert wire.head()
        for word in (b"one", b"two"):
            assert wire.exactly(8) == b"3\r\n%s\r\n" % word
            wire.send(word)
        assert wire.exactly(5) == b"0\r\n\r\n"


def test_what_comes_before_the_answer_passes_too(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        assert b"Expect: 100-continue" in wire.head()
        wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = wire.exactly(5)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert wire.head() == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        assert wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(b"hello")
        assert wire.message() == ([b"HTTP/1.1 200 OK", b"Content-Length: 5"], b"hello")
    assert proxy.verdict().status == 200


def test_prefer_is_the_upstreams_to_obey(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        assert b"Prefer: code=429, delay=5" in wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nPrefer: code=429, delay=5\r\n\r\n")
        assert wire.head().startswith(b"HTTP/1.1 200 OK")
    assert proxy.entries()[0]["forced"] is None
