"""What an OpenAPI 3.0 document becomes, part by part and as a whole."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from bluehour.openapi.upgrade import upgraded
from tests.profiles import examples

SPECS = Path(__file__).parent / "specs"
NULLABLE = {"type": "string", "nullable": True}
NULLABLE_NOW = {"type": ["string", "null"]}


def petstore() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((SPECS / "petstore-3.0.yaml").read_text("utf-8"))
    return document


def library() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SPECS / "library-3.1.json").read_text("utf-8"))
    return document


def document_with(**members: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, **members}


def upgraded_schema(schema: Any) -> Any:
    return upgraded(document_with(components={"schemas": {"It": schema}}))["components"]["schemas"]["It"]


# --- one schema ---------------------------------------------------------------------------------------------

REF = {"$ref": "#/components/schemas/Other"}
NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NULLABLE, NULLABLE_NOW),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"nullable": True}, {}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"enum": ["a", None], "nullable": True}, {"enum": ["a", None]}),
        ({**REF, "nullable": True}, {"anyOf": [REF, NULL]}),
        (
            {"allOf": [REF], "nullable": True, "description": "d", "minProperties": 1},
            {"description": "d", "anyOf": [{"allOf": [REF], "minProperties": 1}, NULL]},
        ),
        ({"oneOf": [REF], "nullable": True}, {"anyOf": [{"oneOf": [REF]}, NULL]}),
        ({"anyOf": [REF], "nullable": True}, {"anyOf": [{"anyOf": [REF]}, NULL]}),
    ],
)
def test_nullable_becomes_null(before: Any, after: Any) -> None:
    assert upgraded_schema(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 0, "exclusiveMaximum": True}, {"exclusiveMaximum": 0}),
        ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ({"exclusiveMaximum": True}, {}),
        ({"exclusiveMinimum": 3}, {"exclusiveMinimum": 3}),
    ],
)
def test_an_exclusive_bound_becomes_a_number(before: Any, after: Any) -> None:
    assert upgraded_schema(before) == after


def test_an_example_becomes_a_list_in_its_place() -> None:
    after = upgraded_schema({"type": "object", "example": {"nullable": True}, "title": "t"})
    assert after == {"type": "object", "examples": [{"nullable": True}], "title": "t"}
    assert list(after) == ["type", "examples", "title"]
    assert upgraded_schema({"example": None}) == {"examples": [None]}


def test_what_stands_beside_a_reference_is_dropped() -> None:
    assert upgraded_schema({**REF, "description": "d", "minLength": 2}) == REF


@pytest.mark.parametrize("keyword", ["items", "not", "additionalProperties"])
def test_a_schema_in_a_schema_is_upgraded(keyword: str) -> None:
    assert upgraded_schema({keyword: NULLABLE}) == {keyword: NULLABLE_NOW}


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_a_schema_in_a_list_of_schemas_is_upgraded(keyword: str) -> None:
    assert upgraded_schema({keyword: [REF, NULLABLE]}) == {keyword: [REF, NULLABLE_NOW]}


def test_a_boolean_in_place_of_a_schema_stays() -> None:
    assert upgraded_schema({"additionalProperties": False}) == {"additionalProperties": False}


NAMES = ["nullable", "properties", "example", "items", "$ref", "type", "allOf", "exclusiveMinimum", "x-note"]


def test_a_property_with_the_name_of_a_keyword_is_a_property() -> None:
    before = {"type": "object", "properties": dict.fromkeys(NAMES, NULLABLE)}
    assert upgraded_schema(before) == {"type": "object", "properties": dict.fromkeys(NAMES, NULLABLE_NOW)}


@pytest.mark.parametrize("keyword", ["default", "x-anything"])
def test_a_value_that_looks_like_a_schema_is_a_value(keyword: str) -> None:
    value = {"type": "string", "nullable": True, "example": 1, "properties": {"a": NULLABLE}}
    assert upgraded_schema({keyword: value}) == {keyword: value}
    assert upgraded_schema({"enum": [value]}) == {"enum": [value]}
    assert upgraded_schema({"example": value}) == {"examples": [value]}


# --- every place --------------------------------------------------------------------------------------------

PLACES: dict[str, Any] = {
    "components": {
        "schemas": {"S": NULLABLE},
        "parameters": {
            "P": {"name": "p", "in": "query", "schema": NULLABLE},
            "R": {"$ref": "#/x", "name": "r"},
        },
        "headers": {"x-h": {"schema": NULLABLE}},
        "requestBodies": {"B": {"content": {"text/plain": {"schema": NULLABLE}}}},
        "responses": {"R": {"description": "d", "headers": {"x-h": {"schema": NULLABLE}}}},
        "callbacks": {"C": {"{$url}": {"put": {"parameters": [{"schema": NULLABLE}]}}}},
    },
    "paths": {
        "/a": {
            "parameters": [{"name": "p", "in": "query", "content": {"text/plain": {"schema": NULLABLE}}}],
            **{
                method: {
                    "parameters": [{"name": "q", "in": "query", "schema": NULLABLE}],
                    "requestBody": {
                        "content": {
                            "multipart/form-data": {
                                "schema": NULLABLE,
                                "encoding": {"f": {"headers": {"x-h": {"schema": NULLABLE}}}},
                            }
                        }
                    },
                    "responses": {"default": {"content": {"a/b": {"schema": NULLABLE}}}},
                    "callbacks": {"c": {"{$url}": {"post": {"responses": {"200": {"headers": {
                        "h": {"schema": NULLABLE}}}}}}}},
                }
                for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace")
            },
        }
    },
}  # fmt: skip


def test_every_schema_of_a_document_is_upgraded_wherever_it_stands() -> None:
    after = upgraded(document_with(**PLACES))
    expected = json.dumps(PLACES).replace(json.dumps(NULLABLE), json.dumps(NULLABLE_NOW))
    assert {key: after[key] for key in PLACES} == json.loads(expected)


def test_an_extension_or_an_example_of_a_body_is_left_alone() -> None:
    media = {"example": NULLABLE, "examples": {"one": {"value": NULLABLE}}, "x-schema": {"schema": NULLABLE}}
    responses = {"x-note": {"content": {"a/b": {"schema": NULLABLE}}}, "200": {"content": {"a/b": media}}}
    paths = {
        "x-note": {"get": {"parameters": [{"schema": NULLABLE}]}},
        "/a": {"get": {"responses": responses}},
    }
    assert upgraded(document_with(paths=paths))["paths"] == paths


@pytest.mark.parametrize("broken", [None, 3, "text", []])
def test_a_part_that_is_broken_stays_for_the_validator_to_complain_about(broken: Any) -> None:
    members = {"paths": {"/a": broken, "/b": {"get": {"responses": broken}}}, "components": broken}
    assert upgraded(document_with(**members)) == {**document_with(**members), "openapi": "3.1.0"}


# --- versions -----------------------------------------------------------------------------------------------


def test_a_document_of_3_1_is_returned_as_it_is() -> None:
    document = library()
    before = copy.deepcopy(document)
    assert upgraded(document) is document
    assert document == before


def test_to_upgrade_twice_changes_nothing_more() -> None:
    once = upgraded(petstore())
    assert upgraded(once) is once


@pytest.mark.parametrize("stated", [{"swagger": "2.0"}, {"openapi": "4.0.0"}, {}])
def test_another_version_is_refused(stated: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"only 3\.0 to 3\.2"):
        upgraded(stated)


def test_a_version_that_yaml_reads_as_a_number_is_understood() -> None:
    assert upgraded({"openapi": 3.0})["openapi"] == "3.1.0"


# --- whole documents ----------------------------------------------------------------------------------------


def test_a_real_document_is_valid_before_and_after() -> None:
    document = petstore()
    before = copy.deepcopy(document)
    validate(document)
    after = upgraded(document)
    validate(after)
    assert document == before
    assert after["openapi"] == "3.1.0"
    assert "nullable" not in json.dumps(after["paths"]["/pets"]["get"])


def test_a_document_of_3_1_for_the_tests_is_valid() -> None:
    validate(library())


def test_null_is_legal_in_a_real_document_where_it_was() -> None:
    after = upgraded(petstore())
    pet = {"id": 1, "name": "Tom", "kind": "cat", "owner": None, "mood": None, "favourite": None}
    schema = {"$ref": "#/components/schemas/Pet", "components": after["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(pet)
    assert validator.is_valid({**pet, "mood": "calm", "owner": {"name": "Ann", "address": {"city": None}}})
    assert not validator.is_valid({**pet, "mood": "angry"})
    assert not validator.is_valid({**pet, "name": None})
    assert not validator.is_valid({**pet, "weight": 0})
    assert validator.is_valid({**pet, "weight": 100})


scalars: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer", "boolean"])},
    optional={"nullable": st.booleans(), "description": st.just("d")},
) | st.builds(
    lambda low, open_low, nullable: {
        "type": "integer", "minimum": low, "exclusiveMinimum": open_low, "nullable": nullable
    },
    st.integers(-2, 2), st.booleans(), st.booleans(),
)  # fmt: skip
schemas_of_3_0: st.SearchStrategy[dict[str, Any]] = st.recursive(
    scalars,
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner}, optional={"nullable": st.booleans()}
        )
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)})
    ),
    max_leaves=4,
)
plain_values: st.SearchStrategy[Any] = st.sampled_from([None, True, "", -3, 0, 1, 2, 3])
values = st.recursive(plain_values, lambda inner: st.lists(inner, max_size=2), max_leaves=4)


def means(schema: dict[str, Any], value: Any) -> bool:
    """Judge a value by a 3.0 schema, as that specification puts it."""
    if "anyOf" in schema:
        return any(means(branch, value) for branch in schema["anyOf"])
    if value is None:
        return bool(schema.get("nullable"))
    if schema["type"] == "array":
        return isinstance(value, list) and all(means(schema["items"], item) for item in value)
    kinds: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
    if type(value) is not kinds[schema["type"]]:
        return False
    low = schema.get("minimum")
    return low is None or value > low or (value == low and not schema["exclusiveMinimum"])


@examples(400)
@given(schemas_of_3_0, values)
def test_an_upgraded_schema_means_what_it_meant(schema: dict[str, Any], value: Any) -> None:
    assert jsonschema.Draft202012Validator(upgraded_schema(schema)).is_valid(value) == means(schema, value)
