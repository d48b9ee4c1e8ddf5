"""Keywords of schemas that are seldom used: each is broken alone, and kept at its edge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bluehour.contracts.bodies.keywords import keyword_table

from .schemas import Sketch

DOCS = Path(__file__).parents[3] / "docs" / "checking.md"
WHOLE = {"type": "integer"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


CASES: list[tuple[dict[str, Any], Any, tuple[str, str], Any]] = [
    (closed(a=WHOLE), {"a": 1}, ("refuse.container", "a key that it does not have"), None),
    (
        {"type": "object", "properties": {"a": WHOLE, "b": WHOLE}, "dependentRequired": {"a": ["b"]}},
        {"a": 1, "b": 1},
        ("refuse.missing", "missing"),
        None,
    ),
    (
        {"type": "array", "items": WHOLE, "uniqueItems": True, "maxItems": 3},
        [1, 2],
        ("refuse.container", "an item twice"),
        "3 items, as its bound allows",
    ),
    (
        {"type": "array", "items": WHOLE, "uniqueItems": True, "maxItems": 3},
        [1, 2],
        ("refuse.maximum", "4 items, more than its 3"),
        None,
    ),
    (
        {"type": "array", "contains": {"const": 3}},
        [3],
        ("refuse.container", "no item as one has to be"),
        None,
    ),
    (
        {"type": "array", "prefixItems": [WHOLE, WHOLE], "items": False},
        [1, 2],
        ("refuse.container", "an item too many"),
        None,
    ),
    (
        {"type": "object", "properties": {"m": {"type": "object", "maxProperties": 2}}},
        {"m": {"a": 1}},
        ("refuse.maximum", "3 keys, more than its 2"),
        "2 keys, as its bound allows",
    ),
    (
        {"type": "object", "propertyNames": {"pattern": "^[a-z]*$"}},
        {"a": 1},
        ("refuse.pattern", "a key as none may be named, 'A B'"),
        None,
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer", "maximum": 9}},
        {"a": 1},
        ("refuse.maximum", "10, above its maximum 9"),
        "its maximum 9",
    ),
    (
        {"type": "object", "properties": {"d": {"type": "string", "format": "date"}}},
        {"d": "2026-01-01"},
        ("refuse.pattern", '"2026-02-30", no date'),
        "2024-02-29, a date",
    ),
    (
        {"type": "object", "properties": {"c": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3}}},
        {"c": "ab"},
        ("refuse.maximum", "4 characters, more than its 3"),
        "3 characters, as its bound allows",
    ),
    (
        {"type": "object", "properties": {"b": {"type": "boolean", "const": True}}},
        {"b": True},
        ("refuse.choice", "false, none of the choices"),
        None,
    ),
    (
        {"type": "object", "properties": {"n": {"type": "integer", "const": 5}}},
        {"n": 5},
        ("refuse.choice", "6, none of the choices"),
        None,
    ),
    (
        {"type": "object", "properties": {"n": {"type": "integer", "exclusiveMinimum": 5}}},
        {"n": 7},
        ("refuse.minimum", "5, not below its bound"),
        "6, next to its bound 5",
    ),
]


@pytest.mark.parametrize(("node", "value", "broken", "edge"), CASES, ids=lambda each: str(each)[:40])
def test_a_keyword_is_broken_alone_and_kept_at_its_edge(
    node: dict[str, Any], value: Any, broken: tuple[str, str], edge: str | None
) -> None:
    sketch = Sketch(node, value)
    assert broken in {(each.rule, each.says) for each in sketch.illegal()}
    assert all(not sketch.media.schema.accepts(_read(each.content)) for each in sketch.illegal())
    if edge is not None:
        assert edge in {each.says for each in sketch.legal()}


def test_the_docs_have_the_table() -> None:
    assert keyword_table() in DOCS.read_text("utf-8")


def _read(content: bytes) -> Any:
    return json.loads(content)
