"""The heads of HTTP/1.1, read and written. Nothing here reads or writes a socket.

Of our own since httptools knows no method but the usual ones, and no target beyond ASCII; both must reach the
application, which has an answer to them. Measured, it is as fast (15 against 14 microseconds a request).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.messages import Headers, http_date, is_host, phrase

LONGEST_HEAD = 128 * 2**10
"""Bytes of a head."""

_END = re.compile(rb"\n\r?\n")
_REQUEST = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]++) ([^\0- \x7f]++) HTTP/1\.([01])\r?\n")
# Possessive, so that no line takes a time that grows with the square of its length.
_FIELD = re.compile(
    r"^([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+((?:[^\r\n\0]*[^\r\n\0 \t])?+)[ \t]*+\r?\n", re.MULTILINE
)
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_OWN = frozenset(("host", "connection", "content-length", "transfer-encoding", "expect"))
_LENGTH = re.compile(r"(\d{1,15})(?:[ \t]*,[ \t]*\1)*", re.ASCII)


class Malformed(BluehourError):
    """What came is no HTTP/1.1, or does not say where it ends; or HTTP/1.1 can't carry what is to be sent."""

    @property
    def sentence(self) -> str:
        """What is wrong, as a sentence of its own."""
        message = f"{self}"
        return message[0].upper() + message[1:]


@dataclass(slots=True)
class Head:
    """A request before its body. Not to be changed; to be frozen would take a microsecond of each request.

    Attributes:
        method: any token.
        target: path and query as they came; bytes that are no UTF-8 became U+FFFD.
        headers: their values in Latin-1, which gives each byte a character.
        host: what the client calls the server; nothing where that is no host's name.
        length: of the body, in bytes; None where it comes in chunks.
        keeps_alive: whether another request may follow.
        is_old: whether it is HTTP/1.0, where keeping alive must be promised.
        expects_continue: whether the body comes only once it is asked for.
    """

    method: str
    target: str
    headers: Headers
    host: str
    length: int | None
    keeps_alive: bool
    is_old: bool
    expects_continue: bool


def split_head(data: bytes, searched: int = 0) -> tuple[bytes, bytes]:
    """Return the head at the beginning of some data, empty where it has not ended yet, and what follows it.

    Args:
        data: what has come; empty lines may be left of a body before (RFC 9112, section 2.2).
        searched: up to where no head's end was found before.

    Raises:
        Malformed: it is longer than any head.
    """
    data = data.lstrip(b"\r\n")
    found = _END.search(data, max(0, searched - 2))
    end = found.end() if found else 0
    if (end or len(data)) > LONGEST_HEAD:
        raise Malformed(f"the head takes more than {LONGEST_HEAD:,} bytes")
    return data[:end], data[end:]


def read_head(data: bytes) -> Head:
    """Read a request's head, with the empty line at its end.

    Raises:
        Malformed: it is none.
    """
    method, target, is_old, pairs = read_request(data)
    said = _said(pairs)
    host = said.get("host", "")
    if not target.startswith("/"):
        target, host = _without_host(method, target, host)
    options = elements(said.get("connection", ""))
    return Head(
        method,
        target if target.isascii() else target.encode("latin-1").decode("utf-8", "replace"),
        Headers(pairs),
        host if _is_host(host) else "",
        _length(said, is_old=is_old),
        "close" not in options and (not is_old or "keep-alive" in options),
        is_old,
        not is_old and "100-continue" in elements(said.get("expect", "")),
    )


def read_request(data: bytes) -> tuple[str, str, bool, list[tuple[str, str]]]:
    """Return a request's method, its target as it came, whether it is HTTP/1.0, and its headers, as Latin-1.

    Raises:
        Malformed: it is none.
    """
    text = data.decode("latin-1")
    found = _REQUEST.match(text)
    if found is None:
        raise Malformed(f"no request begins with {shown(text)}")
    method, target, minor = found.groups()
    return method, target, minor == "0", read_fields(text, found.end())


def read_fields(text: str, start: int) -> list[tuple[str, str]]:
    """Return the headers of a head.

    Args:
        text: the head, with the empty line at its end.
        start: where its second line begins.

    Raises:
        Malformed: one is none.
    """
    pairs = _FIELD.findall(text, start)
    if text.count("\n") != len(pairs) + 2:
        wrong = next(line for line in text.split("\n")[1:-2] if not _FIELD.match(f"{line}\n"))
        raise Malformed(f"no header is {shown(wrong.rstrip())}")
    return pairs


def answer_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Write an answer's head.

    Args:
        status: 100 to 599.
        headers: all that it has.

    Raises:
        ValueError: a header can't be sent.
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    fields = "".join(lines)
    if fields.count("\n") != len(lines) or fields.count("\r") != len(lines):
        raise ValueError("a header of the answer has a line break in it")
    return f"HTTP/1.1 {status} {phrase(status)}\r\n{fields}\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def date(second: int) -> str:
    """Return the value of a Date header.

    Args:
        second: since the epoch.
    """
    return http_date(second)


def _without_host(method: str, target: str, host: str) -> tuple[str, str]:
    """Return path and query of a target that begins with no slash, and the host to go by."""
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        rest = target[absolute.end() :].partition("#")[0]
        return rest if rest.startswith("/") else f"/{rest}", absolute[1]
    if target == "*" or method == "CONNECT":
        return target, host
    raise Malformed(f"no path begins with {shown(target)}")


def _said(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that are for the server itself, by their names in lower case."""
    said: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key in _OWN:
            said[key] = f"{said[key]},{value}" if key in said else value
    return said


def _length(said: dict[str, str], *, is_old: bool) -> int | None:
    coding, length = said.get("transfer-encoding"), said.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None or is_old:
            raise Malformed("nobody can tell where the request ends: see its Transfer-Encoding")
        return None
    return 0 if length is None else content_length(length)


def content_length(value: str) -> int:
    """Return what Content-Length says; several that say the same are joined by commas.

    Raises:
        Malformed: it is no number.
    """
    found = _LENGTH.fullmatch(value)
    if found is None:
        raise Malformed(f"no Content-Length is {shown(value)}")
    return int(found[1])


def elements(value: str) -> list[str]:
    """Return what is between the commas of a header's value, in lower case."""
    if not value:
        return []
    return [part.strip(" \t").lower() for part in value.split(",")]


@lru_cache(maxsize=256)
def _is_host(host: str) -> bool:
    return is_host(host)


def shown(text: str) -> str:
    """Return the beginning of what came, for a message."""
    return ascii(text[:60]) if len(text) <= 60 else f"{text[:60]!a}…"
