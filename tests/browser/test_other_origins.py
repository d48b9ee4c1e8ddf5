"""A page of another origin uses the API as any client does: it uploads, creates, polls, and sees errors."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser

from bluehour.mock_server.server.certificates import context_made_for

from .running import portrait, served_mock

JOURNEY = """
async ([api, picture]) => {
  const headers = {Authorization: "Bearer mhk_test_creator_5_page", "Content-Type": "application/json"};
  const call = (method, path, body) =>
    fetch(api + path, {method, headers, body: body && JSON.stringify(body)});
  const seen = [];
  const items = [{type: "image", extension: "png"}];
  const links = await (await call("POST", "/v1/files/upload-urls", {items})).json();
  const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
  seen.push((await fetch(links.items[0].upload_url, {method: "PUT", body: bytes})).status);
  const assets = {image_file_path: links.items[0].file_path};
  const created = await call("POST", "/v1/ai-face-editor", {assets, style: {}});
  const {id} = await created.json();
  seen.push(created.status);
  let project;
  do {
    project = await (await call("GET", `/v1/image-projects/${id}`)).json();
  } while (project.status !== "complete");
  const downloaded = await fetch(project.downloads[0].url);
  seen.push(downloaded.status, downloaded.headers.get("content-type"), (await downloaded.blob()).size > 0);
  seen.push((await call("POST", "/v1/ai-face-editor", {})).status);
  seen.push((await call("GET", "/v1/nowhere")).status);
  seen.push(await fetch(api + "/_mock/state").then(() => "open", () => "closed"));
  return seen;
}
"""


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>an app</title>")

    def log_message(self, format: str, *values: object) -> None:
        pass


@contextmanager
def elsewhere(tls: SSLContext | None = None) -> Iterator[str]:
    """The address of somebody else's page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        server.shutdown()


def seen_by(browser: Browser, page_at: str, mock_at: str) -> Any:
    page = browser.new_page(ignore_https_errors=True)  # as one has that trusts the authority
    page.goto(page_at)
    picture = base64.b64encode(portrait()).decode()
    seen = page.evaluate(JOURNEY, [mock_at, picture])
    page.close()
    return seen


def test_a_page_of_another_origin_is_a_client_like_any(browser: Browser, served: str) -> None:
    with elsewhere() as page_at:
        seen = seen_by(browser, page_at, served)
    assert seen == [200, 200, 200, "image/png", True, 400, 404, "closed"]


def test_a_page_of_another_origin_calls_over_https(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUEHOUR_CA", str(tmp_path))
    tls = context_made_for([])
    with elsewhere(tls) as page_at, served_mock("--tls", BLUEHOUR_CA=str(tmp_path)) as mock_at:
        assert mock_at.startswith("https://")
        seen = seen_by(browser, page_at, mock_at)
    assert seen == [200, 200, 200, "image/png", True, 400, 404, "closed"]
