"""The page, as it is written; what a browser makes of it is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest

from bluehour.contracts.fuzz.coverage import Coverage
from bluehour.contracts.fuzz.report import html
from bluehour.contracts.fuzz.report.states import states_picture
from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.script import loaded

from .report_samples import (
    HARMFUL,
    SAVED,
    coverage,
    endless,
    kept,
    leaking,
    paid_twice,
    result,
    sample,
)


@dataclass
class Parsed(HTMLParser):
    """What is in a page: its tags with their attributes, its text, and the text of each block."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    blocks: list[tuple[str, str]] = field(default_factory=list)
    _in_block: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "pre":
            self._in_block = True
            self.blocks.append((dict(attrs).get("aria-label") or "", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_block = self._in_block and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_block:
            label, text = self.blocks.pop()
            self.blocks.append((label, text + data))

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]

    def of_label(self, label: str) -> list[str]:
        return [text for name, text in self.blocks if name == label]


def parsed(made: Result) -> Parsed:
    page = Parsed()
    page.feed(html(made, saved=SAVED))
    return page


def words(made: Result) -> str:
    return " ".join(parsed(made).text.split())


@pytest.mark.parametrize("made", [sample(), kept(), result(coverage=Coverage(), played=0, topics=0)])
def test_the_page_needs_nothing_else(made: Result) -> None:
    page = parsed(made)
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "object", "base", "form"} == set()
    assert all(value.startswith(("data:", "#")) for name in ("src", "href") for value in page.values(name))
    assert re.findall(r"url\(|@import", html(made)) == []


def test_its_policy_permits_its_own_style_alone() -> None:
    style = re.search(r"<style>(.*?)</style>", html(sample()), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    page = parsed(sample())
    policy = next(each for each in page.values("content") if "default-src" in each)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")
    assert page.values("style") == []
    assert [name for _, each in page.tags for name in each if name.startswith("on")] == []


def test_what_clients_and_scripts_say_is_text() -> None:
    page = parsed(sample())
    assert "<script>alert('x')</script>\\x1b[31mred\\x00\\x7f\\u202e\\ud800 ]]> & \"quoted\"" in page.text
    assert HARMFUL[:8] not in html(sample())


def test_every_link_leads_somewhere_and_no_place_is_twice() -> None:
    page = parsed(sample())
    places = page.values("id")
    assert len(places) == len(set(places))
    assert {each[1:] for each in page.values("href") if each.startswith("#")} <= set(places)
    assert set(" ".join(page.values("aria-labelledby")).split()) <= set(places)


def test_every_script_can_be_copied_from_the_page_and_played() -> None:
    made = sample()
    scripts = parsed(made).of_label("Script")
    assert [loaded(text) for text in scripts] == [finding.script for finding in made.findings]


def test_what_plays_a_saved_script_again_is_there() -> None:
    made = result(paid_twice(), endless())
    assert parsed(made).of_label("Command") == [
        """bluehour fuzz --replay 'out/it'"'"'s <b>.json' -- client.py:edit"""
    ]


def test_the_verdict_is_the_first_thing() -> None:
    assert (
        "4 rules broken in 8 ways node <script>" in words(sample()).partition("Skip to the verdict")[2][:120]
    )
    told = "client.py:edit was given 200 scripts of the realistic profile in 8.0 s."
    assert f"No rule was seen broken in 200 scripts {told}" in words(kept())


def test_rules_say_what_they_came_to_without_colour_or_sight() -> None:
    text = words(sample())
    assert "✗ token.host is broken in so many ways: 5" in text
    assert "✓ request.legal was not seen broken" in text
    assert "poll.pace not judged" in text


def test_a_performance_can_be_read_without_sight_of_its_arrows() -> None:
    text = words(result(paid_twice()))
    assert (
        "0.02 s create POST to API, answered: no answer \N{MINUS SIGN}1 credit it is done, and the connection"
        in text
    )
    assert "3.00 s download GET to links, answered: 200" in text
    assert "12.50 s it reports complete and 1 credit" in text


def test_few_findings_are_open_from_the_start_and_of_many_the_first_of_each_rule() -> None:
    assert parsed(result(paid_twice(), leaking(1))).tags.count(("details", {"open": None})) == 2
    assert parsed(sample()).tags.count(("details", {"open": None})) == 4


def test_the_states_are_drawn_and_told() -> None:
    picture = states_picture(coverage())
    assert picture
    svg = Xml.fromstring(str(picture.svg))
    assert [each.text for each in svg.iter("text") if each.get("class") == "times"] == list("971112")
    assert "queued to rendering: 7" in picture.words
    assert svg.get("aria-label", "").startswith("first to queued: 9")
    assert "canceled unmet" in str(picture.svg)
    assert states_picture(Coverage()) is None
