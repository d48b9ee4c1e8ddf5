"""A place of this machine's own to be called back at, while a check runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

_LARGEST = 2**20
"""Bytes of a callback that are read."""

_MOST = 1_000
"""Callbacks that are kept."""

_PAUSE = 0.05


class Inbox:
    """What has come to an address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._came: list[Any] = []
        self._lock = Lock()

    def take(self, raw: bytes) -> None:
        """Keep what has come, as data where it is JSON."""
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw
        with self._lock:
            if len(self._came) < _MOST:
                self._came.append(body)

    def wait_for(self, item_id: str, seconds: float, sleep: Callable[[float], None]) -> Any:
        """Return what has come that names an item; None where nothing does in time."""
        waited = 0.0
        while True:
            with self._lock:
                found = [body for body in self._came if item_id in json.dumps(body, default=str)]
            if found or waited >= seconds:
                return found[0] if found else None
            sleep(_PAUSE)
            waited += _PAUSE


@contextmanager
def listening(is_local: bool) -> Iterator[Inbox | None]:
    """Listen on a port of this machine, where the deployment is on it as well; None where it is not."""
    if not is_local:
        yield None
        return

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            size = int(length) if length.isdecimal() else 0
            inbox.take(self.rfile.read(min(size, _LARGEST)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        inbox = Inbox(f"http://127.0.0.1:{server.server_port}/callback")
        Thread(target=server.serve_forever, name="bluehour-callbacks", daemon=True).start()
        try:
            yield inbox
        finally:
            server.shutdown()
