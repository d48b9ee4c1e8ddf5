"""HTTP/1.1 as it travels: heads line by line as they came, bodies piece by piece, and where each ends.

Whoever tests others must not mend what it sends and gets. HTTP libraries do: urllib3, for one, writes `%2f`
as `%2F`, puts headers of one name together and takes a 103 for the answer. So a message is understood here no
further than is needed to find its end. The proxy, its console, the fuzz stage and the check use it.
"""

from __future__ import annotations

import re
from asyncio import IncompleteReadError, LimitOverrunError
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.messages import phrase

Pairs = tuple[tuple[str, str], ...]

LONGEST_HEAD = 256 * 2**10
"""Bytes of a request's or an answer's lines before its body."""

PIECE = 64 * 2**10
"""Bytes of a body that are read at once, at most."""

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\x00-\x20\x7f]+) HTTP/(1\.[01])")
_STATUS = re.compile(rb"HTTP/(1\.[01]) ([1-9]\d\d)(?: (.*))?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:.*[^ \t])?)[ \t]*", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LENGTH = re.compile(rb"\d{1,18}")

_OF_A_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"})
"""Headers between two neighbours, as RFC 9110, section 7.6.1, has them; Transfer-Encoding is one as well, but
is passed on, as bodies are in the encoding in which they came."""

_NEVER_NAMED = frozenset({b"content-length", b"transfer-encoding", b"host"})
"""What Connection can't declare a matter of neighbours: both ends must agree on where a message ends."""


LAST_CHUNK = b"0\r\n\r\n"
"""Ends a body that is sent in chunks."""


class NotHttp(BluehourError):
    """What came is no HTTP/1.1, or does not say where it ends; or HTTP/1.1 can't carry what is to be sent."""


class Cut(BluehourError):
    """The connection ended in the middle of a message.

    Attributes:
        line: what of a line had come.
    """

    def __init__(self, message: str, line: bytes = b"") -> None:
        super().__init__(message)
        self.line = line


class Field(NamedTuple):
    """A header: its line as it came, its name in lower case, and its value."""

    line: bytes
    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Fields:
    """Headers in the order in which they came, as often as they came."""

    all: tuple[Field, ...]

    def values(self, name: bytes) -> list[bytes]:
        """Return the values under a name, which is in lower case."""
        return [field.value for field in self.all if field.name == name]

    def elements(self, name: bytes) -> list[bytes]:
        """Return what is between the commas of such values, in lower case."""
        return [part.strip(b" \t").lower() for value in self.values(name) for part in value.split(b",")]

    def passed_on(self) -> Iterable[Field]:
        """Yield those that are not between two neighbours alone."""
        left_out = _OF_A_CONNECTION | (set(self.elements(b"connection")) - _NEVER_NAMED)
        return (field for field in self.all if field.name not in left_out)

    @property
    def pairs(self) -> Pairs:
        """Names, as they were spelled, and values as text; Latin-1 gives each byte a character."""
        return tuple(
            (field.line[: len(field.name)].decode("latin-1"), field.value.decode("latin-1"))
            for field in self.all
        )


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request before its body."""

    method: bytes
    target: bytes
    version: bytes
    fields: Fields

    @property
    def wants_close(self) -> bool:
        """Whether its connection ends with it."""
        return self.version != b"1.1" or b"close" in self.fields.elements(b"connection")


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """An answer before its body; `line` is its status line without the version."""

    status: int
    line: bytes
    version: bytes
    fields: Fields

    @property
    def wants_close(self) -> bool:
        """Whether its connection ends with it."""
        return self.version != b"1.1" or b"close" in self.fields.elements(b"connection")


@dataclass(frozen=True, slots=True)
class Framing:
    """How a body's end is found."""

    kind: Literal["none", "length", "chunked", "close"]
    length: int = 0


class Piece(NamedTuple):
    """Some of a body: as it travels, and what of it is content."""

    wire: bytes
    content: bytes


class Reader(Protocol):
    """Where messages come from: a `StreamReader` of asyncio, or what reads a socket as that would."""

    def readuntil(self, separator: bytes, /) -> Awaitable[bytes]:
        """Return what comes up to a separator, and that."""

    def read(self, n: int, /) -> Awaitable[bytes]:
        """Return some of what comes, `n` bytes at most; nothing at the end."""


async def read_request(reader: Reader) -> RequestHead | None:
    """Read a request's head; None where the connection ended before it began.

    Raises:
        NotHttp, Cut: there is none.
    """
    lines = await _lines(reader)
    if lines is None:
        return None
    found = _REQUEST.fullmatch(lines[0])
    if found is None:
        raise NotHttp(f"no request begins with {_shown(lines[0])}")
    return RequestHead(found[1], found[2], found[3], _fields(lines[1:]))


async def read_answer(reader: Reader) -> AnswerHead | None:
    """Read an answer's head, as `read_request` does."""
    lines = await _lines(reader)
    if lines is None:
        return None
    found = _STATUS.fullmatch(lines[0])
    if found is None:
        raise NotHttp(f"no answer begins with {_shown(lines[0])}")
    return AnswerHead(int(found[2]), lines[0][8:], found[1], _fields(lines[1:]))


def request_framing(head: RequestHead) -> Framing:
    """Tell how a request's body ends (RFC 9112, section 6.3).

    Raises:
        NotHttp: it does not say, or says it twice.
    """
    if head.method == b"CONNECT":
        raise NotHttp("CONNECT is for a proxy before clients; this one is before a server")
    codings = head.fields.elements(b"transfer-encoding")
    if not codings:
        return _by_length(head.fields) or Framing("none")
    if head.fields.values(b"content-length"):
        raise NotHttp("a request has both Transfer-Encoding and Content-Length")
    if codings[-1] != b"chunked" or head.version != b"1.1":
        raise NotHttp(f"nobody can tell where a request of Transfer-Encoding {_shown(codings[-1])} ends")
    return Framing("chunked")


def answer_framing(head: AnswerHead, method: bytes) -> Framing:
    """Tell how an answer's body ends (RFC 9112, section 6.3).

    Raises:
        NotHttp: it says something impossible.
    """
    if method == b"HEAD" or head.status in (204, 304) or head.status < 200:
        return Framing("none")
    codings = head.fields.elements(b"transfer-encoding")
    if codings:
        return Framing("chunked" if codings[-1] == b"chunked" else "close")
    return _by_length(head.fields) or Framing("close")


async def read_body(reader: Reader, framing: Framing, most: int | None = None) -> bytes:
    """Return a body's content; of one that has more than `most` bytes, no less than that and one.

    Raises:
        Cut, NotHttp: as of `pieces`.
    """
    body = bytearray()
    async for piece in pieces(reader, framing):
        body += piece.content
        if most is not None and len(body) > most:
            break
    return bytes(body)


async def pieces(reader: Reader, framing: Framing) -> AsyncIterator[Piece]:
    """Yield a body as it comes.

    Raises:
        Cut: the connection ends before it does.
        NotHttp: its chunks are none.
    """
    match framing.kind:
        case "length":
            async for data in _exactly(reader, framing.length):
                yield Piece(data, data)
        case "chunked":
            async for piece in _chunks(reader):
                yield piece
        case "close":
            while data := await reader.read(PIECE):
                yield Piece(data, data)


async def _chunks(reader: Reader) -> AsyncIterator[Piece]:
    while True:
        line = await _line(reader)
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise NotHttp(f"no chunk begins with {_shown(line)}")
        yield Piece(line + b"\r\n", b"")
        size = int(found[1], 16)
        if size == 0:
            break
        async for data in _exactly(reader, size):
            yield Piece(data, data)
        if line := await _line(reader):
            raise NotHttp(f"a chunk of {size} bytes goes on with {_shown(line)}")
        yield Piece(b"\r\n", b"")
    trailer = await _lines_until_empty(reader)
    yield Piece(b"".join(line + b"\r\n" for line in (*trailer, b"")), b"")


async def _exactly(reader: Reader, size: int) -> AsyncIterator[bytes]:
    while size > 0:
        data = await reader.read(min(size, PIECE))
        if not data:
            raise Cut(f"{size:,} bytes are missing")
        size -= len(data)
        yield data


def written_head(start: bytes, lines: Iterable[bytes]) -> bytes:
    """Return a head as it travels: its first line, and headers as they are."""
    return b"\r\n".join([start, *lines, b"", b""])


def request_head(method: str, target: str, headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a request's head.

    Raises:
        NotHttp: HTTP/1.1 can't carry it.
        UnicodeEncodeError: its method, its target or a header's name has a letter that ASCII has not.
    """
    start = f"{method} {target} HTTP/1.1".encode("ascii")
    if not _REQUEST.fullmatch(start):
        raise NotHttp(f"no request begins with {_shown(start)}")
    lines = [name.encode("ascii") + b": " + value for name, value in headers]
    for line in lines:
        if b"\n" in line or b"\r" in line or not _FIELD.fullmatch(line):
            raise NotHttp(f"no header is {_shown(line)}")
    return written_head(start, lines)


def answer_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return an answer's head; what Latin-1 does not have becomes a question mark."""
    start = f"HTTP/1.1 {status} {phrase(status)}".encode()
    return written_head(start, (f"{name}: {value}".encode("latin-1", "replace") for name, value in headers))


def chunk(content: bytes) -> bytes:
    """Return a piece of a body as one chunk; `LAST_CHUNK` follows the last of them."""
    return b"%x\r\n%b\r\n" % (len(content), content)


async def _lines(reader: Reader) -> list[bytes] | None:
    """The lines of a head; None where there is nothing."""
    try:
        first = await _line(reader)
        while not first:  # an empty line may be left of a body before (RFC 9112, section 2.2)
            first = await _line(reader)
    except Cut as cut:
        if cut.line:
            raise
        return None
    return [first, *await _lines_until_empty(reader)]


async def _lines_until_empty(reader: Reader) -> list[bytes]:
    lines: list[bytes] = []
    size = 0
    while line := await _line(reader):
        lines.append(line)
        size += len(line)
        if size > LONGEST_HEAD:
            raise NotHttp(f"the headers take more than {LONGEST_HEAD:,} bytes")
    return lines


async def _line(reader: Reader) -> bytes:
    """A line without its end, which is CRLF, or LF alone as some write it."""
    try:
        line = await reader.readuntil(b"\n")
    except IncompleteReadError as error:
        where = f" after {_shown(error.partial)}" if error.partial else ""
        raise Cut(f"it ended in the middle of a message{where}", error.partial) from None
    except LimitOverrunError:
        raise NotHttp(f"a line takes more than {LONGEST_HEAD:,} bytes") from None
    line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
    if b"\r" in line or b"\0" in line:
        raise NotHttp(f"a line has a character that ends lines in it: {_shown(line)}")
    return line


def _fields(lines: list[bytes]) -> Fields:
    found = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise NotHttp(f"no header is {_shown(line)}")
        found.append(Field(line, match[1].lower(), match[2]))
    return Fields(tuple(found))


def _by_length(fields: Fields) -> Framing | None:
    lengths = set(fields.elements(b"content-length"))
    if not lengths:
        return None
    (length, *others) = lengths
    if others or not _LENGTH.fullmatch(length):
        raise NotHttp(f"Content-Length is {_shown(b', '.join(sorted(lengths)))}")
    return Framing("length", int(length))


def _shown(raw: bytes) -> str:
    text = repr(raw[:60].decode("latin-1"))
    return text if len(raw) <= 60 else f"{text}…"
