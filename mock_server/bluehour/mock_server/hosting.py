"""granian, embedded: serves a gateway from an event loop of this process until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server as Granian

from . import control, reference_page
from .assets.links import is_link
from .control.routes import lane_of
from .gateway import Gateway
from .mock import Mock
from .requests import LARGEST_BODY
from .server.lanes import Lane

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_PATIENCE = 0.5
"""Seconds that requests under way have to end in after the stop."""

_CONNECTIONS = 10_000
"""Clients that may be connected at the same time; beyond, granian lets them wait."""


class HostError(Exception):
    """It can't be served there; the message says why, in one line."""


@contextmanager
def reserved(host: str, port: int) -> Iterator[tuple[str, int]]:
    """Give the numeric address and the port to serve at, once they are known to be free.

    granian alone takes no names, and would share a taken port.

    Args:
        host: a name or an address.
        port: 0 for a free one, which is nobody else's as long as the context lasts.

    Raises:
        HostError: there is no such address, or the port is taken.
    """
    with closing(_bound(host, port)) as holder:
        name = holder.getsockname()
        yield str(name[0]), int(name[1])


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        holder = socket.socket(family, kind)
    except OSError as error:
        raise HostError(f"port {port} on {host} can't be used: {error.strerror}") from error
    try:
        if port:  # one that a server has just left may be taken again
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # now granian can bind it, too
    except OSError as error:
        holder.close()
        if error.errno == errno.EADDRINUSE:
            raise HostError(f"port {port} on {host} is taken; choose another with --port") from error
        raise HostError(f"port {port} on {host} can't be used: {error.strerror}") from error
    return holder


def gateway_for(mock: Mock, app: WSGIApplication) -> Gateway:
    """Return the gateway to a mock's application."""
    return Gateway(app, partial(_lane_of, mock), partial(_largest_body, mock))


async def serve(
    gateway: Gateway, address: str, port: int, stopped: asyncio.Event, up: Callable[[], None]
) -> None:
    """Serve until told to stop.

    Args:
        gateway: what answers.
        address: numeric.
        port: reserved, or known to be free.
        stopped: set to end it.
        up: called once a client can connect.

    Raises:
        HostError: granian has ended by itself.
    """
    granian = Granian(
        gateway,
        address=address,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=_CONNECTIONS,
        log_enabled=False,
    )
    serving = asyncio.create_task(granian.serve())
    ended = {serving, asyncio.create_task(stopped.wait())}
    connected = asyncio.create_task(_until_up(address, port))
    await asyncio.wait({*ended, connected}, return_when=asyncio.FIRST_COMPLETED)
    if connected.done():
        up()
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        raise HostError(f"can't serve at {address}:{port}: {serving.exception() or 'granian has ended'}")
    granian.stop()  # type: ignore[no-untyped-call]  # granian leaves it bare
    await asyncio.wait({serving}, timeout=_PATIENCE)


async def _until_up(address: str, port: int) -> None:
    """Return once a client can connect; granian does not tell."""
    while True:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.002)
        else:
            writer.close()
            return


def _lane_of(mock: Mock, method: str, path: str, body: bytes | None) -> Lane | None:
    """Tell which threads answer a request; None for those that touch nothing but memory."""
    if path.startswith(control.PREFIX):
        return lane_of(path, method)
    if path.startswith(reference_page.PATH):
        return "control"
    if is_link(path):
        if method == "PUT":
            return "uploads"
        return "downloads" if mock.files.has_output(path) else "pictures"
    if mock.settings.fetch_assets and _may_name_url(body):
        return "fetching"
    if mock.settings.store != "memory://":
        return "api" if method in ("GET", "HEAD") else "writing"
    return None


def _may_name_url(body: bytes | None) -> bool:
    """Tell whether a JSON body may have a URL in it: as it is, or with its characters escaped."""
    return body is None or b"http" in body.lower() or b"\\" in body


def _largest_body(mock: Mock, path: str) -> int:
    """The largest upload of any plan where a link leads there, else the largest body of an operation."""
    uploads = [plan["upload-bytes"] for plan in mock.plans.values()] if is_link(path) else []
    return min(max([LARGEST_BODY, *uploads]), max(LARGEST_BODY, mock.files.room))
