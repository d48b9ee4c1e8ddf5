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

_TRUTH = {"true": True, "false": False}


def from_text(texts: Sequence[str], schema: Schema) -> Any:
    """Return what the texts of one field mean under its schema; a text that fits no type stays a text."""
    types = schema.types
    if "array" in types:
        items = Schema(schema.document, schema.resolved.get("items", True))
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
