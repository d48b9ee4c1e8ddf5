"""What the x- keys of an operation's terms may say; what says something else is told, and left out.

Only operations with an `x-behaviour` are looked at: in other files an `x-default` may mean anything. Magic
Hour's own contract is judged by a test, and not at each start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import amounts
from .document import Document, at_pointer, steps_of
from .mending import Defect
from .model import Operation
from .schema import Schema
from .structure import Place
from .values import ITEMS
from .wording import quoted, sentence

_MISPLACED = "a rule of one field can't be said of each item of a list"
_SCALAR = {"type": ["number", "string", "boolean"]}
_AMOUNT = {"$ref": "#/$defs/amount"}
_CHOICES = {"$ref": "#/$defs/choices"}
_DEEPEST = 8
"""As deep as a request's fields are looked for."""

_OUTPUT = (
    "format", "name", "count", "seconds", "fps", "most-seconds", "longest-edge", "shortest-edge", "scale",
    "aspect", "transparent", "content", "audio",
)  # fmt: skip

_OF_OPERATIONS: Mapping[str, Any] = {
    "x-credits": {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {
                "type": "object",
                "required": ["per", "rate"],
                "properties": {
                    "per": {"enum": ["image", "second", "frame", "character"]},
                    "rate": _AMOUNT,
                    "of": _AMOUNT,
                    "minimum": {"type": "integer", "minimum": 0},
                    "settles": {"type": "boolean"},
                },
                "additionalProperties": False,
                "if": {"properties": {"per": {"const": "character"}}},
                "then": {"required": ["of"]},
            },
        ]
    },
    "x-output": {
        "type": "object",
        "properties": dict.fromkeys(_OUTPUT, _AMOUNT),
        "additionalProperties": False,
    },
}

_OF_FIELDS: Mapping[str, Any] = {
    "x-default": _AMOUNT,
    "x-means": {"type": "object", "additionalProperties": _AMOUNT},
    "x-allowed": _CHOICES,
    "x-plan-needed": {"$ref": "#/$defs/plan"},
    "x-required-if": {
        "type": "object",
        "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
    },
    "x-most-items": _AMOUNT,
    "x-asset-type": {"$ref": "#/$defs/asset"},
}


@dataclass
class _Node:
    """A part of the document that may have such keys, and the requests that it is a part of."""

    node: dict[str, Any]
    at: Place
    rules: Mapping[str, Any]
    is_in_list: bool = False
    bodies: list[Schema] = field(default_factory=list)


def leave_out_wrong(
    operations: Iterable[Operation], plans: Sequence[str], asset_types: Sequence[str]
) -> Iterator[Defect]:
    """Take out of operations and their requests which keys can't be read, and yield what is wrong.

    Args:
        operations: of a contract that nobody has used yet.
        plans: the names of all plans.
        asset_types: those of the `x-asset-extensions`.
    """
    rules = Document({"$defs": _definitions(plans, asset_types)})
    for each in _nodes(operations):
        for key in each.rules.keys() & each.node.keys():
            value, at = each.node[key], (*each.at, key)
            is_misplaced = each.is_in_list and key != "x-asset-type"
            problem = (
                _MISPLACED if is_misplaced else sentence(Schema(rules, each.rules[key]).faults(value), "it")
            )
            if problem:
                del each.node[key]
                yield Defect(at, f"{problem}; it is ignored")
                continue
            for name in _unknown_fields(key, value, each.bodies):
                yield Defect(at, f"no field of the request is {quoted(name)}, so it says nothing")


def _definitions(plans: Sequence[str], asset_types: Sequence[str]) -> dict[str, Any]:
    leaves = {
        "choices": {"type": "array", "items": _SCALAR},
        "plan": {"enum": [*plans]} if plans else {"type": "string"},
    }
    chosen = {name: {"anyOf": [leaf, amounts.chosen(name)]} for name, leaf in leaves.items()}
    asset = {"enum": [*asset_types]}
    assets = {"if": {"type": "array"}, "then": {"items": asset, "minItems": 1}, "else": asset}
    return {"amount": amounts.SCHEMA, "asset": assets, **chosen}


def _nodes(operations: Iterable[Operation]) -> Iterator[_Node]:
    """Yield each operation, and each schema of their requests, once."""
    found: dict[int, _Node] = {}
    for operation in operations:
        if operation.behaviour is None:
            continue
        at: Place = ("paths", operation.path, operation.method.lower())
        body = operation.json_body.schema if operation.json_body else None
        parts = [(operation.node, at, _OF_OPERATIONS, False)]
        if body is not None:
            inner = _schemas(body.document, body.node, _place_of_body(operation, at), ())
            parts += ((node, place, _OF_FIELDS, is_in_list) for node, place, is_in_list in inner)
        for node, place, rules, is_in_list in parts:
            known = found.setdefault(id(node), _Node(node, place, rules, is_in_list))
            known.bodies += [body] if body else []
    yield from found.values()


def _place_of_body(operation: Operation, at: Place) -> Place:
    body = operation.node.get("requestBody", {})
    at = steps_of(body["$ref"]) if "$ref" in body else (*at, "requestBody")
    content = operation.body.content if operation.body else {}
    name = next((name for name in content if content[name] is operation.json_body), "")
    return (*at, "content", name, "schema")


def _schemas(
    document: Document, node: Any, at: Place, path: tuple[str, ...]
) -> Iterator[tuple[dict[str, Any], Place, bool]]:
    """Yield a schema, what it refers to, and those of its fields, as `Schema.annotated` finds them."""
    while isinstance(node, dict):
        yield node, at, ITEMS in path
        if "$ref" not in node:
            break
        at, node = steps_of(node["$ref"]), at_pointer(document, node["$ref"])
    if not isinstance(node, dict) or len(path) == _DEEPEST:
        return
    for name, inner in node.get("properties", {}).items():
        yield from _schemas(document, inner, (*at, "properties", name), (*path, name))
    yield from _schemas(document, node.get("items"), (*at, "items"), (*path, ITEMS))


def _unknown_fields(key: str, value: Any, bodies: Sequence[Schema]) -> Iterator[str]:
    """Yield the fields that a key is about and that no request has."""
    named = list(value.values()) if key == "x-means" else value
    names = value if key == "x-required-if" else amounts.fields_in(named)
    for name in dict.fromkeys(names):
        if name != amounts.PLAN and not any(_has(body, name) for body in bodies):
            yield name


def _has(body: Schema, name: str) -> bool:
    """Tell whether a request can have a field, as far as its schema says."""
    for step in name.split("."):
        if step not in body.properties:
            return bool(body.resolved.keys() & {"anyOf", "oneOf"})
        body = body.field(step)
    return True
