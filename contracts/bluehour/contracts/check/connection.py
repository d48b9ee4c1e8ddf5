"""A connection to a server: it waits for what it sends and reads, and no longer than an answer may take."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bluehour.mock_server.server.heads import Malformed
from bluehour.openapi.errors import BluehourError

from ..http1 import AnswerHead, Cut, Incoming, answer_framing, written_head
from .network import Origin, Proxy

_CLOSED = "it closed the connection without an answer"

_T = TypeVar("_T")


class NotSent(BluehourError):
    """The server could not be reached: it has not seen the request. The message says why."""


CUT_OFF = "the body of its answer was cut off"
"""What a `NoAnswer` says of an answer that has begun rightly, and not come to its end."""


class NoAnswer(BluehourError):
    """The request was sent, and no whole answer came. The message says why."""


class Closed(NoAnswer):
    """The server has closed the connection without a byte of an answer."""


def connected(
    place: Origin, timeout: float, tls: ssl.SSLContext | None, proxy: Proxy | None = None
) -> Connection:
    """Connect to a server, or to the proxy that leads there; `tls` is None for plain HTTP.

    Raises:
        NotSent: it can't be reached.
    """
    try:
        connection = _socket_to(proxy or place, timeout)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                if proxy is not None:
                    _open_tunnel(connection, proxy, place, timeout)
                connection = tls.wrap_socket(connection, server_hostname=place.host)
        except BaseException:
            connection.close()
            raise
    except (OSError, ValueError) as error:
        raise NotSent(_reason(error)) from error
    return Connection(connection)


def _socket_to(whom: Origin | Proxy, timeout: float) -> socket.socket:
    try:
        return socket.create_connection((whom.host, whom.port), timeout)
    except OSError as error:
        if isinstance(whom, Proxy):
            raise NotSent(f"the proxy {whom} can't be reached: {_reason(error)}") from error
        raise


def _open_tunnel(connection: socket.socket, proxy: Proxy, place: Origin, timeout: float) -> None:
    """Have a proxy pass on what follows."""
    lines = [f"{name}: {value}".encode() for name, value in (("Host", place.address), *proxy.headers)]
    ask = written_head(f"CONNECT {place.address} HTTP/1.1".encode(), lines)
    try:
        # As the answer to a HEAD, that to a CONNECT ends behind its head.
        head, _ = Connection(connection).answer(ask, "HEAD", timeout, 0)
    except NoAnswer as error:
        raise NotSent(f"the proxy {proxy}: {error}") from error
    if not 200 <= head.status < 300:
        raise NotSent(f"the proxy {proxy} answers {head.status}")
    connection.settimeout(timeout)


class Connection:
    """Sends requests, and reads their answers by the codec, which knows streams alone: see `_now`.

    Attributes:
        lasts: whether another request may be sent.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.lasts = True
        self._socket = connection
        self._incoming = Incoming(self._receive)
        self._ends_at = 0.0

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def answer(self, message: bytes, method: str, timeout: float, most: int) -> tuple[AnswerHead, bytes]:
        """Send a request, and return its answer's head and a body of so many bytes at most.

        Raises:
            NoAnswer: no whole answer came in time; the connection is closed.
        """
        self._ends_at = time.monotonic() + timeout
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may answer without reading to the end
                self._send(message)
            return _now(self._whole_answer(method, most))
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise NoAnswer(f"it did not answer within {timeout:g} s") from error
            if isinstance(error, OSError):
                raise NoAnswer(_reason(error)) from error
            raise

    def _send(self, message: bytes) -> None:
        left = memoryview(message)
        while left:
            self._set_limit()
            left = left[self._socket.send(left) :]

    async def _whole_answer(self, method: str, most: int) -> tuple[AnswerHead, bytes]:
        head = await self._final_head()
        try:
            framing = answer_framing(head, method)
            body = await self._incoming.body(framing, most)
        except Malformed as error:
            raise NoAnswer(f"what it answered is no HTTP: {error}") from error
        except (Cut, ConnectionError) as error:
            raise NoAnswer(CUT_OFF) from error
        if len(body) > most:
            raise NoAnswer(f"its answer has more than {most // 2**20} MiB")
        is_over = framing == "close" or head.wants_close or head.status == 101
        self.lasts = not (is_over or self._incoming.has_more)
        return head, body

    async def _final_head(self) -> AnswerHead:
        """The first head that is no interim one, such as that of a 100 or a 103."""
        try:
            while head := await self._incoming.answer():
                if head.status >= 200 or head.status == 101:
                    return head
        except (Malformed, Cut) as error:
            raise NoAnswer(f"what it answered is no HTTP: {error}") from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(_reason(error)) from error
        raise Closed(_CLOSED)

    async def _receive(self, most: int) -> bytes:
        self._set_limit()
        return self._socket.recv(most)

    def _set_limit(self) -> None:
        """Let the next step take what is left of the time for all of them.

        Raises:
            TimeoutError: nothing is left.
        """
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def _now(work: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine does that waits for nothing but our own reading, which blocks."""
    try:
        work.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    raise AssertionError("it waits for an event loop")  # pragma: no cover


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return _CLOSED
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; see --cacert"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
