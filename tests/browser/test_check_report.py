"""The report of a check as a file in a browser: from disk, without a network, on any screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bluehour.contracts.report import html
from bluehour.contracts.results import Report

from ..contracts.report.reports import HARMFUL, large, sample

OpenReport = Callable[..., Page]

# Of every text on the page, how well it can be told from what is behind it; as WCAG has it.
CONTRASTS = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const luminance = colour => numbers(colour).slice(0, 3)
        .map(each => each / 255)
        .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
        .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = element => {
        const colour = getComputedStyle(element).backgroundColor;
        return numbers(colour)[3] === 0 ? behind(element.parentElement) : colour;
    };
    const written = [...document.querySelectorAll('body *')].filter(element =>
        element.checkVisibility() && !element.closest('.unseen, .skip-link') &&
        [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
    return written.map(element => {
        const style = getComputedStyle(element);
        const both = [element instanceof SVGElement ? style.fill : style.color, behind(element)];
        const [dark, light] = both.map(luminance).sort((one, other) => one - other);
        return [(light + 0.05) / (dark + 0.05), element.className.toString() || element.tagName];
    });
}"""


@pytest.fixture
def open_report(open_file: Callable[..., Page]) -> OpenReport:
    """Opens a report from a file, in a window of its own; options are those of a playwright context."""
    return lambda report, **options: open_file(html(report), **options)


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


def test_a_broken_cell_leads_to_its_finding(open_report: OpenReport) -> None:
    page = open_report(sample())
    expect(page.get_by_role("heading", level=1)).to_have_text("Does not conform")
    link = page.get_by_role("row", name="refuse.maximum").get_by_role("link")
    link.focus()
    page.keyboard.press("Enter")
    finding = page.locator(":target")
    expect(finding).to_contain_text("style.head_pitch is 101")
    expect(finding).to_be_in_viewport()
    expect(finding.locator("..")).to_contain_text("A number above its maximum is refused")


def test_evidence_opens_by_the_keyboard(open_report: OpenReport) -> None:
    page = open_report(sample())
    finding = page.get_by_role("region", name="Finding 1", exact=True)
    expect(finding.get_by_role("region", name="Command")).to_be_hidden()
    finding.get_by_text("Evidence").focus()
    page.keyboard.press("Enter")
    expect(finding.get_by_role("region", name="Command")).to_contain_text("Bearer $BLUEHOUR_TOKEN")
    expect(finding.get_by_role("region", name="The contract's own words")).to_contain_text("multipleOf: 5")


def test_what_a_server_says_is_only_ever_text(open_report: OpenReport) -> None:
    page = open_report(sample())
    unfold(page)
    expect(page.get_by_text(HARMFUL[: HARMFUL.index("\x1b")]).first).to_be_visible()
    expect(page.locator("script")).to_have_count(0)


@pytest.mark.parametrize("report", [sample(), large(500)], ids=["few", "many"])
def test_nothing_is_wider_than_a_phone(open_report: OpenReport, report: Report) -> None:
    page = open_report(report, viewport={"width": 360, "height": 740})
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_matrix_keeps_its_head_in_sight(open_report: OpenReport) -> None:
    page = open_report(sample())
    page.get_by_role("row", name="path.unknown").scroll_into_view_if_needed()
    for name in ("Rule", "/v1/ai-photo-editor"):
        header = page.get_by_role("columnheader", name=name)
        expect(header).to_be_in_viewport()
        header.click(trial=True)  # nothing lies over it


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(open_report: OpenReport, scheme: str) -> None:
    page = open_report(sample(), color_scheme=scheme)
    unfold(page)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 500
    assert [each for each in contrasts if each[0] < 4.5] == []


def test_it_is_dark_on_a_screen_and_light_on_paper(open_report: OpenReport) -> None:
    page = open_report(sample(), color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(16, 19, 29)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    expect(page.get_by_role("region", name="Command").first).to_be_visible()
