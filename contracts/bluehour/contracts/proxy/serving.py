"""Running the proxy as `bluehour proxy` does: checked, greeted, served until Ctrl-C, and summed up."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import sys
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import NamedTuple

import click
import orjson
import uvloop

from bluehour.mock_server import interrupts
from bluehour.mock_server.app import Pages
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.journal.view import archive
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.listening import HostError, reserved, served, stopped_by_signals
from bluehour.mock_server.server.requestlog import LoopWriter
from bluehour.mock_server.terminal import takes_colours
from bluehour.openapi.contract import load
from bluehour.openapi.document import MAGIC_HOUR
from bluehour.openapi.errors import BluehourError

from ..check.network import Network
from .bench import Bench
from .connections import Connections
from .forwarding import Forwarder
from .terminal import Printer, greeting
from .upstream import Upstream

_PATIENCE = 0.5
"""Seconds that requests under way have to end in after the stop."""

_JUDGED_WITHIN = 10.0
"""Seconds that what has passed by then may take to be judged."""


# What to call an address that stands for all of them.
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names it, binds nothing


class ProxyError(BluehourError):
    """The proxy can't start; the message says why, in one line."""


class Sockets(NamedTuple):
    """Where the proxy listens.

    Attributes:
        traffic: for what is passed on.
        console: for the console, which is of another origin than what passes.
    """

    traffic: socket
    console: socket


@dataclass(frozen=True, slots=True)
class Options:
    """What `bluehour proxy` was asked for."""

    upstream: str
    host: str
    port: int
    console_port: int | None
    journal: int
    har: Path | None
    timeout: float
    log_format: str
    control_token: str | None
    spec: Path | str | None = None
    overlays: tuple[Path | str, ...] = ()
    network: Network = field(default_factory=Network)


def run(options: Options, version: str) -> bool:
    """Serve until Ctrl-C; tell whether everything that passed was right.

    Raises:
        ProxyError, HostError, SpecError: it can't start.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    upstream = _upstream(options)
    _check(options)
    # Time runs as it does for the upstream, for what polls in a hurry.
    settings = Settings(journal=options.journal, control_token=options.control_token or None, time_scale=1)
    contract = load(options.spec or MAGIC_HOUR, overlays=options.overlays)
    with _reserved(options) as sockets, closing(Mock(contract, settings, upstream=upstream.url)) as mock:
        for address, port in (each.getsockname()[:2] for each in sockets):
            if upstream.port == port and upstream.host in (_LOCAL.get(address, address), "localhost"):
                raise ProxyError(f"--upstream: {upstream.url} is the proxy itself")
        mock.world.base_url = _url(sockets.traffic)
        bench = uvloop.run(_serve(options, upstream, mock, sockets, version))
        with interrupts.listening(), interrupts.held():  # the event loop has listened, and has left it
            _write_archive(options.har, mock, upstream, version)
            click.echo(bench.tally.summary(), nl=False)
            sys.stdout.flush()
    return not bench.tally.has_errors


@contextmanager
def _reserved(options: Options) -> Iterator[Sockets]:
    """Give where to listen, known to be free."""
    with ExitStack() as held:
        traffic = held.enter_context(reserved(options.host, options.port))
        port = options.console_port
        if port is None:  # the next one, unless the first was left to chance, or is the last
            port = options.port + 1 if 0 < options.port < 65535 else 0
        try:
            console = held.enter_context(reserved(options.host, port))
        except HostError as error:
            raise ProxyError(f"the console's {f'{error}'.replace('--port', '--console-port')}") from error
        yield Sockets(traffic, console)


def _url(bound: socket) -> str:
    """What a client on this machine reaches a socket by."""
    name, port = bound.getsockname()[:2]
    name = _LOCAL.get(name, name)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def _upstream(options: Options) -> Upstream:
    try:
        upstream = Upstream(options.upstream)
    except ValueError as error:
        raise ProxyError(f"--upstream: {error}") from error
    try:
        options.network.try_certificates(upstream.url)
        return Upstream(options.upstream, options.network)
    except ValueError as error:
        raise ProxyError(str(error)) from error


def _check(options: Options) -> None:
    if not math.isfinite(options.timeout):
        raise ProxyError(f"--timeout: {options.timeout} seconds are no time to wait for")
    if options.har is None:
        return
    if not options.journal:
        raise ProxyError("--har writes what the journal keeps, and --journal 0 keeps nothing")
    try:
        options.har.open("ab").close()
    except OSError as error:
        raise ProxyError(f"--har: {options.har} can't be written: {error.strerror}") from error


def _write_archive(path: Path | None, mock: Mock, upstream: Upstream, version: str) -> None:
    if path is None or mock.journal is None:
        return
    har = archive(mock.journal.all(), upstream.url, version)
    try:
        path.write_bytes(orjson.dumps(har))
    except OSError as error:  # the summary is worth more than a stack trace
        click.echo(f"--har: {path} can't be written: {error.strerror}", err=True)


async def _serve(options: Options, upstream: Upstream, mock: Mock, sockets: Sockets, version: str) -> Bench:
    stopped = stopped_by_signals()
    interrupts.raise_if_heard()  # until now
    log = LoopWriter(sys.stderr)
    printer = Printer(log.write, as_json=options.log_format == "json", colour=takes_colours(sys.stderr))
    bench = Bench(mock, upstream.url, printer)
    # The thread that judges is to hand the interpreter back sooner than after Python's 5 ms.
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    async with passing(upstream, mock, bench, sockets, options.timeout):
        click.echo(greeting(mock, mock.world.base_url, _url(sockets.console), version), nl=False)
        sys.stdout.flush()
        await stopped.wait()
    log.flush()
    return bench


@asynccontextmanager
async def passing(
    upstream: Upstream, mock: Mock, bench: Bench, sockets: Sockets, timeout: float
) -> AsyncIterator[None]:
    """Pass requests on, as long as the context lasts; at its end all that passed is judged."""
    bench.start()
    with closing(upstream):
        traffic = Connections(Forwarder(upstream, timeout, bench.take), bench.ready)
        async with served(Pages(mock), sockets.console):
            server = await _listening(traffic, sockets.traffic)
            try:
                yield
            finally:
                server.close()
                await traffic.close(_PATIENCE)
                await asyncio.to_thread(bench.close, _JUDGED_WITHIN)


async def _listening(connections: Connections, bound: socket) -> asyncio.Server:
    loop = asyncio.get_running_loop()

    def protocol() -> StreamReaderProtocol:
        reader = StreamReader(loop=loop)
        return StreamReaderProtocol(reader, connections.serve, loop=loop)

    return await loop.create_server(protocol, sock=bound, backlog=1024)
