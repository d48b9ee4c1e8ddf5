"""Values that travel as texts, in parameters, headers and forms: from text, by style, to data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .data import from_json
from .model import Parameter
from .schema import Schema

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_EXACT = 2**53
"""Up to here a double holds every integer."""

_BRACKETED = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])+")

_DEEPEST_KEY = 20
"""Keys in a name; one with more of them is a name of its own, which no schema knows."""

_TRUTH = {"true": True, "false": False}


def from_text(texts: Sequence[str], schema: Schema) -> Any:
    """Return what the texts of one field mean under its schema; a text that fits no type stays a text."""
    for branch in (*schema.resolved.get("anyOf", ()), *schema.resolved.get("oneOf", ())):
        inner = Schema(schema.document, branch)
        if inner.accepts(value := from_text(texts, inner)):
            return value
    types = schema.types
    if "array" in types:
        items = items_of(schema)
        return [from_text([text], items) for text in texts]
    text = texts[-1]
    if types & {"integer", "number"} and _NUMBER.fullmatch(text):
        return _number(text)
    if "boolean" in types:
        return _TRUTH.get(text, text)
    if "object" in types:
        return json_or_text(text)
    return None if types == {"null"} and not text else text


def header_values(header: Parameter, texts: Sequence[str]) -> list[Any]:
    """Return what all headers of a name mean: one list or object where that is declared, else each alone."""
    if header.is_json:
        return [json_or_text(text) for text in texts]
    types = header.schema.types
    if "array" in types:
        return [from_text([item for item in _items(texts) if item], header.schema)]
    if "object" in types:
        return [listed_object(header.schema, ",".join(_items(texts)))]
    return [from_text([text], header.schema) for text in texts]


def _items(texts: Sequence[str]) -> list[str]:
    return [item.strip() for text in texts for item in text.split(",")]


def listed_object(schema: Schema, text: str) -> Any:
    """Return what `a,1,b,2` says, or exploded `a=1,b=2`."""
    if text.startswith("{"):
        return json_or_text(text)
    parts = text.split(",")
    if all("=" in part for part in parts):
        pairs: Iterable[tuple[str, str]] = [
            (key, value) for key, _, value in (part.partition("=") for part in parts)
        ]
    else:
        pairs = zip(parts[::2], parts[1::2], strict=False)
    return object_of(schema, [(key, [value]) for key, value in pairs])


def object_of(schema: Schema, fields: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Any] | None:
    """Return the object of some fields' texts; None where there are no fields."""
    properties = schema.resolved.get("properties", {})
    value = {
        key: from_text(texts, Schema(schema.document, properties.get(key, True))) for key, texts in fields
    }
    return value or None


def keys_in(name: str) -> list[str]:
    """Return the keys in a name such as `card[owner][name]`; of any other, the name alone."""
    if not _BRACKETED.fullmatch(name):
        return [name]
    if name.count("[") > _DEEPEST_KEY:
        return [name]
    first, _, rest = name.partition("[")
    return [first, *rest[:-1].split("][")]


def nested_object(schema: Schema, fields: Iterable[tuple[Sequence[str], Sequence[str]]]) -> dict[str, Any]:
    """Return the object whose fields were written with their keys, such as `card[owner][name]=Ann`.

    Lists come as `expand[]=a&expand[]=b`, or with their places: `expand[0]=a`.

    Args:
        schema: of the object.
        fields: their keys, at least one each, and their texts.
    """
    inner: dict[str, list[tuple[Sequence[str], Sequence[str]]]] = {}
    for (key, *keys), texts in fields:
        inner.setdefault(key, []).append((keys, texts))
    return {key: _nested(field_of(schema, key), parts) for key, parts in inner.items()}


def _nested(schema: Schema, parts: list[tuple[Sequence[str], Sequence[str]]]) -> Any:
    texts = [text for _, many in parts for text in many]
    if all(not keys for keys, _ in parts):
        return from_text(texts, schema)
    keyed = [(keys, many) for keys, many in parts if keys]
    if all(keys[0] == "" or keys[0].isdecimal() for keys, _ in keyed) and "array" in schema.types:
        if all(len(keys) == 1 for keys, _ in keyed):
            return from_text(texts, schema)
        items = items_of(schema)
        each: dict[str, list[tuple[Sequence[str], Sequence[str]]]] = {}
        for (place, *keys), many in keyed:
            each.setdefault(place, []).append((keys, many))
        return [_nested(items, inner) for inner in each.values()]
    return nested_object(schema, keyed)


def items_of(schema: Schema) -> Schema:
    """Return the schema of a list's items."""
    return Schema(schema.document, schema.resolved.get("items", True))


def field_of(schema: Schema, key: str) -> Schema:
    """Return the schema of an object's field, also one that a part or a branch of the schema declares."""
    resolved = schema.resolved
    for branch in (*resolved.get("anyOf", ()), *resolved.get("oneOf", ()), *resolved.get("allOf", ())):
        if key in (inner := Schema(schema.document, branch)).resolved.get("properties", {}):
            return field_of(inner, key)
    other = resolved.get("additionalProperties", True)
    return Schema(schema.document, resolved.get("properties", {}).get(key, other if other else True))


def json_or_text(text: str) -> Any:
    """Return what a text says as JSON; what is none, or deeper than any schema asks for, stays a text."""
    try:
        return from_json(text)
    except ValueError:
        return text


def _number(text: str) -> int | float:
    """Return a number as JSON Schema takes it: 1e3 is an integer; what no double can hold is infinite."""
    value = float(text)
    if math.isfinite(value) and text.lstrip("-").isdecimal():
        return int(text)
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value
