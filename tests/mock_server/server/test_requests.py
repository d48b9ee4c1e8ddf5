"""Requests as clients send them: one after the other, at once, in pieces, old, odd and broken."""

from __future__ import annotations

import json
import socket

import pytest

from bluehour.mock_server.api.reply import Reply
from bluehour.mock_server.server.heads import LONGEST_HEAD

from .conftest import Served

GET = "GET /a HTTP/1.1\nHost: x\n\n"


def post(body: str, *headers: str) -> str:
    return "\n".join(["POST /a HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", body])


def test_a_connection_takes_one_request_after_the_other(served: Served) -> None:
    client = served.client()
    for number in range(3):
        status, headers, body = client.ask(post(f"{number}"))
        assert (status, json.loads(body)["body"]) == (200, f"{number}")
        assert "connection" not in headers
        assert headers["date"].endswith(" GMT")


def test_requests_sent_at_once_are_answered_in_their_order(served: Served) -> None:
    served.application.lanes = {"/0": "downloads", "/3": "uploads"}
    client = served.client()
    client.send("".join(f"GET /{number} HTTP/1.1\nHost: x\n\n" for number in range(6)))
    assert [json.loads(client.answer()[2])["target"] for _ in range(6)] == [f"/{n}" for n in range(6)]


def test_a_request_may_come_byte_by_byte(served: Served) -> None:
    client = served.client()
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for letter in post("{}") + post("[]"):
        client.send(letter)
    assert [json.loads(client.answer()[2])["body"] for _ in range(2)] == ["{}", "[]"]


@pytest.mark.parametrize(
    ("head", "connection", "is_closed"),
    [
        ("GET / HTTP/1.1\n\n", None, False),
        ("GET / HTTP/1.1\nConnection: Keep-Alive, Close\n\n", "close", True),
        ("GET / HTTP/1.0\n\n", "close", True),
        ("GET / HTTP/1.0\nConnection: keep-alive\n\n", "keep-alive", False),
    ],
)
def test_a_connection_lives_as_long_as_both_ends_want(
    served: Served, head: str, connection: str | None, is_closed: bool
) -> None:
    client = served.client()
    _, headers, _ = client.ask(head)
    assert headers.get("connection") == connection
    if is_closed:
        assert client.to_the_end() == b""
    else:
        assert client.ask(GET)[0] == 200


@pytest.mark.parametrize(
    ("line", "method", "target"),
    [
        ("BREW /pot HTTP/1.1", "BREW", "/pot"),
        ("get / HTTP/1.1", "get", "/"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*"),
        ("GET http://other:81/a?b=c HTTP/1.1", "GET", "/a?b=c"),
        ("GET http://other HTTP/1.1", "GET", "/"),
        ("GET /漢?x=%41漢 HTTP/1.1", "GET", "/漢?x=%41漢"),
        ("\n\nGET / HTTP/1.1", "GET", "/"),
        ("CONNECT a:80 HTTP/1.1", "CONNECT", "a:80"),
    ],
)
def test_any_method_and_target_reaches_the_application(
    served: Served, line: str, method: str, target: str
) -> None:
    status, _, body = served.client().ask(f"{line}\nHost: x\n\n")
    found = json.loads(body)
    assert (status, found["method"], found["target"]) == (200, method, target)


@pytest.mark.parametrize(
    ("line", "host", "origin"),
    [
        ("GET / HTTP/1.1", "magic_hour:4010", "http://magic_hour:4010"),
        ("GET / HTTP/1.1", "[::1]:80", "http://[::1]:80"),
        ("GET http://other/ HTTP/1.1", "x", "http://other"),
        ("GET / HTTP/1.1", "a b<c>", None),
    ],
)
def test_the_origin_is_what_the_client_calls_the_server(
    served: Served, line: str, host: str, origin: str | None
) -> None:
    served.client().ask(f"{line}\nHost: {host}\n\n")
    request, _ = served.application.seen[-1]
    own = "http://{}:{}".format(*served.address)
    assert (request.origin, request.client) == (origin or own, "127.0.0.1")


def test_a_client_that_speaks_tls_is_answered_at_once(served: Served) -> None:
    """As its greeting may have no end of a head, it would wait until the deadline."""
    client = served.client()
    client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    status, _, body = client.answer()
    assert (status, "https" in json.loads(body)["message"]) == (400, True)
    assert client.to_the_end() == b""


def test_headers_are_kept_in_their_order_and_spelling(served: Served) -> None:
    served.client().ask("GET / HTTP/1.1\nX-B:  two words\t\nx-a:\nX-B: 3\n\n")
    request, _ = served.application.seen[-1]
    assert list(request.headers) == [("X-B", "two words"), ("x-a", ""), ("X-B", "3")]


@pytest.mark.parametrize(
    "head",
    [
        "GARBAGE",
        "GET / HTTP/2.0",
        "GET  / HTTP/1.1",
        "GET nowhere HTTP/1.1",
        "GET / HTTP/1.1\nHo st: a",
        "GET / HTTP/1.1\nHost : a",
        "GET / HTTP/1.1\nHost: a\n folded: b",
        "GET / HTTP/1.1\nno header",
        "GET / HTTP/1.1\nX: \0",
        "POST / HTTP/1.1\nContent-Length: -1",
        "POST / HTTP/1.1\nContent-Length: +1",
        "POST / HTTP/1.1\nContent-Length: 1\nContent-Length: 2",
        "POST / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked",
        "POST / HTTP/1.1\nTransfer-Encoding: gzip",
        "POST / HTTP/1.0\nTransfer-Encoding: chunked",
        "GET / HTTP/1.1\nX: " + " " * (LONGEST_HEAD - 100) + "\0",
    ],
)
def test_what_is_no_request_is_refused_and_never_seen(served: Served, head: str) -> None:
    client = served.client()
    status, headers, body = client.ask(f"{head}\n\n")
    assert (status, json.loads(body)["code"], headers["connection"]) == (400, "invalid_request", "close")
    assert client.to_the_end() == b""
    assert served.seen == []


@pytest.mark.parametrize("end", ["", "\n\n"])
def test_a_head_that_is_too_long_is_refused(served: Served, end: str) -> None:
    client = served.client()
    status, _, body = client.ask(f"GET / HTTP/1.1\nX: {'x' * LONGEST_HEAD}{end}")
    assert (status, json.loads(body)["message"]) == (400, "The head takes more than 131,072 bytes")


def test_what_came_before_a_broken_request_is_answered(served: Served) -> None:
    client = served.client()
    client.send(f"{GET}NONSENSE\n\n")
    assert [client.answer()[0] for _ in range(2)] == [200, 400]


def test_two_content_lengths_that_agree_are_one(served: Served) -> None:
    _, _, body = served.client().ask(post("ab", "Content-Length: 2"))
    assert json.loads(body)["body"] == "ab"


def test_a_client_that_sends_no_more_is_answered(served: Served) -> None:
    client = served.client()
    served.application.lanes = {"/a": "uploads"}
    client.send(GET + GET)
    client.socket.shutdown(socket.SHUT_WR)
    assert [client.answer()[0] for _ in range(2)] == [200, 200]
    assert client.to_the_end() == b""


def test_a_client_that_does_not_read_is_not_asked_for_more(served: Served) -> None:
    served.application.answers["/a"] = Reply(200, [], b"x" * 2**20)
    client = served.client()
    client.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        client.send_for_ever(GET * 100)
    assert len(served.seen) < 100
    client.socket.settimeout(20)
    assert len(client.answer()[2]) == 2**20
