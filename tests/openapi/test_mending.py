"""What is wrong in a file is left out and named; the rest of it is served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.openapi.contract import Contract, load_anew
from bluehour.openapi.mending import mended
from bluehour.openapi.upgrade import upgraded
from tests.profiles import examples


def document(version: str = "3.1.0", **parts: Any) -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": {}, **parts}


def mended_schema(schema: Any, version: str = "3.1.0") -> tuple[Any, list[str]]:
    whole, defects = mended(document(version, components={"schemas": {"It": schema}}), lambda _: "")
    return whole["components"]["schemas"]["It"], [str(defect) for defect in defects]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("type", "string,"),
        ("type", ["string", "text"]),
        ("type", 3),
        ("pattern", "(?i)^[a-z]+$(?!x"),
        ("pattern", 3),
        ("properties", ["a"]),
        ("allOf", {"type": "object"}),
        ("anyOf", []),
        ("enum", "a"),
        ("required", True),
        ("required", ["a", "a"]),
        ("minimum", "1"),
        ("maxLength", -1),
        ("maxLength", 1.5),
        ("multipleOf", 0),
        ("uniqueItems", "yes"),
        ("format", ["date"]),
    ],
)
def test_a_keyword_that_is_none_is_left_out_and_its_place_is_told(keyword: str, value: Any) -> None:
    schema, defects = mended_schema({"type": "string", "title": "t", keyword: value})
    assert schema == {key: each for key, each in {"type": "string", "title": "t"}.items() if key != keyword}
    assert [each.startswith(f"#/components/schemas/It/{keyword}: ") for each in defects] == [True]


def test_what_is_wrong_inside_of_a_schema_leaves_the_rest_of_it() -> None:
    inner = {"items": {"anyOf": [{"minimum": "a", "maximum": 3}, "text"]}}
    schema, defects = mended_schema({"properties": {"a/b": inner, "c": {"type": "integer"}}})
    assert schema["properties"] == {
        "a/b": {"items": {"anyOf": [{"maximum": 3}, {}]}},
        "c": {"type": "integer"},
    }
    at = "#/components/schemas/It/properties/a~1b/items/anyOf"
    assert defects == [
        f"{at}/0/minimum: a number is due here, not 'a'",
        f"{at}/1: a schema is due here, not 'text'",
    ]


def test_an_old_exclusive_bound_in_a_new_file_means_what_it_did() -> None:
    schema, defects = mended_schema({"minimum": 0, "exclusiveMinimum": True})
    assert schema == {"exclusiveMinimum": 0}
    assert len(defects) == 1
    assert mended_schema({"minimum": 0, "exclusiveMinimum": True}, "3.0.3")[1] == []


def test_what_a_schema_says_of_values_is_left_alone() -> None:
    told = {"default": {"type": 3}, "enum": [{"pattern": "("}], "examples": [None], "const": None}
    assert mended_schema(told) == (told, [])


@pytest.mark.parametrize(
    "parts",
    [
        {"components": {"schemas": None}, "security": None},
        {"paths": {"/a": {"get": {"parameters": None, "responses": {"200": {"description": "ok"}}}}}},
        {"paths": {"/a": {"get": {"responses": {"200": {"description": "ok", "content": None}}}}}},
        {"paths": {"/a": {"get": {"parameters": "none", "responses": {}}}}},
        {"paths": {"/a": {"get": {"tags": None, "responses": None}}, "/b": None}},
    ],
)
def test_nothing_where_something_is_due_is_left_out(parts: dict[str, Any]) -> None:
    whole, defects = mended(document(**parts), lambda _: "")
    assert len(Contract(whole).operations) == ("paths" in parts)
    assert defects


def test_one_operation_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    good = {"get": {"responses": {"200": {"description": "ok"}}}}
    bad = {"get": {"parameters": [{"in": "query"}]}}
    file.write_bytes(orjson.dumps(document(paths={"/bad": bad, "/good": good})))
    contract = load_anew(file)
    assert [operation.path for operation in contract.operations] == ["/good"]
    assert [str(defect).partition(": ")[0] for defect in contract.defects] == ["#/paths/~1bad/get"]


_KEYWORDS = st.sampled_from(
    (
        *("type", "pattern", "properties", "items", "allOf", "anyOf", "enum", "required", "minimum", "not"),
        *("maxLength", "multipleOf", "uniqueItems", "format", "additionalProperties", "exclusiveMaximum"),
        *("prefixItems", "patternProperties", "if", "contains", "$ref"),
    )
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["string", "(", "a", "object"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYWORDS, inner, max_size=4),
    max_leaves=12,
)


@examples(200)
@given(schema=_ANYTHING, version=st.sampled_from(["3.0.3", "3.1.0"]))
def test_whatever_stands_in_a_schema_can_be_judged_by_what_is_left(schema: Any, version: str) -> None:
    whole, _ = mended(document(version, components={"schemas": {"It": {"items": schema}}}), lambda _: "")
    contract = Contract(upgraded(whole))
    contract.document.validators.of({"$ref": "#/components/schemas/It"}).is_valid(["a"])
