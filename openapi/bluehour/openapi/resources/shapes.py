"""Where in a body the item is, or the list of them: bare, or in an envelope such as `{"data": {...}}`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ..model import DeclaredResponse, MediaType
from ..schema import Schema
from .model import Place

_Found = TypeVar("_Found")

_DEEPEST_ENVELOPE = 2
_DEEPEST_PART = 8
_DEEPEST_CHOICE = 3
_MOST_CHOICES = 16

_LISTS = ("data", "items", "results", "records", "entries", "values", "content", "list")
"""What the list is called, where an envelope has several."""


def json_of(response: DeclaredResponse) -> Schema | None:
    """Return the schema of a response's JSON; None where it has none."""
    media: MediaType | None = response.json or next(
        (media for name, media in response.content.items() if name == "*/*"), None
    )
    return media.schema if media is not None and media.schema.resolved else None


def alternatives(schema: Schema, depth: int = 0) -> list[Schema]:
    """Return what an object may be by its `oneOf` or `anyOf`, the first few; itself where it has none."""
    if depth == _DEEPEST_CHOICE or schema.resolved.keys().isdisjoint(("oneOf", "anyOf", "allOf")):
        return [schema]
    return _once("alternatives", schema, depth, _alternatives)


def _alternatives(schema: Schema, depth: int) -> list[Schema]:
    for keyword in ("oneOf", "anyOf"):
        found = [each for branch in _branches(schema, keyword) for each in alternatives(branch, depth + 1)]
        if objects := [each for each in found if each.properties][:_MOST_CHOICES]:
            rest = {
                name: each for name, each in schema.resolved.items() if name not in (keyword, "discriminator")
            }
            return [Schema(schema.document, {"allOf": [rest, each.node]}) for each in objects]
    parts = list(_branches(schema, "allOf"))
    for place, part in enumerate(parts):
        if len(choices := alternatives(part, depth + 1)) > 1:
            nodes = [each.node for each in parts]
            chosen = [[*nodes[:place], each.node, *nodes[place + 1 :]] for each in choices]
            return [Schema(schema.document, {**schema.resolved, "allOf": each}) for each in chosen]
    return [schema]


def fields_of(schema: Schema) -> tuple[str, ...]:
    """Return the names of an object's fields, those of all its alternatives as well."""
    return _once("names", schema, 0, _fields_of)


def _fields_of(schema: Schema, depth: int) -> tuple[str, ...]:
    choices = alternatives(schema, depth)
    if len(choices) == 1:
        return choices[0].properties
    return tuple(dict.fromkeys(name for each in choices for name in each.properties))


def field_of(schema: Schema, name: str) -> Schema:
    """Return the schema of an object's field, wherever among its parts and alternatives it is declared."""
    if name not in schema.properties:
        schema = next((each for each in alternatives(schema) if name in each.properties), schema)
    return schema.field(name)


def contents(body: Schema) -> Schema:
    """Return what a body has in its envelope, where that is all that it has; else the body itself."""
    fields = _fields(body)
    return fields[0][1] if len(fields) == 1 and fields[0][1].properties else body


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
    objects = [each for each in found if fields_of(each[1])]
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


def envelopes(schema: Schema, depth: int = _DEEPEST_ENVELOPE) -> list[tuple[Place, Schema]]:
    """Return where a body may have its item, and what is there: the body itself first, then its fields."""
    return _once("envelopes", schema, depth, _envelopes)


def _envelopes(schema: Schema, depth: int) -> list[tuple[Place, Schema]]:
    if not fields_of(schema):
        return []
    found: list[tuple[Place, Schema]] = [((), schema)]
    for name, field in _fields(schema) if depth else ():
        found += [((name, *place), item) for place, item in envelopes(field, depth - 1)]
    if not schema.properties and depth:
        found += [inner for each in alternatives(schema) for inner in envelopes(each, depth - 1)]
    return found


def _once(what: str, schema: Schema, depth: int, find: Callable[[Schema, int], _Found]) -> _Found:
    """Find something out of a schema, or remember it."""
    known, key = schema.document.shapes, (what, id(schema.resolved), depth)
    if key not in known:
        known[key] = schema.resolved, find(schema, depth)  # what is kept keeps its identity
    found: _Found = known[key][1]
    return found


def is_same(one: Schema, other: Schema) -> bool:
    """Tell whether two schemas are of one kind of thing: the same by reference, or with the same fields."""
    if one.resolved is other.resolved:
        return True
    fields = set(fields_of(one))
    return bool(fields) and fields == set(fields_of(other))


def _fields(schema: Schema) -> list[tuple[str, Schema]]:
    return _once("fields", schema, 0, lambda it, _: [(name, field_of(it, name)) for name in fields_of(it)])


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
