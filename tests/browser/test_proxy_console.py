"""The console of a proxy: the journal with broken rules, and none of what only a mock can do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.contracts.proxy.lying import MISSING, lying_server

from .conftest import Watch
from .running import App


@dataclass(frozen=True)
class Proxied:
    """An app that calls by a proxy, and where the proxy's console is."""

    app: App
    console: str


@contextmanager
def started_proxy(upstream: str) -> Iterator[Proxied]:
    """A proxy that runs as a user runs it."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")}
    command = [sys.executable, "-m", "bluehour", "proxy", "--port", "0", "--upstream", upstream]
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as proxy:
        assert proxy.stdout is not None
        greeting = proxy.stdout.readline() + proxy.stdout.readline()
        address = re.search(r"http://\S+", greeting)
        console = re.search(r"Console at (http://\S+)", greeting)
        assert address, greeting
        assert console, greeting
        try:
            yield Proxied(App(address[0]), console[1])
        finally:
            proxy.send_signal(signal.SIGINT)


@pytest.fixture
def proxied() -> Iterator[Proxied]:
    """A lying server behind a proxy."""
    with lying_server() as upstream, started_proxy(upstream) as proxied:
        yield proxied


@pytest.fixture
def app(proxied: Proxied) -> App:
    return proxied.app


@pytest.fixture(params=[1280, 800], ids=["wide", "narrow"])
def page(proxied: Proxied, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    watch = Watch(proxied.console.removesuffix("/_mock"))
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    page = watch.over(context.new_page())
    page.goto(proxied.console)
    expect(page.locator("#connection")).to_have_text("Live")
    yield page
    context.close()
    assert watch.problems == []


def test_a_broken_rule_is_shown_with_the_answer_that_breaks_it(app: App, page: Page) -> None:
    expect(page.get_by_role("heading", name="Nothing has called yet")).to_be_visible()
    assert app.call("GET", "/v1/image-projects/one").status == 200
    row = page.locator("#journal-rows tr")
    expect(row).to_have_count(1)
    expect(row.locator(".mark-broken").first).to_contain_text("answer.schema")
    expect(row).to_contain_text(MISSING)

    row.click()
    expect(page.locator("#entry")).to_contain_text(re.compile(r"The answer breaks \d rules?"))
    expect(page.get_by_role("region", name="Response body")).to_contain_text("cuid-example")

    page.get_by_role("button", name="Close").click()
    app.edit_face()  # whose answer is another operation's
    expect(row).to_have_count(2)
    page.get_by_role("checkbox", name="Faulty").check()
    expect(row).to_have_count(0)
    page.get_by_role("checkbox", name="Faulty").uncheck()
    page.get_by_role("checkbox", name="Broken").check()
    expect(row).to_have_count(2)


def test_what_only_a_mock_can_do_is_hidden(page: Page) -> None:
    expect(page.locator("#title")).to_contain_text("judges http://127.0.0.1")
    expect(page.get_by_role("heading", name="Journal")).to_be_visible()
    expect(page.get_by_role("link", name="Download HAR")).to_be_visible()
    for name in ("Rules", "Projects", "Accounts", "Webhooks", "Clock", "Docs", "openapi.json"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    for name in ("Reset…", "Send it now", "Freeze", "Remove all"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    for view in ("#rules", "#projects", "#clock"):
        page.goto(page.url.split("#")[0] + view)
        expect(page.locator(".view:visible")).to_have_count(1)
        expect(page.locator("#view-journal")).to_be_visible()


def test_nothing_is_wider_than_a_phone(proxied: Proxied, browser: Browser) -> None:
    proxied.app.call("GET", f"/v1/image-projects/{'long' * 30}")
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    for view in ("#journal", "#journal/1"):
        page.goto(f"{proxied.console}{view}")
        expect(page.locator(".view:visible h2")).to_be_visible()
        expect(page.locator("#title")).not_to_be_empty()
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
    context.close()


class CuriousPage(BaseHTTPRequestHandler):
    """A page of the upstream's, on which the test runs its scripts; and nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/page" else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>curious</title>")

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def curious() -> Iterator[Proxied]:
    with ThreadingHTTPServer(("127.0.0.1", 0), CuriousPage) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with started_proxy(f"http://127.0.0.1:{server.server_port}") as proxied:
            yield proxied
        server.shutdown()
        thread.join()


TRY = """async ([method, url, mode]) => {
    try {
        const answer = await fetch(url, { method, mode, credentials: "include" });
        return `${answer.status} ${await answer.text()}`;
    } catch (error) {
        return "refused";
    }
}"""
FRAME = """(url) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    frame.onload = () => resolve(frame.contentDocument ? frame.contentDocument.title : "closed to us");
    document.body.append(frame);
})"""


def test_a_page_that_passes_reads_and_changes_nothing_of_the_console(
    curious: Proxied, browser: Browser
) -> None:
    curious.app.call("GET", "/v1/image-projects/secret-project")
    context = browser.new_context()
    context.new_page().goto(curious.console)
    page = context.new_page()
    page.goto(f"{curious.app.base_url}/page")
    for console in (curious.console, curious.console.replace("127.0.0.1", "localhost")):
        for method, path in (("GET", "/journal"), ("DELETE", "/journal"), ("GET", "/events")):
            assert page.evaluate(TRY, [method, console + path, "cors"]) == "refused"
        assert page.evaluate(TRY, ["GET", f"{console}/journal", "no-cors"]) == "0 "
        assert page.evaluate(FRAME, console) == "closed to us"
    at_its_own_origin = page.evaluate(TRY, ["GET", "/_mock/journal", "cors"])
    assert at_its_own_origin.startswith("404 ")  # the upstream's, who has none
    assert "secret-project" not in at_its_own_origin

    journal = App(curious.console).call("GET", "/journal").body["entries"]
    assert journal[0]["request"]["path"] == "/v1/image-projects/secret-project"
    context.close()
