"""The report of a fuzz as a file in a browser: from disk, without a network, on any screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bluehour.contracts.fuzz.report import html
from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.script import loaded

from ..contracts.fuzz.report_samples import HARMFUL, SAVED, kept, sample
from .test_check_report import CONTRASTS, unfold

OpenReport = Callable[..., Page]


@pytest.fixture
def open_report(open_file: Callable[..., Page]) -> OpenReport:
    """Opens a report from a file, in a window of its own; options are those of a playwright context."""
    return lambda result, **options: open_file(html(result, saved=SAVED), **options)


@pytest.mark.parametrize("width", [360, 375, 700, 1280])
@pytest.mark.parametrize("result", [sample(), kept()], ids=["broken", "kept"])
def test_nothing_is_wider_than_the_screen(open_report: OpenReport, result: Result, width: int) -> None:
    page = open_report(result, viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(open_report: OpenReport, scheme: str) -> None:
    page = open_report(sample(), color_scheme=scheme)
    grounds = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 19, 29)"}
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == grounds[scheme]
    unfold(page)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 300
    assert [each for each in contrasts if each[0] < 4.5] == []


def test_a_broken_rule_leads_to_its_findings(open_report: OpenReport) -> None:
    page = open_report(sample())
    expect(page.get_by_role("heading", level=1)).to_have_text("4 rules broken in 8 ways")
    page.get_by_role("link", name="token.host").focus()
    page.keyboard.press("Enter")
    expect(page.locator(":target")).to_be_in_viewport()
    expect(page.locator(":target")).to_contain_text("GET carries the token, way 1")


def test_what_happened_opens_by_the_keyboard(open_report: OpenReport) -> None:
    page = open_report(sample())
    finding = page.get_by_role("region", name="Finding 3", exact=True)
    expect(finding.get_by_text("it carries the token").first).to_be_hidden()
    finding.get_by_text("What happened").focus()
    page.keyboard.press("Enter")
    expect(finding.get_by_text("it carries the token").first).to_be_visible()


def test_a_script_can_be_copied_and_played(open_report: OpenReport) -> None:
    made = sample()
    page = open_report(made)
    unfold(page)
    scripts = page.get_by_role("region", name="Script", exact=True).all_inner_texts()
    assert [loaded(text) for text in scripts] == [finding.script for finding in made.findings]


def test_what_a_client_says_is_only_ever_text(open_report: OpenReport) -> None:
    page = open_report(sample())
    unfold(page)
    expect(page.get_by_text(HARMFUL[: HARMFUL.index("\x1b")]).first).to_be_visible()
    expect(page.locator("script")).to_have_count(0)


def test_arrows_end_at_the_host_that_was_asked(open_report: OpenReport) -> None:
    page = open_report(sample())
    ends = """finding => {
        const right = element => element.getBoundingClientRect().right;
        const lines = finding.querySelector('.play li .lines').getBoundingClientRect();
        return [...finding.querySelectorAll('.ask')].map(
            each => Math.round(100 * (right(each) - lines.left) / lines.width));
    }"""
    assert page.locator("#finding-1").evaluate(ends) == [68, 100, 68, 68, 68, 100]
    assert page.locator("#finding-2").evaluate(ends) == [74, 100]


def test_on_paper_it_is_light_and_tells_what_happened(open_report: OpenReport) -> None:
    page = open_report(sample(), color_scheme="dark")
    page.emulate_media(media="print")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    expect(
        page.get_by_role("region", name="Finding 3").get_by_text("it carries the token").first
    ).to_be_visible()
    expect(page.get_by_role("region", name="Script", exact=True).first).to_be_hidden()
