"""Where a body's fields are, and copies of it that differ in one of them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.bodies.places import places, value_in, with_value, without
from bluehour.openapi.model import Operation
from bluehour.openapi.schema import Schema
from bluehour.openapi.validators import Path
from tests.profiles import examples

from .schemas import JSON_VALUES, OPERATIONS, Sketch, bodies, fields, media_of

thoroughly = examples(40)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_every_field_of_the_contract_is_a_place(operation: Operation) -> None:
    media = media_of(operation)
    found = {place.path: place for place in places(media.schema, media.example)}
    for field in fields(media.schema):
        place = found[field.path]
        assert (place.required, place.types) == (field.required, field.types)
        assert place.node == field.node


@thoroughly
@given(bodies())
def test_what_is_present_is_there_and_what_is_not_is_not(sketch: Sketch) -> None:
    for place in places(sketch.media.schema, sketch.value):
        if place.present:
            assert Schema({}, place.node).accepts(value_in(sketch.value, place.path))
        else:
            assert place.path[-1] not in value_in(sketch.value, place.path[:-1])


def test_places_are_named_as_the_vendor_writes_them() -> None:
    item = {"type": "object", "properties": {"b": {"type": "string"}}}
    schema = Schema({}, {"type": "object", "properties": {"a": {"type": "array", "items": item}}})
    names = [place.name for place in places(schema, {"a": [{"b": "x"}, {}]})]
    assert names == ["body", "a", "a[0]", "a[0].b", "a[1]", "a[1].b"]


def test_the_words_on_a_place_follow_its_reference() -> None:
    document: dict[str, Any] = {"components": {"schemas": {"Slider": {"type": "number", "maximum": 100}}}}
    schema = Schema(document, {"properties": {"a": {"$ref": "#/components/schemas/Slider"}}})
    (_, place) = places(schema, {"a": 1})
    assert place.words == "a: {type: number, maximum: 100}"


@thoroughly
@given(bodies(), JSON_VALUES, st.data())
def test_a_copy_differs_in_one_place_alone(sketch: Sketch, value: Any, data: st.DataObject) -> None:
    before = copy.deepcopy(sketch.value)
    place = data.draw(st.sampled_from(list(places(sketch.media.schema, sketch.value))))
    changed = with_value(sketch.value, place.path, value)
    assert sketch.value == before
    assert value_in(changed, place.path) == value
    if place.present:
        assert with_value(changed, place.path, value_in(sketch.value, place.path)) == sketch.value
    elif place.path:
        assert without(changed, place.path) == sketch.value


@pytest.mark.parametrize("path", [(), ("a",), ("a", 0), ("a", 0, "b")])
def test_a_value_is_found_and_replaced_at_any_depth(path: Path) -> None:
    body = {"a": [{"b": 1}]}
    assert value_in(with_value(body, path, "new"), path) == "new"
    assert body == {"a": [{"b": 1}]}


def test_what_is_in_two_places_of_a_body_is_changed_in_one() -> None:
    shared = ["text"]
    assert with_value({"a": [shared, shared]}, ("a", 0, 0), "other") == {"a": [["other"], ["text"]]}
    assert shared == ["text"]
