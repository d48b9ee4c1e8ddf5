"""A receiver as the vendor's documentation has one written, with nothing of ours in it.

https://docs.magichour.ai, integration/webhook: the HMAC of `<timestamp>.<raw body>`, compared in constant
time; a timestamp that is more than five minutes from now is refused; whatever is refused gets a 401.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Condition, Event, Thread
from typing import Any
from urllib.parse import urlsplit

SECRET = "whsec_test_secret"
_PATIENCE = 60.0  # seconds, for what is sure to come


@dataclass(frozen=True, slots=True)
class Arrived:
    """One POST, and what it was answered with."""

    headers: Mapping[str, str]
    body: bytes
    answered: int

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def timestamp(self) -> int:
        return int(self.headers["magic-hour-event-timestamp"])


class Receiver:
    """A receiver that answers 204 to what is rightly signed, unless it is told otherwise.

    Attributes:
        url: where it listens.
        start: has a receiver accept connections that was not up.
        arrived: everything that came, also what was refused.
        answers: the statuses of the next answers to what is rightly signed.
        redirects_to: what a Location header says, if anything.
    """

    def __init__(self, url: str, secret: str, now: Callable[[], float], start: Callable[[], None]) -> None:
        self.url = url
        self.start = start
        self.arrived: list[Arrived] = []
        self.answers: list[int] = []
        self.redirects_to: str | None = None
        self._secret = secret
        self._now = now
        self._may_answer = Event()
        self._may_answer.set()
        self._came = Condition()

    @property
    def events(self) -> list[str]:
        """The types of the events that were taken."""
        return [each.event["type"] for each in self.arrived if 200 <= each.answered < 300]

    @property
    def answered(self) -> list[int]:
        return [each.answered for each in self.arrived]

    def hang(self) -> None:
        """Answer nothing until `go_on`."""
        self._may_answer.clear()

    def go_on(self) -> None:
        self._may_answer.set()

    def wait(self, count: int = 1) -> None:
        """Return once so many have come, though they may not be answered yet."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.arrived) >= count, _PATIENCE), "nothing came"

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        status = 401
        if self._is_genuine(headers, body):
            status = self.answers.pop(0) if self.answers else 204
        with self._came:
            self.arrived.append(Arrived(headers, body, status))
            self._came.notify_all()
        self._may_answer.wait(_PATIENCE)
        return status

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        timestamp, signature = headers["magic-hour-event-timestamp"], headers["magic-hour-event-signature"]
        message = f"{timestamp}.{body.decode()}"
        expected = hmac.new(self._secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature, expected) and abs(self._now() - int(timestamp)) <= 300


def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POST what somebody has got hold of, and return the status."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_PATIENCE)
    try:
        connection.request("POST", address.path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def receiving(now: Callable[[], float], *, secret: str = SECRET, up: bool = True) -> Iterator[Receiver]:
    """Run a receiver on a port of its own.

    Args:
        now: its clock.
        secret: what it was given when it was registered.
        up: whether it accepts connections before `start` is called.
    """
    with _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False) as server:
        server.server_bind()
        thread = Thread(target=server.serve_forever, args=(0.01,))

        def start() -> None:
            server.server_activate()
            thread.start()

        url = f"http://127.0.0.1:{server.server_address[1]}/events?of=magic-hour"
        receiver = server.receiver = Receiver(url, secret, now, start)
        if up:
            start()
        try:
            yield receiver
        finally:
            receiver.go_on()
            if thread.is_alive():
                server.shutdown()
                thread.join()


class _Server(ThreadingHTTPServer):
    receiver: Receiver
    daemon_threads = False  # so that the end waits for answers that are under way

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own would ask a name server for this machine's name


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = receiver.take(headers, body)
        with contextlib.suppress(ConnectionError):  # the mock has given up
            self.send_response(status)
            if receiver.redirects_to is not None:
                self.send_header("Location", receiver.redirects_to)
            self.end_headers()
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass
