"""Schemas with a legal value each, and legal values of any schema of the contract."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from random import Random
from typing import Any

from hypothesis import strategies as st

from bluehour.contracts.bodies import Edge, Illegal, illegal, legal
from bluehour.openapi.document import resolve
from bluehour.openapi.model import JSON, MediaType, Operation
from bluehour.openapi.schema import Schema
from bluehour.openapi.validators import Path
from tests.editors import EDITORS


@dataclass(frozen=True)
class Sketch:
    """A schema and a value that it allows."""

    node: dict[str, Any]
    value: Any

    @property
    def media(self) -> MediaType:
        return MediaType(JSON, Schema({}, self.node), ())

    def illegal(self, seed: int = 0) -> list[Illegal]:
        return list(illegal(self.media, self.value, Random(seed)))

    def legal(self, seed: int = 0) -> list[Edge]:
        return list(legal(self.media, self.value, Random(seed)))


# --- the contract's own -------------------------------------------------------------------------------------

OPERATIONS: dict[str, Operation] = {each.id: each for each in EDITORS.operations if each.body is not None}
"""Those that take a body."""


def media_of(operation: Operation) -> MediaType:
    assert operation.body is not None
    return operation.body.content[JSON]


@dataclass(frozen=True)
class Field:
    """A field that a body has or could have, as the document declares it."""

    path: Path
    node: dict[str, Any]
    required: bool

    @property
    def types(self) -> tuple[str, ...]:
        types = self.node["type"]
        return (types,) if isinstance(types, str) else tuple(types)


def fields(schema: Schema, path: Path = (), required: bool = True) -> Iterator[Field]:
    """Yield a schema's fields at every depth; of an array its first item."""
    node = resolve(schema.document, schema.node)
    yield Field(path, node, required)
    for name, child in node.get("properties", {}).items():
        yield from fields(Schema(schema.document, child), (*path, name), name in node.get("required", ()))
    if "items" in node:
        yield from fields(Schema(schema.document, node["items"]), (*path, 0))


# --- made up ------------------------------------------------------------------------------------------------


@st.composite
def numbers(draw: st.DrawFn, steps: st.SearchStrategy[Any]) -> Sketch:
    """A number around which bounds are drawn, on its step if it has one."""
    whole = draw(st.booleans())
    step = draw(steps)
    unit = step or (1 if whole else draw(st.sampled_from([1, 0.5, 0.25])))
    value = draw(st.integers(-40, 40)) * unit
    if whole:
        value = int(value) if float(value).is_integer() else 0
    node: dict[str, Any] = {"type": "integer" if whole else "number"}
    if step:
        node["multipleOf"] = step
    for keyword, sign in (("minimum", -1), ("maximum", 1)):
        if draw(st.booleans()):
            bound = value + sign * draw(st.integers(0, 30)) * unit
            node[keyword] = int(bound) if float(bound).is_integer() else bound
    return Sketch(node, value)


@st.composite
def enumerations(draw: st.DrawFn) -> Sketch:
    choices = draw(st.lists(st.text("abcde", min_size=1, max_size=4), min_size=1, max_size=4, unique=True))
    return Sketch({"type": "string", "enum": choices}, draw(st.sampled_from(choices)))


strings = st.one_of(
    st.text(max_size=5).map(lambda text: Sketch({"type": "string"}, text)),
    st.text(min_size=3, max_size=9).map(lambda text: Sketch({"type": "string", "minLength": 3}, text)),
    st.text(max_size=9).map(lambda text: Sketch({"type": "string", "maxLength": 9}, text)),
    st.from_regex(r"[a-z0-9]+", fullmatch=True).map(
        lambda text: Sketch({"type": "string", "pattern": "^[a-z0-9]+$"}, text)
    ),
    st.from_regex(r"[A-Z]{2}-[0-9]", fullmatch=True).map(
        lambda text: Sketch({"type": "string", "pattern": "^[A-Z]{2}-[0-9]$", "minLength": 1}, text)
    ),
    st.just(Sketch({"type": "string", "format": "date-time"}, "2024-10-19T05:16:19.027Z")),
    enumerations(),
)
booleans = st.booleans().map(lambda flag: Sketch({"type": "boolean"}, flag))


@st.composite
def nullable(draw: st.DrawFn, sketches: st.SearchStrategy[Sketch]) -> Sketch:
    sketch = draw(sketches)
    node, value = sketch.node, sketch.value
    nulls = [*node["enum"], None] if "enum" in node else None
    made = {**node, "type": [node["type"], "null"], **({"enum": nulls} if nulls else {})}
    return Sketch(made, draw(st.sampled_from([value, None])))


@st.composite
def arrays(draw: st.DrawFn, items: st.SearchStrategy[Sketch]) -> Sketch:
    item = draw(items)
    least = draw(st.sampled_from([None, 1, 2]))
    count = draw(st.integers(least or 0, 3))
    limits: dict[str, int] = {} if least is None else {"minItems": least}
    if draw(st.booleans()):
        limits["maxItems"] = 4
    return Sketch(
        {"type": "array", "items": item.node, **limits}, [copy.deepcopy(item.value) for _ in range(count)]
    )


@st.composite
def objects(draw: st.DrawFn, members: st.SearchStrategy[Sketch]) -> Sketch:
    """An object with some of its fields, among them all that it needs."""
    found = draw(st.dictionaries(st.sampled_from("abcdef"), members, max_size=4))
    needed = [name for name in found if draw(st.booleans())]
    present = [name for name in found if name in needed or draw(st.booleans())]
    node: dict[str, Any] = {"type": "object", "properties": {name: each.node for name, each in found.items()}}
    if draw(st.booleans()) or needed:
        node["required"] = needed
    if draw(st.booleans()):
        node["additionalProperties"] = False
    return Sketch(node, {name: found[name].value for name in present})


whole_steps = st.sampled_from([None, None, None, 1, 2, 5])
fractions = st.sampled_from([0.5, 0.25, 1.5, 2.5, 5.0])


def bodies(steps: st.SearchStrategy[Any] = whole_steps) -> st.SearchStrategy[Sketch]:
    """Objects of all that a request's schema has."""
    simple = st.one_of(numbers(steps), strings, booleans)
    leaves = simple | nullable(simple)
    return objects(st.recursive(leaves, lambda inner: st.one_of(arrays(inner), objects(inner)), max_leaves=5))


# --- values of a schema -------------------------------------------------------------------------------------

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date-time": st.datetimes(timezones=st.just(UTC)).map(
        lambda moment: moment.isoformat().replace("+00:00", "Z")
    ),
    "uri": st.from_regex(r"https?://[a-z]{1,9}(\.[a-z]{2,5})?(:[1-9][0-9]{1,3})?/[-\w.~%]{0}[a-z0-9/._-]{0,20}"
                         r"(\?[a-z]=[a-zA-Z0-9%]{0})?", fullmatch=True),
}  # fmt: skip


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Any value that a schema of the contract allows."""
    node = resolve(schema.document, schema.node)
    if "enum" in node:
        return st.sampled_from(node["enum"])
    types = node.get("type", "object")
    return st.one_of(
        [_of_type(each, node, schema) for each in ([types] if isinstance(types, str) else types)]
    )


def _of_type(kind: str, node: dict[str, Any], schema: Schema) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(node.get("minimum", -(2**31)), node.get("maximum", 2**31))
        case "number":
            return st.floats(node.get("minimum", -1e6), node.get("maximum", 1e6))
        case "string":
            return _FORMATS.get(node.get("format", ""), st.text(min_size=node.get("minLength", 0)))
        case "array":
            return st.lists(values(Schema(schema.document, node["items"])), max_size=3)
        case _:
            return _objects(node, schema)


@st.composite
def _objects(draw: st.DrawFn, node: dict[str, Any], schema: Schema) -> dict[str, Any]:
    known = {name: values(Schema(schema.document, child)) for name, child in node["properties"].items()}
    needed = {name: each for name, each in known.items() if name in node.get("required", ())}
    other = {name: each for name, each in known.items() if name not in needed}
    unknown = draw(st.dictionaries(st.text("xyz", min_size=3, max_size=3), JSON_VALUES, max_size=2))
    made: dict[str, Any] = draw(st.fixed_dictionaries(needed, optional=other))
    return unknown | made


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same as JSON is written: 4.0 is not 4."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
