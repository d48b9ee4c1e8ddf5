"""What a generated value must satisfy, judged by another validator than the one that the code uses."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bluehour.openapi.samples import NoSample, sample
from bluehour.openapi.upgrade import upgraded
from tests.profiles import examples

Schema = dict[str, Any] | bool

COMPONENTS: dict[str, Any] = {
    "Word": {"type": "string", "minLength": 1, "maxLength": 12},
    "Count": {"type": "integer", "minimum": 0, "maximum": 20},
    "Node": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "parent": {"anyOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        },
    },
    "Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
    "Dog": {
        "type": "object",
        "required": ["kind", "bark"],
        "properties": {"kind": {"type": "string"}, "bark": {"type": "boolean"}},
    },
    "a b/c~d": {"const": "found"},
    "~1": {"const": "found too"},
}
ROOT: dict[str, Any] = {"components": {"schemas": COMPONENTS}}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def is_legal(schema: Schema, value: Any) -> bool:
    document = {"$ref": "#/x-sample", "x-sample": schema, **ROOT}
    return bool(jsonschema.Draft202012Validator(document).is_valid(value))


def assert_sampled(schema: Schema) -> Any:
    value = sample(schema, ROOT)
    assert is_legal(schema, value), value
    return value


# --- any schema ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d"])


def bounds(low: str, high: str, largest: int = 6) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(st.integers(0, largest), st.integers(0, largest)).map(sorted)
    return st.one_of(
        st.just({}),
        pairs.map(lambda pair: {low: pair[0], high: pair[1]}),
        st.integers(0, largest).map(lambda least: {low: least}),
        st.integers(0, largest).map(lambda most: {high: most}),
    )


strings = st.one_of(
    bounds("minLength", "maxLength", 40).map(lambda limits: {"type": "string", **limits}),
    st.sampled_from([r"^\d+$", "^[a-z]{2,5}$", "ab", r"^[^\s/]+\.(png|jpg)$", "^$", r"^\w+(-\w+)*$"]).map(
        lambda pattern: {"type": "string", "pattern": pattern}
    ),
)
formats = st.sampled_from(["date-time", "uuid", "email", "uri", "unheard-of"]).map(
    lambda name: {"type": "string", "format": name}
)
# Steps that binary floats hold exactly: the two validators may judge other ones differently.
numbers = st.builds(
    lambda kind, limits, step: {"type": kind, **limits, **step},
    st.sampled_from(["integer", "number"]),
    st.one_of(
        bounds("minimum", "maximum", 50),
        st.tuples(st.integers(-50, 50), st.integers(2, 9)).map(
            lambda pair: {"exclusiveMinimum": pair[0], "exclusiveMaximum": pair[0] + pair[1]}
        ),
    ),
    st.sampled_from([{}, {}, {"multipleOf": 0.5}, {"multipleOf": 1}]),
)
enums = st.lists(st.sampled_from(["x", "y", 1, 2.5, None, True]), min_size=1, max_size=4).map(
    lambda values: {"enum": values}
)
# Without formats: the oracle takes them for annotations, and so means the opposite by a negated one.
leaves: st.SearchStrategy[Any] = st.one_of(
    strings,
    numbers,
    enums,
    st.sampled_from([{"type": "boolean"}, {"type": ["string", "null"]}, {}, True]),
    st.sampled_from(["Word", "Count", "Node", "Cat", "Dog"]).map(ref),
)


def arrays(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda item, limits: {"type": "array", "items": item, **limits},
        items,
        bounds("minItems", "maxItems", 3),
    )


def objects(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda properties, required, extra: {
            "type": "object",
            "properties": properties,
            "required": sorted(required & properties.keys()),
            **extra,
        },
        st.dictionaries(NAMES, members, max_size=4),
        st.sets(NAMES, max_size=2),
        st.sampled_from([{}, {"additionalProperties": False}, {"additionalProperties": {"type": "integer"}}]),
    )


def joined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    open_objects = objects(leaves).map(
        lambda schema: {key: value for key, value in schema.items() if key != "additionalProperties"}
    )
    return st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        st.lists(open_objects, min_size=1, max_size=1).map(lambda branches: {"allOf": branches}),
        parts.map(lambda part: {"anyOf": [part, {"type": "null"}]}),
        parts.map(lambda part: {"allOf": [part], "description": "one"}),
    )


def nested(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        parts, lambda inner: st.one_of(arrays(inner), objects(inner), joined(inner)), max_leaves=6
    )


satisfiable = nested(leaves | formats)
schemas = nested(leaves)
EVERYTHING = examples(250)


@EVERYTHING
@given(satisfiable)
@example({"type": "object", "properties": {"a": ref("Node")}, "required": ["a"]})
def test_a_sample_of_any_schema_that_can_be_satisfied_is_legal(schema: Schema) -> None:
    assert_sampled(schema)


@EVERYTHING
@given(
    st.one_of(
        st.tuples(schemas, schemas).map(lambda both: {"allOf": list(both)}),
        st.tuples(schemas, schemas).map(lambda both: {"oneOf": list(both)}),
        st.tuples(schemas, leaves).map(lambda both: {"allOf": [both[0]], "not": both[1]}),
        st.tuples(leaves, leaves, leaves).map(lambda of: {"if": of[0], "then": of[1], "else": of[2]}),
        leaves.map(lambda item: {"type": "array", "items": item, "uniqueItems": True, "minItems": 2}),
        leaves.map(lambda item: {"type": "array", "contains": item, "minItems": 2}),
        objects(leaves).map(lambda schema: {**schema, "minProperties": 2, "maxProperties": 3}),
    )
)
def test_a_sample_of_a_schema_that_may_contradict_itself_is_legal_or_there_is_none(schema: Schema) -> None:
    try:
        value = sample(schema, ROOT)
    except NoSample:
        return
    assert is_legal(schema, value), value


@examples(50)
@given(satisfiable)
def test_a_sample_is_the_same_every_time(schema: Schema) -> None:
    assert repr(sample(schema, ROOT)) == repr(sample(schema, ROOT))


def test_a_sample_is_the_same_in_every_process() -> None:
    code = (
        "from bluehour.openapi.samples import sample;"
        r"print([sample({'type': 'string', 'pattern': p}, {}) for p in (r'^[^a]\W\S+$', r'^[^\d]{5}\D$')])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1


# --- what is preferred --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "example": "e", "default": "d", "enum": ["x", "d", "e"]}, "e"),
        ({"type": "string", "examples": ["e", "f"], "default": "d"}, "e"),
        ({"type": "string", "examples": [1, "f"]}, "f"),
        ({"type": "string", "default": "d", "enum": ["x", "d"]}, "d"),
        ({"const": {"a": None}}, {"a": None}),
        ({"enum": ["x", "y"]}, "x"),
        ({"enum": [None, "y"]}, "y"),
        ({"enum": [None]}, None),
        ({"type": "integer", "example": "many", "default": 7}, 7),
        ({"type": "object", "properties": {"n": {"type": "integer", "example": "many"}}}, {"n": 1}),
        ({"type": ["null", "boolean"]}, True),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"anyOf": [{"const": None}, {"type": "integer"}]}, 1),
        ({"type": "null"}, None),
        ({"properties": {"a": {"type": "boolean"}}}, {"a": True}),
        ({"minimum": 3}, 3),
        ({"$ref": "#/components/schemas/a%20b~1c~0d"}, "found"),
        ({"$ref": "#/components/schemas/~01"}, "found too"),
        ({"type": "number", "minimum": 10, "maximum": 20}, 15),
        ({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]}, {"a": "text", "b": "text"}),
        (
            {"type": "object", "properties": {"a": True}, "dependentRequired": {"a": ["b"], "b": ["c"]}},
            {"a": "text", "b": "text", "c": "text"},
        ),
        (
            {"required": ["k"], "if": {"properties": {"k": {"const": "x"}}}, "then": {"required": ["z"]}},
            {"k": "x", "z": "text"},
        ),
        (
            {"allOf": [{"properties": {"a": {}}, "additionalProperties": False}, {"properties": {"b": {}}}]},
            {"a": "text"},
        ),
    ],
)
def test_the_most_telling_legal_value_is_taken(schema: Schema, value: Any) -> None:
    taken = sample(schema, ROOT)
    assert taken == value
    assert str(taken) == str(value)  # the order of properties too


def test_an_example_of_one_part_does_not_stand_for_the_whole() -> None:
    named = {"type": "object", "properties": {"name": {"type": "string"}}, "example": {"name": "Ann"}}
    aged = {"type": "object", "properties": {"age": {"type": "integer"}}}
    assert sample({"allOf": [named, aged]}, {}) == {"name": "text", "age": 1}
    assert sample({"allOf": [named], "description": "the same"}, {}) == {"name": "Ann"}


def test_an_example_that_is_given_back_can_be_changed_without_changing_the_contract() -> None:
    schema: dict[str, Any] = {"type": "object", "example": {"tags": ["a"]}}
    sample(schema, {})["tags"].append("b")
    assert schema["example"] == {"tags": ["a"]}


def test_only_what_travels_in_a_direction_is_in_the_sample() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "secret": {"type": "string", "writeOnly": True},
            "note": {"$ref": "#/components/schemas/Hidden"},
        },
    }
    root = {"components": {"schemas": {"Hidden": {"type": "string", "writeOnly": True}}}}
    assert sample(schema, root) == {"id": 1}
    assert sample(schema, root, "request") == {"secret": "text", "note": "text"}
    assert sample({**schema, "required": ["secret"]}, root) == {"id": 1, "secret": "text"}


def test_an_example_that_json_cannot_hold_is_told() -> None:
    schema = {"type": "object", "properties": {"d": {"type": "string"}}}
    day = datetime.date(2024, 1, 1)
    with pytest.raises(NoSample, match="date"):
        sample({**schema, "example": {"d": day}}, {})


# --- hard cases ---------------------------------------------------------------------------------------------

FORMATS = [
    "date-time", "date", "time", "duration", "email", "idn-email", "uri", "uri-reference", "url", "uuid",
    "hostname", "ipv4", "ipv6", "byte", "binary", "password", "regex", "json-pointer",
    "relative-json-pointer", "uri-template", "iri", "unheard-of",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_values_that_differ(name: str) -> None:
    schema = {
        "type": "array",
        "uniqueItems": True,
        "minItems": 3,
        "items": {"type": "string", "format": name},
    }
    values = sample(schema, {})
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(values, schema, jsonschema.Draft202012Validator, format_checker=checker)
    assert max(map(len, values)) < 40


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": r"^\d+$"},
        {"pattern": r"^\d{3}-\d{4}$", "maxLength": 8},
        {"pattern": "^[A-Z]{2}$"},
        {"pattern": "foo", "minLength": 10},
        {"pattern": "foo$", "minLength": 10},
        {"pattern": "^[a-z]+$", "minLength": 20, "maxLength": 20},
        {"pattern": "^a-[0-9]*$", "minLength": 36, "maxLength": 36},
        {"pattern": "^.*$", "minLength": 300},
        {"pattern": r"^(?=.*[A-Z])(?=.*\d)(?=.*[!@#])[A-Za-z\d!@#]{12,}$"},
        {"pattern": r"^foo(?=bar)bar$"},
        {"pattern": r"^(?!admin)[a-z]{3,8}$"},
        {"pattern": r"^[^a-z]{3}$"},
        {"pattern": r"^[\[\]]{2}$"},
        {"pattern": r"^[^\x00-\x7f]+$"},
        {"pattern": r"^\/v\d+\/[\w-]+$"},
        {"pattern": r"^#?([a-f0-9]{6}|[a-f0-9]{3})$", "minLength": 6},
        {"pattern": "^$"},
        {"format": "date", "pattern": r"^\d{4}-01-\d{2}$"},
        {"format": "uuid", "minLength": 36, "maxLength": 36},
        {"maxLength": 0},
        {"minLength": 5000, "maxLength": 5000},
    ],
)
def test_a_string_keeps_its_pattern_and_length(schema: dict[str, Any]) -> None:
    assert_sampled({"type": "string", **schema})


@pytest.mark.parametrize("pattern", [r"^\p{Lu}\p{L}+$", r"^[\p{L}\p{N} ]{4,}$", r"^(?<year>\d{4})$"])
def test_a_pattern_of_the_ecma_kind_is_understood(pattern: str) -> None:
    in_python = {r"\p{Lu}": "[A-Z]", r"\p{L}": "[A-Za-z]", "(?<year>": "(?P<year>"}
    text = sample({"type": "string", "pattern": pattern}, {})
    for theirs, ours in in_python.items():
        pattern = pattern.replace(theirs, ours if "[\\p" not in pattern else ours.strip("[]"))
    assert re.search(pattern.replace(r"\p{N}", "0-9"), text)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "number", "exclusiveMinimum": -0.3, "maximum": -0.2},
        {"type": "number", "multipleOf": 0.01},
        {"type": "number", "multipleOf": 0.01, "minimum": 19.985, "exclusiveMaximum": 21},
        {"type": "number", "multipleOf": 0.1, "minimum": 1.05, "maximum": 1.15},
        {"type": "integer", "multipleOf": 0.75},
        {"type": "integer", "multipleOf": 7, "minimum": 100},
        {"type": "integer", "multipleOf": 7, "exclusiveMaximum": -100},
        {"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6, "minimum": 1}]},
        {"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 1000}]},
        {"allOf": [{"enum": list(range(200))}, {"enum": [150]}]},
        {"type": "integer", "multipleOf": 0.03, "minimum": 2},
        {"allOf": [{"type": "number", "minimum": 2.5}, {"type": "integer", "maximum": 3}]},
        {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
        {"type": "integer", "minimum": 1, "maximum": 1},
        {"type": "integer", "minimum": 2**53},
        {"type": "integer", "not": {"enum": [1, 2, 3]}},
    ],
)
def test_a_number_keeps_its_bounds_and_steps(schema: Schema) -> None:
    assert_sampled(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"enum": ["a", "b", "c"]}},
        {"type": "array", "uniqueItems": True, "minItems": 2, "items": {"type": "boolean"}},
        {"type": "array", "uniqueItems": True, "minItems": 25, "items": {"type": "integer", "multipleOf": 3}},
        {"type": "array", "uniqueItems": True, "minItems": 9, "items": {"pattern": "^[a-z]{2}$"}},
        {"type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "array", "items": ref("Word")}},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        {"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 3},
        {"type": "array", "contains": {"const": 7}, "items": {"type": "integer"}, "minItems": 3},
        {"prefixItems": [{"const": 1}, {"enum": [1.0, 2]}], "uniqueItems": True, "minItems": 2},
        {"type": "array", "maxItems": 0, "items": {"type": "integer"}},
        {"type": "array", "items": False},
        {"type": "array", "minItems": 1000, "items": ref("Node")},
    ],
)  # fmt: skip
def test_an_array_keeps_its_size_and_uniqueness(schema: Schema) -> None:
    assert_sampled(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "minProperties": 3},
        {"type": "object", "minProperties": 2, "properties": {"a": {"type": "string", "writeOnly": True}}},
        {"type": "object", "additionalProperties": ref("Count")},
        {"type": "object", "required": ["x"], "additionalProperties": ref("Count")},
        {"type": "object", "required": ["x-1"], "patternProperties": {"^x-": {"type": "integer"}},
         "additionalProperties": False},
        {"type": "object", "minProperties": 2, "patternProperties": {"^x-": {"type": "integer"}},
         "additionalProperties": False},
        {"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^[A-Z]{3}$"}},
        {"type": "object", "maxProperties": 1, "properties": {"a": True, "b": True}, "required": ["b"]},
        {"type": "object", "properties": {"a": True}, "dependentRequired": {"a": ["b"], "b": ["c"]}},
        {"type": "object", "properties": {"a": True}, "dependentSchemas": {"a": {"required": ["b"]}}},
        {"type": "object", "properties": {"a": True, "b": True}, "not": {"required": ["a", "b"]}},
        {"type": "object", "properties": {"a": True, "b": True},
         "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"type": "object", "properties": {"a": False, "b": {"type": "integer"}}},
        {"type": "object", "unevaluatedProperties": False, "allOf": [{"properties": {"x": True}}]},
        {"properties": {"k": {"enum": ["x", "y"]}}, "if": {"properties": {"k": {"const": "x"}}},
         "then": {"required": ["z"]}, "type": "object"},
        {"allOf": [{"properties": {"a": {"minimum": 10}}}, {"properties": {"a": {"type": "integer"}}}],
         "type": "object", "required": ["a"]},
        {"allOf": [{"properties": {"a": True}, "additionalProperties": False}, {"properties": {"b": True}}],
         "type": "object"},
        {"oneOf": [ref("Cat"), ref("Dog")]},
    ],
)  # fmt: skip
def test_an_object_keeps_what_is_said_of_its_properties(schema: Schema) -> None:
    assert_sampled(schema)


def test_a_branch_with_a_discriminator_names_itself() -> None:
    mapping = {"propertyName": "kind", "mapping": {"wuff": "#/components/schemas/Dog"}}
    dog = {"anyOf": [ref("Dog")], "discriminator": mapping}
    assert assert_sampled(dog) == {"kind": "wuff", "bark": True}
    cat = {"anyOf": [ref("Cat")], "discriminator": mapping}
    assert assert_sampled(cat) == {"kind": "Cat"}


def test_a_tree_ends_after_a_few_levels() -> None:
    node = assert_sampled(ref("Node"))
    assert node["children"][0].get("children", []) == []


def test_a_tree_that_requires_branches_ends_in_the_light_ones() -> None:
    both = {"type": "object", "required": ["l", "r"], "properties": {"l": ref("Term"), "r": ref("Term")}}
    root = {"components": {"schemas": {"Sum": both, "Term": {"oneOf": [ref("Sum"), {"type": "integer"}]}}}}
    assert len(str(sample(ref("Sum"), root))) < 200


def test_properties_with_the_names_of_keywords_are_properties() -> None:
    names = ["$ref", "properties", "example", "enum", "type", "items", "const", "required"]
    schema = {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in names},
        "required": names,
    }
    assert assert_sampled(schema) == dict.fromkeys(names, 1)


def test_a_bracket_in_a_character_class_is_a_character() -> None:
    assert sample({"type": "string", "pattern": "^[[]{2}$"}, {}) == "[["


# --- where there is none ------------------------------------------------------------------------------------

ENDLESS = {"type": "object", "required": ["n"], "properties": {"n": ref("Endless")}}
BINARY = {"type": "object", "required": ["l", "r"], "properties": {"l": ref("Fork"), "r": ref("Fork")}}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4},
        {"type": "array", "uniqueItems": True, "minItems": 4, "items": {"enum": ["a", "b", "c"]}},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"allOf": [{"enum": [1, 2]}, {"enum": [3]}]},
        {"not": {}},
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "^((((a{50}){50}){50}){50})$"},
        {"type": "strin"},
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
        {"$ref": "other.yaml#/Thing"},
        {"$ref": "https://example.invalid/thing.json"},
        {"$ref": "#/components/schemas/Missing"},
        ref("Endless"),
        ref("Fork"),
        ref("Itself"),
        {"anyOf": [ref("Fork"), ref("Endless")]},
    ],
)
def test_a_schema_without_a_value_is_told_soon_and_in_one_line(schema: Schema) -> None:
    fork = {"oneOf": [BINARY, {**BINARY, "title": "again"}]}
    root = {"components": {"schemas": {"Endless": ENDLESS, "Fork": fork, "Itself": ref("Itself")}}}
    start = time.thread_time()
    with pytest.raises(NoSample) as told:
        sample(schema, root)
    assert time.thread_time() - start < 5
    assert str(told.value)
    assert "\n" not in str(told.value)


def test_another_document_is_never_fetched() -> None:
    with pytest.raises(NoSample, match="Retrieval is disabled"):
        sample({"$ref": "http://127.0.0.1:9/thing.json"}, {})


def test_a_document_of_many_schemas_that_lead_to_each_other_is_sampled_soon() -> None:
    def entangled(number: int) -> dict[str, Any]:
        properties = {f"p{other}": ref(f"S{(number * 7 + other) % 300}") for other in range(12)}
        return {"type": "object", "properties": {"n": {"type": "integer", "example": "bad"}, **properties}}

    root = {"components": {"schemas": {f"S{number}": entangled(number) for number in range(300)}}}
    start = time.thread_time()
    value = sample(ref("S1"), root)
    assert value["n"] == 1
    assert time.thread_time() - start < 5


# --- whole documents ----------------------------------------------------------------------------------------

SPECS = Path(__file__).parent / "specs"
DOCUMENTS: dict[str, dict[str, Any]] = {
    "petstore": upgraded(yaml.safe_load((SPECS / "petstore-3.0.yaml").read_text("utf-8"))),
    "library": json.loads((SPECS / "library-3.1.json").read_text("utf-8")),
}


def schemas_of(node: Any) -> Iterator[dict[str, Any]]:
    for key, child in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "schema":
            yield child
        elif isinstance(child, dict | list) and key != "schemas":
            yield from schemas_of(child)


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_schema_of_a_real_document_has_a_sample(
    name: str, direction: Literal["request", "response"]
) -> None:
    root = DOCUMENTS[name]
    found = [*schemas_of(root), *root["components"]["schemas"].values()]
    assert len(found) > 30
    for schema in found:
        value = sample(schema, root, direction)
        document = {"$ref": "#/x-sample", "x-sample": schema, "components": root["components"]}
        jsonschema.validate(value, document, jsonschema.Draft202012Validator)
        assert len(str(value)) < 3000


def test_samples_of_real_documents_read_well() -> None:
    root = DOCUMENTS["library"]
    assert sample(ref("Payment"), root) == {"type": "card", "expires": [1, 2024]}
    assert sample(ref("Money"), root) == {"amount": 1, "currency": "EUR"}
    assert sample(ref("Shelf"), root) == {
        "name": "text",
        "below": [{"name": "text", "below": [], "beside": None}],
        "beside": {"name": "text", "below": [], "beside": None},
    }
