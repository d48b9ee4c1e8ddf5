"""A browser with the console open, beside an app that calls the mock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect

from .running import CHROMIUM, App, launched_browser, served_mock

expect.set_options(timeout=10_000)

# The browser is for this package alone: while playwright runs, its thread can run no other event loop.


@pytest.fixture(scope="package")
def served() -> Iterator[str]:
    with served_mock() as base_url:
        yield base_url


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no chromium on the path, and BLUEHOUR_CHROMIUM names none")
    with launched_browser() as browser:
        yield browser


@pytest.fixture
def app(served: str) -> App:
    """An app, and a mock that knows nothing yet."""
    app = App(served)
    assert app.call("POST", "/_mock/reset", {}).status == 200
    return app


class Watch:
    """What no page of ours may do: fail, ask, or talk to anybody else."""

    def __init__(self, base_url: str) -> None:
        self._own = f"{base_url}/"
        self.problems: list[str] = []

    def over(self, page: Page) -> Page:
        page.on("request", self._request)
        page.on("console", self._message)
        page.on("pageerror", lambda error: self.problems.append(f"{error}"))
        page.on("dialog", self._dialog)
        return page

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self._own, "data:")):
            self.problems.append(f"a request to {request.url}")

    def _message(self, message: ConsoleMessage) -> None:
        # Chromium notes every refusal, also one that the page shows at its form.
        if message.type in {"error", "warning"} and "status of 400" not in message.text:
            self.problems.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def watch(served: str) -> Iterator[Watch]:
    watch = Watch(served)
    yield watch
    assert watch.problems == []


@contextmanager
def windows(browser: Browser, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Give what opens an address in a window of its own; options are those of a playwright context."""
    contexts = []

    def opened(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = watch.over(context.new_page())
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(browser: Browser, served: str, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Opens a path of the mock in a window of its own."""
    with windows(browser, watch) as opened:
        yield lambda path, **options: opened(served + path, **options)


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a text as an HTML file, in a window of its own."""
    watch, file = Watch("file://"), tmp_path / "report.html"
    with windows(browser, watch) as opened:

        def opened_file(text: str, **options: Any) -> Page:
            file.write_text(text, "utf-8")
            return opened(file.as_uri(), **options)

        yield opened_file
    assert watch.problems == []


@pytest.fixture
def open_console(app: App, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a view of the console, and waits until it hears from the mock."""

    def opened(view: str = "", **options: Any) -> Page:
        page = open_page(f"/_mock{view}", **options)
        expect(page.locator("#connection")).to_have_text("Live")
        return page

    return opened
