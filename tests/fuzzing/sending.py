"""A request as raw HTTP: odd headers beside the usual ones, and a body whose length is told truly, or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from .odd_http import FRAMINGS, HEADERS, SPOILING, Header

_CODE = re.compile(rb'code="?(5\d\d)')
_UNPRINTABLE = re.compile(rb"[\0\r\n ]")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request.

    Attributes:
        raw: as it goes over the wire.
        method: of it.
        asked: the status from 500 on that its own header asks for; 0: none.
        alone: it may spoil what comes after it on its connection.
        answered: whether an answer is due; none is where a body's end never comes.
    """

    raw: bytes
    method: bytes
    asked: int
    alone: bool
    answered: bool

    @property
    def target(self) -> bytes:
        """What it asks for."""
        return self.raw.split(b" ", 2)[1]


class _Framed(NamedTuple):
    """A body as it is sent, with the header that says where it ends."""

    lines: list[Header]
    content: bytes
    alone: bool = False
    answered: bool = True


def sent(method: bytes, target: bytes, headers: list[Header], content: bytes, random: Random) -> Sent:
    """Return a request with a few odd headers in it."""
    framed = _framed(content, random)
    lines = [(b"Host", b"127.0.0.1:4010"), *headers, *framed.lines]
    alone, asked = framed.alone, 0
    while random.random() < 0.15:
        name, value = random.choice(HEADERS)
        if name in (b"Host", b"Authorization") and random.random() < 0.7:  # in place of the right one
            lines = [line for line in lines if line[0] != name]
        lines.append((name, value))
        alone = alone or name in SPOILING
        if name == b"Prefer" and (found := _CODE.search(value)):
            asked = int(found[1])
    written = _UNPRINTABLE.sub(lambda found: b"%%%02x" % ord(found[0]), target)
    head = b"%s %s HTTP/1.1\r\n" % (method, written) + b"".join(b"%s: %s\r\n" % line for line in lines)
    return Sent(head + b"\r\n" + framed.content, method, asked, alone, framed.answered)


def _framed(content: bytes, random: Random) -> _Framed:
    choice = random.random()
    length = b"%d" % len(content)
    if choice < 0.9:
        return _Framed([(b"Content-Length", length)] if content or choice < 0.1 else [], content)
    if choice < 0.96:
        return _chunked(content, random)
    if choice < 0.985:
        name, value = random.choice(FRAMINGS)
        return _Framed([(name, value or length)], content, alone=True)
    too_long = b"%d" % (len(content) + 7)
    return _Framed([(b"Content-Length", too_long)], content, alone=True, answered=False)


def _chunked(content: bytes, random: Random) -> _Framed:
    half = len(content) // 2
    chunks = [chunk for chunk in (content[:half], content[half:]) if chunk]
    extension = random.choice((b"", b"", b";a=b", b";\xff"))
    trailer = random.choice((b"", b"", b"X-Trailer: 1\r\n", b"Content-Length: 3\r\n"))
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    lines = [(b"Transfer-Encoding", b"chunked")]
    return _Framed(lines, body + b"0\r\n" + trailer + b"\r\n", alone=bool(extension or trailer))
