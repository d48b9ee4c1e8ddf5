"""Sends one request as it is told to, and returns the whole answer: nothing is added, followed or retried."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

from bluehour.mock_server.server.heads import Malformed
from bluehour.openapi.encodings import Unreadable, decoded

from ..exchange import Answer, Request
from ..http1 import request_head
from .connection import Closed, Connection, NotSent, connected
from .network import Network, Origin, Proxy, origin_of

LARGEST_ANSWER = 4 * 2**20
LARGEST_FILE = 64 * 2**20
"""Bytes of an answer's body, and of a file that a link leads to; who sends more is left."""


class Wire(Protocol):
    """What carries requests: a network, or an application in this process."""

    def send(self, request: Request, timeout: float, *, fresh: bool, most: int = LARGEST_ANSWER) -> Answer:
        """Send a request, and return its answer.

        Args:
            request: sent as it is, with nothing added but Host and the body's length.
            timeout: seconds that the whole answer may take.
            fresh: whether it must not travel on a connection that was used before, where it could get lost.
            most: bytes that the answer's body may have.

        Raises:
            NotSent, NoAnswer: as they say.
        """
        ...


class HttpWire:
    """HTTP/1.1 over TCP or TLS. Not for several threads, unless every request is fresh.

    Args:
        network: by which proxy and with which certificates.
        target: the deployment's base URL; it alone is shown the client's certificate.
    """

    def __init__(self, network: Network | None = None, target: str = "") -> None:
        self._network = network or Network()
        self._target = origin_of(target) if target else None
        self._idle: dict[Origin, Connection] = {}
        self._tls = cache(self._network.tls)

    def send(self, request: Request, timeout: float, *, fresh: bool, most: int = LARGEST_ANSWER) -> Answer:
        """Send a request; see `Wire`."""
        place, proxy = self._way(request.url)
        message = _head(request, place, proxy) + request.body
        used = None if fresh else self._idle.pop(place, None)
        connection = used or self._connected(place, proxy, timeout)
        started = time.monotonic()
        try:
            head, body = connection.answer(message, request.method, timeout, most)
        except Closed:
            if used is None:
                raise
            # The server may have closed it while it was idle: only a new one can tell.
            connection = self._connected(place, proxy, timeout)
            started = time.monotonic()
            head, body = connection.answer(message, request.method, timeout, most)
        seconds = time.monotonic() - started
        if connection.lasts and not fresh:
            self._idle[place] = connection
        else:
            connection.close()
        headers = tuple((name, _text(value)) for name, value in head.headers)
        with suppress(Unreadable):  # what can't be undone stays as it is
            body = decoded(headers, body, most)
        return Answer(head.status, headers, body, seconds)

    def _way(self, url: str) -> tuple[Origin, Proxy | None]:
        try:
            place = origin_of(url)
        except ValueError as error:
            raise NotSent(f"it is no URL: {error}") from error
        try:
            return place, self._network.proxy_for(place)
        except ValueError as error:
            raise NotSent(str(error)) from error

    def _connected(self, place: Origin, proxy: Proxy | None, timeout: float) -> Connection:
        tls = self._tls(shows_certificate=place == self._target) if place.scheme == "https" else None
        return connected(place, timeout, tls, proxy)

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.popitem()[1].close()


def _head(request: Request, place: Origin, proxy: Proxy | None) -> bytes:
    path = re.sub(r"^[^/?#]*", "", request.url.partition("://")[2])
    target = path if path.startswith("/") else f"/{path}"
    try:
        host = urlsplit(request.url).netloc.encode("idna")
        headers = [("Host", host)]
        if proxy is not None and place.scheme == "http":
            target = f"http://{host.decode()}{target}"
            headers += [(name, value.encode()) for name, value in proxy.headers]
        headers += [(name, value.encode("utf-8", "surrogateescape")) for name, value in request.headers]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", b"%d" % len(request.body)))
        return request_head(request.method, target, headers)
    except (Malformed, ValueError) as error:
        raise NotSent(f"HTTP can't carry it: {error}") from error


def _text(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "replace")
