"""Running the mock under granian: checked first, then greeted, then served until Ctrl-C."""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from granian.constants import HTTPModes, Interfaces
from granian.server import MPServer

from openapi.contract import Contract, load
from openapi.document import MAGIC_HOUR

from .app import create_app
from .greeting import greeting
from .mock import Mock, Settings
from .requestlog import RequestLog, json_line, text_line
from .stores import open_store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_THREADS = 4
"""Requests answered side by side. The GIL is shared, so this is for those that wait: uploads, pictures."""


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


def run(server: Server, version: str) -> None:
    """Serve until Ctrl-C.

    Raises:
        ServeError, SpecError, StoreError: it can't start.
    """
    _check_contract(server)
    open_store(server.settings.store).close()
    server = replace(server, port=_free_port(server.host, server.port))
    with _assets_folder(server.assets) as folder:
        server = replace(server, assets=folder)
        granian = MPServer(
            "bluehour",
            address=server.host,
            port=server.port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            websockets=False,
            workers=1,  # one process holds memory:// and renders; its threads answer
            blocking_threads=_THREADS,
            workers_kill_timeout=2,
            log_enabled=False,
        )
        granian.serve(target_loader=partial(_application, server, version), wrap_loader=False)


def _check_contract(server: Server) -> None:
    plans = server.contract.extension("x-plans", {})
    if plans and server.settings.plan not in plans:
        raise ServeError(f"unknown plan '{server.settings.plan}'; the contract has {', '.join(plans)}")
    try:
        mock = Mock(server.contract)
        create_app(mock)
    except (LookupError, ValueError) as error:
        raise ServeError(f"{server.spec}: {error}") from error
    mock.close()


def _free_port(host: str, port: int) -> int:
    """Return the port, once it is known to be free; granian alone would share a taken one."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = (
            "is taken; choose another with --port"
            if error.errno == 98
            else f"can't be used: {error.strerror}"
        )
        raise ServeError(f"port {port} on {host} {reason}") from error


@contextmanager
def _assets_folder(named: Path | None) -> Iterator[Path]:
    """The named folder, made if need be; or a private one for as long as the server runs."""
    if named is None:
        with tempfile.TemporaryDirectory(prefix="bluehour-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    try:
        named.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=named):
            pass
    except OSError as error:
        raise ServeError(f"the folder {named} for assets can't be used: {error.strerror}") from error
    yield named


def _greet_once_up(server: Server, version: str) -> None:
    """Say where the server is as soon as it really is there; granian does not tell."""
    base_url = _base_url(server.host, server.port)
    address = urlsplit(base_url)
    while True:
        try:
            socket.create_connection((address.hostname or "", server.port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.005)
    click.echo(greeting(server.contract, base_url, version, server.settings))


def _base_url(host: str, port: int) -> str:
    local = _LOCAL.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{local}:{port}"


def _application(server: Server, version: str) -> WSGIApplication:
    """Build the application, in the worker process."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    mock = Mock(server.contract, server.settings, assets=server.assets)
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    line = json_line if server.log_format == "json" else partial(text_line, colour=colour)
    application = RequestLog(create_app(mock), sys.stderr, line)
    # What is here now stays to the end; spare every collection from looking at it.
    gc.collect()
    gc.freeze()
    threading.Thread(target=_greet_once_up, args=(server, version), daemon=True).start()
    return application
