"""Two plain schemas as one that demands what both demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Node = dict[str, Any] | bool  # a schema as it stands in the document
Draw = Callable[[Node], Iterator[Any]]  # yields the values of a part's schema


def both(first: Node, second: Node) -> dict[str, Any]:
    """Return a schema of what is legal under two."""
    return {"allOf": [first, second]}


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and all else as the only item of one."""
    return value if isinstance(value, list) else [value]


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Return the keywords of both as one, or None where their types or values exclude each other.

    Where two values of a keyword can't be one, such as two patterns, the first is taken.
    """
    result = {**second, **first}
    for key in first.keys() & second.keys() & _MERGES.keys():
        result[key] = _MERGES[key](first[key], second[key])
    return None if [] in (result.get("type"), result.get("enum")) else result


def _types(first: Any, second: Any) -> list[str]:
    firsts, seconds = (listed(types) + ["integer"] * ("number" in types) for types in (first, second))
    return [name for name in firsts if name in seconds]


def _maps(first: dict[str, Node], second: dict[str, Node]) -> dict[str, Node]:
    return first | second | {name: both(first[name], second[name]) for name in first if name in second}


_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": lambda first, second: [value for value in first if value in second],
    "properties": _maps,
    "patternProperties": _maps,
    **dict.fromkeys(("additionalProperties", "propertyNames", "items"), both),
    "required": lambda first, second: [*first, *second],
    "not": lambda first, second: {"anyOf": [first, second]},
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
