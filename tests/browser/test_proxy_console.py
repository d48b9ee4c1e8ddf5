"""The console of a proxy: the journal with broken rules, and none of what only a mock can do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.contracts.proxy.lying import MISSING, lying_server

from .conftest import Watch
from .running import App


@contextmanager
def started_proxy(upstream: str) -> Iterator[str]:
    """The base URL of a proxy that runs as a user runs it."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")}
    command = [sys.executable, "-m", "mock_server", "proxy", "--port", "0", "--upstream", upstream]
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as proxy:
        assert proxy.stdout is not None
        address = re.search(r"http://\S+", proxy.stdout.readline())
        assert address
        try:
            yield address[0]
        finally:
            proxy.send_signal(signal.SIGINT)


@pytest.fixture
def app() -> Iterator[App]:
    """An app that calls a lying server by a proxy."""
    with lying_server() as upstream, started_proxy(upstream) as url:
        yield App(url)


@pytest.fixture(params=[1280, 800], ids=["wide", "narrow"])
def page(app: App, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    watch = Watch(app.base_url)
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    page = watch.over(context.new_page())
    page.goto(f"{app.base_url}/_mock")
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


def test_nothing_is_wider_than_a_phone(app: App, browser: Browser) -> None:
    app.call("GET", f"/v1/image-projects/{'long' * 30}")
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    for view in ("#journal", "#journal/1"):
        page.goto(f"{app.base_url}/_mock{view}")
        expect(page.locator(".view:visible h2")).to_be_visible()
        expect(page.locator("#title")).not_to_be_empty()
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
    context.close()
