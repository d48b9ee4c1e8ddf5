"""Sending requests raw over connections that are kept, many at a time, and judging each answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from .sending import Sent

PATIENCE = 30.0
"""Seconds that an answer may take, on a machine that is busy with all else."""

_BATCH_BYTES = 48_000
"""What is sent before an answer is read: few enough for the sockets' buffers, or both sides would wait."""

_BATCH = 32

_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d)[ \r]")


class Unanswered(Exception):
    """The connection ended in place of an answer."""


@dataclass(frozen=True, slots=True)
class Got:
    """One answer; `closes` tells that its connection has ended."""

    status: int
    head: bytes
    body: bytes
    closes: bool


def play(
    port: int, requests: Iterable[Sent], heard: Callable[[Sent, Got], None], *, may_drop: bool = False
) -> None:
    """Send requests, and hand over each answer.

    Args:
        port: of the server, on this machine.
        requests: made as they are needed, so that they may use what was heard before.
        heard: called with each request and its answer.
        may_drop: whether rules may have it that a connection is dropped, or cut amid an answer.

    Raises:
        AssertionError: a request that was not answered.
    """
    for batch in _batches(requests):
        while batch:
            answered = _exchange(port, batch, heard, may_drop=may_drop)
            batch = batch[answered:]


def _batches(requests: Iterable[Sent]) -> Iterator[list[Sent]]:
    batch: list[Sent] = []
    size = 0
    for request in requests:
        if batch and (request.alone or len(batch) >= _BATCH or size + len(request.raw) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request.raw)
        if request.alone:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _exchange(port: int, batch: list[Sent], heard: Callable[[Sent, Got], None], *, may_drop: bool) -> int:
    """Send a batch on a connection; return how many were dealt with before that ended."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        wire = _Wire(connection)
        with suppress(ConnectionError):  # it was refused before all of it was read; there is an answer
            connection.sendall(b"".join(request.raw for request in batch))
        if not batch[0].answered:
            return 1
        for number, request in enumerate(batch):
            try:
                got = wire.answer(request.method)
            except AssertionError as error:
                raise AssertionError(f"{error} to {request.raw!r}") from None
            except Unanswered as error:
                if number:
                    return number
                if len(batch) > 1:  # what came behind it may have ended the connection before it was read
                    return _exchange(port, batch[:1], heard, may_drop=may_drop)
                if may_drop:
                    return 1
                raise AssertionError(f"no answer ({error}) to {request.raw!r}") from None
            heard(request, got)
            if got.closes or request.alone:
                return number + 1
    return len(batch)


class _Wire:
    """Reads answers."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._rest = b""

    def answer(self, method: bytes) -> Got:
        """Read the next answer.

        Raises:
            Unanswered: there is none.
        """
        while True:
            head = self._until(b"\r\n\r\n")
            found = _STATUS.match(head)
            if found is None:
                raise Unanswered(f"no answer begins with {head[:80]!r}")
            status = int(found[1])
            if status >= 200:
                break
        lower = head.lower()
        closes = b"\r\nconnection: close\r\n" in lower
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", lower)
        if method == b"HEAD" or status in (204, 304):
            body = b""
        elif b"\r\ntransfer-encoding: chunked\r\n" in lower:
            body = self._chunks()
        elif length is not None:
            body = self._exactly(int(length[1]))
        else:
            body, closes = self._to_the_end(), True
        return Got(status, head, body, closes)

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._rest += self._more()
        found, _, self._rest = self._rest.partition(end)
        return found + end

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            content += self._exactly(size)
            self._until(b"\r\n")
        self._until(b"\r\n")
        return content

    def _to_the_end(self) -> bytes:
        with suppress(Unanswered):
            while True:
                self._rest += self._more()
        found, self._rest = self._rest, b""
        return found

    def _more(self) -> bytes:
        try:
            data = self._socket.recv(2**18)
        except TimeoutError:
            raise AssertionError(f"no answer within {PATIENCE:g} s") from None
        except ConnectionError:
            data = b""
        if not data:
            raise Unanswered(f"the connection ended after {self._rest[:200]!r}")
        return data
