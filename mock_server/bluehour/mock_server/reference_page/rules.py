"""What a schema allows, in few words: its type, and each rule that a value has to keep.

A specification may hold anything where a number or a list is due. What can't be read is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]

_LONGEST_VALUE = 160
_DEEPEST_TYPE = 4

# Rules that few specifications have are shown as they are written.
_AS_WRITTEN = (
    *("not", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames"),
    *(
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedProperties",
        "contentMediaType",
        "contentEncoding",
    ),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its words, and what of it is code, such as a pattern."""

    words: str
    code: str = ""


def compact(value: Any) -> str:
    """Return a value as JSON on one line, cut where it is long."""
    text = _json(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def pretty(value: Any) -> str:
    """Return a value as JSON for a person to read."""
    return _json(value, indent=2)


def _json(value: Any, indent: int | None = None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    except (ValueError, RecursionError):
        return "…"


def mapping(value: Any) -> Node:
    """Return an object as it is, and an empty one for all else."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for all else."""
    return value if isinstance(value, list) else []


def any_of(values: Sequence[str]) -> str:
    """Return what may be chosen from: `a, b or c`."""
    return " or ".join(filter(None, (", ".join(values[:-1]), *values[-1:])))


def type_words(node: Any, follow: Callable[[Any], Any], depth: int = _DEEPEST_TYPE) -> str:
    """Return what a schema takes: `array of string (date-time) or null`.

    Args:
        node: the schema.
        follow: returns a schema's own keywords, its reference followed.
        depth: how many arrays within each other are named.
    """
    node = follow(node)
    if node is False:
        return "nothing"
    if not isinstance(node, dict):
        return "any value"
    names = [_type_name(name, node, follow, depth) for name in types_of(node)]
    return " or ".join(names) or "any value"


def types_of(node: Node) -> list[str]:
    """Return the names of a schema's types, guessed from its other keywords where it has none; null last."""
    stated = node.get("type")
    names = [stated] if isinstance(stated, str) else [str(name) for name in listing(stated)]
    if not names:
        names = _guessed(node)
    return sorted(names, key=lambda name: name == "null")


def _guessed(node: Node) -> list[str]:
    if mapping(node.get("properties")):
        return ["object"]
    if "items" in node or "prefixItems" in node:
        return ["array"]
    values = [node["const"]] if "const" in node else listing(node.get("enum"))
    return list(dict.fromkeys(_name_of(value) for value in values))


def _name_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    return "array" if isinstance(value, list) else "object"


def _type_name(name: str, node: Node, follow: Callable[[Any], Any], depth: int) -> str:
    if name == "array" and "items" in node and depth:
        return f"array of {type_words(node['items'], follow, depth - 1)}"
    plain = name not in ("null", "array", "object")
    return f"{name} ({node['format']})" if plain and isinstance(node.get("format"), str) else name


def rules(node: Node) -> tuple[Rule, ...]:
    """Return what a value of a schema has to keep to, besides its type."""
    return tuple(_rules(node))


def _rules(node: Node) -> Iterator[Rule]:
    yield from _range(node)
    if "multipleOf" in node:
        yield Rule(f"in steps of {_number(node['multipleOf'])}")
    for low, high, unit in _SIZES:
        yield from _size(node, low, high, unit)
    if "pattern" in node:
        yield Rule("matches", str(node["pattern"]))
    if node.get("uniqueItems") is True:
        yield Rule("no item twice")
    if "const" in node:
        yield Rule("always", compact(node["const"]))
    if node.get("additionalProperties") is False or node.get("unevaluatedProperties") is False:
        yield Rule("no other fields")
    if property_name := mapping(node.get("discriminator")).get("propertyName"):
        yield Rule("told apart by", str(property_name))
    if "x-plan-limit" in node:
        yield Rule("at most what the plan allows:", str(node["x-plan-limit"]))
    if "x-asset-type" in node:
        kinds = listing(node["x-asset-type"]) or [node["x-asset-type"]]
        yield Rule(f"names an asset: {any_of([str(kind) for kind in kinds])}")
    for keyword in _AS_WRITTEN:
        if keyword in node and node[keyword] is not False:
            yield Rule(f"{keyword}:", compact(node[keyword]))


_SIZES = (
    ("minLength", "maxLength", "character"),
    ("minItems", "maxItems", "item"),
    ("minProperties", "maxProperties", "field"),
)


def _range(node: Node) -> Iterator[Rule]:
    if "minimum" in node and "maximum" in node:
        yield Rule(f"{_number(node['minimum'])} to {_number(node['maximum'])}")
    elif "minimum" in node:
        yield Rule(f"at least {_number(node['minimum'])}")
    elif "maximum" in node:
        yield Rule(f"at most {_number(node['maximum'])}")
    if "exclusiveMinimum" in node:
        yield Rule(f"greater than {_number(node['exclusiveMinimum'])}")
    if "exclusiveMaximum" in node:
        yield Rule(f"less than {_number(node['exclusiveMaximum'])}")


def _size(node: Node, low: str, high: str, unit: str) -> Iterator[Rule]:
    least, most = node.get(low), node.get(high)
    if least is not None and least == most:
        yield Rule(_counted(least, unit))
    elif least is not None and most is not None:
        yield Rule(f"{least} to {_counted(most, unit)}")
    elif least:
        yield Rule(f"at least {_counted(least, unit)}")
    elif most is not None:
        yield Rule(f"at most {_counted(most, unit)}")


def _counted(count: Any, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _number(limit: Any) -> str:
    """A minus sign that is one, and no `.0`."""
    number = int(limit) if isinstance(limit, float) and limit.is_integer() else limit
    return str(number).replace("-", "\N{MINUS SIGN}") if isinstance(number, int | float) else compact(number)


def choices(node: Node, most: int) -> tuple[str, ...]:
    """Return the values of an enum as JSON, the first of those that are more than so many."""
    values = listing(node.get("enum"))
    left = len(values) - most
    return (*map(compact, values[:most]), *([f"… and {left} more"] if left > 0 else []))
