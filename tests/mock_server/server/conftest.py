"""An application of the tests' own, really served, and raw HTTP to it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO

import pytest

from bluehour.mock_server.api.application import Lane, Refused
from bluehour.mock_server.api.reply import Reply
from bluehour.mock_server.server.connection import Limits
from bluehour.mock_server.server.listening import reserved
from bluehour.mock_server.server.thread import served_in_thread
from bluehour.openapi.messages import Request

Answer = Callable[[Request, BinaryIO | None], Reply]


class Recorder:
    """Answers by path what a test says, else with what it was asked; writes down all it is asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Reply] = {}
        self.lanes: dict[str, Lane] = {}
        self.largest = 10 * 2**20
        self.seen: list[tuple[Request, Refused | OSError | None]] = []

    def lane_of(self, method: str, path: str, body: bytes | None) -> Lane | None:
        return self.lanes.get(path)

    def largest_body(self, path: str) -> int:
        return self.largest

    def answer(self, request: Request, body: BinaryIO | None, refused: Refused | OSError | None) -> Reply:
        self.seen.append((request, refused))
        if isinstance(refused, OSError):
            return json_reply(503, {"message": refused.strerror})
        if refused is not None:
            status = {"request_timeout": 408, "invalid_request": 400}.get(refused.code, 503)
            return json_reply(status, {"message": refused.message}, **refused.headers)
        answer = self.answers.get(request.path)
        if isinstance(answer, Reply):
            return answer
        if answer is not None:
            return answer(request, body)
        content = request.body if body is None else body.read()
        return json_reply(
            200, {"method": request.method, "target": request.target, "body": content.decode("latin-1")}
        )


def json_reply(status: int, data: object, **headers: str) -> Reply:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Reply(status, [("Content-Type", "application/json"), *named], json.dumps(data).encode())


class Client:
    """One connection to a server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=20)
        self._rest = b""

    def send(self, text: str | bytes) -> None:
        """Send text as it stands, with the line ends of HTTP, or bytes."""
        self.socket.sendall(text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode())

    def send_for_ever(self, text: str) -> None:
        """Send the same again and again, until that fails."""
        while True:
            self.send(text)

    def answer(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Return the next answer's status, headers in lower case, and body, which has a Content-Length."""
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
        status = int(line.split(" ")[1])
        length = 0 if method == "HEAD" or status < 200 else int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        return status, headers, body

    def ask(self, text: str | bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        self.send(text)
        return self.answer(method)

    def to_the_end(self) -> bytes:
        """Return all that comes until the server closes the connection."""
        while piece := self.socket.recv(2**16):
            self._rest += piece
        return self._rest

    def has_heard_nothing(self) -> bool:
        self.socket.setblocking(False)
        try:
            return not self._rest and not self.socket.recv(1)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(20)

    def _receive(self) -> None:
        piece = self.socket.recv(2**16)
        if not piece:
            raise http.client.IncompleteRead(self._rest)
        self._rest += piece


class Served:
    """A server of a recorder, and connections to it."""

    def __init__(self, stack: ExitStack) -> None:
        self.application = Recorder()
        self._stack = stack
        self._serving = ExitStack()

    def start(self, limits: Limits | None = None) -> Served:
        listener = self._serving.enter_context(reserved("127.0.0.1", 0))
        self.address: tuple[str, int] = listener.getsockname()
        self._serving.enter_context(served_in_thread(self.application, listener, limits))
        self._stack.callback(self.stop)
        return self

    def stop(self) -> None:
        self._serving.close()

    def client(self) -> Client:
        client = Client(self.address)
        self._stack.callback(client.socket.close)
        return client

    @property
    def seen(self) -> list[str]:
        """The targets of what the application was asked."""
        return [request.target for request, _ in self.application.seen]


@pytest.fixture
def served() -> Iterator[Served]:
    """A server with its own limits."""
    with ExitStack() as stack:
        yield Served(stack).start()


@pytest.fixture
def hurried() -> Iterator[Served]:
    """A server that waits for nobody."""
    with ExitStack() as stack:
        yield Served(stack).start(Limits(silence=0.2, idle=0.4, unread=0.4, lingers=0.2))
