"""The budget is kept whatever the server does: the ledger is the server's own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any

import pytest

from bluehour.contracts.check.run import Options, check
from bluehour.openapi.terms import usual_price
from tests.deviants.checking import NAMING
from tests.deviants.serving import served
from tests.editors import EDITORS
from tests.profiles import few

PRICES = {
    operation.path: usual_price(operation) for operation in EDITORS.operations if usual_price(operation)
}
SLOW = 0.4
TIMEOUT = 0.15


@dataclass
class Ledger:
    """A server that charges for every create, legal or not, before it does anything else."""

    manner: str
    booked: int = 0
    lock: Lock = field(default_factory=Lock)

    def book(self, path: str) -> int:
        with self.lock:
            self.booked += PRICES.get(path, 0)
            return self.booked


class _Server(ThreadingHTTPServer):
    ledger: Ledger
    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # of AF_INET

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = 2**16  # an answer in one packet: a second one would wait until the first is acknowledged

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        booked = self.server.ledger.book(self.path)
        if self.path not in PRICES:
            self._answer(200, {"items": []})
            return
        match self.server.ledger.manner:
            case "lying":
                self._answer(200, {"id": f"c{booked}", "frame_cost": 0, "credits_charged": 0})
            case "lying by a negative charge":
                self._answer(200, {"id": f"c{booked}", "frame_cost": -9, "credits_charged": -9})
            case "created without words":
                self._answer(201, None)
            case "redirecting":
                self._answer(303, None)
            case "failing":
                self._answer(500, {"code": "internal_server_error", "message": "Internal Server Error"})
            case "crashing":
                self.close_connection = True
            case "cut off":
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
                )
                self.close_connection = True
            case "slow":
                time.sleep(SLOW)
                self._answer(200, {"id": f"c{booked}", "frame_cost": 1, "credits_charged": 1})

    def do_GET(self) -> None:
        self._answer(404, {"code": "not_found", "message": "Not Found"})

    do_DELETE = do_PUT = do_PATCH = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 - the names of http.server

    def _answer(self, status: int, body: Any) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def charging(manner: str) -> Iterator[tuple[str, Ledger]]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.ledger = Ledger(manner)
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.ledger
        finally:
            server.shutdown()
            thread.join()


MANNERS = [
    "lying",
    "lying by a negative charge",
    "created without words",
    "redirecting",
    "failing",
    "crashing",
    "cut off",
    "slow",
]


# Seconds each: every manner with a budget for some creates, and every budget with some manner.
@pytest.mark.parametrize(
    ("manner", "most"),
    few(
        [*((manner, 9) for manner in MANNERS), ("lying", 0), ("lying", 25), ("failing", 1), ("slow", 25)],
        ("lying by a negative charge", 9),
        ("created without words", 9),
        ("failing", 9),
        ("crashing", 9),
        ("slow", 9),
    ),
)
def test_no_server_books_more_than_the_budget(manner: str, most: int) -> None:
    with charging(manner) as (url, ledger):
        report = check(
            Options(url, "any-token", max_credits=most, rules=NAMING, timeout=TIMEOUT, patience=0.1)
        )
        time.sleep(SLOW if manner == "slow" else 0)
    assert ledger.booked <= report.spent <= most
    assert report.exit_code != 0


@pytest.mark.parametrize("most", few([0, 5, 25], 5))
def test_a_right_server_books_what_the_report_says_and_no_more(most: int) -> None:
    with served(None) as server:
        report = check(Options(server.url, "any-token", max_credits=most, rules=NAMING), contract=EDITORS)
        booked = server.booked()
    assert booked == report.spent <= most
    assert report.findings == ()


def test_a_server_that_says_it_has_charged_more_is_believed() -> None:
    from tests.deviants.catalogue import DEVIANTS

    dear = next(each for each in DEVIANTS if each.name == "large-photo-costs-double")
    paying = [rule for rule in NAMING if rule.group in {"accept", "credits", "project", "download"}]
    with served(dear) as server:
        report = check(Options(server.url, "any-token", max_credits=40, rules=paying), contract=EDITORS)
        booked = server.booked()
    assert booked == report.spent <= 40
