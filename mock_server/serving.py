"""Running the mock under granian: checked first, then greeted, then served until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import math
import os
import signal
import socket
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server as Granian

from openapi.contract import Contract, load
from openapi.document import MAGIC_HOUR

from .app import create_app
from .assets.links import is_link
from .gateway import Gateway
from .greeting import greeting
from .mock import Mock, Settings
from .requestlog import Line, LoopWriter, RequestLog, json_line, text_line
from .requests import LARGEST_BODY

_PATIENCE = 0.5
"""Seconds that requests under way have to end in after Ctrl-C."""

_CONNECTIONS = 10_000
"""Clients that may be connected at the same time; beyond, granian lets them wait."""

# What to call an address that stands for all of them.
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - names it, binds nothing


class ServeError(Exception):
    """The server can't start; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Server:
    """What `bluehour serve` was asked for."""

    host: str
    port: int
    settings: Settings
    spec: Path | None
    assets: Path | None
    log_format: str

    @property
    def contract(self) -> Contract:
        """The contract to serve, read once.

        Raises:
            SpecError: it can't be.
        """
        return load(self.spec or MAGIC_HOUR)

    @property
    def base_url(self) -> str:
        """What a client on this machine reaches it by."""
        host = _LOCAL.get(self.host, f"[{self.host}]" if ":" in self.host else self.host)
        return f"http://{host}:{self.port}"


def run(server: Server, version: str) -> None:
    """Serve until Ctrl-C, in this process, and end it.

    Raises:
        ServeError, SpecError, StoreError: it can't start.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    _check_settings(server)
    _check_folder(server.assets)
    address, port = _free_address(server.host, server.port)
    server = replace(server, port=port)
    with closing(Mock(server.contract, server.settings, assets=server.assets)) as mock:
        asyncio.new_event_loop().run_until_complete(_serve(server, address, _app(server, mock), version))
    sys.stdout.flush()
    # All is stored and closed. What still runs waits for clients that have stalled: no reason to stay.
    os._exit(0)


def _check_settings(server: Server) -> None:
    plans = server.contract.extension("x-plans", {})
    if not math.isfinite(server.settings.time_scale):
        raise ServeError(f"a job can't take {server.settings.time_scale} times its time; see --time-scale")
    if plans and server.settings.plan not in plans:
        raise ServeError(f"unknown plan '{server.settings.plan}'; the contract has {', '.join(plans)}")


def _check_folder(assets: Path | None) -> None:
    if assets is not None:
        if not assets.name:
            raise ServeError("the folder for assets has no name")
        try:
            assets.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=assets).close()
        except OSError as error:
            raise ServeError(f"the folder {assets} for assets can't be used: {error.strerror}") from error


def _free_address(host: str, port: int) -> tuple[str, int]:
    """Return the numeric address and the port, once they are known to be free.

    granian alone takes no names, and would share a taken port.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            name = probe.getsockname()
            return str(name[0]), int(name[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServeError(f"port {port} on {host} is taken; choose another with --port") from error
        raise ServeError(f"port {port} on {host} can't be used: {error.strerror}") from error


def _app(server: Server, mock: Mock) -> Flask:
    try:
        return create_app(mock)
    except (LookupError, ValueError) as error:
        raise ServeError(f"{server.spec}: {error}") from error


def _line(server: Server) -> Line:
    if server.log_format == "json":
        return json_line
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return partial(text_line, colour=colour)


def _may_wait(settings: Settings, method: str, path: str) -> bool:
    """Tell which requests touch more than memory: the disk of a store, a picture, somebody else's server."""
    return settings.store != "memory://" or settings.fetch_assets or is_link(path)


def _largest_body(contract: Contract) -> int:
    """The largest upload of any plan, in bytes, or the largest request body where there are no plans."""
    plans: dict[str, dict[str, int]] = contract.extension("x-plans", {})
    return max([LARGEST_BODY, *(plan["upload-bytes"] for plan in plans.values())])


async def _serve(server: Server, address: str, app: Flask, version: str) -> None:
    log = LoopWriter(sys.stderr)
    granian = Granian(
        Gateway(
            RequestLog(app, log.write, _line(server)),
            partial(_may_wait, server.settings),
            _largest_body(server.contract),
        ),
        address=address,
        port=server.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=_CONNECTIONS,
        log_enabled=False,
    )
    # granian's own thread needs the interpreter for a moment, again and again; let it have it sooner than
    # after Python's 5 ms. Measured: a fifth more throughput, and steadier.
    sys.setswitchinterval(0.0005)
    # What is here now stays to the end; spare every collection from looking at it.
    gc.collect()
    gc.freeze()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    serving = asyncio.create_task(granian.serve())
    ended = {serving, asyncio.create_task(stopped.wait())}
    up = asyncio.create_task(_until_up(address, server.port))
    await asyncio.wait({*ended, up}, return_when=asyncio.FIRST_COMPLETED)
    if up.done():
        click.echo(greeting(server.contract, server.base_url, version, server.settings))
        sys.stdout.flush()
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        raise ServeError(f"can't serve {server.base_url}: {serving.exception() or 'granian has ended'}")
    granian.stop()  # type: ignore[no-untyped-call]  # granian leaves it bare
    await asyncio.wait({serving}, timeout=_PATIENCE)
    log.flush()


async def _until_up(address: str, port: int) -> None:
    """Return once a client can connect; granian does not tell."""
    while True:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
