"""Servers that answer by bytes: each connection is given to a script, in a thread of its own."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

PATIENCE = 60.0
"""Seconds after which a test gives up on the other side."""

_LENGTH = re.compile(rb"(?i)\r\nContent-Length: *(\d+)")


class Peer:
    """The server's end of a connection."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        connection.settimeout(PATIENCE)
        self.socket = connection
        self._server = server
        self._rest = b""

    def head(self) -> bytes:
        """Read a request's head and leave its body; nothing where the client has closed."""
        while b"\r\n\r\n" not in self._rest:
            more = self.socket.recv(65536)
            if not more:
                return b""
            self._rest += more
        end = self._rest.index(b"\r\n\r\n") + 4
        head, self._rest = self._rest[:end], self._rest[end:]
        self._server.requests.append(head)
        return head

    def request(self) -> bytes:
        """Read a whole request; nothing where the client has closed."""
        head = self.head()
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        while len(self._rest) < size:
            self._rest += self.socket.recv(65536)
        body, self._rest = self._rest[:size], self._rest[size:]
        if head:
            self._server.requests[-1] += body
        return head + body

    def send(self, data: bytes) -> bool:
        """Send bytes, and tell whether the client was still there to take them."""
        with suppress(OSError):
            self.socket.sendall(data)
            return True
        return False

    def until_it_leaves(self) -> None:
        """Wait until the client has closed, and say nothing."""
        while self.socket.recv(65536):
            pass

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Tear the connection down, as a crashed server does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class Server:
    """A running server.

    Attributes:
        requests: as they came, byte by byte.
        connections: how many there were.
    """

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    _open: list[tuple[socket.socket, Thread]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def welcome(self, listener: socket.socket, script: Callable[[Peer], object]) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                thread = Thread(target=self._play, args=(script, connection), daemon=True)
                self._open.append((connection, thread))
                thread.start()

    def _play(self, script: Callable[[Peer], object], connection: socket.socket) -> None:
        with suppress(OSError), connection:
            script(Peer(connection, self))

    def goodbye(self) -> None:
        for connection, thread in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


@contextmanager
def serving(script: Callable[[Peer], object]) -> Iterator[Server]:
    """Serve by a script that is given every connection, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1])
        thread = Thread(target=server.welcome, args=(listener, script), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which wakes the thread that accepts
            thread.join(PATIENCE)
            server.goodbye()


def answering(*answers: bytes) -> Callable[[Peer], None]:
    """A script that answers the requests of a connection one after the other, and closes behind the last."""

    def script(peer: Peer) -> None:
        for each in answers:
            if not peer.request() or not peer.send(each):
                return

    return script


def ok(body: bytes = b"", *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
