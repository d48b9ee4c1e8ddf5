"""Sends one request as it is told to, and returns the whole answer: nothing is added, followed or retried."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Protocol
from urllib.parse import urlsplit

from bluehour.openapi.errors import BluehourError

from ..exchange import Answer, Request

_LARGEST_ANSWER = 256 * 2**20


class NotSent(BluehourError):
    """The server could not be reached: it has not seen the request. The message says why."""


class NoAnswer(BluehourError):
    """The request was sent, and no whole answer came. The message says why."""


class _Closed(NoAnswer):
    """The server has closed the connection without a byte of an answer."""


class Wire(Protocol):
    """What carries requests: a network, or an application in this process."""

    def send(self, request: Request, timeout: float, *, fresh: bool) -> Answer:
        """Send a request, and return its answer.

        Args:
            request: sent as it is, with nothing added but Host and the body's length.
            timeout: seconds that the whole answer may take.
            fresh: whether it must not travel on a connection that was used before, where it could get lost.

        Raises:
            NotSent, NoAnswer: as they say.
        """
        ...


class HttpWire:
    """HTTP/1.1 over TCP or TLS. Not for several threads, unless every request is fresh."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def send(self, request: Request, timeout: float, *, fresh: bool) -> Answer:
        """Send a request; see `Wire`."""
        place = _place(request.url)
        used = None if fresh else self._idle.pop(place, None)
        connection = used or _connected(*place, timeout)
        try:
            answer = _answered(connection, request, timeout)
        except _Closed:
            if used is None:
                raise
            # The server may have closed it while it was idle: only a new one can tell.
            connection = _connected(*place, timeout)
            answer = _answered(connection, request, timeout)
        if not fresh and connection.sock is not None:
            self._idle[place] = connection
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.popitem()[1].close()


def _decoded(body: bytes, coding: str) -> bytes:
    """A body without the coding that nobody asked for; as it is, where it can't be undone."""
    try:
        match coding.strip().lower():
            case "gzip" | "x-gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
    except (OSError, EOFError, zlib.error):
        pass
    return body


def _place(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise NotSent(f"it is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise NotSent("it is no http or https URL")
    return parts.scheme, parts.netloc


def _connected(scheme: str, netloc: str, timeout: float) -> http.client.HTTPConnection:
    try:
        if scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                netloc, timeout=timeout, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(netloc, timeout=timeout)
        connection.connect()
    except (OSError, http.client.InvalidURL, ValueError) as error:
        raise NotSent(_reason(error)) from error
    return connection


def _answered(connection: http.client.HTTPConnection, request: Request, timeout: float) -> Answer:
    started = time.monotonic()
    response: http.client.HTTPResponse | None = None
    _prepare(connection, request)
    with _deadline(connection, timeout) as passed:
        try:
            _write(connection, request)
            response = connection.getresponse()
            body = response.read(_LARGEST_ANSWER)
            if response.length:  # read() with a limit takes an early end for an end
                raise http.client.IncompleteRead(body, response.length)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if response is not None:  # which the connection has let go of where it was to be closed
                response.close()
            if passed or isinstance(error, TimeoutError):
                raise NoAnswer(f"it did not answer within {timeout:g} s") from error
            if response is None and isinstance(error, ConnectionResetError | BrokenPipeError):
                raise _Closed(_reason(error)) from error
            raise NoAnswer(_reason(error)) from error
    if passed:  # shut down while the last bytes were read, which looks like an end
        connection.close()
        raise NoAnswer(f"it did not answer within {timeout:g} s")
    headers = tuple((name, _text(value)) for name, value in response.getheaders())
    body = _decoded(body, response.getheader("Content-Encoding", ""))
    return Answer(response.status, headers, body, time.monotonic() - started)


def _prepare(connection: http.client.HTTPConnection, request: Request) -> None:
    """Write the head, which is not sent yet."""
    target = re.sub(r"^[^/?#]*", "", request.url.partition("://")[2])
    try:
        connection.putrequest(
            request.method, target if target.startswith("/") else f"/{target}", skip_accept_encoding=True
        )
        for name, value in request.headers:
            connection.putheader(name, value.encode("utf-8", "surrogateescape"))
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(request.body)))
    except (http.client.HTTPException, ValueError) as error:
        connection.close()
        raise NotSent(f"HTTP can't carry it: {error}") from error


def _write(connection: http.client.HTTPConnection, request: Request) -> None:
    connection.endheaders()
    with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered without reading to the end
        if request.body:
            connection.send(request.body)


@contextmanager
def _deadline(connection: http.client.HTTPConnection, timeout: float) -> Iterator[list[bool]]:
    """End whatever goes on at a connection when the time is up, even where each byte comes soon enough."""
    passed: list[bool] = []
    sock = connection.sock  # which the connection lets go of where it is to be closed behind the answer

    def end() -> None:
        passed.append(True)
        with suppress(OSError, AttributeError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(timeout, end)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()


def _reason(error: Exception) -> str:
    match error:
        case http.client.IncompleteRead():
            return "the body of its answer was cut off"
        case http.client.RemoteDisconnected() | ConnectionResetError() | BrokenPipeError():
            return "it closed the connection without an answer"
        case http.client.HTTPException():
            return f"what it answered is no HTTP: {type(error).__name__} {error}".strip()
        case OSError():
            return error.strerror or str(error)
        case _:
            return str(error)


def _text(value: str) -> str:
    return value.encode("latin-1", "replace").decode("utf-8", "replace")
