"""The server behind the proxy: its address, connections to it, and what can go wrong on the way there."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from bluehour.openapi.errors import BluehourError

from ..check.network import Network
from ..http1 import PIECE, Incoming

_MOST_SPARE = 32
"""Connections that are kept for the next request."""

_LONGEST_IDLE = 15.0
"""Seconds that they are kept for: load balancers forget those that are silent for long, and do not say so."""


class UpstreamFailed(BluehourError):
    """No whole answer came.

    Attributes:
        status: what a proxy answers then, 502 or 504.
        error: what it is called in the header Proxy-Status (RFC 9209, section 2.3).
    """

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class NothingCame(UpstreamFailed):
    """The connection ended before the first byte of an answer."""

    def __init__(self) -> None:
        super().__init__(502, "connection_terminated", "the connection was closed without an answer")


class LinkReader(StreamReader):
    """Gives out what came before a connection broke, where its base class forgets it.

    A server that refuses an upload may close the connection in the middle of it, with its answer on the way.
    The next write fails then, and asyncio reads no more.

    Attributes:
        is_broken: whether the connection broke, rather than ended.
        source: where there may be more, not read yet; None where it would be encrypted.
    """

    is_broken = False
    source: socket.socket | None = None

    def set_exception(self, exc: Exception) -> None:
        """Read what has arrived, and end there."""
        self.is_broken = True
        if self.source is not None:
            with suppress(OSError), self.source.dup() as source:
                while data := source.recv(PIECE):
                    self.feed_data(data)
        self.feed_eof()


@dataclass(slots=True)
class Link:
    """A connection to the upstream; `used` tells whether it has carried a request before."""

    reader: LinkReader
    writer: StreamWriter
    incoming: Incoming
    used: bool = False
    kept_since: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return not (self.incoming.has_more or self.reader.at_eof() or self.writer.is_closing())

    @property
    def is_fresh(self) -> bool:
        """Whether nobody on the way will have forgotten it."""
        return time.monotonic() - self.kept_since < _LONGEST_IDLE

    def close(self) -> None:
        """End it at once."""
        self.writer.transport.abort()


class Upstream:
    """A server that requests are passed on to.

    Args:
        url: its base URL; a path in it is put before every request's.
        network: which certificates are trusted and shown, and which headers are sent with every request.

    Raises:
        ValueError: it is no http URL, or a certificate can't be used; the message says what is wrong.
    """

    def __init__(self, url: str, network: Network | None = None) -> None:
        network = network or Network()
        parts = _checked(url)
        self.scheme = parts.scheme
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.netloc = parts.netloc
        self.prefix = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc}{self.prefix}"
        self.headers = network.headers
        self._tls = network.tls(shows_certificate=True) if parts.scheme == "https" else None
        self._spare: list[Link] = []

    async def link(self, *, fresh: bool) -> Link:
        """Return a connection.

        Args:
            fresh: whether it must be a new one. The server may close one that is kept at the very moment in
                which a request is sent; a request that must not be sent twice would be lost.

        Raises:
            UpstreamFailed: there is none.
        """
        while self._spare and not fresh:
            link = self._spare.pop()
            if link.is_open and link.is_fresh:
                return link
            link.close()
        return await self._connected()

    def keep(self, link: Link) -> None:
        """Keep a connection for another request, if it can carry one."""
        if link.is_open and len(self._spare) < _MOST_SPARE:
            link.used, link.kept_since = True, time.monotonic()
            self._spare.append(link)
        else:
            link.close()

    def close(self) -> None:
        """End the connections that are kept."""
        while self._spare:
            self._spare.pop().close()

    async def _connected(self) -> Link:
        loop = asyncio.get_running_loop()
        reader = LinkReader(loop=loop)
        protocol = StreamReaderProtocol(reader, loop=loop)
        try:
            transport, _ = await loop.create_connection(lambda: protocol, self.host, self.port, ssl=self._tls)
        except OSError as error:
            raise _unreachable(error) from error
        if self._tls is None:
            reader.source = transport.get_extra_info("socket")
        return Link(reader, StreamWriter(transport, protocol, reader, loop), Incoming(reader.read))


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # of a port or an IPv6 address that is none
        raise ValueError(f"{url} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{url} is no address of a server; one is https://api.example.com")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"the server's URL has a user, a query or a fragment: give {parts.scheme}://HOST alone"
        )
    return parts


def _unreachable(error: OSError) -> UpstreamFailed:
    match error:
        case ssl.SSLCertVerificationError():
            return UpstreamFailed(
                502,
                "tls_certificate_error",
                f"its certificate is refused: {error.verify_message}; see --cacert",
            )
        case ssl.SSLError():
            return UpstreamFailed(502, "tls_protocol_error", f"no TLS with it: {error.reason}")
        case socket.gaierror():
            return UpstreamFailed(502, "dns_error", f"its name is not known: {error.strerror}")
        case ConnectionRefusedError():
            return UpstreamFailed(502, "connection_refused", "the connection is refused; does it run?")
        case TimeoutError():
            return UpstreamFailed(504, "connection_timeout", "it can't be connected in time")
        case _:
            return UpstreamFailed(
                502, "destination_ip_unroutable", f"it can't be reached: {error.strerror or error}"
            )
