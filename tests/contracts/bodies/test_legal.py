"""Legal edges: every one is legal, every bound of the contract has one, and few bodies have them all."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.bodies import Edge, legal, packed
from bluehour.contracts.bodies.places import value_in
from bluehour.contracts.rules import rule
from bluehour.openapi.model import JSON, MediaType, Operation
from bluehour.openapi.schema import Schema
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
    same,
)

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
thoroughly = examples(40)


@cache
def edges(operation: Operation, seed: int = 0) -> tuple[Edge, ...]:
    media = media_of(operation)
    return tuple(legal(media, media.example, Random(seed)))


def assert_legal(edge: Edge, schema: Schema) -> None:
    assert schema.accepts(edge.body), (edge.field, edge.says)
    parsed = json.loads(edge.content)
    assert parsed == edge.body if edge.written else same(parsed, edge.body)
    assert rule(edge.rule).group == "accept"
    if edge.place is not None:
        assert edge.path == edge.place.path
        assert edge.field == (field_name(edge.path) or "body")
        value_in(edge.body, edge.path)


def known_fields(*keywords: str) -> list[Any]:
    """Parameters for a test: each field of each operation whose declaration has all these keywords."""
    return [
        pytest.param(operation, field, id=f"{name} {field_name(field.path) or 'body'}")
        for name, operation in OPERATIONS.items()
        for field in fields(media_of(operation).schema)
        if all(keyword in field.node for keyword in keywords)
    ]


def values_at(operation: Operation, field: Field, rule_id: str = "") -> list[Any]:
    """What is tried in a field, with several seeds."""
    return [
        edge.value
        for seed in range(8)
        for edge in edges(operation, seed)
        if edge.path == field.path and edge.rule.startswith(rule_id)
    ]


# --- the contract's bodies ----------------------------------------------------------------------------------


@each_operation
@pytest.mark.parametrize("seed", range(5))
def test_every_edge_of_the_contract_is_legal(operation: Operation, seed: int) -> None:
    for example in media_of(operation).examples:
        for edge in legal(media_of(operation), example, Random(seed)):
            assert_legal(edge, media_of(operation).schema)


@pytest.mark.parametrize(
    ("operation", "field"), [*known_fields("minimum"), *known_fields("maximum")], ids=lambda each: None
)
def test_every_bound_is_tried_at_it_and_inside_of_it(operation: Operation, field: Field) -> None:
    low, high = field.node["minimum"], field.node["maximum"]
    assert {low, high} <= {*values_at(operation, field, "accept.bounds")}
    assert any(low < value < high for value in values_at(operation, field, "accept.numbers"))


@pytest.mark.parametrize(("operation", "field"), known_fields("multipleOf"))
def test_every_step_is_kept_and_is_not_always_the_first(operation: Operation, field: Field) -> None:
    steps = [value / field.node["multipleOf"] for value in values_at(operation, field)]
    assert all(step == int(step) for step in steps)
    assert max(map(abs, steps)) > 1


@pytest.mark.parametrize(("operation", "field"), known_fields("enum"))
def test_every_choice_is_tried(operation: Operation, field: Field) -> None:
    assert {*values_at(operation, field)} == {*field.node["enum"]}


@pytest.mark.parametrize(
    ("operation", "field"),
    [each for each in known_fields() if {"integer", "number"} & {*each.values[1].types}],
)
def test_every_number_is_written_with_a_point_and_as_zero_and_below_it_where_that_is_legal(
    operation: Operation, field: Field
) -> None:
    tried = values_at(operation, field)
    low, high = field.node.get("minimum", -1), field.node.get("maximum", 1)
    assert any(isinstance(value, float) for value in tried)
    assert (0 in tried) == (low <= 0 <= high)
    assert any(value < 0 for value in tried) == (low < 0)
    if "number" in field.types and "multipleOf" not in field.node:
        assert any(value != round(value, 5) for value in tried)


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        each
        for each in known_fields()
        if each.values[1].types == ("string",)
        and not {"pattern", "enum", "x-asset-type"} & each.values[1].node.keys()
    ],
)
def test_every_text_is_tried_empty_long_and_odd(operation: Operation, field: Field) -> None:
    tried = values_at(operation, field)
    assert "" in tried
    assert any(len(text) >= 1000 for text in tried)
    assert any(not text.isascii() for text in tried)
    assert any({'"', "\\", "\n"} <= {*text} for text in tried)


@pytest.mark.parametrize(("operation", "field"), known_fields("deprecated"))
def test_everything_deprecated_is_tried(operation: Operation, field: Field) -> None:
    assert values_at(operation, field, "accept.deprecated")


@pytest.mark.parametrize(("operation", "field"), known_fields("minItems"))
def test_every_list_is_tried_at_its_least_length_and_at_many_times_that(
    operation: Operation, field: Field
) -> None:
    lengths = {len(items) for items in values_at(operation, field, "accept.bounds")}
    assert min(lengths) == field.node["minItems"]
    assert max(lengths) >= 50


@pytest.mark.parametrize(("operation", "field"), known_fields("x-asset-type"))
def test_an_asset_stays_the_one_that_there_is(operation: Operation, field: Field) -> None:
    assert values_at(operation, field) == []


@each_operation
def test_the_body_as_a_whole_is_tried(operation: Operation) -> None:
    media = media_of(operation)
    whole = [edge for edge in edges(operation) if not edge.path]
    examples = [edge.body for edge in whole if edge.rule == "accept.examples"]
    (least,) = [edge.body for edge in whole if edge.rule == "accept.optional"]
    assert examples == [*media.examples]
    assert not any(is_in(least, field) for field in fields(media.schema) if not field.required), (
        "what is optional is left out"
    )
    types = {edge.content_type: edge.body for edge in whole if edge.rule == "accept.media-type"}
    assert all(body == media.example for body in types.values())
    assert operation.body is not None
    assert all(operation.body.media_type(each) is media and each != media.name for each in types)


def is_in(body: Any, field: Field) -> bool:
    try:
        value_in(body, field.path)
    except (KeyError, IndexError):
        return False
    return True


@each_operation
def test_every_open_object_that_is_there_gets_an_unknown_key(operation: Operation) -> None:
    media = media_of(operation)
    places = {edge.path[:-1] for edge in edges(operation) if edge.rule == "accept.unknown-keys"}
    objects = {field.path for field in fields(media.schema) if "object" in field.types}
    beyond_the_first = {path for path in places if any(isinstance(step, int) and step for step in path)}
    assert places - beyond_the_first == objects


def facts(operation: Operation, seed: int) -> list[tuple[str, str, str, bytes]]:
    return [(each.rule, each.field, each.says, each.content) for each in edges(operation, seed)]


@each_operation
def test_the_same_seed_makes_the_same_bodies(operation: Operation) -> None:
    assert facts(operation, 3) == facts(operation, 3)


def test_another_seed_makes_other_bodies() -> None:
    assert any(facts(operation, 3) != facts(operation, 4) for operation in OPERATIONS.values())


@each_operation
def test_the_contracts_words_on_the_field_come_with_its_edges(operation: Operation) -> None:
    for edge in edges(operation):
        assert bool(edge.words) == (edge.place is not None)


# --- few bodies with all of them ----------------------------------------------------------------------------


def assert_packed(found: Sequence[Edge], base: Any, media: MediaType) -> None:
    packs = packed(found, base, media.schema)
    for pack in packs:
        assert media.schema.accepts(pack.body)
        assert same(json.loads(pack.content), pack.body)
        for edge in pack.edges:
            assert same(value_in(pack.body, edge.path), edge.value), (edge.field, edge.says)
    have = [id(edge) for pack in packs for edge in pack.edges]
    assert len({*have}) == len(have)
    assert {id(edge) for edge in found if edge.path and not edge.written} <= {*have}
    sizes = [len(pack.edges) for pack in packs]
    assert sizes == sorted(sizes, reverse=True)


@each_operation
@pytest.mark.parametrize("seed", range(5))
def test_packed_bodies_are_legal_and_have_every_edge_of_the_contract(operation: Operation, seed: int) -> None:
    assert_packed(edges(operation, seed), media_of(operation).example, media_of(operation))


@each_operation
def test_there_are_far_fewer_of_them_than_edges(operation: Operation) -> None:
    found = [edge for edge in edges(operation) if edge.path and not edge.written]
    packs = packed(found, media_of(operation).example, media_of(operation).schema)
    most_of_one_field = max(sum(other.path == edge.path for other in found) for edge in found)
    assert most_of_one_field <= len(packs) <= len(found) / 2


@each_operation
def test_a_number_with_an_exponent_is_written_so_in_its_pack_if_it_is_in_one(operation: Operation) -> None:
    found = edges(operation)
    for pack in packed(found, media_of(operation).example, media_of(operation).schema):
        for edge in pack.edges:
            if edge.written:
                assert edge.says.split()[0].encode() in pack.content


@each_operation
def test_every_kind_of_number_is_written_with_an_exponent(operation: Operation) -> None:
    kinds = {"number", "integer"} & {
        kind
        for field in fields(media_of(operation).schema)
        for kind in field.types
        if is_in(media_of(operation).example, field)
    }
    written = [edge for edge in edges(operation) if edge.written]
    assert {kind for edge in written if edge.place for kind in edge.place.types} == kinds
    for edge in written:
        assert re.search(rb": \d+e\d+[,}]", edge.content)


def test_edges_that_are_legal_alone_and_not_together_are_in_bodies_of_their_own() -> None:
    flags = {name: {"type": "boolean"} for name in "abcd"}
    sketch = Sketch({"type": "object", "maxProperties": 2, "properties": flags}, {})
    found = sketch.legal()
    assert len(found) > 8
    assert_packed(found, sketch.value, sketch.media)


def test_without_edges_there_are_none() -> None:
    assert packed([], {}, Schema({}, {})) == []


# --- made-up schemas ----------------------------------------------------------------------------------------


@thoroughly
@given(bodies(), st.integers(0, 3))
def test_every_edge_of_any_schema_is_legal(sketch: Sketch, seed: int) -> None:
    before = copy.deepcopy(sketch.value)
    for edge in sketch.legal(seed):
        assert_legal(edge, sketch.media.schema)
    assert sketch.value == before


@examples(40)
@given(numbers(fractions), st.integers(0, 3))
def test_steps_may_be_fractions(sketch: Sketch, seed: int) -> None:
    for edge in sketch.legal(seed):
        assert_legal(edge, sketch.media.schema)


@thoroughly
@given(bodies(), st.integers(0, 3))
def test_packed_bodies_of_any_schema_are_legal_and_have_every_edge(sketch: Sketch, seed: int) -> None:
    assert_packed(sketch.legal(seed), sketch.value, sketch.media)


@thoroughly
@given(bodies())
def test_every_bound_of_any_schema_is_tried(sketch: Sketch) -> None:
    tried = [(edge.path, edge.value) for edge in sketch.legal() if edge.path]
    for field in fields(sketch.media.schema):
        parent = Field(field.path[:-1], {}, True)
        if not field.path or not isinstance(field.path[-1], str) or not is_in(sketch.value, parent):
            continue
        for keyword in ("minimum", "maximum"):
            bound, step = field.node.get(keyword), field.node.get("multipleOf", 1)
            if bound is not None and bound % step == 0:
                assert (field.path, bound) in tried
        if not {"pattern", "format", "enum"} & field.node.keys() and "string" in field.types:
            assert any(path == field.path and isinstance(value, str) for path, value in tried)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"minProperties": 1}, {"a": 1}),
        ({"maxProperties": 1}, {"a": 1}),
        ({"propertyNames": {"maxLength": 2}}, {"a": 1}),
        ({"patternProperties": {"^x_": {"type": "string"}}}, {"a": 1}),
    ],
    ids=repr,
)
def test_an_object_that_says_more_of_its_keys_has_legal_edges_alone(node: dict[str, Any], value: Any) -> None:
    sketch = Sketch({"type": "object", "properties": {"a": {"type": "integer"}}, **node}, value)
    for edge in sketch.legal():
        assert_legal(edge, sketch.media.schema)


def test_an_empty_list_has_no_single_item() -> None:
    items = {"type": "array", "items": {"type": "string"}}
    sketch = Sketch({"type": "object", "properties": {"a": items}}, {"a": []})
    assert not [edge.says for edge in sketch.legal() if edge.path == ("a",) and edge.value == []]


def test_what_is_said_to_be_negative_is_below_zero() -> None:
    sketch = Sketch({"type": "object", "properties": {"a": {"type": "number", "multipleOf": 0.5}}}, {"a": 1})
    assert all(edge.value < 0 for edge in sketch.legal() if "negative" in edge.says)


def test_a_schema_of_another_media_type_keeps_its_name() -> None:
    media = MediaType("application/problem+json", Schema({}, {"type": "object"}), ())
    types = [edge.content_type for edge in legal(media, {}, Random(0)) if edge.content_type]
    assert types == ["application/problem+json; charset=utf-8", "Application/Problem+Json"]
    assert JSON not in types


def test_a_range_of_a_trillion_takes_no_longer_than_a_small_one() -> None:
    schema = Schema({}, {"type": "object", "properties": {"credits": {"type": "integer", "maximum": 10**12}}})
    media = MediaType(JSON, schema, ())
    values = [edge.value for edge in legal(media, {"credits": 5}, Random(0)) if edge.field == "credits"]
    assert 10**12 in values
