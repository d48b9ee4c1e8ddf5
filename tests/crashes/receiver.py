"""Receives the events that a mock sends, and now and then refuses one."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

_REFUSED = 0.1
"""Of the events."""


class Received:
    """What has come: the bodies, by project and type of event.

    Attributes:
        url: where it receives.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = Lock()
        self._bodies: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)

    def add(self, body: bytes) -> None:
        """Keep an event."""
        event = json.loads(body)
        with self._lock:
            self._bodies[event["payload"]["id"], event["type"]].append(body)

    def of(self, project: str) -> dict[str, list[bytes]]:
        """Return a project's events, by type."""
        with self._lock:
            return {kind: bodies for (about, kind), bodies in self._bodies.items() if about == project}


@contextmanager
def receiving(seed: int) -> Iterator[Received]:
    """Receive events for as long as the context lasts."""
    chance = random.Random(seed)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_refused = chance.random() < _REFUSED
            if not is_refused:
                received.add(body)
            self.send_response(500 if is_refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Received(f"http://127.0.0.1:{server.server_port}/events")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
