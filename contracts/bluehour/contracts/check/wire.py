"""Sends one request as it is told to, and returns the whole answer: nothing is added, followed or retried."""

from __future__ import annotations

import re
import ssl
import time
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from bluehour.mock_server.server.heads import Malformed
from bluehour.openapi.encodings import Unreadable, decoded

from ..exchange import Answer, Request
from ..http1 import request_head
from .connection import LARGEST_ANSWER, Closed, Connection, NotSent, connected


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
        self._idle: dict[_Place, Connection] = {}

    def send(self, request: Request, timeout: float, *, fresh: bool) -> Answer:
        """Send a request; see `Wire`."""
        place = _place(request.url)
        message = _head(request, place) + request.body
        used = None if fresh else self._idle.pop(place, None)
        connection = used or self._connected(place, timeout)
        started = time.monotonic()
        try:
            head, body = connection.answer(message, request.method, timeout)
        except Closed:
            if used is None:
                raise
            # The server may have closed it while it was idle: only a new one can tell.
            connection = self._connected(place, timeout)
            started = time.monotonic()
            head, body = connection.answer(message, request.method, timeout)
        seconds = time.monotonic() - started
        if connection.lasts and not fresh:
            self._idle[place] = connection
        else:
            connection.close()
        headers = tuple((name, _text(value)) for name, value in head.headers)
        with suppress(Unreadable):  # what can't be undone stays as it is
            body = decoded(headers, body, LARGEST_ANSWER)
        return Answer(head.status, headers, body, seconds)

    def _connected(self, place: _Place, timeout: float) -> Connection:
        tls = self._tls if place.scheme == "https" else None
        return connected(place.host, place.port, timeout, tls)

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.popitem()[1].close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


class _Place(NamedTuple):
    """Where a URL leads; `netloc` is what the header Host says."""

    scheme: str
    host: str
    port: int
    netloc: str


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotSent(f"it is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotSent("it is no http or https URL")
    return _Place(
        parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.netloc
    )


def _head(request: Request, place: _Place) -> bytes:
    target = re.sub(r"^[^/?#]*", "", request.url.partition("://")[2])
    try:
        headers = [("Host", place.netloc.encode("idna"))]
        headers += [(name, value.encode("utf-8", "surrogateescape")) for name, value in request.headers]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", b"%d" % len(request.body)))
        return request_head(request.method, target if target.startswith("/") else f"/{target}", headers)
    except (Malformed, ValueError) as error:
        raise NotSent(f"HTTP can't carry it: {error}") from error


def _text(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "replace")
