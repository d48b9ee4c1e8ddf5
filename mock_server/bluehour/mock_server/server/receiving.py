"""Requests out of the bytes that a client sends. Nothing here reads a socket, or knows the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

from bluehour.openapi.messages import Headers, Request

from ..api.application import Refused
from .bodies import LargeBody
from .heads import Head, Malformed, read_head, split_head
from .origins import Origins

SMALL_BODY = 64 * 2**10
"""Bytes of a body that is handed on as such; a larger one is a file."""

_TLS = b"\x16\x03"
"""How a client begins that takes this for https; there may be no end of a head to wait for."""

_REMEMBERED = 8 * 2**10
"""Bytes of a head that is remembered, at most."""


@dataclass(slots=True)
class Received:
    """A request that has come to its end, or will come no further.

    Attributes:
        head: its head.
        request: with its body, unless that is large.
        body: a large one, at its beginning.
        refused: why it is not to be carried out.
        is_cut_short: whether the client may still be sending it.
    """

    head: Head
    request: Request
    body: BinaryIO | None = None
    refused: Refused | OSError | None = None
    is_cut_short: bool = False


class Receiver:
    """What has come over one connection, and is no answered request yet.

    Args:
        client: the address that it comes from.
        server: what the client reaches the server by, where it does not say so: a host and a port.
        origins: tells what it reaches the server by, and who it is.
        largest_body: tells from a path how many bytes a body may have there.
    """

    def __init__(
        self, client: str, server: str, origins: Origins, largest_body: Callable[[str], int]
    ) -> None:
        self._client = client
        self._origins = origins
        self._server = server
        self._largest_body = largest_body
        self._unread = b""
        self._searched = 0
        self._last = (b"\0", Head("", "", Headers(), "", 0, True, False, False))
        """The last head, as it came and as it was read: clients send the same again and again."""
        self._head: Head | None = None
        self._asks = False
        self._request = Request("", "")
        self._large: LargeBody | None = None

    @property
    def stage(self) -> Literal["nothing", "head", "body"]:
        """How far the next request has come."""
        if self._head is not None:
            return "body"
        return "head" if self._unread else "nothing"

    @property
    def unread(self) -> int:
        """Bytes that wait to be looked at."""
        return len(self._unread)

    @property
    def received(self) -> int:
        """Bytes of a large body so far."""
        return self._large.received if self._large is not None else 0

    @property
    def is_large(self) -> bool:
        """Whether a large body is under way: one that may take its time as long as it comes."""
        return self._large is not None

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._unread = self._unread + data if self._unread else data

    def next(self) -> Received | None:
        """Return the next request; None where it is not there yet.

        Raises:
            Malformed: there will be none.
        """
        head = self._head
        if head is None:
            if not self._unread:
                return None
            head = self._begun()
            if head is None:
                return None
        if self._large is not None:
            return self._next_large(self._large)
        length = head.length or 0
        if len(self._unread) < length:
            return None
        if length:
            self._request.body = self._unread[:length]
            self._unread = self._unread[length:]
        return self._ended()

    def asks_for_continue(self) -> bool:
        """Tell, once, whether the client waits to be asked for the body."""
        asks, self._asks = self._asks, False
        return asks and not self._unread and not self.received

    def given_up(self, refused: Refused) -> Received:
        """Return the request whose body has not come to its end."""
        if self._large is not None:
            self._large.file.close()
        return self._ended(refused=refused, is_cut_short=True)

    def close(self) -> None:
        """Let go of what has come."""
        self._unread = b""
        if self._large is not None:
            self._large.file.close()

    def _begun(self) -> Head | None:
        """Begin a request once its head is there."""
        raw, head = self._last
        if self._unread.startswith(raw):
            self._unread = self._unread[len(raw) :]
        else:
            read = self._read()
            if read is None:
                return None
            head = read
        self._head, self._searched, self._asks = head, 0, head.expects_continue
        origin = self._origins.origin_of(head.host or self._server, head.headers, self._client)
        client = self._origins.client_of(head.headers, self._client)
        self._request = Request(head.method, head.target, head.headers, b"", origin, client)
        if head.length is None or head.length > SMALL_BODY:
            self._large = LargeBody(head.length, self._largest_body(self._request.path))
        return head

    def _read(self) -> Head | None:
        raw, self._unread = split_head(self._unread, self._searched)
        if not raw:
            if self._unread.startswith(_TLS):
                raise Malformed("no request begins like TLS; this is http, not https")
            self._searched = len(self._unread)
            return None
        head = read_head(raw)
        if len(raw) <= _REMEMBERED:
            self._last = raw, head
        return head

    def _next_large(self, large: LargeBody) -> Received | None:
        data, self._unread = self._unread, b""
        try:
            rest = large.take(data)
        except Malformed as error:
            return self.given_up(Refused("invalid_request", error.sentence))
        if rest is None:
            return None
        self._unread = rest
        large.file.seek(0)
        if large.lack is not None:
            large.file.close()
            return self._ended(refused=large.lack, is_cut_short=large.is_cut_short)
        if large.received <= SMALL_BODY:  # in chunks, it turns out to be small
            with large.file:
                self._request.body = large.file.read()
            return self._ended()
        return self._ended(large.file, is_cut_short=large.is_cut_short)

    def _ended(
        self,
        body: BinaryIO | None = None,
        refused: Refused | OSError | None = None,
        is_cut_short: bool = False,
    ) -> Received:
        head, self._head, self._large = self._head, None, None
        assert head is not None  # noqa: S101 - a request only ends that has begun
        return Received(head, self._request, body, refused, is_cut_short)
