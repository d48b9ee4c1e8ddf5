"""A PNG a few rows at a time: Pillow decodes it whole or not at all, and that takes four bytes a pixel.

Each strip is handed to Pillow as a small PNG of its own. Rows of a PNG are written as differences to the row
above (PNG specification, section 9), so a strip begins with the last row of the strip before, as it is.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIECE = 64 * 2**10
_NO_FILTER = b"\0"
_LAST_FILTER = 4

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Values in a pixel, by colour type."""


class Header(NamedTuple):
    """What the chunk IHDR says."""

    width: int
    height: int
    depth: int
    colour_type: int
    compression: int
    filtering: int
    interlaced: int

    @property
    def stride(self) -> int:
        """Bytes of a row, the kind of its filter included."""
        return 1 + (self.width * _CHANNELS.get(self.colour_type, 1) * self.depth + 7) // 8

    @property
    def has_strips(self) -> bool:
        """Whether rows come from top to bottom, and Pillow gives them back just as they were."""
        return not self.interlaced and (self.depth == 8 or (self.depth, self.colour_type) == (1, 0))


def header_of(file: BinaryIO) -> Header:
    """Return the header of a PNG, whose first byte is the file's; it is read anew."""
    file.seek(len(_SIGNATURE) + 8)
    return Header(*struct.unpack(">IIBBBBB", file.read(13)))


def strips(file: BinaryIO, header: Header, rows: int) -> Iterator[Image.Image]:
    """Yield a PNG's picture from its top to its bottom.

    Args:
        file: a PNG that `header.has_strips` is true of.
        header: its own.
        rows: of each strip; the last may have fewer.

    Raises:
        ValueError, zlib.error, OSError: it is broken, or ends too early.
    """
    chunks = _Chunks(file)
    filtered = _Inflated(chunks)
    above = b""
    for top in range(0, header.height, rows):
        height = min(rows, header.height - top)
        content = filtered.read(height * header.stride)
        if above:
            content = _NO_FILTER + above + content
        strip = _opened(header._replace(height=height + bool(above)), chunks.palette, content)
        above = strip.crop((0, strip.height - 1, strip.width, strip.height)).tobytes()
        yield strip if strip.height == height else strip.crop((0, 1, strip.width, strip.height))


def check(file: BinaryIO, header: Header, rows: int) -> None:
    """Let a PNG pass whose rows are all there; what is written in them is decoded, and not put together.

    Args:
        file: as for `strips`.
        header: its own.
        rows: that are looked at together.

    Raises:
        ValueError, zlib.error: it is broken, or ends too early.
    """
    filtered = _Inflated(_Chunks(file))
    for top in range(0, header.height, rows):
        content = filtered.read(min(rows, header.height - top) * header.stride)
        if max(content[:: header.stride]) > _LAST_FILTER:
            raise ValueError("a row is written in no way that there is")


def _opened(header: Header, palette: bytes, content: bytes) -> Image.Image:
    parts = (
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", *header)),
        palette,
        _chunk(b"IDAT", zlib.compress(content, 0)),
        _chunk(b"IEND", b""),
    )
    image = Image.open(io.BytesIO(b"".join(parts)), formats=("PNG",))
    image.load()
    return image


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


class _Chunks:
    """The chunks of a file: what the picture's data mean, and the data, a piece at a time."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(len(_SIGNATURE))
        self._file = file
        self._left = 0
        self.palette = b""
        """The chunks PLTE and tRNS, which come before the data."""

    def piece(self) -> bytes:
        """Return the next compressed bytes of the picture; nothing at the end."""
        while not self._left:
            head = self._file.read(8)
            if len(head) < 8 or head[4:] == b"IEND":
                return b""
            length, kind = int.from_bytes(head[:4]), head[4:]
            if kind == b"IDAT":
                self._left = length
                continue
            if kind in (b"PLTE", b"tRNS") and length <= _PIECE:
                self.palette += _chunk(kind, self._file.read(length))
                length = 0
            self._file.seek(length + 4, io.SEEK_CUR)
        piece = self._file.read(min(self._left, _PIECE))
        self._left -= len(piece)
        if not self._left:
            self._file.seek(4, io.SEEK_CUR)  # its checksum
        return piece


class _Inflated:
    """The picture's rows, still as differences."""

    def __init__(self, chunks: _Chunks) -> None:
        self._chunks = chunks
        self._inflate = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        """Return that many bytes.

        Raises:
            ValueError, zlib.error: there are not so many.
        """
        content = bytearray()
        while len(content) < size:
            piece = self._inflate.unconsumed_tail or self._chunks.piece()
            inflated = self._inflate.decompress(piece, size - len(content))
            if not inflated and not piece:
                raise ValueError("the file ends amid the picture")
            content += inflated
        return bytes(content)
