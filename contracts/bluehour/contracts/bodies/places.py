"""Places of a body: found with their schemas, and changed in copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bluehour.openapi.samples import NoSample, sample
from bluehour.openapi.schema import Schema
from bluehour.openapi.validators import Path
from bluehour.openapi.wording import field_name

from ..judge.words import words_of


@dataclass(frozen=True)
class Place:
    """A field of a body.

    Attributes:
        path: such as `("style", "prompt")`; nothing for the body itself.
        schema: what its value has to meet, where it is not null.
        required: whether the object that it is in needs it.
        present: whether the body has it.
    """

    path: Path
    schema: Schema
    required: bool = True
    present: bool = True

    @property
    def name(self) -> str:
        """As the vendor writes it: `items[0].extension`; `body` for the body itself."""
        return field_name(self.path) or "body"

    @property
    def words(self) -> str:
        """What the contract says of it."""
        return words_of(self.name, self.schema.node, self.schema.document)

    @property
    def node(self) -> dict[str, Any]:
        """Its schema as an object."""
        return self.schema.resolved

    @property
    def types(self) -> tuple[str, ...]:
        """The types that its value may have."""
        types = self.node.get("type", ())
        return (types,) if isinstance(types, str) else tuple(types)


def places(schema: Schema, body: Any, path: Path = (), *, required: bool = True) -> Iterator[Place]:
    """Yield the body itself and its fields at every depth, those too that the body leaves out.

    Of an array, the items that are there; of an object that is left out, nothing inside.
    """
    schema = _but_null(schema)
    yield Place(path, schema, required)
    node, value = schema.resolved, value_in(body, path)
    if isinstance(value, dict):
        for name, child in {**_map_values(node, value), **node.get("properties", {})}.items():
            inner = Schema(schema.document, child)
            needed = name in node.get("required", ())
            if name in value:
                yield from places(inner, body, (*path, name), required=needed)
            else:
                yield Place((*path, name), _but_null(inner), needed, present=False)
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        for index in range(len(value)):
            yield from places(Schema(schema.document, node["items"]), body, (*path, index))


def _map_values(node: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of values whose keys are not declared, by their keys."""
    others = node.get("additionalProperties")
    if not isinstance(others, dict) or not others or "patternProperties" in node:
        return {}
    return {name: others for name in value if isinstance(name, str)}


def _but_null(schema: Schema) -> Schema:
    """Return what a value may be that may be null as well; any other schema as it is."""
    for keyword in ("anyOf", "oneOf"):
        branches = schema.resolved.get(keyword)
        if isinstance(branches, list) and {"type": "null"} in branches:
            others = [each for each in branches if each != {"type": "null"}]
            return Schema(schema.document, others[0]) if len(others) == 1 else schema
    return schema


def with_items(schema: Schema, body: Any) -> Any:
    """Return a body whose empty lists have an item each, where they may: to try what items may be."""
    for place in list(places(schema, body)):
        items = place.node.get("items")
        if not place.present or value_in(body, place.path) != [] or not isinstance(items, dict):
            continue
        try:
            changed = with_value(body, place.path, [sample(items, schema.document)])
        except NoSample:
            continue
        body = changed if schema.accepts(changed) else body
    return body


def value_in(body: Any, path: Path) -> Any:
    """Return the value at a path that the body has."""
    for step in path:
        body = body[step]
    return body


def with_value(body: Any, path: Path, value: Any) -> Any:
    """Return a copy of a body with another value at a path; the objects on the way are there."""
    if not path:
        return value
    changed = _copied(body)
    value_in(changed, path[:-1])[path[-1]] = value
    return changed


def without(body: Any, path: Path) -> Any:
    """Return a copy of a body without a field that it has."""
    changed = _copied(body)
    del value_in(changed, path[:-1])[path[-1]]
    return changed


def _copied(value: Any) -> Any:
    """Return a copy of data in which nothing is in two places, so that each can be changed alone."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
