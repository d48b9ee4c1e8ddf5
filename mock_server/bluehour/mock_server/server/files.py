"""A file on its way to a client, at the pace of that client, and without holding up the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO

from .outlet import Outlet

_PIECE = 128 * 2**10
"""Bytes that are read at once."""


class OpenFile:
    """A file that has been opened, and begun to be read: done in a thread where that may take its time.

    Attributes:
        size: in bytes.

    Args:
        path: where it is.

    Raises:
        FileNotFoundError: it is gone.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        try:
            self.size = self._file.seek(0, 2)
            self._file.seek(0)
            self._first = self._file.read(_PIECE)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    async def send(self, outlet: Outlet) -> bool:
        """Send it; tell whether all of it was there, as its head has promised."""
        piece, left = self._first, self.size
        while piece and left > 0:
            outlet.write(piece[:left])
            left -= len(piece)
            if left > 0:
                await outlet.room()
                piece = await asyncio.to_thread(self._file.read, _PIECE)
        return left <= 0
