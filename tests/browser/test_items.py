"""The console of another contract: what its operations have made is shown, and goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Watch
from .running import served_mock

SCRIBE = Path(__file__).parents[1] / "openapi" / "specs" / "scribe-3.1.yaml"


@pytest.fixture(scope="module")
def scribe() -> Iterator[str]:
    with served_mock("--spec", str(SCRIBE), "--time-scale", "1000") as base_url:
        yield base_url


def call(base_url: str, path: str, body: Any) -> Any:
    headers = {"X-Scribe-Key": "k", "Content-Type": "application/json"}
    with urlopen(Request(base_url + path, json.dumps(body).encode(), headers)) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture
def page(browser: Browser, scribe: str) -> Iterator[Page]:
    watch = Watch(scribe)
    page = watch.over(browser.new_page())
    page.goto(f"{scribe}/_mock#items")
    yield page
    page.close()
    assert watch.problems == []


def test_items_are_shown_as_they_are_made_and_as_work_goes_on(page: Page, scribe: str) -> None:
    views = page.locator(".views")
    expect(views.get_by_text("Items")).to_be_visible()
    expect(views.get_by_text("Projects")).to_be_hidden()
    expect(page.locator("#items-empty")).to_contain_text("No items yet")

    order = {"audio_url": "http://a.example/a.mp3", "language": "de", "title": "<b>Talk</b>"}
    made = call(scribe, "/v2/transcriptions", order)
    card = page.locator("#items > li")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("/transcriptions")
    expect(card).to_contain_text(made["transcription_id"])
    expect(card).to_contain_text("<b>Talk</b>")
    expect(card.locator(".tag")).to_have_text("QUEUED")

    call(scribe, "/_mock/clock", {"advance": 100_000})
    expect(card.locator(".tag")).to_have_text("DONE")
    path = f"/v2/transcriptions/{made['transcription_id']}"
    urlopen(Request(scribe + path, headers={"X-Scribe-Key": "k"})).close()
    card.get_by_text("its requests").click()
    expect(page.locator("#journal-rows")).to_contain_text(path)


def test_magic_hours_console_has_projects_and_no_items(browser: Browser, served: str) -> None:
    page = browser.new_page()
    page.goto(f"{served}/_mock")
    expect(page.locator(".views").get_by_text("Projects")).to_be_visible()
    expect(page.locator(".views").get_by_text("Items")).to_be_hidden()
    page.close()
