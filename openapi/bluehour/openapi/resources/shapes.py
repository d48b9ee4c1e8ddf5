"""Where in a body the item is, or the list of them: bare, or in an envelope such as `{"data": {...}}`."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import DeclaredResponse, MediaType
from ..schema import Schema
from .model import Place

_DEEPEST_ENVELOPE = 2
_DEEPEST_PART = 8

_LISTS = ("data", "items", "results", "records", "entries", "values", "content", "list")
"""What the list is called, where an envelope has several."""


def json_of(response: DeclaredResponse) -> Schema | None:
    """Return the schema of a response's JSON; None where it has none."""
    media: MediaType | None = response.json or next(
        (media for name, media in response.content.items() if name == "*/*"), None
    )
    return media.schema if media is not None and media.schema.resolved else None


def field_of(schema: Schema, name: str) -> Schema:
    """Return the schema of an object's field, wherever among its parts it is declared."""
    return schema.field(name)


def parts_of(schema: Schema, depth: int = 0) -> Iterator[Schema]:
    """Yield a schema and those that it consists of by `allOf`."""
    yield schema
    for inner in _branches(schema, "allOf") if depth < _DEEPEST_PART else ():
        yield from parts_of(inner, depth + 1)


def items_of(schema: Schema) -> Schema | None:
    """Return what a list's items are; None of what is no list."""
    if "array" not in schema.types:
        return None
    items = schema.resolved.get("items")
    return Schema(schema.document, items) if isinstance(items, dict) else None


def list_in(schema: Schema, collection: str = "") -> tuple[Place, Schema] | None:
    """Return where a body has its list, and what the items are; None where it has none.

    Args:
        schema: of the body.
        collection: what the list may be called, too.
    """
    bare = items_of(schema)
    if bare is not None:
        return (), bare
    found = [
        ((name, *place), items)
        for name, field in _fields(schema)
        for place, items in _lists_under(field, _DEEPEST_ENVELOPE - 1)
    ]
    named = [each for each in found if each[0][-1] in (*_LISTS, collection)]
    objects = [each for each in found if each[1].properties]
    for chosen in (named, objects, found):
        if len(chosen) == 1:
            return chosen[0]
    return None


def _lists_under(schema: Schema, depth: int) -> Iterator[tuple[Place, Schema]]:
    items = items_of(schema)
    if items is not None:
        yield (), items
    elif depth:
        for name, field in _fields(schema):
            yield from (((name, *place), items) for place, items in _lists_under(field, depth - 1))


def envelopes(schema: Schema, depth: int = _DEEPEST_ENVELOPE) -> Iterator[tuple[Place, Schema]]:
    """Yield where a body may have its item, and what is there: the body itself first, or its branches."""
    if schema.properties:
        yield (), schema
        for name, field in _fields(schema) if depth else ():
            yield from (((name, *place), item) for place, item in envelopes(field, depth - 1))
    elif depth:
        for keyword in ("oneOf", "anyOf"):
            for branch in _branches(schema, keyword):
                yield from envelopes(branch, depth - 1)


def is_same(one: Schema, other: Schema) -> bool:
    """Tell whether two schemas are of one kind of thing: the same by reference, or with the same fields."""
    if one.resolved is other.resolved:
        return True
    return bool(one.properties) and set(one.properties) == set(other.properties)


def _fields(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name in schema.properties:
        yield name, field_of(schema, name)


def required_by(schema: Schema) -> frozenset[str]:
    """Return the fields that an object must have."""
    return frozenset(
        name
        for part in parts_of(schema)
        for name in part.resolved.get("required") or ()
        if isinstance(name, str)
    )


def _branches(schema: Schema, keyword: str) -> Iterator[Schema]:
    declared = schema.resolved.get(keyword)
    for branch in declared if isinstance(declared, list) else ():
        yield Schema(schema.document, branch)
