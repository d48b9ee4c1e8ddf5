"""The contract's own words: a part of it as a few lines of YAML."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.judge.words import in_yaml, words_of
from bluehour.openapi.schema import Schema

from ..bodies.schemas import JSON_VALUES, OPERATIONS, fields, media_of
from .stories import CONTRACT


def test_what_a_rule_does_not_need_is_left_out() -> None:
    node = {"type": "string", "minLength": 1, "description": "Long", "examples": ["x"], "title": "T"}
    assert words_of("id", node, {}) == "id: {type: string, minLength: 1}"
    assert words_of("", {"properties": {"a": {}}, "required": ["a"]}, {}) == "body:\n  required: [a]"
    assert words_of("id", {"description": "All there is"}, {}) == "id: {description: All there is}"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_every_field_of_the_contract_has_words(operation: Any) -> None:
    for field in fields(media_of(operation).schema):
        words = words_of("it", field.node, CONTRACT.document)
        known = yaml.safe_load(words)["it"]
        assert known["type"] == field.node["type"]
        assert "description" not in known


@given(JSON_VALUES)
def test_no_schema_is_too_odd(node: Any) -> None:
    assert isinstance(words_of("it", node, {}), str)


@given(st.dictionaries(st.text(min_size=1, max_size=4), JSON_VALUES, min_size=1, max_size=3))
def test_yaml_ends_without_a_line_break(value: dict[str, Any]) -> None:
    assert not in_yaml(value).endswith("\n")


def test_words_of_any_script_are_readable() -> None:
    assert in_yaml({"a": "Zoë 東京"}) == "{a: Zoë 東京}"


def test_a_schema_that_is_true_has_words_too() -> None:
    assert words_of("it", Schema({}, True).node, {}) == "{it: true}"
