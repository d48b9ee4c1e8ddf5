"""A proxy in this process, a server behind it that records raw bytes, and a client that sends them."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import uvloop

from bluehour.contracts.check.network import Network
from bluehour.contracts.proxy.bench import Bench, Verdict
from bluehour.contracts.proxy.serving import Sockets, passing
from bluehour.contracts.proxy.upstream import Upstream
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.journal.entry import Entry
from bluehour.mock_server.journal.view import shown
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.listening import reserved

PATIENCE = 60.0
SILENCE = 5.0
"""Seconds that the proxies of these tests wait for a silent server."""


@dataclass
class Proxied:
    """A running proxy.

    Attributes:
        verdicts: what it said of each request, in order.
    """

    port: int
    console_port: int
    mock: Mock
    verdicts: list[Verdict] = field(default_factory=list)
    bench: Bench | None = None
    _news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.console_port}/_mock"

    def write(self, verdict: Verdict) -> None:
        with self._news:
            self.verdicts.append(verdict)
            self._news.notify_all()

    def verdict(self, number: int = 1) -> Verdict:
        """Wait until so many requests were judged, and return the last one's verdict."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.verdicts) >= number, PATIENCE), self.verdicts
            return self.verdicts[number - 1]

    def entries(self, number: int = 1) -> list[dict[str, Any]]:
        """Wait until so many requests were judged, and return the journal."""
        self.verdict(number)
        return [shown(each) for each in self.kept]

    @property
    def kept(self) -> list[Entry]:
        assert self.mock.journal is not None
        return self.mock.journal.all()


@contextmanager
def proxied(
    upstream_url: str, *, timeout: float = SILENCE, network: Network | None = None, **settings: Any
) -> Iterator[Proxied]:
    """A proxy before a server, in a thread."""
    upstream = Upstream(upstream_url, network)
    up, stop = Event(), Event()
    with (
        closing(Mock(settings=Settings(time_scale=1, **settings), upstream=upstream.url)) as mock,
        reserved("127.0.0.1", 0) as traffic,
        reserved("127.0.0.1", 0) as console,
    ):
        proxy = Proxied(traffic.getsockname()[1], console.getsockname()[1], mock)

        async def serve() -> None:
            proxy.bench = Bench(mock, upstream.url, proxy.write)
            async with passing(upstream, mock, proxy.bench, Sockets(traffic, console), timeout):
                up.set()
                await asyncio.to_thread(stop.wait)

        thread = Thread(target=lambda: uvloop.run(serve()), daemon=True)
        thread.start()
        assert up.wait(PATIENCE)
        try:
            yield proxy
        finally:
            stop.set()
            thread.join(PATIENCE)


class Wire:
    """One end of a connection: reads messages raw, by its own understanding of where they end."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._rest = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self) -> bytes:
        """Read up to the empty line, which is included; nothing where the connection has ended."""
        while b"\r\n\r\n" not in self._rest:
            if not (more := self._more()):
                break
            self._rest += more
        end = self._rest.find(b"\r\n\r\n") + 4
        head, self._rest = (self._rest[:end], self._rest[end:]) if end > 3 else (b"", self._rest)
        return head

    def exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            more = self._more()
            assert more, f"ended after {self._rest!r}, {size} bytes were to come"
            self._rest += more
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def to_the_end(self) -> bytes:
        while more := self._more():
            self._rest += more
        data, self._rest = self._rest, b""
        return data

    def chunks(self) -> bytes:
        """Read a chunked body, and return its content."""
        content = b""
        while size := int(self._line().partition(b";")[0], 16):
            content += self.exactly(size)
            assert self._line() == b""
        while self._line():
            pass
        return content

    def message(self, *, to_the_end: bool = False) -> tuple[list[bytes], bytes]:
        """Read a message: the lines of its head, and the content of its body."""
        lines = self.head().split(b"\r\n")[:-2]
        headers = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in lines[1:]}
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            return lines, self.chunks()
        if b"content-length" in headers:
            return lines, self.exactly(int(headers[b"content-length"]))
        return lines, self.to_the_end() if to_the_end else b""

    def close(self) -> None:
        self.socket.close()

    def _line(self) -> bytes:
        while b"\r\n" not in self._rest:
            more = self._more()
            assert more, f"no line: {self._rest!r}"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _more(self) -> bytes:
        try:
            return self.socket.recv(2**16)
        except ConnectionError:
            return b""


class RawServer:
    """A server that does to each connection what a test says.

    Attributes:
        handle: called with each connection, which is closed afterwards.
        connections: how many there were.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.handle: Callable[[Wire], object] = lambda wire: None
        self.connections = 0
        self.problems: list[BaseException] = []
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.handle(Wire(connection))
            except BaseException as problem:  # told to the test
                self.problems.append(problem)

    def close(self) -> None:
        self._listener.close()


@contextmanager
def connected(port: int) -> Iterator[Wire]:
    """A client's connection to a proxy."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        yield Wire(connection)
