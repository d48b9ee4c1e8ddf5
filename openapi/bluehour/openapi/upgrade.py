"""Rewrites an OpenAPI 3.0 document as OpenAPI 3.1, so that all other code knows a single dialect.

Whoever loads a contract calls it once, right after parsing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .structure import rewritten

_Rewrite = Callable[[Any], Any]

# What says nothing about the values, and so stays outside when a schema gets null as an alternative.
_OUTER = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "externalDocs",
        "xml",
    }
)
_COMBINATORS = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


def upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI 3.0 document in 3.1 form; one that is 3.1 or 3.2 already is returned as it is.

    The given document is not changed. References stay references, so they may go in circles.

    Raises ValueError when the document states another version, or none.
    """
    version = str(document.get("openapi", ""))
    if version.startswith(("3.1", "3.2")):
        return document
    if not version.startswith("3.0"):
        stated = f"OpenAPI {version}" if version else "no OpenAPI version"
        raise ValueError(f"the document states {stated}; only 3.0 to 3.2 are understood")
    return {**rewritten(document, lambda node, _at: _schema(node)), "openapi": "3.1.0"}


def _schema(node: Any) -> Any:
    if not isinstance(node, dict):
        return node  # additionalProperties may be true or false
    if isinstance(node.get("$ref"), str):
        reference = {"$ref": node["$ref"]}
        return _or_null(reference) if node.get("nullable") is True else reference
    nested: dict[str, _Rewrite] = {
        "properties": _each(_schema),
        "items": _schema,
        "additionalProperties": _schema,
        "not": _schema,
        "allOf": _each(_schema),
        "anyOf": _each(_schema),
        "oneOf": _each(_schema),
    }
    return _nullable(_examples(_limits(_with(node, nested))))


def _with(node: dict[str, Any], rewrites: dict[str, _Rewrite]) -> dict[str, Any]:
    """Return the object with some of its members rewritten, in the order they had."""
    return {key: rewrites[key](value) if key in rewrites else value for key, value in node.items()}


def _each(rewrite: _Rewrite) -> _Rewrite:
    """Make a rewrite of every value of a map that has names of the author's own, or of every item."""

    def each(node: Any) -> Any:
        if isinstance(node, list):
            return [rewrite(item) for item in node]
        if isinstance(node, dict):
            return {key: rewrite(value) for key, value in node.items()}
        return node

    return each


def _limits(schema: dict[str, Any]) -> dict[str, Any]:
    for closed, opened in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(opened), bool):
            exclusive = schema.pop(opened)
            if exclusive and closed in schema:
                schema[opened] = schema.pop(closed)
    return schema


def _examples(schema: dict[str, Any]) -> dict[str, Any]:
    if "example" not in schema:
        return schema
    return {
        ("examples" if key == "example" else key): [value] if key == "example" else value
        for key, value in schema.items()
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in 3.1 terms that null is allowed; without a type or anything else, it is allowed anyway."""
    if schema.pop("nullable", False) is not True:
        return schema
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = types if "null" in types else [*types, "null"]
        return schema
    return schema if _COMBINATORS.isdisjoint(schema) else _or_null(schema)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    outer = {key: value for key, value in schema.items() if key in _OUTER or key.startswith("x-")}
    inner = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [inner, {"type": "null"}]}
