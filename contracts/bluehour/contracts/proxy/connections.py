"""Clients' connections: one request after the other on each."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter, Task
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bluehour.mock_server.server.heads import Malformed

from ..http1 import Cut, Incoming
from .forwarding import Client, ClientLeft, Forwarder

_LINGERS = 2.0
"""Seconds that a client has to close its side after ours."""


class Connections:
    """Takes requests.

    Args:
        forwarder: what they are for.
        ready: waited for before each request.
    """

    def __init__(self, forwarder: Forwarder, ready: Callable[[], Awaitable[object]]) -> None:
        self._forwarder = forwarder
        self._ready = ready
        self._open: set[Task[object]] = set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve a client until it leaves, or has to."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as one
        self._open.add(task)
        try:
            await self._serve(Client(Incoming(reader.read), writer))
            await _closed(reader, writer)
        except (ClientLeft, ConnectionError):
            pass
        except asyncio.CancelledError:  # by `close`; asyncio's streams would tell of it as of an error
            pass
        finally:
            writer.close()
            self._open.discard(task)

    async def close(self, patience: float) -> None:
        """Cut off whoever is still there after some seconds."""
        if self._open:
            await asyncio.wait(self._open, timeout=patience)
        left = list(self._open)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, client: Client) -> None:
        may_go_on = True
        while may_go_on:
            await self._ready()
            try:
                head = await client.incoming.request()
            except Malformed as error:
                await self._forwarder.refuse(client, error)
                return
            except Cut:
                return
            if head is None:
                return
            may_go_on = await self._forwarder.answer(head, client)


async def _closed(reader: StreamReader, writer: StreamWriter) -> None:
    """Close our side, and read what still comes: to close it whole would take the answer from the client."""
    if writer.is_closing():
        return
    with suppress(TimeoutError, OSError):
        writer.write_eof()
        async with asyncio.timeout(_LINGERS):
            while await reader.read(2**16):
                pass
