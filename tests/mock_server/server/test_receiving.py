"""Requests out of bytes, without any connection."""

from __future__ import annotations

from random import Random

import pytest

from bluehour.mock_server.server.origins import Origins
from bluehour.mock_server.server.receiving import Receiver

from .test_bodies import in_chunks

LARGE = b"y" * 100_000
WIRE = [
    b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ndef",
    b"\r\nPOST /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(b"x" * 300, 7) + b"\r\n",
    b"PUT /4 HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + LARGE,
    b"PUT /5 HTTP/1.1\nTransfer-Encoding: chunked\n\n" + in_chunks(LARGE, 999) + b"\r\n",
    b"GET /6 HTTP/1.0\nConnection: keep-alive\n\n",
]
EXPECTED = [
    ("/1", b""),
    ("/2", b"abc"),
    ("/2", b"def"),
    ("/3", b"x" * 300),
    ("/4", LARGE),
    ("/5", LARGE),
    ("/6", b""),
]


def receiver() -> Receiver:
    return Receiver("127.0.0.1", "127.0.0.1:4010", Origins(), lambda _: 10**6)


def received(receiver: Receiver) -> list[tuple[str, bytes]]:
    found = []
    while (one := receiver.next()) is not None:
        body = one.request.body
        if one.body is not None:
            with one.body:
                body = one.body.read()
        found.append((one.request.target, body))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_requests_are_the_same_however_they_are_cut_into_packets(seed: int) -> None:
    wire, random, at, found = b"".join(WIRE), Random(seed), 0, []
    one = receiver()
    while at < len(wire):
        size = random.choice((1, 2, 20, 500, 70_000, 500_000))
        one.feed(wire[at : at + size])
        at += size
        found += received(one)
    assert found == EXPECTED
    assert (one.stage, one.unread) == ("nothing", 0)


def test_a_head_that_begins_as_the_last_one_is_not_taken_for_it() -> None:
    one = receiver()
    for target in (b"/a", b"/a", b"/ab", b"/a"):
        one.feed(b"GET %b HTTP/1.1\r\nA: b\r\n\r\n" % target)
    one.feed(b"GET /a HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n")
    requests = []
    while (found := one.next()) is not None:
        requests.append(found.request)
    assert [request.target for request in requests] == ["/a", "/a", "/ab", "/a", "/a"]
    assert list(requests[-1].headers) == [("A", "b"), ("C", "d")]
