"""Values that are made up by chance: legal ones, others each time, and the same with the same seed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.openapi.contract import load
from bluehour.openapi.model import MediaType
from bluehour.openapi.samples.varied import varied
from bluehour.openapi.schema import Schema
from tests.profiles import examples

SPECS = Path(__file__).parent / "specs"

BODIES = [
    (f"{spec} {operation.id} {response.status}", media)
    for spec in ("scribe-3.1.yaml", "pet-shop-3.0.yaml", "library-3.1.json", "petstore-3.0.yaml")
    for operation in load(SPECS / spec).operations
    for response in operation.responses.values()
    if (media := response.json) is not None
]


@pytest.mark.parametrize("media", [media for _, media in BODIES], ids=[name for name, _ in BODIES])
def test_every_body_of_every_file_is_legal(media: MediaType) -> None:
    for seed in range(20):
        assert media.schema.accepts(varied(media.schema, Random(seed)))


@pytest.mark.parametrize(
    "node",
    [
        {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}}},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[a-z]{2}-[0-9]{4}$"},
        {"type": "number", "minimum": 0.5, "maximum": 1.5},
        {"type": "integer", "multipleOf": 5, "maximum": 1000},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 2, "maxItems": 4},
        {"allOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["a"]}], "type": "object"},
    ],
)  # fmt: skip
def test_draws_differ_and_seeds_tell_which(node: dict[str, Any]) -> None:
    schema = Schema({}, node)
    drawn = [varied(schema, Random(seed)) for seed in range(30)]
    assert all(map(schema.accepts, drawn))
    assert len({f"{value}" for value in drawn}) > 5
    assert drawn == [varied(schema, Random(seed)) for seed in range(30)]


@given(
    low=st.integers(-50, 50), width=st.integers(0, 9), shortest=st.integers(0, 30), more=st.integers(0, 30),
    seed=st.integers(),
)  # fmt: skip
@examples(100)
def test_bounds_are_kept(low: int, width: int, shortest: int, more: int, seed: int) -> None:
    number = Schema({}, {"type": "integer", "minimum": low, "maximum": low + width})
    text = Schema({}, {"type": "string", "minLength": shortest, "maxLength": shortest + more})
    assert number.accepts(varied(number, Random(seed)))
    assert text.accepts(varied(text, Random(seed)))
