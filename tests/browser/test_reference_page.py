"""The reference in a browser: what a reader may ask there, and that all of it fits on any screen."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

VIDEO = "textToVideo.createVideo"


def operation(page: Page, name: str = VIDEO) -> Locator:
    return page.locator(f'[id="{name}"]')


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page("/docs")


def test_a_reader_works_out_what_another_request_costs(page: Page) -> None:
    video = operation(page)
    video.get_by_text("What does another request cost?").click()
    request, answer = video.get_by_label("Request", exact=True), video.get_by_role("status")
    example = json.loads(request.input_value())
    assert example["model"] == "ltx-2.5"

    video.get_by_text("Work it out").click()
    expect(answer).to_have_text("120 credits")

    request.fill(json.dumps({**example, "model": "kling-3.0", "resolution": "720p"}))
    video.get_by_text("Work it out").click()
    expect(answer).to_have_text("360 credits")

    video.get_by_label("on the plan").select_option("free")
    video.get_by_text("Work it out").click()
    expect(answer).to_contain_text("resolution 720p needs the creator plan")

    request.fill('{"end_seconds": ')
    video.get_by_text("Work it out").click()
    expect(answer).to_contain_text("This is not JSON")


def test_a_question_that_can_not_be_answered_says_so(page: Page) -> None:
    video = operation(page)
    video.get_by_text("What does another request cost?").click()
    video.get_by_label("Request", exact=True).fill("[]")
    video.get_by_text("Work it out").click()
    expect(video.get_by_role("status")).to_contain_text("body (an object)")


def test_without_scripts_the_prices_are_there_and_nothing_that_does_not_work(
    open_page: Callable[..., Page],
) -> None:
    video = operation(open_page("/docs", java_script_enabled=False))
    expect(video.get_by_text("240 credits; 120 credits on the free plan")).to_be_visible()
    expect(video.get_by_role("table", name="").first).to_contain_text("kling-3.0")
    expect(video.get_by_text("What does another request cost?")).to_have_count(0)


WIDER = """() => [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, pre"))
    .map((one) => one.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(open_page: Callable[..., Page], width: int, scheme: str) -> None:
    page = open_page("/docs", viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_group_is_in_the_contents(page: Page) -> None:
    contents = page.get_by_role("navigation", name="Contents")
    for group in ("Image Projects", "Video Projects", "Audio Projects", "Files", "Account", "Webhooks"):
        expect(contents.get_by_role("link", name=group, exact=True)).to_be_visible()
    contents.get_by_role("link", name="Audio Projects", exact=True).click()
    title = page.get_by_role("main").get_by_role("heading", name="Audio Projects", exact=True)
    expect(title).to_be_in_viewport()


def test_an_answer_that_operations_share_is_found_from_each(page: Page) -> None:
    operation(page).get_by_role("link", name="402 Payment Required").click()
    expect(page.get_by_text("The account's credits or plan do not allow this").first).to_be_in_viewport()
