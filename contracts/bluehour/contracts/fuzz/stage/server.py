"""The server: three ports of a thread of its own, raw HTTP/1.1, one script at a time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from asyncio import Server, StreamReader, StreamWriter, Task
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any

from bluehour.mock_server.server.heads import Malformed
from bluehour.openapi.contract import Contract
from bluehour.openapi.errors import BluehourError
from bluehour.openapi.messages import http_date
from bluehour.openapi.routes import Routes

from ...http1 import Cut, Incoming, RequestHead, request_framing
from ..clock import ClientClock
from ..performance import Delivered, Host
from ..script import Fault, Script
from .events import Webhook, deliver
from .player import Addresses, Answer, Player
from .requests import Request, lower_names
from .resources import Mocked, ResourcePlayer
from .wire import ends_connection, pieces

_HERE = "127.0.0.1"
MOST_REQUESTS = 2000
"""Of one client in one performance: who asks for more never ends."""

_HOSTS: tuple[Host, ...] = ("api", "links", "elsewhere")

_OF_ITS_PATIENCE = 0.5
"""So much of a client's patience its receiver has to answer what is sent to it before an answer."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing says RST
_SILENT_FOR = 4.0
"""Of a client's patience: then whatever lies between drops the connection."""


# A client of this process may have the clock and the sleeping that everybody asks for by module.
_pause = asyncio.sleep


class _Loop(asyncio.SelectorEventLoop):
    """The stage's time is real, whatever a client of this process has slept."""

    def time(self) -> float:
        """Return the real time."""
        return monotonic()


class StageError(BluehourError):
    """The stage has failed, which tells nothing of the client."""


class Showing:
    """A script while it is played.

    Attributes:
        url: the base URL of the API.
        player: what was asked so far, and charged.
        clock: the client's.
        patience: seconds for which the client waits for an answer.
        webhook: the client's receiver; None where it has none.
    """

    def __init__(
        self, url: str, player: Player, clock: ClientClock, patience: float, webhook: Webhook | None
    ) -> None:
        self.url = url
        self.player = player
        self.clock = clock
        self.patience = patience
        self.webhook = webhook

    @property
    def is_too_long(self) -> bool:
        """Whether the client has asked for more than any client needs."""
        return len(self.player.asked) >= MOST_REQUESTS


class Stage:
    """The server. Give it to `with`; it plays one script after the other."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._routes = Routes(contract, prefixes=("", *contract.base_paths))
        has_projects = any(operation.behaviour for operation in contract.operations)
        self._mocked = None if has_projects else Mocked(contract)
        self._loop = _Loop()
        self._servers: dict[Host, Server] = {}
        self._nowhere = socket.socket()
        self._open: set[Task[Any]] = set()
        self._showing: Showing | None = None
        self._failure: Exception | None = None
        self._thread = Thread(target=self._run, name="bluehour-stage", daemon=True)
        self._is_up = Event()

    def __enter__(self) -> Stage:
        """Start it."""
        self._nowhere.bind((_HERE, 0))  # bound and not listening: whoever connects is refused
        self._thread.start()
        self._is_up.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._call(self._cut_off())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._nowhere.close()
        if self._mocked is not None:
            self._mocked.end()

    @contextmanager
    def showing(
        self,
        script: Script,
        token: str,
        clock: ClientClock,
        *,
        longest_wait: float,
        patience: float,
        webhook: Webhook | None = None,
    ) -> Iterator[Showing]:
        """Play a script until the end of the `with`; whoever is still connected then is cut off.

        Each script has ports of its own, so that no client takes up a connection of the one before.

        Args:
            script: what to play.
            token: the client's.
            clock: the client's.
            longest_wait: seconds that a Retry-After may ask for.
            patience: seconds for which the client waits for an answer.
            webhook: the client's receiver; None where it has none.

        Raises:
            StageError: an answer could not be made or sent.
        """
        self._call(self._listen(*_HOSTS[script.gone == "start" :]))
        addresses = self._addresses()
        waits = (longest_wait, patience)
        given = (script, self._contract, self._routes, addresses, token, clock, *waits, webhook)
        player = ResourcePlayer(self._mocked, *given) if self._mocked else Player(*given)
        self._showing = Showing(addresses.api, player, clock, patience, webhook)
        try:
            yield self._showing
        finally:
            self._showing = None
            self._call(self._cut_off())
        if failure := self._failure:
            self._failure = None
            raise StageError(f"{type(failure).__name__}: {failure}") from failure

    def _addresses(self) -> Addresses:
        nowhere = _address(self._nowhere)
        api, links, elsewhere = (
            _address(self._servers[host].sockets[0]) if host in self._servers else nowhere for host in _HOSTS
        )
        return Addresses(api, links, elsewhere, nowhere)

    # In the thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._is_up.set)
        self._loop.run_forever()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, *hosts: Host) -> None:
        for host in hosts:
            self._servers[host] = await asyncio.start_server(partial(self._serve, host), _HERE, 0)

    def _close_api(self) -> None:
        if server := self._servers.pop("api", None):
            server.close()

    async def _cut_off(self) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        left = list(self._open)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, host: Host, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as one
        self._open.add(task)
        try:
            incoming = Incoming(reader.read)
            while await self._serve_one(host, incoming, reader, writer):
                pass
        except (Malformed, Cut, ConnectionError, asyncio.CancelledError):
            pass  # it has left, or is to; a task that ends so needs no word more
        except Exception as error:  # a fault of ours, which no client is to be blamed for
            self._failure = self._failure or error
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve_one(
        self, host: Host, incoming: Incoming, reader: StreamReader, writer: StreamWriter
    ) -> bool:
        """Answer one request; tells whether another may come."""
        head = await incoming.request()
        showing = self._showing
        if head is None or showing is None or showing.is_too_long:
            return False
        began = showing.clock.now()
        request = await _read(host, head, incoming, writer)
        answer = showing.player.answer(request)
        delivered: list[Delivered] = []
        try:
            if showing.webhook is not None:
                within = showing.patience * _OF_ITS_PATIENCE
                await deliver(showing.webhook, answer.events, within, delivered)
            await _pause(answer.turn.delay)
        finally:
            # Before it is sent: whoever has it may move the clock. Also where nobody waits for it any more.
            showing.player.note(request, answer, began, delivered)
        if showing.player.is_gone():
            self._close_api()
        return await _send(showing, head, answer, reader, writer)


async def _send(
    showing: Showing, head: RequestHead, answer: Answer, reader: StreamReader, writer: StreamWriter
) -> bool:
    """Send an answer, or none; tells whether the connection stays."""
    turn = answer.turn
    if answer.written is None:
        if turn.fault in (Fault.SILENCE, Fault.SILENCE_AFTER):
            await _until_left(reader, showing.patience * _SILENT_FOR)
        _reset(writer)
        return False
    date = http_date(showing.clock.wall())
    for piece in pieces(answer.written, turn, date, says_close=head.wants_close):
        writer.write(piece)
        await writer.drain()
    return not (head.wants_close or ends_connection(turn) or showing.player.is_gone())


async def _read(host: Host, head: RequestHead, incoming: Incoming, writer: StreamWriter) -> Request:
    if "100-continue" in head.elements("expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await incoming.body(request_framing(head))
    headers = lower_names(head.headers.pairs)
    return Request(host, head.method, head.target, headers, body)


async def _until_left(reader: StreamReader, seconds: float) -> None:
    """Wait until the client has closed its side, or for so long."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(seconds):
            await reader.read()


def _address(listening: Any) -> str:
    """The base URL of a socket, asyncio's or our own."""
    return f"http://{_HERE}:{listening.getsockname()[1]}"


def _reset(writer: StreamWriter) -> None:
    known = writer.get_extra_info("socket")
    if known is not None:
        with contextlib.suppress(OSError):
            known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
