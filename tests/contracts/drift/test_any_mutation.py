"""Whatever a document looks like: it has no drift from itself, and any one change of it is told once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.profiles import examples

from .specs import HEAD, found

Node = dict[str, Any]


@dataclass
class Made:
    """A document in the making, and where it can be changed.

    Attributes:
        places: of its schemas, by the message and the path that a difference in it is told at.
        nullable: schemas whose values may be null in any case.
        operations: its operations, by what they are called.
    """

    schemas: dict[str, Node] = field(default_factory=dict)
    places: list[tuple[str, Node]] = field(default_factory=list)
    nullable: list[Node] = field(default_factory=list)
    operations: dict[str, Node] = field(default_factory=dict)
    document: Node = field(default_factory=dict)


LEAVES: st.SearchStrategy[Node] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "maxLength": 10, "minLength": 2},
        {"type": "string", "enum": ["a", "b", "c"]},
        {"type": "integer", "minimum": 1, "maximum": 9, "default": 5},
        {"type": "number", "exclusiveMinimum": 0, "multipleOf": 5},
        {"type": "boolean", "default": False},
        {"type": ["string", "null"], "format": "date"},
    ]
)


KINDS = ("leaf", "leaf", "object", "array", "map", "branches")


@st.composite
def schemas(draw: st.DrawFn, made: Made, place: str, depth: int = 0) -> Node:
    """A schema, whose places are noted on the way."""
    kind = draw(st.sampled_from(KINDS)) if depth < 2 else "leaf"
    if kind == "leaf":
        node = copy.deepcopy(draw(LEAVES))
    elif kind == "array":
        node = {"type": "array", "maxItems": 5, "items": draw(schemas(made, f"{place}[]", depth + 1))}
    elif kind == "map":
        node = {"type": "object", "additionalProperties": draw(schemas(made, f"{place}.*", depth + 1))}
    elif kind == "branches":
        titles = draw(st.lists(st.sampled_from(["Cat", "Dog", "Emu"]), min_size=2, max_size=3, unique=True))
        keyword = draw(st.sampled_from(["oneOf", "anyOf"]))
        parts = {each: draw(schemas(made, f"{place}({each})", depth + 1)) for each in titles}
        return {keyword: [{"title": each, "allOf": [part]} for each, part in parts.items()]}
    else:
        names = draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3, unique=True))
        fields = {name: draw(schemas(made, f"{place}.{name}", depth + 1)) for name in names}
        needed = [name for name in names if draw(st.booleans())]
        node = {"type": "object", "properties": fields, "required": needed}
    made.places.append((place, node))
    return draw(st.sampled_from(WRAPS))(made, node)


def referred(made: Made, node: Node) -> Node:
    name = f"S{len(made.schemas)}"
    made.schemas[name] = node
    return {"$ref": f"#/components/schemas/{name}", "description": "It is elsewhere."}


def or_null(made: Made, node: Node) -> Node:
    made.nullable.append(node)
    return {"anyOf": [{"title": "Null", "type": "null"}, referred(made, node)]}


WRAPS: list[Callable[[Made, Node], Node]] = [
    lambda _, node: node,
    referred,
    lambda _, node: {"allOf": [node], "description": "It is a part."},
    or_null,
]


@st.composite
def documents(draw: st.DrawFn) -> Made:
    """A document with one or two operations and a webhook, and its places."""
    made = Made()

    def content(place: str) -> Node:
        return {"application/json": {"schema": draw(schemas(made, place))}}

    def operation(name: str) -> Node:
        limit = draw(schemas(made, f"{name} query limit "))
        made.operations[name] = {
            "parameters": [{"name": "limit", "in": "query", "schema": limit}],
            "requestBody": {"content": content(f"{name} request ")},
            "responses": {"200": {"content": content(f"{name} 200 ")}, "404": {"description": "None"}},
        }
        return made.operations[name]

    paths = {path: {"post": operation(f"POST {path}")} for path in ["/a", "/b"][: draw(st.integers(1, 2))]}
    webhooks = {"sold": {"post": operation("webhook sold")}}
    made.document = {**HEAD, "paths": paths, "webhooks": webhooks, "components": {"schemas": made.schemas}}
    return made


Change = Callable[[Node], tuple[str, str] | None]
"""Changes a node, and returns the step to what differs then, and what that is; None where it can't."""


def put(keyword: str, value: Any, *types: str, what: str | None = None) -> Change:
    def change(node: Node) -> tuple[str, str] | None:
        if node["type"] not in types or node.get(keyword) == value:
            return None
        node[keyword] = value
        return "", what or keyword

    return change


def another_type(node: Node) -> tuple[str, str]:
    other = "array" if node["type"] == "boolean" else "boolean"
    node["type"] = other if isinstance(node["type"], str) else [other, "null"]
    return "", "type"


def null(node: Node) -> tuple[str, str] | None:
    if not isinstance(node["type"], str) or "enum" in node:
        return None
    node["type"] = [node["type"], "null"]
    return "", "nullable"


def no_limit(node: Node) -> tuple[str, str] | None:
    for limit in ("maxLength", "maxItems", "minimum", "multipleOf", "format"):
        if limit in node:
            del node[limit]
            return "", limit
    return None


def other_values(node: Node) -> tuple[str, str] | None:
    if "enum" not in node:
        return None
    node["enum"] = node["enum"][1:]
    return "", "value"


def one_more_value(node: Node) -> tuple[str, str] | None:
    if "enum" not in node:
        return None
    node["enum"] = [*node["enum"], "z"]
    return "", "value"


def new_field(node: Node) -> tuple[str, str] | None:
    if "properties" not in node:
        return None
    node["properties"]["new"] = {"type": "string"}
    return ".new", "field"


def no_field(node: Node) -> tuple[str, str] | None:
    for name in node.get("properties", {}):
        del node["properties"][name]
        node["required"] = [each for each in node["required"] if each != name]
        return f".{name}", "field"
    return None


def required(node: Node) -> tuple[str, str] | None:
    for name in node.get("properties", {}):
        node["required"] = [*({*node["required"]} ^ {name})]
        return f".{name}", "required"
    return None


def deprecated(node: Node) -> tuple[str, str]:
    node["deprecated"] = True
    return "", "deprecated"


OF_SCHEMAS: list[Change] = [
    *(another_type, null, no_limit, other_values, one_more_value, new_field, no_field, required, deprecated),
    put("maximum", 3, "integer", "number"),
    put("exclusiveMaximum", 50, "number", what="maximum"),
    put("minLength", 1, "string"),
    put("pattern", "^a", "string"),
    put("minItems", 1, "array"),
    put("uniqueItems", True, "array"),
    put("additionalProperties", False, "object"),
    put("maxProperties", 3, "object"),
    put("default", "b", "string"),
]


@examples(50)
@given(documents())
def test_a_document_has_no_drift_from_itself(made: Made) -> None:
    assert found(made.document, made.document) == []
    assert found(made.document, copy.deepcopy(made.document)) == []


@examples(200)
@given(documents(), st.sampled_from(OF_SCHEMAS), st.data())
def test_any_one_change_of_a_schema_is_told_once(made: Made, change: Change, data: st.DataObject) -> None:
    place, node = data.draw(st.sampled_from(made.places))
    assume(change is not null or all(node is not each for each in made.nullable))
    copies: dict[int, Any] = {}
    changed = copy.deepcopy(made.document, copies)
    told = change(copies[id(node)])
    assume(told is not None)
    step, what = told or ("", "")
    assert names(made.document, changed) == [squeezed(f"{place}{step}: {what}")]
    assert names(changed, made.document) == [squeezed(f"{place}{step}: {what}")]


def names(ours: Node, theirs: Node) -> list[str]:
    return [squeezed(one.name) for one in found(ours, theirs)]


def squeezed(name: str) -> str:
    """A name of a difference without what joins its parts."""
    return name.replace(" .", "").replace(" ", "")


def no_status(operation: Node) -> str:
    del operation["responses"]["404"]
    return " 404: status"


def new_status(operation: Node) -> str:
    operation["responses"]["201"] = {"description": "Made"}
    return " 201: status"


def new_media_type(operation: Node) -> str:
    operation["responses"]["404"]["content"] = {"text/plain": {}}
    return " 404 text/plain: media type"


def other_media_type(operation: Node) -> str:
    operation["requestBody"]["content"]["text/csv"] = {}
    return " request text/csv: media type"


def no_parameter(operation: Node) -> str:
    operation["parameters"] = []
    return " query limit: parameter"


def new_parameter(operation: Node) -> str:
    operation["parameters"] += [{"name": "X-Shop", "in": "header", "required": True}]
    return " header x-shop: parameter"


def needed_parameter(operation: Node) -> str:
    operation["parameters"][0]["required"] = True
    return " query limit: required"


def needed_body(operation: Node) -> str:
    operation["requestBody"]["required"] = True
    return " request: required"


def no_body(operation: Node) -> str:
    del operation["requestBody"]
    return " request: body"


def new_header(operation: Node) -> str:
    operation["responses"]["200"]["headers"] = {"X-Total": {}}
    return " 200 header x-total: parameter"


def security(operation: Node) -> str:
    operation["security"] = [{"key": []}]
    return ": security"


def deprecation(operation: Node) -> str:
    operation["deprecated"] = True
    return ": deprecated"


OF_OPERATIONS: list[Callable[[Node], str]] = [
    *(no_status, new_status, new_media_type, other_media_type, no_parameter, new_parameter),
    *(needed_parameter, needed_body, no_body, new_header, security, deprecation),
]


@examples(50)
@given(documents(), st.sampled_from(OF_OPERATIONS), st.data())
def test_any_one_change_of_an_operation_is_told_once(
    made: Made, change: Callable[[Node], str], data: st.DataObject
) -> None:
    name, node = data.draw(st.sampled_from([*made.operations.items()]))
    copies: dict[int, Any] = {}
    changed = copy.deepcopy(made.document, copies)
    place = change(copies[id(node)])
    assert names(made.document, changed) == [squeezed(name + place)]
    assert names(changed, made.document) == [squeezed(name + place)]


@examples(20)
@given(documents(), st.sampled_from(["paths", "webhooks"]))
def test_an_operation_that_is_gone_is_told_once(made: Made, part: str) -> None:
    changed = copy.deepcopy(made.document)
    path, _ = changed[part].popitem()
    name = f"webhook {path}: webhook" if part == "webhooks" else f"POST {path}: operation"
    assert names(made.document, changed) == names(changed, made.document) == [squeezed(name)]
