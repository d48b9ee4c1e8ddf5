"""What a schema asks of a value, whether it says so itself or by `$ref`, `allOf`, `oneOf` and `anyOf`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from bluehour.openapi.document import Document, SpecError, at_pointer

from .differences import ABSENT

Nodes = tuple[Any, ...]
"""Schemas that one value has to meet, all of them."""

TYPES = ("integer", "number", "string", "boolean", "array", "object", "null")
"""A `number` here is one that is no integer; what a schema calls so is both."""

CLOSED = "additionalProperties"
LIMITS = (
    "minimum maximum multipleOf minLength maxLength pattern format contentEncoding minItems maxItems "
    "uniqueItems contains prefixItems minProperties maxProperties propertyNames patternProperties "
    f"dependentRequired {CLOSED} unevaluatedProperties not if then else"
).split()
_BOUNDS = {"minimum": 0, "maximum": 0, "exclusiveMinimum": 1, "exclusiveMaximum": -1}
_KEYWORDS = {*LIMITS, *_BOUNDS}
_NOTHING_AT_0 = ("minLength", "minItems", "minProperties", "uniqueItems")
_SAYS_NOTHING = {"$ref", "title", "description", "summary", "example", "examples"}
_LONGEST_CHAIN = 100
_OF = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


@dataclass(slots=True)
class Shape:
    """What is asked of a value.

    Attributes:
        types: that it may have.
        values: that it may be, by their texts, but for null; None for any.
        limits: by keyword; bounds as `(5, 0)`, or as `(5, 1)` or `(5, -1)` where 5 itself is not allowed.
        inner: what is asked of what is in it, by the step that leads there: `.name`, `[]`, `.*`.
        required: which of these have to be there.
        branches: of which it has to meet one, by their names.
        said: its `default`, and whether it is `deprecated`.
    """

    types: set[str] = field(default_factory=lambda: set(TYPES))
    values: dict[str, Any] | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    inner: dict[str, Nodes] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    branches: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    def choose(self, types: set[str], values: dict[str, Any] | None) -> None:
        """Allow these types and values alone, of those that are allowed."""
        self.types &= types
        if values is not None:
            allowed = values if self.values is None else self.values
            self.values = {key: value for key, value in values.items() if key in allowed}

    def limit(self, keyword: str, value: Any) -> None:
        """Allow nothing beyond a limit."""
        known, tighter = self.limits.get(keyword, value), tighter_of(keyword)
        if known != value:
            value = tighter(known, value) if tighter else [known, value]
        self.limits[keyword] = value

    def put(self, step: str, *nodes: Any) -> None:
        """Ask what is in it to meet schemas."""
        self.inner[step] = (*self.inner.get(step, ()), *nodes)


class Shapes:
    """The schemas of a document.

    Args:
        document: where references lead.
        hidden: `readOnly` or `writeOnly`; a field with it is not there.
    """

    def __init__(self, document: Document, hidden: str) -> None:
        self._document = document
        self._hidden = hidden

    def named(self, node: Any) -> Any:
        """Return the schema that one is which only refers to another; else itself."""
        with suppress(SpecError):  # it leads nowhere, in what was not mended when the file was read
            for _ in range(_LONGEST_CHAIN):
                if not isinstance(node, dict) or "$ref" not in node or node.keys() - _SAYS_NOTHING:
                    break
                node = at_pointer(self._document, node["$ref"])
        return node

    def said(self, nodes: Nodes, keyword: str) -> Any:
        """Return what is said of a value, such as its `type`; ABSENT where nothing is."""
        return next((node[keyword] for node in self._parts(nodes) if keyword in node), ABSENT)

    def of(self, nodes: Nodes) -> Shape:
        """Return what schemas ask together."""
        shape = Shape()
        is_nullable = False
        for node in self._parts(nodes):
            branches = _branches(node)
            is_nullable |= node.get("nullable") is True or any(map(_is_null, branches))
            shape.choose(*_choice(node))
            for each in real if len(real := _real(branches)) > 1 else ():
                number = len(shape.branches) + 1
                name = _name(each) or f"{number}"
                name = f"{name} {number}" if name in shape.branches else name
                shape.branches[name] = self.named(each)
            shape.said = {key: node[key] for key in ("default", "deprecated") if key in node} | shape.said
            _limit(shape, node)
            self._put(shape, node)
        if shape.types == set(TYPES) and shape.inner:
            shape.types = {"array"} if "[]" in shape.inner else {"object"}
        shape.types |= {"null"} if is_nullable else set()
        return shape

    def _parts(self, nodes: Nodes) -> Iterator[dict[str, Any]]:
        """Yield schemas, and all that they consist of."""
        seen: set[int] = set()
        for node in (left := list(nodes)):  # grows on the way; parts may lead back to where they are
            if isinstance(node, dict) and id(node) not in seen:
                seen.add(id(node))
                yield node
                left += [at_pointer(self._document, node["$ref"])] if "$ref" in node else ()
                left += node.get("allOf", ())
                left += real if len(real := _real(_branches(node))) == 1 else ()

    def _put(self, shape: Shape, node: dict[str, Any]) -> None:
        """Ask what a schema asks of what is in a value."""
        for name, inner in node.get("properties", {}).items():
            if self.said((inner,), self._hidden) is not True:
                shape.put(f".{name}", self.named(inner))
        for name in node.get("required", ()):
            shape.put(f".{name}")
            shape.required.add(f".{name}")
        for step, keyword in (("[]", "items"), (".*", CLOSED)):
            if isinstance(node.get(keyword), dict):
                shape.put(step, self.named(node[keyword]))


def _branches(node: dict[str, Any]) -> list[Any]:
    return [*node.get("oneOf", ()), *node.get("anyOf", ())] if "oneOf" in node or "anyOf" in node else []


def _real(branches: list[Any]) -> list[Any]:
    return [each for each in branches if not _is_null(each)]


def _is_null(node: Any) -> bool:
    return isinstance(node, dict) and _choice(node)[0] == {"null"}


def _name(branch: Any) -> str:
    """What a branch is called: by its reference or its title."""
    said = branch if isinstance(branch, dict) else {}
    return str(said.get("$ref", "")).rpartition("/")[2] or str(said.get("title", ""))


def _choice(node: dict[str, Any]) -> tuple[set[str], dict[str, Any] | None]:
    """The types that a schema allows, and the values but for null; None for any."""
    types = node.get("type", TYPES)
    types = {types} if isinstance(types, str) else set(types)
    types |= {"integer"} if "number" in types else set()
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if values is None:
        return types, None
    named = {_OF.get(type(value), "null") for value in values}
    named |= {"integer"} if "number" in named else set()
    return types & named, {text(value): value for value in values if value is not None}


def _limit(shape: Shape, node: dict[str, Any]) -> None:
    """Limit a shape as a schema does itself."""
    for keyword in node.keys() & _KEYWORDS:
        value = node[keyword]
        if keyword in _BOUNDS:
            shape.limit(keyword.removeprefix("exclusive").lower(), (value, _BOUNDS[keyword]))
        elif value is False if keyword == CLOSED else value or keyword not in _NOTHING_AT_0:
            shape.limit(keyword, value)


def tighter_of(keyword: str) -> Callable[[Any, Any], Any] | None:
    """Return what chooses the tighter of two limits; None where that can't be told."""
    return max if keyword.startswith("min") else min if keyword.startswith("max") else None


def text(value: Any) -> str:
    """Return a value as JSON; equal values have equal texts."""
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
