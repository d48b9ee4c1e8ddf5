"""Requests' bodies: small and large, announced and in chunks, cut off, stalled, and asked for."""

from __future__ import annotations

import json
import os
import socket
from typing import Any, BinaryIO

import pytest

from bluehour.mock_server.api.reply import Reply
from bluehour.mock_server.server.bodies import Chunked
from bluehour.mock_server.server.heads import Malformed
from bluehour.mock_server.server.receiving import SMALL_BODY
from bluehour.openapi.messages import Request

from .conftest import Client, Served, json_reply

CHUNKED = "POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n"


def head(length: int, *headers: str) -> str:
    return "\n".join(["POST /a HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers, "", ""])


def in_chunks(content: bytes, size: int) -> bytes:
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x;extension=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n"


def tell_size(request: Request, body: BinaryIO | None) -> Reply:
    return json_reply(200, {"small": len(request.body), "large": None if body is None else len(body.read())})


@pytest.mark.parametrize("size", [0, 1, SMALL_BODY, SMALL_BODY + 1, 3 * 2**20])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_small_body_comes_as_bytes_and_a_large_one_as_a_file(
    served: Served, size: int, is_chunked: bool
) -> None:
    served.application.answers["/a"] = tell_size
    client = served.client()
    for _ in range(2):
        content = os.urandom(size)
        client.send(CHUNKED if is_chunked else head(size))
        _, _, body = client.ask(in_chunks(content, 70_001) + b"Trailer: 1\r\n\r\n" if is_chunked else content)
        is_small = size <= SMALL_BODY
        assert json.loads(body) == {"small": size if is_small else 0, "large": None if is_small else size}


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "BREW"])
def test_any_request_may_have_a_body(served: Served, method: str) -> None:
    client = served.client()
    for _ in range(2):
        assert client.ask(head(2).replace("POST", method) + "ab", method)[0] == 200
    assert [request.body for request, _ in served.application.seen] == [b"ab", b"ab"]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
def test_chunks_are_read_however_they_are_cut_into_packets(piece: int) -> None:
    content = bytes(range(256)) * 2
    wire = in_chunks(content, 100) + b"A: b\r\nC: d\r\n\r\n"
    chunked, found = Chunked(), b""
    for start in range(0, len(wire), piece):
        taken, rest = chunked.take(wire[start : start + piece])
        found += taken
        assert (rest is not None) == (start + piece >= len(wire))
    assert found == content


def test_what_follows_the_chunks_is_left() -> None:
    assert Chunked().take(b"1\r\na\r\n0\r\n\r\nGET / HTTP/1.1") == (b"a", b"GET / HTTP/1.1")


@pytest.mark.parametrize(
    "wire", [b"ZZ\r\n", b"-1\r\n", b"2\r\nabc\r\n", b"x" * 5000, b"0\r\n" + b"a\r\n" * 101]
)
def test_what_are_no_chunks_is_refused(wire: bytes) -> None:
    with pytest.raises(Malformed):
        Chunked().take(wire)


def test_broken_chunks_are_refused_by_the_application_and_end_the_connection(served: Served) -> None:
    client = served.client()
    status, headers, _ = client.ask(CHUNKED + "2\nab\nZZ\n")
    assert (status, headers["connection"]) == (400, "close")
    assert client.to_the_end() == b""
    assert [type(refused).__name__ for _, refused in served.application.seen] == ["Refused"]


@pytest.mark.parametrize(
    "sent", [head(100) + "{}", head(5_000_000) + "{}", CHUNKED + "5\nab", CHUNKED + "1\na\n", "POST /a HTT"]
)
def test_what_is_cut_off_is_a_400_for_whoever_still_hears_and_never_seen(served: Served, sent: str) -> None:
    client = served.client()
    client.send(sent)
    client.socket.shutdown(socket.SHUT_WR)
    status, _, body = client.answer()
    assert (status, json.loads(body)["code"]) == (400, "invalid_request")
    assert client.to_the_end() == b""
    assert served.seen == []


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_a_body_that_stalls_is_a_408_of_the_application(hurried: Served, size: int) -> None:
    client = hurried.client()
    status, headers, _ = client.ask(head(size) + "x" * 50)
    assert (status, headers["connection"]) == (408, "close")
    assert client.to_the_end() == b""
    assert hurried.seen == ["/a"]


@pytest.mark.parametrize("size", [50_000, 5_000_000])
def test_a_body_that_trickles_is_ended_too(hurried: Served, size: int) -> None:
    client = hurried.client()
    client.send(head(size))
    assert trickled(client).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_trickles_is_ended_too(hurried: Served) -> None:
    client = hurried.client()
    client.send("GET / HTTP/1.1\nX: ")
    answer = trickled(client)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"The request's head comes too slowly" in answer


def trickled(client: Client) -> bytes:
    """Send byte after byte until there is an answer, and return that."""
    client.socket.settimeout(0.05)
    while True:
        client.send("x")
        try:
            return client.socket.recv(2**16)
        except TimeoutError:
            continue


def test_a_connection_that_is_not_used_is_closed_with_nothing_said(hurried: Served) -> None:
    assert hurried.client().to_the_end() == b""
    client = hurried.client()
    client.ask(head(0))
    assert client.to_the_end() == b""


def test_a_body_is_asked_for_once_where_the_client_waits_for_that(served: Served) -> None:
    client = served.client()
    for size in (3, 100_000):
        assert client.ask(head(size, "Expect: 100-continue"))[0] == 100
        assert client.ask(b"x" * size)[0] == 200
    client.send(CHUNKED.replace("Host", "Expect: 100-Continue\nHost"))
    assert client.answer()[0] == 100
    assert client.ask("0\n\n")[0] == 200
    assert client.ask(head(1, "Expect: 100-continue") + "x")[0] == 200


def test_of_a_body_that_is_too_large_only_a_little_more_is_kept_but_all_is_read(served: Served) -> None:
    served.application.largest = 100_000
    served.application.answers["/a"] = tell_size
    client = served.client()
    _, _, body = client.ask(head(5_000_000).encode().replace(b"\n", b"\r\n") + b"x" * 5_000_000)
    assert 100_000 < json.loads(body)["large"] < 1_000_000
    assert client.ask(head(0))[0] == 200


def test_what_the_disk_has_no_room_for_is_told_the_application(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __init__(self, *_: Any) -> None: ...

        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

        def seek(self, _: int) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Full)
    client = served.client()
    status, _, body = client.ask(head(100_000).encode().replace(b"\n", b"\r\n") + b"x" * 100_000)
    assert (status, json.loads(body)["message"]) == (503, "No space left on device")
    assert client.ask(head(0))[0] == 200
