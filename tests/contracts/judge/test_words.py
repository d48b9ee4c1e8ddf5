"""The contract's own words: a part of it as a few lines of YAML, whatever the path that leads there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.judge.words import in_yaml, words_at, words_of
from bluehour.openapi.model import JSON
from bluehour.openapi.schema import Schema

from ..bodies.schemas import JSON_VALUES, OPERATIONS, fields, media_of
from .stories import CONTRACT, READ, UPLOADS

PROJECT = READ.responses["200"].content[JSON].schema
ISSUED = UPLOADS.responses["200"].content[JSON].schema


def of_project(*path: str | int) -> str:
    return words_at(path, PROJECT.node, PROJECT.document)


def test_a_rule_stands_under_the_name_of_the_field_that_it_is_about() -> None:
    assert of_project("properties", "created_at", "format") == "created_at: {format: date-time}"
    assert of_project("properties", "name", "type") == "name:\n  type: [string, 'null']"
    assert of_project("properties", "error", "required") == "error:\n  required: [message, code]"


def test_a_rule_about_the_whole_stands_under_body() -> None:
    assert of_project("type") == "body: {type: object}"
    assert of_project("required").startswith("body:\n  required: [id, name, ")


def test_items_are_named_with_brackets() -> None:
    path = ("properties", "downloads", "items", "properties", "url", "format")
    assert of_project(*path) == "downloads[].url: {format: uri}"
    assert words_at(("properties", "items", "items", "required"), ISSUED.node, ISSUED.document) == (
        "items[]:\n  required: [upload_url, expires_at, file_path]"
    )


def test_references_are_followed_on_the_way() -> None:
    schema = {"properties": {"a": {"$ref": "#/components/schemas/A"}}}
    document = {"components": {"schemas": {"A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}},
                                           "B": {"maximum": 5}}}}  # fmt: skip
    assert (
        words_at(("properties", "a", "properties", "b", "maximum"), schema, document) == "a.b: {maximum: 5}"
    )


def test_a_field_with_the_name_of_a_keyword_is_a_field() -> None:
    schema = {"properties": {"properties": {"properties": {"items": {"maximum": 5}}}}}
    path = ("properties", "properties", "properties", "items", "maximum")
    assert words_at(path, schema, {}) == "properties.items: {maximum: 5}"


def test_a_path_that_leads_nowhere_gives_what_is_known_on_the_way() -> None:
    assert of_project("properties", "enabled", "const") == "enabled: {type: boolean}"
    assert of_project("properties", "nowhere", "type")
    assert of_project("nowhere").startswith("body:\n  type: object\n  required: [id, name, status,")


def test_no_path_gives_the_whole() -> None:
    assert yaml.safe_load(words_at((), {"type": "string"}, {})) == {"body": {"type": "string"}}


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


steps = st.one_of(
    st.sampled_from(
        ["properties", "items", "required", "status", "downloads", "error", "type", "enum", "$ref"]
    ),
    st.text(max_size=5),
    st.integers(-3, 12),
)


@given(st.lists(steps, max_size=7))
def test_no_path_is_too_odd(path: list[str | int]) -> None:
    words = of_project(*path)
    assert words
    assert yaml.safe_load(words)


@given(JSON_VALUES, st.lists(steps, max_size=4))
def test_no_schema_is_too_odd(node: Any, path: list[str | int]) -> None:
    assert isinstance(words_at(path, node, {}), str)
    assert isinstance(words_of("it", node, {}), str)


@given(st.dictionaries(st.text(min_size=1, max_size=4), JSON_VALUES, min_size=1, max_size=3))
def test_yaml_ends_without_a_line_break(value: dict[str, Any]) -> None:
    assert not in_yaml(value).endswith("\n")


def test_words_of_any_script_are_readable() -> None:
    assert in_yaml({"a": "Zoë 東京"}) == "{a: Zoë 東京}"


def test_a_schema_that_is_true_has_words_too() -> None:
    assert words_of("it", Schema({}, True).node, {}) == "{it: true}"
