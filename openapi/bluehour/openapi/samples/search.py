"""The search for a legal value: candidates for each place of it, the most telling first, until all agree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Literal

from ..document import Document, SpecError, resolve
from ..errors import BluehourError
from ..schema import Schema
from .arrays import arrays
from .branches import Branches
from .merging import Node, listed
from .numbers import numbers
from .objects import objects
from .strings import strings

# What keeps the work finite, whatever the schema.
_STEPS = 20_000  # before giving up
_COMPILING = 20  # steps that a validator counts for
_LEAN_AFTER = 1_500  # steps before optional parts are left out
_DEEPEST = 24  # references above a place before nothing more is tried there
_CANDIDATES = 80  # at one place

# Candidates of a schema with one of these may be illegal; those of any other are made to be legal.
_DOUBTFUL = frozenset(
    {"dependentSchemas", "allOf", "anyOf", "oneOf", "not", "if", "unevaluatedProperties"}
    | {"example", "examples", "default", "enum"}
)

_EMPTY = Document()

# The keywords that tell a type where none is named.
_KEYWORDS = {
    "object": {"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}
    | {"minProperties", "maxProperties", "dependentRequired"},
    "array": {"items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "string": {"pattern", "minLength", "maxLength", "format", "contentEncoding"},
}


class NoSample(BluehourError, ValueError):
    """No legal value was found within the bounds; the message is one line that says why."""


def sample(
    node: Node, document: dict[str, Any], direction: Literal["request", "response"] = "response"
) -> Any:
    """Return a value that is legal under a schema of the document, the same one on every call.

    An example, a default, a const and the first enum value are preferred in this order when they are legal.
    Optional properties that don't travel in `direction` (writeOnly in a response, readOnly in a request)
    are left out.

    Raises:
        NoSample: no value was found.
    """
    whole, hidden = Schema(document, node), "writeOnly" if direction == "response" else "readOnly"
    try:
        whole.compile()
        for value in _Search(whole.document, hidden).values(node):
            if whole.accepts(value):
                return copy.deepcopy(value)
    except (SpecError, OverflowError, RecursionError) as error:
        raise NoSample(str(error)) from error
    raise NoSample("no legal value was found: nothing that was tried satisfies all parts of the schema")


class _Search:
    """One search; `hidden` is the keyword of the properties that don't travel."""

    def __init__(self, document: Document, hidden: str) -> None:
        self._document = document
        self._hidden = hidden
        self._steps = 0
        self._schemas: dict[int, Schema] = {}  # by the node's id, which lives as long as its schema

    def values(self, node: Node, place: tuple[str, ...] = ()) -> Iterator[Any]:
        """Yield legal candidates, the most wanted first, for the place that these references lead to."""
        candidates = islice(self._candidates(node, place), _CANDIDATES)
        if isinstance(node, bool) or _DOUBTFUL.isdisjoint(node):
            return candidates
        return (value for value in candidates if self._accepts(node, value))

    def _candidates(self, node: Node, place: tuple[str, ...]) -> Iterator[Any]:
        branches = Branches(self._document, self._is_lean(place), self._step)
        for shape, references in branches.shapes(node):
            below = place + tuple(dict.fromkeys(references))
            for value in self._of_shape(shape, below) if len(below) < _DEEPEST else ():
                self._step()
                yield value

    def _of_shape(self, shape: dict[str, Any], place: tuple[str, ...]) -> Iterator[Any]:
        yield from _declared(shape)
        if "const" in shape or "enum" in shape:
            return
        lean = self._is_lean(place)
        draw = partial(self.values, place=place)
        makers: dict[str, Callable[[], Iterable[Any]]] = {
            "object": lambda: objects(self._visible(shape), draw, lean),
            "array": lambda: arrays(shape, draw, lean),
            "string": lambda: strings(shape),
            "integer": lambda: numbers(shape, whole=True),
            "number": lambda: numbers(shape, whole=False),
            "boolean": lambda: (True, False),
            "null": lambda: (None,),
        }
        for name in _types(shape, null_first=lean):
            yield from makers[name]()

    def _accepts(self, node: dict[str, Any], value: Any) -> bool:
        if id(node) not in self._schemas:
            self._step(_COMPILING)
            alone = "$ref" not in repr(node)  # without the document behind it, a schema compiles in no time
            schema = self._schemas[id(node)] = Schema(_EMPTY if alone else self._document, node)
            schema.compile()
        return self._schemas[id(node)].accepts(value)

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > _STEPS:
            raise NoSample(f"no legal value was found within {_STEPS} steps")

    def _is_lean(self, place: tuple[str, ...]) -> bool:
        return len(set(place)) < len(place) or self._steps > _LEAN_AFTER

    def _visible(self, shape: dict[str, Any]) -> dict[str, Any]:
        """Leave out the optional properties that don't travel."""
        properties, required = shape.get("properties", {}), shape.get("required", ())
        hidden = {name for name in properties if name not in required and self._hides(properties[name])}
        return {**shape, "properties": {name: properties[name] for name in properties if name not in hidden}}

    def _hides(self, node: Node) -> bool:
        places = (node, resolve(self._document, node))
        return any(isinstance(place, dict) and place.get(self._hidden) is True for place in places)


def _declared(shape: dict[str, Any]) -> Iterator[Any]:
    """Yield the values that a schema names itself."""
    if "example" in shape:
        yield shape["example"]
    yield from listed(shape.get("examples", []))
    for key in ("default", "const"):
        if key in shape:
            yield shape[key]
    yield from sorted(shape.get("enum", ()), key=lambda value: value is None)


def _types(shape: dict[str, Any], null_first: bool) -> list[str]:
    if "type" in shape:
        return sorted(listed(shape["type"]), key=lambda name: (name == "null") != null_first)
    types = [name for name, keywords in _KEYWORDS.items() if not keywords.isdisjoint(shape)]
    return types or ["string", "object", "number", "array", "boolean", "null"]
