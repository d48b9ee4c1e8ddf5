"""Bodies as they are meant, for who judges them: without the Content-Encoding that they travel in."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from .errors import BluehourError
from .messages import Pairs

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_BARE = -zlib.MAX_WBITS


class Unreadable(BluehourError):
    """A body can't be judged; the message says why."""


def decoded(headers: Pairs, body: bytes, most: int) -> bytes:
    """Return a body without its Content-Encoding.

    A body that is not in the encoding that it claims comes back as it is: that is for the judge to say.

    Raises:
        Unreadable: the encoding is not known here, or the body has more than `most` bytes without it.
    """
    for coding in reversed(_codings(headers)):
        if coding in ("gzip", "x-gzip", "deflate"):
            body = _inflated(body, most)
        elif coding not in ("", "identity"):
            raise Unreadable(f"the Content-Encoding {coding} can't be read here")
    return body


def _codings(headers: Pairs) -> Sequence[str]:
    values = [value for name, value in headers if name.lower() == "content-encoding"]
    return [coding.strip().lower() for value in values for coding in value.split(",")]


def _inflated(body: bytes, most: int) -> bytes:
    for form in (_GZIP_OR_ZLIB, _BARE):  # some servers take deflate for zlib without its header
        try:
            return _whole(body, form, most)
        except zlib.error:
            continue
    return body


def _whole(body: bytes, form: int, most: int) -> bytes:
    parts: list[bytes] = []
    room = most
    while body:  # gzip may have several members
        inflater = zlib.decompressobj(form)
        part = inflater.decompress(body, room + 1)
        room -= len(part)
        if room < 0:
            raise Unreadable(f"without its Content-Encoding it has more than {most:,} bytes")
        if not inflater.eof:
            raise zlib.error("it is cut off")
        parts.append(part)
        body = inflater.unused_data
    return b"".join(parts)
