"""Running the mock as `bluehour serve` does: checked first, then greeted, then served until Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket
from ssl import SSLContext
from urllib.parse import urlsplit

import click
import uvloop

from bluehour.openapi.contract import Contract, load, load_anew
from bluehour.openapi.document import MAGIC_HOUR
from bluehour.openapi.errors import BluehourError
from bluehour.openapi.schema import load_explainer
from bluehour.openapi.wording import counted, printable

from .. import interrupts
from ..app import Application
from ..core.assets.files import incoming_in
from ..core.assets.folders import remove_left
from ..core.settings import WORKERS, Settings
from ..mock import Mock
from ..rendering.opening import REFERENCE, check_installed
from ..scenarios.rules import RuleError
from ..scenarios.scenarios import read_scenario
from ..terminal import takes_colours
from .browser import show_console
from .certificates import certificate_path, context_from, context_made_for
from .connection import Shared
from .greeting import greeting
from .listening import reserved, served, stopped_by_signals
from .memory import return_large_blocks
from .origins import Origins, networks
from .reloading import Reloader
from .requestlog import Line, LoopWriter, RequestLog, json_line, text_line

_MOST_WARNINGS = 20
"""Defects of a contract that are printed; of the others, how many there are."""

# What to call an address that stands for all of them.
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - names it, binds nothing


class ServeError(BluehourError):
    """The server can't start; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Server:
    """What `bluehour serve` was asked for."""

    host: str
    port: int
    settings: Settings
    spec: Path | str | None
    assets: Path | None
    log_format: str
    scenario: Path | None = None
    webhooks: tuple[str, ...] = ()
    webhook_secret: str | None = None
    reload: bool = False
    strict: bool = False
    overlays: tuple[Path | str, ...] = ()
    tls: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    processes: int = 1
    quiet: bool = False
    opens: bool = False

    @property
    def contract(self) -> Contract:
        """The contract to serve, read once.

        Raises:
            SpecError: it can't be.
        """
        return load(self.contract_file, overlays=self.overlays, strict=self.strict)

    @property
    def contract_file(self) -> Path | str:
        """Where it is read from."""
        return self.spec or MAGIC_HOUR

    @property
    def base_url(self) -> str:
        """What a client on this machine reaches it by, or as clients were said to reach it."""
        return self.public_url.rstrip("/") if self.public_url else self.own_url

    @property
    def own_url(self) -> str:
        """Where it listens, whatever clients reach it by."""
        host = _LOCAL.get(self.host, f"[{self.host}]" if ":" in self.host else self.host)
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def scheme(self) -> str:
        """What it speaks."""
        return "https" if self.tls or self.tls_cert else "http"

    @property
    def origins(self) -> Origins:
        """What tells how clients reach it.

        Raises:
            ServeError: what was asked for is none.
        """
        public = (self.public_url or "").rstrip("/")
        if public and not _is_base_url(public):
            raise ServeError(f"--public-url: {public} is no base URL, as https://mock.example.com is")
        try:
            return Origins(self.scheme, public, networks(self.trusted_proxies))
        except ValueError as error:
            raise ServeError(f"--trust-proxy: {error}") from error

    def certificate(self) -> SSLContext | None:
        """Return what makes it https; None where it isn't.

        Raises:
            ServeError, CertificateError: there is none to serve with.
        """
        if self.tls_cert:
            return context_from(self.tls_cert, self.tls_key)
        if self.tls_key:
            raise ServeError("--tls-key: give the certificate as well, by --tls-cert")
        if not self.tls:
            return None
        names = [self.host if self.host not in _LOCAL else "", urlsplit(self.public_url or "").hostname or ""]
        return context_made_for(names)


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        )
    except ValueError:
        return False


def run(server: Server, version: str) -> None:
    """Serve until Ctrl-C, in this process, and end it.

    Raises:
        ServeError, HostError, CertificateError, SpecError, StoreError, RuleError, RendererError: it
            can't start.
    """
    check(server)
    with reserved(server.host, server.port) as bound:
        tidy(server)
        server = replace(server, port=bound.getsockname()[1])
        serve_at(bound, server, version, partial(greet_with, server))


def greet_with(server: Server, text: str) -> None:
    """Say that all is ready, and show the console to whoever has asked for it."""
    click.echo(text)
    if server.opens:
        show_console(server.base_url, server.settings.control_token)


def check(server: Server) -> None:
    """Look at what can be wrong, before anything is done.

    Raises:
        ServeError, CertificateError, SpecError: something is.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    _check_settings(server)
    _check_folder(server.assets)
    server.certificate()
    _ = server.origins


def tidy(server: Server) -> None:
    """Remove what servers have left that were killed, and say what is wrong in the contract."""
    remove_left()
    if server.assets is not None:
        remove_left(incoming_in(server.assets))
    click.echo(_warnings(server.contract), err=True, nl=False)


def serve_at(
    bound: socket,
    server: Server,
    version: str,
    greet: Callable[[str], object],
    parent: Connection | None = None,
) -> None:
    """Serve at a socket until a signal asks for the end, and end this process.

    Args:
        bound: where.
        server: with the port that it is.
        version: of Bluehour.
        greet: is told what is said when all is ready.
        parent: whoever has the other end of it; without it, this process ends as well.

    Raises:
        ServeError, CertificateError, SpecError, StoreError, RuleError, RendererError: it can't.
    """
    return_large_blocks()
    tls = server.certificate()
    check_installed(server.settings.renderer)
    if server.settings.renderer == REFERENCE:
        click.echo("Loading the reference renderer, which takes some seconds", err=True)
    with closing(_mock(server)) as mock:
        mock.serve_at(bound.getsockname()[0], server.base_url)
        _prepare(server, mock)
        # Measured: a sixth more throughput than with asyncio's own loop.
        uvloop.new_event_loop().run_until_complete(_serve(server, bound, mock, version, tls, greet, parent))
    sys.stdout.flush()
    # All is stored and closed. What still runs waits for clients that have stalled: no reason to stay.
    os._exit(0)


def _warnings(contract: Contract) -> str:
    """Say what is wrong in a contract, and was left out: a line each."""
    shown = [printable(f"{defect}") for defect in contract.defects[:_MOST_WARNINGS]]
    if left := len(contract.defects) - len(shown):
        shown.append(f"{left:,} more things are wrong in the file")
    return "".join(f"Warning: {each}\n" for each in shown)


def _mock(server: Server) -> Mock:
    try:
        return Mock(server.contract, server.settings, assets=server.assets)
    except ValueError as error:
        raise ServeError(f"{error}") from error


def _prepare(server: Server, mock: Mock) -> None:
    if server.scenario is not None:
        _begin_with(server.scenario, mock)
    try:
        mock.webhooks.resume(server.webhooks, server.webhook_secret)
    except ValueError as error:
        raise ServeError(f"--webhook: {error}") from error
    mock.world.resume()


def _begin_with(scenario: Path, mock: Mock) -> int:
    """Have the rules of a file, and return how many they are."""
    rules = read_scenario(scenario)
    try:
        mock.scenarios.start_with(rules)
    except RuleError as error:
        raise RuleError(f"{scenario}: {error}") from error
    return len(rules)


def _check_settings(server: Server) -> None:
    if not math.isfinite(server.settings.time_scale):
        raise ServeError(f"a job can't take {server.settings.time_scale} times its time; see --time-scale")
    if server.settings.renderer == WORKERS and server.assets is None:
        raise ServeError(f"--renderer {WORKERS}: give --assets DIR, a folder that the workers have as well")
    _check_plan(server, server.contract)


def _check_plan(server: Server, contract: Contract) -> None:
    plans = contract.extension("x-plans", {})
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


def _application(server: Server, mock: Mock, log: LoopWriter) -> Application:
    try:
        told = None if server.quiet else RequestLog(log.write, _line(server), mock.secrets.hide)
        return Application(mock, told)
    except (LookupError, ValueError) as error:
        raise ServeError(f"{server.spec}: {error}") from error


def _line(server: Server) -> Line:
    if server.log_format == "json":
        return json_line
    return partial(text_line, colour=takes_colours(sys.stderr))


async def _serve(
    server: Server,
    bound: socket,
    mock: Mock,
    version: str,
    tls: SSLContext | None,
    greet: Callable[[str], object],
    parent: Connection | None,
) -> None:
    log = LoopWriter(sys.stderr)
    application = _application(server, mock, log)
    # What is here now stays to the end; spare every collection from looking at it.
    gc.collect()
    gc.freeze()
    stopped = stopped_by_signals()
    if parent is not None:
        asyncio.get_running_loop().add_reader(parent.fileno(), stopped.set)
    interrupts.raise_if_heard()  # until now
    async with served(application, bound, origins=server.origins, tls=tls) as shared:
        if server.reload:
            _reloader(server, mock, shared, log).start()
        shows_secret = server.webhook_secret is None
        lines = [greeting(mock, server.base_url, version, shows_secret=shows_secret, is_short=server.quiet)]
        if server.public_url:
            lines.append(f"Listens at {server.own_url}")
        if server.tls and not server.tls_cert:
            lines.append(f"Clients trust its certificate by {certificate_path()}; bluehour ca says how")
        greet("\n".join(lines))
        warming = asyncio.get_running_loop().run_in_executor(None, load_explainer)
        await stopped.wait()
        warming.cancel()
    log.flush()


def _reloader(server: Server, mock: Mock, shared: Shared, log: LoopWriter) -> Reloader:
    """Watches the files that the server was started with."""

    def contract() -> str:
        before = mock.world.contract
        contract = load_anew(server.contract_file, overlays=server.overlays, strict=server.strict)
        log.write(_warnings(contract))
        _check_plan(server, contract)
        mock.world.adopt(contract)
        try:
            shared.application = _application(server, mock, log)
        except Exception:
            mock.world.adopt(before)
            raise
        mock.world.announce("contract")
        return counted(len(contract.operations), "operation")

    def scenario(path: Path) -> str:
        rules = _begin_with(path, mock)
        return counted(rules, "rule")

    watched: dict[Path, Callable[[], str]] = {}
    files = (server.contract_file, *server.overlays)
    watched |= {file: contract for file in files if isinstance(file, Path)}
    if server.scenario is not None:
        watched[server.scenario] = partial(scenario, server.scenario)
    return Reloader(watched, log.write)
