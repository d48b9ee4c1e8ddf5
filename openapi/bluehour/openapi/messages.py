"""HTTP messages as values, whoever carries them: a server, a proxy, a test's client, a journal.

Nothing here knows a framework. A message is what has travelled; what a contract makes of it is in `reading`
and `responses`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from http import HTTPStatus
from time import gmtime
from typing import Any
from urllib.parse import parse_qs, unquote

from .data import from_json

_MOST_DIGITS = 15
"""Of a Content-Length that any body could have."""

Pairs = Sequence[tuple[str, str]]


class Headers:
    """Names and values in the order in which they travel; a name is found in any case.

    Args:
        pairs: names and values.
    """

    __slots__ = ("_by_name", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: Pairs = pairs if isinstance(pairs, tuple | list) else tuple(pairs)
        self._by_name: dict[str, list[str]] | None = None

    def get(self, name: str) -> str | None:
        """Return a header's value, several joined by commas; None where there is none."""
        values = self._values().get(name.lower())
        return None if values is None else values[0] if len(values) == 1 else ",".join(values)

    def get_all(self, name: str) -> Sequence[str]:
        """Return the values of all headers of a name."""
        return self._values().get(name.lower(), ())

    def _values(self) -> dict[str, list[str]]:
        if self._by_name is None:
            self._by_name = {}
            for name, value in self.pairs:
                self._by_name.setdefault(name.lower(), []).append(value)
        return self._by_name

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a header of that name."""
        return name.lower() in self._values()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield names and values."""
        return iter(self.pairs)

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        """Tell whether another has the same in the same order."""
        return isinstance(other, Headers) and tuple(self.pairs) == tuple(other.pairs)

    def __hash__(self) -> int:
        """Return the same for equal ones."""
        return hash(tuple(self.pairs))

    def __repr__(self) -> str:
        """Show them as they are made."""
        return f"Headers({list(self.pairs)!r})"


# What people call a host; a container's name may have an underscore, though DNS allows none.
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?", re.ASCII)


def is_host(text: str) -> bool:
    """Tell whether a Host header names a host, with a port or without."""
    return _HOST.fullmatch(text) is not None


@dataclass
class Request:
    """What a client sends.

    Attributes:
        method: as it came, such as `POST`.
        target: path and query as they came, percent signs and all: `/v1/pets?limit=2`.
        headers: in their order.
        body: the content, without chunks' sizes or a coding of the transfer.
        origin: what the client reaches the server by, such as `http://127.0.0.1:4010`: its Host header tells,
            where that names a host.
        client: the address that it came from, such as `127.0.0.1`; nothing where there was no network.
    """

    method: str
    target: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    origin: str = ""
    client: str = ""

    @property
    def size(self) -> int:
        """Bytes of the body: those that it has, or that were announced, where it went elsewhere."""
        if self.body:
            return len(self.body)
        length = self.headers.get("content-length") or "0"
        return int(length) if length.isdecimal() and len(length) <= _MOST_DIGITS else 0

    @property
    def url(self) -> str:
        """Where it went, whole."""
        return self.origin + self.target

    @property
    def raw_path(self) -> str:
        """The target without its query, percent signs and all."""
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        """The path, its percent signs undone; bytes that are no UTF-8 become U+FFFD."""
        raw = self.target.partition("?")[0]
        return unquote(raw) if "%" in raw else raw

    @property
    def query(self) -> str:
        """The query as it came, without the question mark."""
        return self.target.partition("?")[2]

    @cached_property
    def arguments(self) -> dict[str, list[str]]:
        """The query's fields, each with all its values, percent signs undone."""
        return parse_qs(self.query, keep_blank_values=True) if self.query else {}

    @cached_property
    def cookies(self) -> dict[str, list[str]]:
        """The cookies, each with all its values."""
        found: dict[str, list[str]] = {}
        for pair in (self.headers.get("cookie") or "").split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals:
                found.setdefault(name, []).append(value.strip('"'))
        return found

    @property
    def content_type(self) -> str:
        """The Content-Type; nothing where there is none."""
        return self.headers.get("content-type") or ""


@dataclass
class Response:
    """What a server answers.

    Attributes:
        status: 200 to 599.
        headers: in their order.
        body: the whole content, without chunks' sizes or a coding of the transfer.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """The Content-Type; nothing where there is none."""
        return self.headers.get("content-type") or ""

    @cached_property
    def json(self) -> Any:
        """The body as data; None where it is no JSON, or too deep to be judged."""
        try:
            return from_json(self.body)
        except ValueError:
            return None


@lru_cache(maxsize=64)
def phrase(status: int) -> str:
    """Return a status's name, such as `Not Found`; nothing where nobody has named it."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def named(status: int) -> tuple[str, str]:
    """Return what HTTP calls a status, for programs and for people, also where nobody has named it."""
    try:
        known = HTTPStatus(status)
    except ValueError:
        return f"status_{status}", f"Status {status}"
    return known.name.lower(), known.phrase


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(at: float) -> str:
    """Return a time, in seconds since the epoch, as headers have it: `Mon, 30 Nov 2026 02:44:01 GMT`."""
    moment = gmtime(at)
    day, month = _DAYS[moment.tm_wday], _MONTHS[moment.tm_mon - 1]
    time = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    return f"{day}, {moment.tm_mday:02} {month} {moment.tm_year:04} {time} GMT"
