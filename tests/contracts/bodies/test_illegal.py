"""Illegal bodies: each breaks one rule of its schema at one field, and all of the contract's are tried."""

from __future__ import annotations

import copy
import json
from functools import cache
from math import inf
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.bodies import Illegal, illegal, unparsable
from bluehour.contracts.bodies.illegal import KEYWORDS
from bluehour.contracts.bodies.places import value_in
from bluehour.contracts.rules import rule
from bluehour.openapi.model import JSON, MediaType, Operation
from bluehour.openapi.schema import Fault, Schema
from bluehour.openapi.validators import Path
from bluehour.openapi.wording import field_name
from tests.profiles import examples

from .schemas import (
    OPERATIONS,
    Field,
    Sketch,
    bodies,
    fields,
    fractions,
    media_of,
    numbers,
)

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
thoroughly = examples(40)


@cache
def made(operation: Operation, seed: int = 0) -> tuple[Illegal, ...]:
    media = media_of(operation)
    return tuple(illegal(media, media.example, Random(seed)))


def assert_breaks_what_it_says(variant: Illegal, schema: Schema) -> None:
    body = json.loads(variant.content)
    fault = only_fault(schema, body)
    assert fault.keyword in KEYWORDS[variant.rule]
    assert variant.place is not None
    assert fault.path == variant.place.path
    assert variant.field == (field_name(fault.path) or "body")
    assert variant.content_type == JSON
    assert_told(variant, body, fault.path)


def only_fault(schema: Schema, body: Any) -> Fault:
    """A value of a wrong type is none of the choices either, which is no second fault."""
    faults = schema.faults(body)
    mistyped = {fault.path for fault in faults if fault.keyword == "type"}
    (fault,) = [each for each in faults if each.keyword != "enum" or each.path not in mistyped]
    return fault


def assert_told(variant: Illegal, body: Any, path: Path) -> None:
    """The words tell what is in the body, and on which side of the rule it is."""
    if variant.rule == "refuse.missing":
        assert variant.says == "missing"
        return
    value = value_in(body, path)
    node = variant.place.node if variant.place else {}
    match variant.rule:
        case "refuse.null":
            assert value is None
        case "refuse.minimum":
            assert value < node["minimum"]
            assert variant.says == f"{value}, below its minimum {node['minimum']}"
        case "refuse.maximum" if isinstance(value, str | list):
            most = node["maxLength" if isinstance(value, str) else "maxItems"]
            assert len(value) == most + 1
            assert variant.says.startswith(f"{most + 1:,} ")
            assert variant.says.endswith(f"more than its {most}")
        case "refuse.maximum":
            assert value > node["maximum"]
            assert variant.says == f"{value}, above its maximum {node['maximum']}"
        case "refuse.step":
            assert variant.says == f"{value}, no multiple of {node['multipleOf']}"
        case "refuse.empty" if value not in ("", []):
            least = node["minLength" if isinstance(value, str) else "minItems"]
            assert len(value) == least - 1
            assert variant.says.endswith(f"fewer than its {least}")
        case "refuse.empty":
            assert value in ("", [])
        case "refuse.choice" | "refuse.pattern":
            assert variant.says.startswith(json.dumps(value))
        case "refuse.container":
            plain = not {"object", "array"} & {*node_types(node)}
            assert isinstance(value, dict | list) or not plain or (value, path) == (None, ())


def node_types(node: dict[str, Any]) -> list[str]:
    types = node.get("type", [])
    return [types] if isinstance(types, str) else types


# --- the contract's bodies ----------------------------------------------------------------------------------


@each_operation
@pytest.mark.parametrize("seed", range(5))
def test_each_breaks_one_rule_of_the_contract_at_the_field_that_it_names(
    operation: Operation, seed: int
) -> None:
    for variant in made(operation, seed):
        assert_breaks_what_it_says(variant, media_of(operation).schema)


@each_operation
def test_from_any_published_example_on(operation: Operation) -> None:
    for example in media_of(operation).examples:
        variants = list(illegal(media_of(operation), example, Random(0)))
        assert variants
        for variant in variants:
            assert_breaks_what_it_says(variant, media_of(operation).schema)


@cache
def tried_in(operation: Operation) -> dict[tuple[Path, str], list[Any]]:
    """What is tried in each field against each rule, with several seeds."""
    found: dict[tuple[Path, str], list[Any]] = {}
    for seed in range(8):
        for variant in made(operation, seed):
            if variant.place and variant.rule != "refuse.missing":
                value = value_in(json.loads(variant.content), variant.place.path)
                found.setdefault((variant.place.path, variant.rule), []).append(value)
    return found


def values_at(operation: Operation, field: Field, rule_id: str) -> list[Any]:
    return tried_in(operation)[field.path, rule_id]


def known_fields(*keywords: str) -> list[Any]:
    """Parameters for a test: each field of each operation whose declaration has such a keyword."""
    return [
        pytest.param(operation, field, id=f"{name} {field_name(field.path) or 'body'}")
        for name, operation in OPERATIONS.items()
        for field in fields(media_of(operation).schema)
        if not keywords or any(keyword in field.node for keyword in keywords)
    ]


@pytest.mark.parametrize(("operation", "field"), known_fields("minimum", "maximum"))
def test_every_bound_is_passed_by_the_least_and_by_more(operation: Operation, field: Field) -> None:
    least = field.node.get("multipleOf", 1 if "integer" in field.types else 0.01)
    for keyword, sign in (("minimum", -1), ("maximum", 1)):
        if keyword in field.node:
            bound = field.node[keyword]
            by = sorted((value - bound) * sign for value in values_at(operation, field, f"refuse.{keyword}"))
            assert 0 < by[0] <= least * 1.001
            assert by[-1] > 10 * least


@pytest.mark.parametrize(("operation", "field"), known_fields("multipleOf"))
def test_every_step_is_missed_by_whole_numbers_and_by_fractions(operation: Operation, field: Field) -> None:
    tried = values_at(operation, field, "refuse.step")
    assert all(value % field.node["multipleOf"] for value in tried)
    assert {float(value).is_integer() for value in tried} == {True, False}


@pytest.mark.parametrize(("operation", "field"), known_fields("enum"))
def test_every_choice_is_missed_by_others_that_look_like_it(operation: Operation, field: Field) -> None:
    tried = values_at(operation, field, "refuse.choice")
    assert not {*tried} & {*field.node["enum"]}
    assert any(value.lower() in field.node["enum"] for value in tried)
    assert "" in tried


@pytest.mark.parametrize(("operation", "field"), known_fields("pattern"))
def test_every_pattern_is_missed_in_the_beginning_the_middle_and_the_end(
    operation: Operation, field: Field
) -> None:
    known = value_in(media_of(operation).example, field.path)
    tried = values_at(operation, field, "refuse.pattern")
    assert known.upper() in tried
    assert f".{known}" in tried
    assert any(value.startswith(known) for value in tried)


@pytest.mark.parametrize(("operation", "field"), known_fields("minLength", "minItems"))
def test_everything_that_may_not_be_empty_is_empty_once(operation: Operation, field: Field) -> None:
    assert values_at(operation, field, "refuse.empty")[0] == ("" if "minLength" in field.node else [])


@pytest.mark.parametrize(("operation", "field"), known_fields("enum"))
def test_every_choice_is_of_a_wrong_type_and_null_too(operation: Operation, field: Field) -> None:
    tried = {
        variant.rule for variant in made(operation) if variant.place and variant.place.path == field.path
    }
    assert {"refuse.type", "refuse.null", "refuse.container"} <= tried


@pytest.mark.parametrize(
    ("operation", "field"), [each for each in known_fields() if "enum" not in each.values[1].node]
)
def test_every_field_is_of_a_wrong_type_and_null_and_missing(operation: Operation, field: Field) -> None:
    rules = {
        variant.rule for variant in made(operation) if variant.place and variant.place.path == field.path
    }
    assert "refuse.container" in rules
    assert ("refuse.null" in rules) == bool(field.path)
    assert ("refuse.type" in rules) == (not {"object", "array"} & {*field.types})
    in_an_array = bool(field.path) and isinstance(field.path[-1], int)
    assert ("refuse.missing" in rules) == (field.required and bool(field.path) and not in_an_array)


@pytest.mark.parametrize(("operation", "field"), known_fields("minimum", "maximum", "multipleOf"))
def test_every_number_is_tried_in_quotes_and_as_a_flag(operation: Operation, field: Field) -> None:
    tried = values_at(operation, field, "refuse.type")
    assert any(isinstance(value, str) and float(value) for value in tried) or "0" in tried
    assert any(isinstance(value, bool) for value in tried)
    if "integer" in field.types:
        assert any(isinstance(value, float) for value in tried)


@each_operation
def test_the_contracts_words_on_the_field_come_with_it(operation: Operation) -> None:
    for variant in made(operation):
        assert variant.words.startswith((f"{variant.field}:", f"'{variant.field}':"))
        if variant.rule in ("refuse.minimum", "refuse.maximum", "refuse.step", "refuse.choice"):
            assert any(f"{keyword}: " in variant.words for keyword in KEYWORDS[variant.rule])


@each_operation
def test_the_same_seed_makes_the_same_bodies_and_another_others(operation: Operation) -> None:
    def facts(seed: int) -> list[tuple[str, str, str, bytes]]:
        return [(each.rule, each.field, each.says, each.content) for each in made(operation, seed)]

    assert facts(3) == facts(3)
    assert any(facts(3) != facts(seed) for seed in range(4, 12))


@each_operation
def test_no_body_is_sent_twice(operation: Operation) -> None:
    contents = [variant.content for variant in made(operation)]
    assert len({*contents}) == len(contents)


# --- made-up schemas ----------------------------------------------------------------------------------------


@thoroughly
@given(bodies(), st.integers(0, 3))
def test_each_breaks_one_rule_of_any_schema_at_the_field_that_it_names(sketch: Sketch, seed: int) -> None:
    before = copy.deepcopy(sketch.value)
    for variant in sketch.illegal(seed):
        assert_breaks_what_it_says(variant, sketch.media.schema)
    assert sketch.value == before


@examples(40)
@given(numbers(fractions), st.integers(0, 3))
def test_steps_may_be_fractions(sketch: Sketch, seed: int) -> None:
    tried = sketch.illegal(seed)
    for variant in tried:
        assert_breaks_what_it_says(variant, sketch.media.schema)
    room = sketch.node.get("maximum", inf) - sketch.node.get("minimum", -inf)
    if sketch.node["type"] == "number" and room >= sketch.node["multipleOf"]:
        assert "refuse.step" in {variant.rule for variant in tried}


@thoroughly
@given(bodies())
def test_every_field_of_any_schema_that_is_there_is_tried(sketch: Sketch) -> None:
    tried = {(each.place.path, each.rule) for each in sketch.illegal() if each.place}
    for field in fields(sketch.media.schema):
        try:
            value_in(sketch.value, field.path)
        except (KeyError, IndexError, TypeError):
            continue
        if "enum" not in field.node:
            assert (field.path, "refuse.container") in tried
            assert ((field.path, "refuse.null") in tried) == (bool(field.path) and "null" not in field.types)
        if field.path and isinstance(field.path[-1], str) and field.required:
            assert (field.path, "refuse.missing") in tried


@thoroughly
@given(numbers(st.sampled_from([None, 1, 2, 5])), st.integers(0, 3))
def test_every_bound_of_any_number_is_passed(number: Sketch, seed: int) -> None:
    sketch = Sketch({"type": "object", "properties": {"n": number.node}}, {"n": number.value})
    rules = {each.rule for each in sketch.illegal(seed)}
    assert ("refuse.minimum" in rules) == ("minimum" in number.node)
    assert ("refuse.maximum" in rules) == ("maximum" in number.node)


@pytest.mark.parametrize(
    "node",
    [
        {"type": "integer", "minimum": 7, "maximum": 22, "multipleOf": 5},
        {"type": "number", "minimum": -3, "maximum": 3, "multipleOf": 2},
    ],
)
def test_a_bound_that_is_off_the_step_is_passed_too(node: dict[str, Any]) -> None:
    value = 10 if node["minimum"] > 0 else 0
    sketch = Sketch({"type": "object", "properties": {"n": node}}, {"n": value})
    assert {"refuse.minimum", "refuse.maximum", "refuse.step"} <= {each.rule for each in sketch.illegal()}


def test_a_bound_that_is_no_legal_value_itself_is_tried() -> None:
    number = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    sketch = Sketch({"type": "object", "properties": {"n": number}}, {"n": 0.5})
    tried = [(each.rule, json.loads(each.content)["n"]) for each in sketch.illegal() if each.field == "n"]
    assert ("refuse.minimum", 0) in tried
    assert ("refuse.maximum", 1) in tried


# --- what is no JSON, or says that it is none ---------------------------------------------------------------


def is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def assert_can_not_be_parsed(media: MediaType, base: Any) -> None:
    for variant in unparsable(media, base):
        assert variant.place is None
        assert variant.words == ""
        if variant.rule == "refuse.malformed":
            assert not is_json(variant.content), variant.says
            assert (variant.field, variant.content_type) == ("body", media.name)
        else:
            assert variant.rule == "refuse.media-type" if variant.content_type else "refuse.untyped"
            assert (variant.field, variant.says) == ("Content-Type", variant.content_type or "none")
            assert media.name not in variant.content_type


@each_operation
def test_what_is_no_json_is_none_and_what_is_no_media_type_of_the_contract_is_none(
    operation: Operation,
) -> None:
    assert operation.body is not None
    assert_can_not_be_parsed(media_of(operation), media_of(operation).example)
    for variant in unparsable(media_of(operation), media_of(operation).example):
        declared = operation.body.media_type(variant.content_type)
        assert (declared is None) == (variant.field == "Content-Type")


@thoroughly
@given(bodies())
def test_of_any_body_what_is_no_json_is_none(sketch: Sketch) -> None:
    assert_can_not_be_parsed(sketch.media, sketch.value)


def test_every_rule_that_is_tried_is_a_rule() -> None:
    tried = {
        each.rule
        for operation in OPERATIONS.values()
        for each in (*made(operation), *unparsable(media_of(operation), media_of(operation).example))
    }
    assert {rule(each).id for each in tried} == (
        {*KEYWORDS, "refuse.malformed", "refuse.media-type", "refuse.untyped"}
    )
