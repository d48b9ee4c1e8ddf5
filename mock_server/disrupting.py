"""Answers that go wrong on their way: late, byte by byte, cut off, or lost with their connection."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from typing import TYPE_CHECKING

from granian._granian import RSGIProtocolClosed

from .trace import Disruption

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

_DRIPS = 100
"""In how many pieces a slow answer comes at most; they are single bytes where it has fewer."""

_SETTLING = 0.05
"""Seconds until granian has surely written what it took; it drops what it holds once an answer is cut."""

_DESCRIPTORS = "/dev/fd"


async def send_disrupted(
    scope: Scope,
    protocol: HTTPProtocol,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
    disruption: Disruption,
) -> None:
    """Send an answer as a disruption has it; a client that leaves meanwhile is no error."""
    if disruption.delay:
        await asyncio.sleep(disruption.delay)
    with contextlib.suppress(RSGIProtocolClosed):
        if disruption.kind == "drop":
            close_connection(scope.client)
        elif disruption.kind == "cut":
            await _send_part(protocol, status, headers, body)
        elif disruption.kind == "drip":
            await _drip(protocol, status, headers, body, disruption.drip_seconds)
        else:
            protocol.response_bytes(status, headers, body)


def close_connection(client: str) -> None:
    """Close the connection of a client, such as `127.0.0.1:51234`, with nothing said.

    granian has no call for that, and answers 500 for whoever says nothing; but its sockets are our own.
    """
    for name in os.listdir(_DESCRIPTORS):
        with contextlib.suppress(OSError), _duplicate(int(name)) as connection:
            if _peer(connection) == client:
                connection.shutdown(socket.SHUT_RDWR)
                return


def _duplicate(descriptor: int) -> socket.socket:
    """Return a socket of its own for a descriptor.

    Raises:
        OSError: it is none, or closed by now.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        raise OSError(errno.ENOTSOCK, "not a socket")
    return socket.socket(fileno=os.dup(descriptor))


def _peer(connection: socket.socket) -> str:
    try:
        address = connection.getpeername()
    except OSError:
        return ""
    if not isinstance(address, tuple):  # no network at all
        return ""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{host}:{address[1]}"


async def _send_part(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Announce the whole body and send half of it; granian then closes the connection."""
    stream = protocol.response_stream(status, _with_length(headers, max(len(body), 2)))
    await stream.send_bytes(body[: len(body) // 2] or b" ")
    await asyncio.sleep(_SETTLING)


async def _drip(
    protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]], body: bytes, seconds: float
) -> None:
    stream = protocol.response_stream(status, _with_length(headers, len(body)))
    size = max(1, len(body) // _DRIPS)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    for piece in pieces:
        await stream.send_bytes(piece)
        await asyncio.sleep(seconds / len(pieces))


def _with_length(headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    others = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return [*others, ("Content-Length", str(length))]
