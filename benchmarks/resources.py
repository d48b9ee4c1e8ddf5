"""What the server holds on to when clients are greedy: its memory, and how long others wait meanwhile.

Each scenario starts a server of its own. `--beside DIR` measures another checkout in the same run, with the
same Python.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from PIL import Image

from benchmarks.load import face_edit
from benchmarks.servers import Candidate, ServerError, Up, resident_bytes, running

_HERE = Path(__file__).parents[1]
_MB = 1e6


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


@dataclass
class Watch:
    """What is seen of a server while a scenario runs.

    Attributes:
        before: its resident memory at first, in bytes.
        peak: the most that was seen, in bytes.
        state: how long `GET /_mock/state` took, each time, in seconds.
    """

    up: Up
    before: int = 0
    peak: int = 0
    state: list[float] = field(default_factory=list)

    @contextmanager
    def watching(self, *, asks: bool) -> Iterator[None]:
        """Weigh it every 20 ms, and ask for its state where `asks`, as long as the context lasts."""
        over = threading.Event()
        self.before = self.peak = resident_bytes(self.up) or 0
        threads = [threading.Thread(target=self._weigh, args=(over,))]
        threads += [threading.Thread(target=self._ask, args=(over,))] if asks else []
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _weigh(self, over: threading.Event) -> None:
        while not over.wait(0.02):
            self.peak = max(self.peak, resident_bytes(self.up) or 0)

    def _ask(self, over: threading.Event) -> None:
        while not over.wait(0.1):
            started = time.perf_counter()
            _call(self.up.port, "GET", "/_mock/state")
            self.state.append(time.perf_counter() - started)


def _call(
    port: int, method: str, path: str, body: bytes | None = None, token: str | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


_TOKEN = "mhk_test_creator_1000000"


def _json(port: int, method: str, path: str, body: Any = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    status, content = _call(port, method, path, sent, _TOKEN)
    if status != 200:
        raise ServerError(f"{method} {path} was answered by {status}: {content[:200].decode()}")
    return json.loads(content)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _upload(port: int, content: bytes, extension: str) -> str:
    item = {"type": "image", "extension": extension}
    (issued,) = _json(port, "POST", "/v1/files/upload-urls", {"items": [item]})["items"]
    status, said = _call(port, "PUT", _path(issued["upload_url"]), content)
    if status != 200:
        raise ServerError(f"an upload was answered by {status}: {said[:200].decode()}")
    return str(issued["file_path"])


def _edit(port: int, file_path: str) -> str:
    """Create an edit, wait for its end, and return the path of its picture's link."""
    body = {"assets": {"image_file_path": file_path}, "style": {"mouth_smile": 60}}
    project_id = _json(port, "POST", "/v1/ai-face-editor", body)["id"]
    while True:
        project = _json(port, "GET", f"/v1/image-projects/{project_id}")
        if project["status"] == "complete":
            return _path(project["downloads"][0]["url"])
        if project["status"] == "error":
            raise ServerError(f"an edit has failed: {project['error']}")
        time.sleep(0.05)


def _edit_and_fetch(port: int, content: bytes, extension: str) -> None:
    status, _ = _call(port, "GET", _edit(port, _upload(port, content, extension)))
    if status != 200:
        raise ServerError(f"a picture was answered by {status}")


@cache
def _large_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9400, 9400), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


@cache
def _photo() -> bytes:
    """A JPEG of 24 megapixels that is as hard to decode as a photo."""
    noise = random.Random(1).randbytes(750 * 500 * 3)
    picture = Image.frombytes("RGB", (750, 500), noise).resize((6000, 4000), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def _large_uploads(watch: Watch) -> None:
    with ThreadPoolExecutor(30) as clients:
        list(clients.map(lambda _: _upload(watch.up.port, _large_png(), "png"), range(30)))


def _ordinary_photos(watch: Watch) -> None:
    with ThreadPoolExecutor(16) as clients:
        list(clients.map(lambda _: _edit_and_fetch(watch.up.port, _photo(), "jpg"), range(48)))


def _idle_readers(watch: Watch) -> None:
    """Ten consoles that never read, and four thousand creates."""
    readers = []
    for _ in range(10):
        reader = socket.create_connection(("127.0.0.1", watch.up.port))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(b"GET /_mock/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        readers.append(reader)
    time.sleep(0.5)
    post = face_edit()
    body = json.dumps({**json.loads(post.body), "name": "x" * 20_000})  # as large as what people do send
    connection = http.client.HTTPConnection("127.0.0.1", watch.up.port)
    for _ in range(4000):
        connection.request("POST", post.path, body, dict(post.headers))
        connection.getresponse().read()
    connection.close()
    for reader in readers:
        reader.close()


def _downloads(up: Up) -> list[float]:
    """Two hundred clients that fetch pictures all the time; return the seconds that each took."""
    links = [_edit(up.port, _upload(up.port, _small_photo(), "jpg")) for _ in range(20)]
    for link in links:
        _call(up.port, "GET", link)
    took: list[float] = []
    over = threading.Event()

    def client(number: int) -> None:
        while not over.is_set():
            started = time.perf_counter()
            _call(up.port, "GET", links[number % len(links)])
            took.append(time.perf_counter() - started)
            time.sleep(0.5)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    time.sleep(10)
    over.set()
    for thread in threads:
        thread.join()
    return took


@cache
def _small_photo() -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(_photo())).resize((768, 512)).save(file, "JPEG", quality=90)
    return file.getvalue()


_SCENARIOS: dict[str, tuple[str, Callable[[Watch], None]]] = {
    "large": ("30 PNGs of 9400 x 9400 at once", _large_uploads),
    "photos": ("48 edits of 24 MP by 16 clients", _ordinary_photos),
    "events": ("10 readers that never read, 4,000 creates", _idle_readers),
}
_DOWNLOADS = "downloads"


def _served_from(root: Path) -> Candidate:
    code = f"import sys; sys.path.insert(0, {str(root)!r}); from bluehour.mock_server.cli import main; main()"
    options = ("serve", "--port", "PORT", "--time-scale", "0", "--log-format", "json")
    return Candidate(str(root), "", (sys.executable, "-c", code, *options))


def _measured(name: str, root: Path) -> str:
    with (
        tempfile.TemporaryDirectory() as folder,
        _elsewhere(),
        running(_served_from(root), face_edit(), Path(folder) / "log") as up,
    ):
        if name == _DOWNLOADS:
            took = _downloads(up)
            p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
            return f"{len(took):,} downloads, p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms"
        watch = Watch(up)
        started = time.perf_counter()
        with watch.watching(asks=name != "events"):
            _SCENARIOS[name][1](watch)
        seconds = time.perf_counter() - started
        time.sleep(2)
        after = resident_bytes(up) or 0
        slowest = f", /_mock/state at most {max(watch.state):.2f} s" if watch.state else ""
        figures = (
            f"{watch.before / _MB:,.0f} MB, at most {watch.peak / _MB:,.0f}, after it {after / _MB:,.0f}"
        )
        return f"{figures}; {seconds:.1f} s{slowest}"


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Be in a folder that nothing is imported from."""
    before = Path.cwd()
    os.chdir("/")
    try:
        yield
    finally:
        os.chdir(before)


@click.command()
@click.argument("scenarios", nargs=-1, type=click.Choice([*_SCENARIOS, _DOWNLOADS]))
@click.option("--beside", type=click.Path(path_type=Path, exists=True), help="Another checkout to measure.")
def main(scenarios: tuple[str, ...], beside: Path | None) -> None:
    """Measure the server's memory, and how long others wait, while clients are greedy."""
    roots = [_HERE] if beside is None else [beside.resolve(), _HERE]
    for name in scenarios or (*_SCENARIOS, _DOWNLOADS):
        click.echo(_SCENARIOS[name][0] if name in _SCENARIOS else "200 clients that download")
        for root in roots:
            try:
                click.echo(f"  {root}: {_measured(name, root)}")
            except ServerError as error:
                raise Problem(str(error)) from error


if __name__ == "__main__":
    main()
