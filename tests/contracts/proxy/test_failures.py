"""What a proxy does where one side breaks off, stalls or makes no sense."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from .running import Proxied, RawServer, Wire, connected, proxied

GET = b"GET /v1/image-projects/one HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def own_answer(wire: Wire) -> tuple[int, str, str, str]:
    """An answer in the contract's envelope: its status, code, message, and what Proxy-Status says."""
    lines, content = wire.message()
    body = json.loads(content)
    assert body.keys() == {"code", "message"}
    headers = dict(line.split(b": ") for line in lines[1:])
    assert headers[b"Content-Type"] == b"application/json"
    return int(lines[0][9:12]), body["code"], body["message"], headers[b"Proxy-Status"].decode()


@pytest.fixture
def nowhere() -> Iterator[Proxied]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with proxied(f"http://127.0.0.1:{port}") as proxy:
        yield proxy


def test_an_upstream_that_is_down_is_a_502_of_the_proxys_own(nowhere: Proxied) -> None:
    with connected(nowhere.port) as wire:
        wire.send(GET)
        status, code, message, told = own_answer(wire)
        assert wire.to_the_end() == b""
    assert (status, code, told) == (502, "bad_gateway", "bluehour; error=connection_refused")
    assert message.startswith("Bluehour's proxy got no answer from http://127.0.0.1:")
    (entry,) = nowhere.entries()
    assert entry["response"]["status"] == 502
    assert entry["remarks"] == ["502 is the proxy's own answer"]
    assert [broken["rule"] for broken in entry["broken"]] == ["answer.arrives"]
    assert "refused" in entry["broken"][0]["message"]


def test_a_name_that_nobody_knows_is_told() -> None:
    with proxied("http://no-such-host.invalid") as proxy, connected(proxy.port) as wire:
        wire.send(GET)
        assert own_answer(wire)[3] == "bluehour; error=dns_error"


def test_a_head_gets_no_body_with_the_proxys_own_answer(nowhere: Proxied) -> None:
    with connected(nowhere.port) as wire:
        wire.send(GET.replace(b"GET", b"HEAD"))
        answer = wire.to_the_end()
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert answer.endswith(b"\r\n\r\n")


def test_an_upstream_that_is_silent_is_a_504(server: RawServer) -> None:
    server.handle = lambda wire: wire.to_the_end()
    with proxied(server.url, timeout=0.2) as proxy, connected(proxy.port) as wire:
        wire.send(GET)
        status, code, message, told = own_answer(wire)
        (entry,) = proxy.entries()
    assert (status, code, told) == (504, "gateway_timeout", "bluehour; error=http_response_timeout")
    assert message.endswith("it was silent for 0.2 s")
    assert [broken["rule"] for broken in entry["broken"]] == ["answer.arrives"]


def test_a_client_that_is_slow_to_send_is_no_fault_of_the_upstream(server: RawServer) -> None:
    def handle(wire: Wire) -> None:
        wire.message()
        wire.send(OK)

    server.handle = handle
    with proxied(server.url, timeout=2) as proxy, connected(proxy.port) as wire:
        wire.send(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        for byte in (b"a", b"b", b"c"):
            time.sleep(0.8)  # longer than the upstream's patience, in all
            wire.send(byte)
        assert wire.message()[1] == b"ok"


@pytest.mark.parametrize("framing", [b"Content-Length: 10\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_answer_that_is_cut_off_is_cut_off_for_the_client(
    server: RawServer, proxy: Proxied, framing: bytes
) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n5\r\nabcde\r\n"[: 5 if b"Le" in framing else None])

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(GET)
        assert wire.head().startswith(b"HTTP/1.1 200 OK\r\n" + framing)
        assert len(wire.to_the_end()) < 11
    (entry,) = proxy.entries()
    assert (entry["response"]["status"], entry["response"]["body"]) == (200, None)
    assert [broken["rule"] for broken in entry["broken"]] == ["answer.arrives"]
    assert "cut off" in entry["broken"][0]["message"]


def test_an_answer_that_stops_amid_its_body_is_given_up(server: RawServer) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        wire.to_the_end()

    server.handle = handle
    with proxied(server.url, timeout=0.2) as proxy, connected(proxy.port) as wire:
        wire.send(GET)
        wire.head()
        assert wire.to_the_end() == b"abc"
        assert "in the middle of its answer" in proxy.verdict().violations[0].message


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: yes\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
    ids=[
        "another protocol",
        "two lengths",
        "a negative length",
        "a folded header",
        "a switch",
        "a long line",
    ],
)
def test_an_answer_that_is_no_http_is_a_502(server: RawServer, proxy: Proxied, answer: bytes) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(answer)
        wire.to_the_end()

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(GET)
        assert own_answer(wire)[3] == "bluehour; error=http_protocol_error"


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        (b"\x16\x03\x01\x02\r\n\r\n", "no request begins with"),
        (b"GET / HTTP/2.0\r\n\r\n", "no request begins with"),
        (b"GET /a b HTTP/1.1\r\n\r\n", "no request begins with"),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", "no header is"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "nobody can tell where"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", "Content-Length is"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no chunk begins with 'zz'"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT"),
    ],
)
def test_a_request_that_is_no_http_is_refused(
    server: RawServer, proxy: Proxied, request_bytes: bytes, said: str
) -> None:
    server.handle = lambda wire: wire.to_the_end()
    with connected(proxy.port) as wire:
        wire.send(request_bytes)
        status, code, message, _ = own_answer(wire)
    assert (status, code) == (400, "invalid_request")
    assert said in message
    (fault,) = proxy.verdict().faults
    assert fault.where == "HTTP"
    assert proxy.entries()[0]["remarks"] == ["400 is the proxy's own answer"]


def test_a_client_that_leaves_amid_its_request_is_not_the_upstreams_fault(
    server: RawServer, proxy: Proxied
) -> None:
    server.handle = lambda wire: wire.to_the_end()
    with connected(proxy.port) as wire:
        wire.send(b"POST /v1/ai-face-editor HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    (entry,) = proxy.entries()
    assert entry["response"]["status"] == 0
    assert entry["broken"] == []
    assert entry["remarks"] == ["the client left in the middle of its request"]


def test_a_client_that_leaves_amid_its_answer_is_not_the_upstreams_fault(
    server: RawServer, proxy: Proxied
) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            try:
                wire.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            except OSError:  # the proxy has left as well
                return

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(GET)
        wire.head()
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    verdict = proxy.verdict()
    assert (verdict.status, verdict.violations) == (200, ())
    assert verdict.remarks == ("the client left in the middle of its answer",)


def test_an_upload_that_is_refused_before_its_end_is_answered(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(30):
            wire.send(b"x" * 1_000_000)
        assert wire.message() == ([b"HTTP/1.1 413 Content Too Large", b"Content-Length: 2"], b"no")
    assert proxy.verdict().status == 413


def test_a_kept_connection_that_the_upstream_closes_is_no_fault(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        if wire.head():
            wire.send(OK)
            wire.head()  # of the next request, which is left without an answer

    server.handle = handle
    with connected(proxy.port) as wire:
        for number in (1, 2, 3):
            wire.send(GET)
            assert wire.message()[1] == b"ok"
            assert proxy.verdict(number).status == 200
    assert server.connections == 3


def test_what_must_not_be_sent_twice_goes_by_a_new_connection(server: RawServer, proxy: Proxied) -> None:
    seen: list[bytes] = []

    def handle(wire: Wire) -> None:
        while head := wire.message()[0]:
            seen.append(head[0])
            if head[0].startswith(b"POST") and seen.count(head[0]) == 2:
                return
            wire.send(OK)

    server.handle = handle
    post = b"POST /v1/ai-face-editor HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    with connected(proxy.port) as wire:
        for message in (GET, post, GET):
            wire.send(message)
            assert wire.message()[1] == b"ok"
        wire.send(post)
        assert own_answer(wire)[3] == "bluehour; error=connection_terminated"
    assert len(seen) == 4
    assert server.connections == 3


def test_requests_that_are_sent_ahead_are_answered_in_order(server: RawServer, proxy: Proxied) -> None:
    def handle(wire: Wire) -> None:
        while head := wire.head():
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + head.split()[1][1:])

    server.handle = handle
    with connected(proxy.port) as wire:
        wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(5)))
        assert [wire.message()[1] for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
