"""What OpenAPI means by keywords that say nothing to JSON Schema, said so that it is judged.

A discriminator's value decides which branch a value has to meet; `int32`, `int64` and `byte` are limits.
https://spec.openapis.org/oas/v3.1.0#discriminator-object, https://spec.openapis.org/registry/format/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

_WORDS = (b'"discriminator"', b'"int32"', b'"int64"', b'"byte"')
_LIMITS: dict[str, dict[str, Any]] = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
    "byte": {"pattern": r"^(?:[A-Za-z0-9+/\s]*={0,2}\s*)$"},
}
_OF_TYPE = {"int32": "integer", "int64": "integer", "byte": "string"}


def is_needed(document: dict[str, Any]) -> bool:
    """Tell whether a document has any of these keywords."""
    text = orjson.dumps(document)
    return any(word in text for word in _WORDS)


def judgeable(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with what its own keywords mean; the schemas in it are left as they are."""
    meant = [*limits(node), *branches(node)]
    return {**node, "allOf": [*node.get("allOf", ()), *meant]} if meant else node


def limits(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema that a format stands for."""
    name, types = node.get("format"), node.get("type")
    types = types if isinstance(types, list) else [types]
    if isinstance(name, str) and name in _LIMITS and _OF_TYPE[name] in types:
        yield _LIMITS[name]


def branches(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas that a discriminator stands for."""
    kind = node.get("discriminator")
    name = kind.get("propertyName") if isinstance(kind, dict) else None
    choices = node.get("oneOf") or node.get("anyOf")
    if not isinstance(kind, dict) or not isinstance(name, str) or not isinstance(choices, list):
        return
    targets = _targets(choices, kind.get("mapping") or {})
    if targets is None:
        return
    yield {"if": {"type": "object"}, "then": {"properties": {name: {"enum": [*targets]}}, "required": [name]}}
    for value, target in targets.items():
        yield {
            "if": {"type": "object", "properties": {name: {"const": value}}, "required": [name]},
            "then": {"$ref": target},
        }


def _targets(choices: list[Any], mapping: dict[str, Any]) -> dict[str, str] | None:
    """Return the schema of each value; None where a branch has no name, and may have any value."""
    references = [branch.get("$ref") if isinstance(branch, dict) else None for branch in choices]
    named = {each.rpartition("/")[2]: each for each in references if isinstance(each, str)}
    if len(named) < len(choices):
        return None
    targets = {value: named.get(str(target), str(target)) for value, target in mapping.items()}
    if any(not target.startswith("#/") for target in targets.values()):
        return None
    mapped = set(targets.values())
    return targets | {name: each for name, each in named.items() if each not in mapped}
