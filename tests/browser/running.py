"""What the browser tests and the screenshot run: a served mock, a browser, and an app that calls the mock."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from skimage import data

CHROMIUM = os.environ.get("BLUEHOUR_CHROMIUM") or shutil.which("chromium")

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def served_mock(*options: str, **environment: str) -> Iterator[str]:
    """The base URL of a mock that runs as a user runs it."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")}
    settings |= environment
    command = [sys.executable, "-m", "bluehour", "serve", "--port", "0", *options]
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        greeting = server.stdout.readline()
        address = re.search(r"https?://\S+", greeting)
        assert address, f"no address in {greeting!r}"
        try:
            yield address[0]
        finally:
            server.send_signal(signal.SIGINT)


@contextmanager
def launched_browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mock answered."""

    status: int
    headers: Message
    body: Any


@dataclass(frozen=True, slots=True)
class App:
    """The app under development: it calls the mock over HTTP, as its user's app would."""

    base_url: str
    token: str = "any-token"

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Call an operation, or the control API, with JSON."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return _sent(Request(self.base_url + path, content, headers, method=method))

    def edit_face(
        self, picture: str = "api-assets/id/1234.png", name: str = "Smile", **style: float
    ) -> Answer:
        """Ask for an edit of a face."""
        body = {"name": name, "assets": {"image_file_path": picture}, "style": style or {"mouth_smile": 60}}
        return self.call("POST", "/v1/ai-face-editor", body)

    def upload(self, content: bytes, kind: str = "image", extension: str = "png") -> str:
        """Upload a file, and return the path that a create names it by."""
        asked = {"items": [{"type": kind, "extension": extension}]}
        item = self.call("POST", "/v1/files/upload-urls", asked).body["items"][0]
        _sent(Request(item["upload_url"], content, method="PUT"))
        return str(item["file_path"])


def _sent(request: Request) -> Answer:
    try:
        with urlopen(request, timeout=60) as response:
            return Answer(response.status, response.headers, _parsed(response.read()))
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, _parsed(error.read()))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def portrait() -> bytes:
    """A photo of a person, 512 x 512, as PNG."""
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
    file = BytesIO()
    Image.fromarray(astronaut).save(file, "PNG")
    return file.getvalue()
