"""Bodies, taken in as they come, whatever frames them; a large request's is kept on disk."""

from __future__ import annotations

import re
import tempfile
from typing import BinaryIO, cast

from .heads import Malformed, shown

_IN_MEMORY = 2**20
"""Bytes of a body that are kept in memory; from there on it goes to disk."""

_DRAINED_AT_MOST = 2**30
"""Bytes that are read of what is not kept of a body."""

_LONGEST_LINE = 4096
_MOST_TRAILERS = 100
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class Counted:
    """A body whose size was announced.

    Args:
        left: in bytes.
    """

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the content in some data, and what comes behind the body; None where it has not ended."""
        content = data[: self._left]
        self._left -= len(content)
        return content, None if self._left else data[len(content) :]


class Chunked:
    """A body in chunks (RFC 9112, section 7.1). What is no content, extensions and trailers, is dropped."""

    def __init__(self) -> None:
        self._line = b""
        self._left = 0
        self._is_within = False
        self._trailers: int | None = None

    def take(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the content in some data, and what comes behind the body; None where it has not ended.

        Raises:
            Malformed: these are no chunks.
        """
        data, self._line = self._line + data, b""
        content, at = [], 0
        while True:
            if self._left:
                piece = data[at : at + self._left]
                content.append(piece)
                self._left -= len(piece)
                at += len(piece)
            end = data.find(b"\n", at)
            if self._left or end < 0:
                self._line = data[at:]
                if len(self._line) > _LONGEST_LINE:
                    raise Malformed("a chunk of the body has no end of a line")
                return b"".join(content), None
            line, at = data[at:end].removesuffix(b"\r"), end + 1
            if self._ends_with(line):
                return b"".join(content), data[at:]

    def _ends_with(self, line: bytes) -> bool:
        """Take in a line between chunks; tell whether the body ends with it."""
        if self._trailers is not None:
            self._trailers += 1
            if self._trailers > _MOST_TRAILERS:
                raise Malformed("the body has too many trailers")
            return not line
        found = _CHUNK.fullmatch(line)
        if self._is_within:
            if line:
                raise Malformed("a chunk of the body is longer than it says")
            self._is_within = False
        elif found is None:
            raise Malformed(f"no chunk begins with {shown(line.decode('latin-1'))}")
        else:
            self._left = int(found[1], 16)
            self._is_within = self._left > 0
            self._trailers = None if self._is_within else 0
        return False


class LargeBody:
    """A body that may not be held in memory, or a little more than `most` bytes of it.

    What is not kept is read all the same, so that the client is there to hear why.

    Attributes:
        received: bytes so far.
        lack: why it could not be kept, if so.
        is_cut_short: whether its end was not waited for.

    Args:
        length: in bytes; None for one in chunks.
        most: in bytes.
    """

    def __init__(self, length: int | None, most: int) -> None:
        # Closed by whoever has the request answered.
        self.file = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
        self.received = 0
        self.lack: OSError | None = None
        self.is_cut_short = False
        self._most = most
        self._framing = Chunked() if length is None else Counted(length)

    def take(self, data: bytes) -> bytes | None:
        """Take in some data; return what comes behind the body, None where it has not ended.

        Raises:
            Malformed: it is no body.
        """
        content, rest = self._framing.take(data)
        if self.received <= self._most and self.lack is None:
            try:
                self.file.write(content)
            except OSError as error:
                self.lack = error
        self.received += len(content)
        if rest is None and self.received > self._most + _DRAINED_AT_MOST:
            self.is_cut_short, rest = True, b""
        return rest
