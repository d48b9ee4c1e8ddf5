"""The page, as it is written; what a browser makes of it is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

from bluehour.contracts.report import html
from bluehour.contracts.report.pictures import credits_picture, latency_picture
from bluehour.contracts.results import Exit, Report, State
from bluehour.contracts.rules import RULES

from .reports import FACE, HARMFUL, SPENT, exchange, large, report


@dataclass
class Parsed(HTMLParser):
    """What is in a page: its tags with their attributes, and its text."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]


def parsed(made: Report) -> Parsed:
    page = Parsed()
    page.feed(html(made))
    return page


def test_the_page_needs_nothing_else(sample: Report) -> None:
    page = parsed(sample)
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "object", "base", "form"} == set()
    assert all(value.startswith(("data:", "#")) for name in ("src", "href") for value in page.values(name))
    assert "@import" not in html(sample)
    assert re.findall(r"url\(", html(sample)) == []


def test_its_policy_permits_its_own_style_alone(sample: Report) -> None:
    style = re.search(r"<style>(.*?)</style>", html(sample), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(each for each in parsed(sample).values("content") if "default-src" in each)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")
    assert parsed(sample).values("style") == []
    assert [name for _, each in parsed(sample).tags for name in each if name.startswith("on")] == []


def test_what_a_server_says_is_text(sample: Report) -> None:
    page = parsed(sample)
    assert "<script>alert('x')</script>\\x1b[31mred\\x00\\u202e\\ud800 ]]> & \"quoted\"" in page.text
    assert HARMFUL[:8] not in html(sample)


def test_every_link_leads_somewhere_and_no_place_is_twice(sample: Report) -> None:
    page = parsed(sample)
    places = page.values("id")
    assert len(places) == len(set(places))
    assert {each[1:] for each in page.values("href") if each.startswith("#")} <= set(places)
    named = " ".join(page.values("aria-labelledby")).split()
    assert set(named) <= set(places)


def test_cells_say_what_they_are_without_colour_or_sight(sample: Report) -> None:
    text = " ".join(parsed(sample).text.split())
    assert "refuse.step A number off its step is refused✓ kept, checks:" in text
    assert "✗ broken, findings: 2" in text
    assert "! a warning, findings: 1" in text
    assert "? not judged, reason a" in text
    assert SPENT in parsed(sample).values("title")


def test_the_verdict_is_the_first_thing(sample: Report) -> None:
    text = " ".join(parsed(sample).text.partition("Skip to the verdict")[2].split())
    kept = len(RULES) - 5 - 1 - 13
    assert f"Does not conform 5 rules are broken, {kept} kept, 1 warning, 13 not judged." in text[:300]
    assert "Conforms" in parsed(report()).text
    assert "Not all judged" in parsed(report(exit_code=Exit.UNJUDGED)).text


def test_evidence_is_open_while_there_is_little_of_it(sample: Report) -> None:
    assert ("details", {"open": None}) not in parsed(sample).tags
    few = report(sample.findings[:2], sample.exchanges)
    assert parsed(few).tags.count(("details", {"open": None})) == 2


def test_of_very_many_requests_the_first_thousand_are_listed() -> None:
    page = parsed(large(1_200))
    assert sum(each.startswith("request-") for each in page.values("id")) == 1_000
    assert "The first 1,000 of 1,200; the HAR report has them all" in page.text


def test_a_verdict_of_an_unlisted_operation_has_a_column_too() -> None:
    made = report(operations=())
    assert len([each for each in parsed(made).values("scope") if each == "col"]) >= 8
    assert any(each.operation == FACE and each.state is State.KEPT for each in made.verdicts)


def test_pictures_are_drawn_for_any_number_of_requests() -> None:
    for count in (1, 2, 5, 2_000):
        exchanges = large(count).exchanges
        for picture in (credits_picture(exchanges, 60), latency_picture(exchanges)):
            svg = Xml.fromstring(str(picture.svg))
            assert svg.findtext("desc") == picture.caption
            numbers = re.findall(r"-?\d+(?:\.\d+)?", " ".join(each.get("d", "") for each in svg.iter("path")))
            assert all(-20 <= float(each) <= 520 for each in numbers)
            assert len(picture.svg) < 60_000


def test_pictures_say_in_words_what_they_show() -> None:
    silent = exchange(2, answer=None, failure="reset", booked=1, spent=2)
    exchanges = (exchange(1, booked=1, spent=1), silent)
    assert credits_picture(exchanges, 3).caption == "2 of 3 credits spent by 2 requests."
    assert latency_picture(exchanges).caption == (
        "Half of the answers came within 12 ms, 95 of 100 within 12 ms, the slowest took 12 ms; "
        "1 request without an answer."
    )
    assert latency_picture((silent,)).caption == "1 request without an answer."
