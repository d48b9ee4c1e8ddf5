"""A connection to a server: it waits for what it sends and reads, and no longer than an answer may take."""

from __future__ import annotations

import socket
import ssl
import time
from asyncio import IncompleteReadError, LimitOverrunError
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bluehour.openapi.errors import BluehourError

from ..http1 import LONGEST_HEAD, PIECE, AnswerHead, Cut, NotHttp, answer_framing, read_answer, read_body

LARGEST_ANSWER = 256 * 2**20
"""Bytes of a body; who sends more is left."""

_CLOSED = "it closed the connection without an answer"

_T = TypeVar("_T")


class NotSent(BluehourError):
    """The server could not be reached: it has not seen the request. The message says why."""


class NoAnswer(BluehourError):
    """The request was sent, and no whole answer came. The message says why."""


class Closed(NoAnswer):
    """The server has closed the connection without a byte of an answer."""


def connected(host: str, port: int, timeout: float, tls: ssl.SSLContext | None) -> Connection:
    """Connect to a server; `tls` is None for plain HTTP.

    Raises:
        NotSent: it can't be reached.
    """
    try:
        connection = socket.create_connection((host, port), timeout)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise
    except (OSError, ValueError) as error:
        raise NotSent(_reason(error)) from error
    return Connection(connection)


class Connection:
    """Sends requests, and reads their answers by the codec: as asyncio's streams do, but see `_now`.

    Attributes:
        lasts: whether another request may be sent.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.lasts = True
        self._socket = connection
        self._received = bytearray()
        self._ends_at = 0.0

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def answer(self, message: bytes, method: str, timeout: float) -> tuple[AnswerHead, bytes]:
        """Send a request, and return its answer's head and body.

        Raises:
            NoAnswer: no whole answer came in time; the connection is closed.
        """
        self._ends_at = time.monotonic() + timeout
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may answer without reading to the end
                self._send(message)
            return _now(self._whole_answer(method.encode()))
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

    async def _whole_answer(self, method: bytes) -> tuple[AnswerHead, bytes]:
        head = await self._final_head()
        try:
            framing = answer_framing(head, method)
            body = await read_body(self, framing, LARGEST_ANSWER)
        except NotHttp as error:
            raise NoAnswer(f"what it answered is no HTTP: {error}") from error
        except (Cut, ConnectionError) as error:
            raise NoAnswer("the body of its answer was cut off") from error
        if len(body) > LARGEST_ANSWER:
            raise NoAnswer(f"its answer has more than {LARGEST_ANSWER // 2**20} MiB")
        is_over = framing.kind == "close" or head.wants_close or head.status == 101
        self.lasts = not (is_over or self._received)
        return head, body

    async def _final_head(self) -> AnswerHead:
        """The first head that is no interim one, such as that of a 100 or a 103."""
        try:
            while head := await read_answer(self):
                if head.status >= 200 or head.status == 101:
                    return head
        except (NotHttp, Cut) as error:
            raise NoAnswer(f"what it answered is no HTTP: {error}") from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(_reason(error)) from error
        raise Closed(_CLOSED)

    # As asyncio's `StreamReader` has it, for the codec.

    async def readuntil(self, separator: bytes, /) -> bytes:
        """Return what comes up to a separator, and that."""
        end = self._received.find(separator)
        while end < 0 and (searched := len(self._received)) <= LONGEST_HEAD:
            if not (data := self._receive(PIECE)):
                raise IncompleteReadError(bytes(self._received), None)
            self._received += data
            end = self._received.find(separator, searched)
        if not 0 <= end <= LONGEST_HEAD:
            raise LimitOverrunError("no end is in sight", len(self._received))
        return self._taken(end + 1)

    async def read(self, n: int, /) -> bytes:
        """Return some of what comes; nothing at the end."""
        return self._taken(n) if self._received else self._receive(n)

    def _taken(self, size: int) -> bytes:
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _receive(self, most: int) -> bytes:
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
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
