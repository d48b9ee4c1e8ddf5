"""`bluehour serve --processes N`: several processes answer at one address, and are like one.

Each is a whole server; what they share is the store. This one answers nothing: it keeps the port, starts the
others, puts another in the place of one that ends, and ends them all.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NamedTuple

import click

from bluehour.openapi.errors import BluehourError

from .. import interrupts
from ..core.assets.folders import PrivateFolder
from ..core.settings import MEMORY
from .listening import held, reserved
from .serving import ServeError, Server, check, greet_with, serve_at, tidy

_PATIENCE = 10.0
"""Seconds in which processes have to end when they are asked to."""

_PAUSE = 1.0
"""Seconds until another is started in the place of one that did not live that long."""

_SPAWN = multiprocessing.get_context("spawn")
"""What was loaded here, such as threads of a library, would not work in a fork."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_processes(server: Server, version: str) -> None:
    """Serve by several processes until Ctrl-C.

    Raises:
        ServeError, HostError, CertificateError, SpecError, StoreError, RuleError, RendererError: it
            can't start.
    """
    if server.settings.store == MEMORY:
        raise ServeError(
            f"--processes {server.processes}: {MEMORY} is one process's own; give a store that several can"
            " share, --store sqlite:///FILE or postgresql://…"
        )
    check(server)
    with held(server.host, server.port) as port:
        tidy(server)
        folder = PrivateFolder() if server.assets is None else None
        with closing(folder) if folder else nullcontext():
            assets = folder.path if folder else server.assets
            _Supervisor(replace(server, port=port, assets=assets), version).run()


class _Word(NamedTuple):
    """What a process says when it answers, or can't."""

    greeting: str
    problem: str | None


@dataclass(slots=True)
class _Child:
    """A process that answers, or is about to."""

    process: SpawnProcess
    started_at: float
    is_up: bool = False


class _Supervisor:
    """Starts processes, and keeps them going."""

    def __init__(self, server: Server, version: str) -> None:
        self._server = server
        self._version = version
        self._children: dict[Connection, _Child] = {}
        self._greeting = ""
        self._has_greeted = False

    def run(self) -> None:
        """Serve until a signal asks for the end.

        Raises:
            ServeError: the first processes can't serve.
        """
        with _signals() as stopped:
            interrupts.raise_if_heard()  # until now
            try:
                self._start()  # alone: it makes of the store what is lacking; the others find that
                while stopped not in (ready := wait([stopped, *self._children])):
                    for connection in ready:
                        assert isinstance(connection, Connection)  # noqa: S101 - as it was given
                        self._hear(connection)
            finally:
                self._end()

    def _start(self) -> None:
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(self._server, self._version, there))
        process.start()
        there.close()  # so that its end is heard here
        self._children[here] = _Child(process, time.monotonic())

    def _hear(self, connection: Connection) -> None:
        child = self._children[connection]
        try:
            word: _Word = connection.recv()
        except (EOFError, ConnectionResetError):
            self._replace(connection)
            return
        if word.problem is None:
            child.is_up = True
            self._greet(word.greeting)
        elif self._has_greeted:
            click.echo(f"A process can't serve: {word.problem}", err=True)
        else:
            raise ServeError(word.problem)

    def _greet(self, greeting: str) -> None:
        """Start the others once the first one answers, and greet once all of them do."""
        missing = self._server.processes - len(self._children)
        if not self._has_greeted:
            for _ in range(missing):
                self._start()
        if self._has_greeted or not all(each.is_up for each in self._children.values()):
            return
        self._has_greeted = True
        numbers = ", ".join(f"{each.process.pid}" for each in self._children.values())
        greet_with(self._server, greeting)
        click.echo(f"Answered by {self._server.processes} processes: {numbers}")

    def _replace(self, connection: Connection) -> None:
        child = self._children.pop(connection)
        connection.close()
        child.process.join()
        code = child.process.exitcode or 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with {code}"
        if not self._has_greeted:
            raise ServeError(f"a process ended {how} before it could serve")
        click.echo(f"Process {child.process.pid} ended {how}; another takes its place", err=True)
        if time.monotonic() < child.started_at + _PAUSE:
            time.sleep(_PAUSE)
        self._start()

    def _end(self) -> None:
        processes = [each.process for each in self._children.values()]
        for process in processes:
            process.terminate()
        until = time.monotonic() + _PATIENCE
        for process in processes:
            process.join(max(0.0, until - time.monotonic()))
            process.kill()  # one that has ended is no harm


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """Give what is readable once a signal asks for the end."""
    here, there = socket.socketpair()
    there.setblocking(False)
    before = {number: signal.signal(number, _do_nothing) for number in _SIGNALS}
    signal.set_wakeup_fd(there.fileno())
    try:
        yield here
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        here.close()
        there.close()


def _do_nothing(*_: object) -> None:
    """Be the handler of a signal that wakes."""


def _serve(server: Server, version: str, parent: Connection) -> None:
    """Be one of the processes: until a signal, or until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, all get it: the parent says when to end

    def greet(greeting: str) -> None:
        parent.send(_Word(greeting, None))

    try:
        with reserved(server.host, server.port, is_shared=True) as bound:
            serve_at(bound, server, version, greet, parent)
    except BluehourError as error:
        parent.send(_Word("", f"{error}"))
        os._exit(2)
