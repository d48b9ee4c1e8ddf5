"""The end of a connection that is written to, and whether the client reads what is."""

from __future__ import annotations

import asyncio


class Outlet:
    """Takes what is to be sent.

    Args:
        transport: the connection's.
    """

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self.write = transport.write
        self._emptied: asyncio.Event | None = None

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up with what is written."""
        return self._emptied is None

    def fill(self) -> None:
        """Have whoever asks for room wait."""
        self._emptied = asyncio.Event()

    def make_room(self) -> None:
        """Have those go on who wait for room."""
        if self._emptied is not None:
            self._emptied.set()
            self._emptied = None

    async def room(self) -> None:
        """Wait until the client has read so much that there is room for more."""
        if self._emptied is not None:
            await self._emptied.wait()
