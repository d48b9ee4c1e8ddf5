"""How the mock answers while it really edits pictures: the latency of polls, beside that of an idle server.

One server with `--renderer reference` is up all the time. It is polled by one client over a connection that
is kept alive, first while it has nothing to do, then while its queue is kept full of one editor's jobs.
"""

from __future__ import annotations

import http.client
import io
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from PIL import Image
from skimage import data

from benchmarks.load import LoadError, face_edit
from benchmarks.servers import ServerError, Up, bluehour, running
from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

_WAITING = 12
"""Jobs that are kept in the queue, so that the stage never idles."""

_PAUSE = 0.005
"""Seconds between two polls."""

_MOST_MS = 100.0
"""Of the 99th percentile of a poll while pictures are rendered."""

_HEADERS = {"Authorization": "Bearer mhk_test_business_900000000000", "Content-Type": JSON}

_STYLES: dict[str, dict[str, Any]] = {
    "aiFaceEditor.editImage": {"mouth_smile": 60, "head_yaw": 30},
    "aiPhotoEditor.createImage": {
        "prompt": "an oil painting at night",
        "image_description": "a portrait",
        "likeness_strength": 5.2,
        "prompt_strength": 3.75,
    },
}
"""What is asked of each editor."""


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Polls:
    """The latencies of polls, in milliseconds, and what was rendered meanwhile."""

    latencies: list[float]
    pictures: int
    seconds: float

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return statistics.quantiles(self.latencies, n=100)[98]

    def line(self, name: str) -> str:
        """Return a row of the table."""
        rate = f"{self.pictures / self.seconds:8.1f}" if self.pictures else f"{'-':>8}"
        median, longest = statistics.median(self.latencies), max(self.latencies)
        return f"{name:28}{rate}{median:10.1f}{self.p99:10.1f}{longest:10.1f}{len(self.latencies):9,}"


class Client:
    """One account's calls over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Send a request, and return the answer's JSON.

        Raises:
            ServerError: it is no success.
        """
        self._connection.request(method, path, body, _HEADERS)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise ServerError(f"{method} {path} answered {answer.status}")
        return json.loads(text) if text else None

    def upload(self, picture: bytes) -> str:
        """Upload a picture, and return its file path."""
        wanted = json.dumps({"items": [{"type": "image", "extension": "png"}]}).encode()
        item = self.call("POST", "/v1/files/upload-urls", wanted)["items"][0]
        link = urlsplit(item["upload_url"])
        self.call("PUT", f"{link.path}?{link.query}", picture)
        return str(item["file_path"])

    def status(self, project: str) -> str:
        """Poll a project."""
        return str(self.call("GET", f"/v1/image-projects/{project}")["status"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=click.IntRange(min=1), default=15, show_default=True, help="Of each run.")
@click.option(
    "--size",
    type=click.IntRange(64, 4096),
    default=512,
    show_default=True,
    help="Pixels of the photo's edges.",
)
def main(seconds: int, size: int) -> None:
    """Measure how long polls take while pictures are rendered. Takes a minute with the defaults.

    Needs bluehour[inference], and the models that `bluehour weights` fetches.

    Exit codes: 0 measured, whether or not the target is met; 2 nothing to measure with (one line says why).
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped then, too
    try:
        with tempfile.TemporaryDirectory(prefix="bluehour-bench-") as folder:
            log = Path(folder, "server.log")
            with running(bluehour("--renderer", "reference"), face_edit(), log) as server:
                _measure(server, seconds, size)
    except (LoadError, ServerError) as error:
        raise Problem(str(error)) from error


def _measure(server: Up, seconds: int, size: int) -> None:
    with closing(Client(server.port)) as client:
        asset = client.upload(_portrait(size))
        creates = {name: _create(name, asset) for name in _STYLES}
        client.call("POST", *creates["aiFaceEditor.editImage"])
        click.echo(f"{'':28}{'images/s':>8}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}{'polls':>9}")
        idle = _polls(client, seconds, list)
        click.echo(idle.line("idle"))
        for name, (path, body) in creates.items():

            def refill(path: str = path, body: bytes = body) -> list[str]:
                return [client.call("POST", path, body)["id"]]

            busy = _polls(client, seconds, refill)
            click.echo(busy.line(name))
            verdict = "under" if busy.p99 < _MOST_MS else "NOT under"
            click.echo(
                f"  p99 is {busy.p99 / idle.p99:.1f} times the idle server's, {verdict} {_MOST_MS:g} ms"
            )


def _polls(client: Client, seconds: int, refill: Callable[[], list[str]]) -> Polls:
    """Poll for a time, and keep the queue full meanwhile; what is still in it at the end is waited for."""
    latencies: list[float] = []
    waiting: list[str] = refill()
    polled = waiting[0] if waiting else _any_project(client)
    pictures, began = 0, time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        if waiting and len(waiting) < _WAITING:
            waiting += refill()
        started = time.perf_counter()
        status = client.status(polled)
        latencies.append((time.perf_counter() - started) * 1e3)
        if waiting and status == "complete":
            pictures += 1
            waiting.pop(0)
            polled = waiting[0] if waiting else polled
        else:
            time.sleep(_PAUSE)
    for project in waiting:
        while client.status(project) not in ("complete", "error"):
            time.sleep(0.05)
    return Polls(latencies, pictures, elapsed)


def _any_project(client: Client) -> str:
    return str(load().extension("x-example-projects")[0])


def _create(name: str, asset: str) -> tuple[str, bytes]:
    operation = load().operation(name)
    body: dict[str, Any] = {"assets": {"image_file_path": asset}, "style": _STYLES[name]}
    if name == "aiPhotoEditor.createImage":
        body["resolution"] = 1024
    return operation.path, json.dumps(body).encode()


def _portrait(size: int) -> bytes:
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
    file = io.BytesIO()
    Image.fromarray(astronaut).resize((size, size)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
