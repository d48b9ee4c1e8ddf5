"""HTTP/1.1 as it travels: heads line by line as they came, bodies piece by piece, and where each ends.

Whoever tests others must not mend what it sends and gets. HTTP libraries do: urllib3, for one, writes `%2f`
as `%2F`, puts headers of one name together and takes a 103 for the answer. So a message is understood here no
further than is needed to find its end. It is the codec of the mock's server, over a stream, with the bytes as
they came. The proxy, the fuzz stage and the check use it.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bluehour.mock_server.server.bodies import Chunked, Counted
from bluehour.mock_server.server.heads import (
    Malformed,
    content_length,
    elements,
    read_fields,
    read_request,
    shown,
    split_head,
)
from bluehour.openapi.errors import BluehourError
from bluehour.openapi.messages import Headers

PIECE = 64 * 2**10
"""Bytes that are read at once, at most."""

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a body that is sent in chunks."""

_STATUS = re.compile(r"HTTP/1\.([01])( ([1-9]\d\d)(?: [^\r\n\0]*)?)\r?\n", re.ASCII)

_OF_A_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "te", "upgrade"})
"""Headers between two neighbours, as RFC 9110, section 7.6.1, has them; Transfer-Encoding is one as well, but
is passed on, as bodies are in the encoding in which they came."""

_NEVER_NAMED = frozenset({"content-length", "transfer-encoding", "host"})
"""What Connection can't declare a matter of neighbours: both ends must agree on where a message ends."""

Framing = int | Literal["chunked", "close"]
"""How a body ends: after so many bytes, with its last chunk, or with the connection."""


class Cut(BluehourError):
    """The connection ended in the middle of a message."""


class Line(NamedTuple):
    """A header as it travels, without the end of its line, and its name in lower case."""

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A message before its body; Latin-1 gives each byte of it a character.

    Attributes:
        is_old: whether it is HTTP/1.0.
        headers: their names as they were spelled.
        raw: the lines of the headers, as they came.
    """

    is_old: bool
    headers: Headers
    raw: tuple[bytes, ...]

    @property
    def wants_close(self) -> bool:
        """Whether its connection ends with it."""
        return self.is_old or "close" in self.elements("connection")

    def elements(self, name: str) -> list[str]:
        """Return what is between the commas of a header's values, in lower case."""
        return elements(self.headers.get(name) or "")

    def passed_on(self) -> list[Line]:
        """Return the headers that are not between two neighbours alone."""
        left_out = _OF_A_CONNECTION | (set(self.elements("connection")) - _NEVER_NAMED)
        lines = (Line(name.lower(), raw) for (name, _), raw in zip(self.headers, self.raw, strict=True))
        return [line for line in lines if line.name not in left_out]


@dataclass(frozen=True, slots=True)
class RequestHead(Head):
    """A request before its body."""

    method: str
    target: str


@dataclass(frozen=True, slots=True)
class AnswerHead(Head):
    """An answer before its body; `line` is its status line without the version."""

    status: int
    line: str


class Piece(NamedTuple):
    """Some of a body: as it travels, and what of it is content."""

    wire: bytes
    content: bytes


class Incoming:
    """What comes over a connection, message by message.

    Args:
        read: returns some of what comes, so many bytes at most; nothing at the end.
    """

    def __init__(self, read: Callable[[int], Awaitable[bytes]]) -> None:
        self._read = read
        self._unread = b""

    @property
    def has_more(self) -> bool:
        """Whether more has come than was asked for."""
        return bool(self._unread)

    async def request(self) -> RequestHead | None:
        """Read a request's head; None where the connection ended before it began.

        Raises:
            Malformed, Cut: there is none.
        """
        raw = await self._head()
        if raw is None:
            return None
        method, target, is_old, pairs = read_request(raw)
        return RequestHead(is_old, Headers(pairs), _lines(raw), method, target)

    async def answer(self) -> AnswerHead | None:
        """Read an answer's head, as `request` does."""
        raw = await self._head()
        if raw is None:
            return None
        text = raw.decode("latin-1")
        found = _STATUS.match(text)
        if found is None:
            raise Malformed(f"no answer begins with {shown(text)}")
        minor, line, status = found.groups()
        headers = Headers(read_fields(text, found.end()))
        return AnswerHead(minor == "0", headers, _lines(raw), int(status), line)

    async def body(self, framing: Framing, most: int | None = None) -> bytes:
        """Return a body's content; of one that has more than `most` bytes, no less than that and one.

        Raises:
            Cut, Malformed: as of `pieces`.
        """
        body = io.BytesIO()  # which gives away what it has gathered, where a list or a bytearray is copied
        async for piece in self.pieces(framing):
            body.write(piece.content)
            if most is not None and body.tell() > most:
                break
        return body.getvalue()

    async def pieces(self, framing: Framing) -> AsyncIterator[Piece]:
        """Yield a body as it comes.

        Raises:
            Cut: the connection ends before it does.
            Malformed: its chunks are none.
        """
        if framing == 0:
            return
        body = Chunked() if framing == "chunked" else None if framing == "close" else Counted(framing)
        rest: bytes | None = None
        while rest is None:
            data, self._unread = self._unread or await self._read(PIECE), b""
            if not data:
                if body is None:
                    return
                raise Cut("it ended in the middle of a body")
            content, rest = (data, None) if body is None else body.take(data)
            self._unread = rest or b""
            yield Piece(data[: len(data) - len(self._unread)], content)

    async def _head(self) -> bytes | None:
        searched = 0
        while True:
            head, self._unread = split_head(self._unread, searched)
            if head:
                return head
            searched = len(self._unread)
            data = await self._read(PIECE)
            if not data:
                if self._unread:
                    raise Cut(f"it ended in the middle of a head: {shown(self._unread.decode('latin-1'))}")
                return None
            self._unread += data


def request_framing(head: RequestHead) -> Framing:
    """Tell how a request's body ends (RFC 9112, section 6.3).

    Raises:
        Malformed: it does not say, or says it twice.
    """
    if head.method == "CONNECT":
        raise Malformed("CONNECT is for a proxy before clients; this one is before a server")
    length = head.headers.get("content-length")
    if "transfer-encoding" not in head.headers:
        return 0 if length is None else content_length(length)
    if length is not None:
        raise Malformed("a request has both Transfer-Encoding and Content-Length")
    if head.elements("transfer-encoding")[-1:] != ["chunked"] or head.is_old:
        raise Malformed("nobody can tell where the request ends: see its Transfer-Encoding")
    return "chunked"


def answer_framing(head: AnswerHead, method: str) -> Framing:
    """Tell how an answer's body ends (RFC 9112, section 6.3).

    Raises:
        Malformed: it says something impossible.
    """
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:
        return 0
    if "transfer-encoding" in head.headers:
        return "chunked" if head.elements("transfer-encoding")[-1:] == ["chunked"] else "close"
    length = head.headers.get("content-length")
    return "close" if length is None else content_length(length)


def written_head(start: bytes, lines: Iterable[bytes]) -> bytes:
    """Return a head as it travels: its first line, and headers as they are."""
    return b"\r\n".join([start, *lines, b"", b""])


def request_head(method: str, target: str, headers: list[tuple[str, bytes]]) -> bytes:
    """Return a request's head.

    Raises:
        Malformed: HTTP/1.1 can't carry it.
        UnicodeEncodeError: its method, its target or a header's name has a letter that ASCII has not.
    """
    lines = [name.encode("ascii") + b": " + value for name, value in headers]
    start = f"{method} {target} HTTP/1.1".encode("ascii")
    # A NUL in a header is for the server to refuse.
    if len(read_request(written_head(start, [line.replace(b"\0", b"?") for line in lines]))[-1]) != len(
        lines
    ):
        raise Malformed("a header has a line break in it")
    return written_head(start, lines)


def chunk(content: bytes) -> bytes:
    """Return a piece of a body as one chunk; `LAST_CHUNK` follows the last of them."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def _lines(head: bytes) -> tuple[bytes, ...]:
    return tuple(line.removesuffix(b"\r") for line in head.split(b"\n")[1:-2])
