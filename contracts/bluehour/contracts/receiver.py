"""A webhook's receiver for tests: it verifies what it is sent, keeps it, and answers what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any

from .webhooks import SignatureError, verify


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery, as it arrived.

    Attributes:
        headers: its headers, names in lower case.
        body: its bytes.
        event: the event, with its `type` and `payload`; None where the signature was wrong.
        problem: what was wrong with the signature; None where it was right.
        answered: the status that the receiver answered.
    """

    headers: Mapping[str, str]
    body: bytes
    event: dict[str, Any] | None
    problem: str | None
    answered: int


class Receiver:
    """A receiver of webhooks on a port of its own.

    Attributes:
        url: where it listens.
        secret: what deliveries must be signed with.
        answer: the status that it answers to a delivery that is rightly signed; others get 401.
        deliveries: everything that arrived, also what was refused, oldest first.
    """

    def __init__(self, url: str, secret: str, now: Callable[[], float]) -> None:
        self.url = url
        self.secret = secret
        self.answer = 200
        self.deliveries: list[Received] = []
        self._now = now

    @property
    def events(self) -> list[dict[str, Any]]:
        """The verified events that were taken (answered with 2xx), oldest first."""
        return [
            received.event
            for received in self.deliveries
            if received.event is not None and 200 <= received.answered < 300
        ]

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Verify and keep a delivery, and return the status to answer it with."""
        event, problem, status = None, None, self.answer
        try:
            event = verify(body, headers, self.secret, now=self._now())
        except SignatureError as error:
            problem, status = str(error), 401
        self.deliveries.append(Received(headers, body, event, problem, status))
        return status


@contextmanager
def receiving(secret: str, now: Callable[[], float]) -> Iterator[Receiver]:
    """Run a receiver in a thread.

    Args:
        secret: what deliveries must be signed with.
        now: the time in seconds since the epoch, by which a signature is too old.
    """
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.receiver = Receiver(f"http://127.0.0.1:{server.server_port}/webhook", secret, now)
        thread = Thread(target=server.serve_forever, args=(0.01,), name="magic-hour-receiver", daemon=True)
        thread.start()
        try:
            yield server.receiver
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    receiver: Receiver

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # of AF_INET


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Take a delivery."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(self.server.receiver.take(body, headers))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what arrived is in `Receiver.deliveries`."""
