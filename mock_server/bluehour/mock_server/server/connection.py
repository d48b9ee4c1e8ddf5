"""The socket that a client is connected by. granian keeps it to itself, but it is this process' own.

granian takes whatever is streamed and holds it until the client reads; and it has no call that closes a
connection with nothing said. Both are asked of the socket itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import socket
import stat

_DESCRIPTORS = "/dev/fd"


class Connection:
    """A client's connection, for as long as it is open. It has a descriptor of its own: `close` that.

    Args:
        client: the client's end, such as `127.0.0.1:51234`, as granian's scopes have it.

    Raises:
        LookupError: there is no such connection, or not any more.
    """

    def __init__(self, client: str) -> None:
        self._socket = _connected_to(client)

    def close(self) -> None:
        """Let go of it; it stays open."""
        self._socket.close()

    def end(self) -> None:
        """Close it for both sides, with nothing said."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    async def writable(self, patience: float) -> bool:
        """Wait until the client has read so much that there is room for more.

        Args:
            patience: real seconds; tells whether that came true within them.
        """
        if self._has_room():
            return True
        loop, room = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self._socket, room.set)
        try:
            await asyncio.wait_for(room.wait(), patience)
        except TimeoutError:
            return False
        finally:
            loop.remove_writer(self._socket)
        return True

    def _has_room(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        return bool(poll.poll(0))


def end_connection(client: str) -> None:
    """Close a client's connection, with nothing said. One that is not found has left by itself."""
    with contextlib.suppress(LookupError), contextlib.closing(Connection(client)) as connection:
        connection.end()


def _connected_to(client: str) -> socket.socket:
    for name in os.listdir(_DESCRIPTORS):
        with contextlib.suppress(OSError):
            connection = _duplicate(int(name))
            if _peer(connection) == client:
                return connection
            connection.close()
    raise LookupError(client)


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
