"""Where a server's way to its database can be cut off: nothing passes, and nobody is told."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

_NAME = ".s.PGSQL.5432"


class Relay:
    """Passes a server's connections on to the database.

    Args:
        database: the folder of its socket.
        folder: where this one's is, for the server to take.
    """

    def __init__(self, database: Path, folder: Path) -> None:
        self.folder = folder
        self._target = f"{database / _NAME}"
        self._open = threading.Event()
        self._open.set()
        folder.mkdir()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder / _NAME}")
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing pass from now on."""
        self._open.clear()

    def mend(self) -> None:
        """Let all pass again, what has been held up first."""
        self._open.set()

    def close(self) -> None:
        """Accept nobody any more."""
        self._open.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._target)
                except OSError:  # the database is away
                    client.close()
                    server.close()
                    continue
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(65536):
                self._open.wait()
                other.sendall(piece)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
