"""The two validators hold to one verdict, whatever the schema and whatever the value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from bluehour.openapi.contract import load
from bluehour.openapi.document import SpecError
from bluehour.openapi.model import JSON
from bluehour.openapi.schema import Schema
from tests.profiles import examples

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-105, 105)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 5.0, 1.0, 1e308, 2.5, 99.99999999999999])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(["png", "png\n", "", "٣", "é", "2024-07-25T16:56:21Z", "https://a.b/c", "\uff41"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "style", "items", "extra"]), inner, max_size=3)
    ),
    max_leaves=8,
)
numbers = st.integers(-100, 100) | st.floats(-100, 100, allow_nan=False)
leaf_schemas: st.SearchStrategy[dict[str, Any] | bool] = (
    st.builds(
        lambda kind, low, high: {"type": kind, "minimum": low, "maximum": high},
        st.sampled_from(["integer", "number"]),
        numbers,
        numbers,
    )
    | st.builds(lambda step: {"type": "number", "multipleOf": step}, st.sampled_from([5, 0.5, 0.01, 0.1, 3]))
    | st.builds(lambda n: {"type": "string", "minLength": n}, st.integers(0, 3))
    | st.builds(lambda p: {"pattern": p}, st.sampled_from(["^[a-z0-9]+$", r"^\d+$", "a|b", r"^\w*$", "."]))
    | st.builds(lambda f: {"format": f}, st.sampled_from(["date-time", "uri", "uuid", "email", "float"]))
    | st.builds(lambda choices: {"enum": choices}, st.lists(scalars, min_size=1, max_size=3))
    | st.builds(lambda value: {"const": value}, values)
    | st.builds(lambda types: {"type": types}, st.sampled_from([["string", "null"], "boolean", "object"]))
    | st.just({})
    | st.booleans()
)
schemas = st.recursive(
    leaf_schemas,
    lambda inner: (
        st.builds(
            lambda properties, required: {"type": "object", "properties": properties, "required": required},
            st.dictionaries(st.sampled_from(["a", "b", "style"]), inner, max_size=3),
            st.lists(st.sampled_from(["a", "b", "style"]), unique=True),
        )
        | st.builds(lambda items, unique: {"items": items, "uniqueItems": unique}, inner, st.booleans())
        | st.builds(
            lambda key, branches: {key: branches},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=3),
        )
    ),
    max_leaves=5,
)


def one_verdict(schema: Schema, value: Any) -> None:
    """The explainer finds a fault exactly where the decider refuses."""
    legal = schema.accepts(value)
    event("legal" if legal else "refused")
    explained = list(schema._explainer.iter_errors(value))
    assert (not explained) == legal, [error.message for error in explained]
    assert bool(schema.faults(value)) != legal


@examples(400)
@given(schemas, values)
def test_both_validators_hold_to_one_verdict(node: dict[str, Any] | bool, value: Any) -> None:
    one_verdict(Schema({}, node), value)


def bodies_near(example: Any) -> st.SearchStrategy[Any]:
    """An example with a few of its fields replaced, removed or added."""
    if not isinstance(example, dict):
        return st.just(example) | values
    fields = {name: bodies_near(value) for name, value in example.items()}
    whole = st.fixed_dictionaries(fields, optional={"extra": values})
    return st.one_of(whole, whole, st.fixed_dictionaries({}, optional=fields), values)


@examples(200)
@given(st.data())
@pytest.mark.parametrize(
    "operation_id",
    ["aiPhotoEditor.createImage", "aiFaceEditor.editImage", "videoAssets.generatePresignedUrl"],
)
def test_they_do_so_on_the_contracts_own_bodies(operation_id: str, data: st.DataObject) -> None:
    body = load().operation(operation_id).body
    assert body is not None
    media = body.content[JSON]
    one_verdict(media.schema, data.draw(bodies_near(media.examples[0])))


def test_a_pattern_is_not_met_by_a_text_with_a_line_break_behind_it() -> None:
    """Python's own `$` would let it pass."""
    assert not Schema({}, {"pattern": "^[a-z0-9]+$"}).accepts("png\n")
    assert Schema({}, {"pattern": "^[a-z0-9]+$"}).faults("png\n")


@pytest.mark.parametrize(
    "node",
    [{"pattern": "("}, {"$ref": "#/components/schemas/Nobody"}, {"$ref": "https://example.com/schema"}],
)
def test_a_schema_that_is_none_is_told_in_one_line(node: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as refused:
        Schema({"components": {}}, node).compile()
    assert "\n" not in str(refused.value)


CATASTROPHIC = ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^((?!b)a|(?!c)a)*$", r"^(a+)+\1$"]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_pattern_with_many_ways_through_a_text_is_judged_all_the_same(pattern: str) -> None:
    text = "a" * 40 + "!"
    fault = Schema({}, {"pattern": pattern}).faults(text)[0]
    assert (fault.keyword, fault.limit) == ("pattern", pattern)


@pytest.mark.parametrize("pattern", [*CATASTROPHIC, r"^\p{Lu}+$"])
def test_so_are_names_by_a_pattern(pattern: str) -> None:
    node = {"patternProperties": {pattern: {}}, "additionalProperties": False, "required": ["b"]}
    faults = Schema({}, node).faults({"a" * 40 + "!": 1})
    assert {fault.keyword for fault in faults} == {"additionalProperties", "required"}


def test_a_pattern_that_python_cannot_read_is_no_crash() -> None:
    node = {"patternProperties": {r"^\p{Lu}": {}}, "unevaluatedProperties": False}
    assert [fault.keyword for fault in Schema({}, node).faults({"a": 1})] == ["unevaluatedProperties"]


def test_fields_of_a_pattern_and_beside_it_are_told_apart() -> None:
    node = {
        "patternProperties": {r"^\p{Lu}": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
    }
    faults = Schema({}, node).faults({"Ä": "x", "ä": 1, "B": 1, "b": "x"})
    assert {(fault.path, fault.limit) for fault in faults} == {(("Ä",), "integer"), (("ä",), "string")}
