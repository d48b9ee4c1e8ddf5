"""Where the server listens, from when on, and how it ends."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from ssl import SSLContext

from bluehour.openapi.errors import BluehourError

from ..api.application import Application
from .connection import Connection, Limits, Shared
from .origins import Origins

_BACKLOG = 1024

_HANDSHAKE = 10.0
"""Seconds in which a client has to agree on TLS."""


class HostError(BluehourError):
    """It can't be served there; the message says why, in one line."""


@contextmanager
def reserved(host: str, port: int, *, is_shared: bool = False) -> Iterator[socket.socket]:
    """Give a socket to serve at. Clients can connect, and wait until they are.

    Args:
        host: a name or an address.
        port: 0 for a free one.
        is_shared: whether this user's other processes serve there, too; the system gives each client to one.

    Raises:
        HostError: there is no such address, or the port is taken.
    """
    with closing(_bound(host, port, is_shared=is_shared, listens=True)) as listener:
        yield listener


@contextmanager
def held(host: str, port: int) -> Iterator[int]:
    """Keep a port for processes that share it, and give its number. Nobody is served by that alone.

    Args:
        host: a name or an address.
        port: 0 for a free one.

    Raises:
        HostError: there is no such address, or the port is taken.
    """
    with closing(_bound(host, port)) as alone:  # nobody else is there: who shares would be let in unseen
        port = alone.getsockname()[1]
    with closing(_bound(host, port, is_shared=True)):
        yield port


def _bound(host: str, port: int, *, is_shared: bool = False, listens: bool = False) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise HostError(f"port {port} on {host} can't be used: {error.strerror}") from error
    try:
        if is_shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if port:  # one that a server has just left may be taken again
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a free one as well, from now on
        if listens:
            listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise HostError(f"port {port} on {host} is taken; choose another with --port") from error
        raise HostError(f"port {port} on {host} can't be used: {error.strerror}") from error
    return listener


@asynccontextmanager
async def served(
    application: Application,
    listener: socket.socket,
    limits: Limits | None = None,
    origins: Origins | None = None,
    tls: SSLContext | None = None,
) -> AsyncIterator[Shared]:
    """Serve an application as long as the context lasts, and give what the connections share.

    At its end, requests under way have a moment to end in; what has not ended then is dropped.

    Args:
        application: what answers.
        listener: from `reserved`; closed at the end.
        limits: how long clients are waited for.
        origins: tells what clients reach it by; they by themselves where it is not given.
        tls: what makes it https.
    """
    shared = Shared(application, _address(listener), limits or Limits(), origins or Origins())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(shared),
        sock=listener,
        backlog=_BACKLOG,
        ssl=tls,
        ssl_handshake_timeout=_HANDSHAKE if tls else None,
    )
    watching = asyncio.create_task(_watch(shared))
    try:
        yield shared
    finally:
        server.close()
        watching.cancel()
        await _end(shared)
        shared.lanes.close()


def stopped_by_signals() -> asyncio.Event:
    """Return an event that Ctrl-C sets, and every other signal that asks politely."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _watch(shared: Shared) -> None:
    """Look at all connections from time to time; a timer for each request would take its time."""
    limits, loop = shared.limits, asyncio.get_running_loop()
    pause = min(limits.silence, limits.idle, limits.unread) / 4
    while True:
        await asyncio.sleep(pause)
        now = loop.time()
        for connection in tuple(shared.connections):
            connection.look(now)


async def _end(shared: Shared) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + shared.limits.patience
    while shared.connections:
        is_over = loop.time() >= until
        for connection in tuple(shared.connections):
            if is_over or connection.is_idle:
                connection.end(at_once=is_over)
        await asyncio.sleep(0 if is_over else 0.01)
        if is_over:
            break


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def base_url_at(bound: socket.socket) -> str:
    """Return what clients on this machine reach a server at a socket by."""
    return f"http://{_address(bound)}"
