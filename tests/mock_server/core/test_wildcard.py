"""Patterns with stars fit what regular expressions would, but are quick on every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.core.wildcard import with_stars

SHORT = st.text("ab.\n", max_size=6)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("ci-*", "ci-1", True),
        ("ci-*", "my-ci-1", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*b*a", "abba", True),
        ("a*ba", "aba", True),
        ("a.c", "abc", False),
    ],
)
def test_a_star_stands_for_anything(pattern: str, text: str, fits: bool) -> None:
    assert with_stars(pattern)(text) is fits


@given(st.text("ab*", max_size=8), SHORT)
def test_a_pattern_fits_what_its_regular_expression_would(pattern: str, text: str) -> None:
    expression = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    assert with_stars(pattern)(text) is (expression.fullmatch(text) is not None)


def test_many_stars_on_a_long_text_are_no_work() -> None:
    assert not with_stars("*a" * 200 + "*b")("a" * 1_000_000)
