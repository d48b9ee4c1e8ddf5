"""Places of a body: found with their schemas, and changed in copies."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bluehour.openapi.schema import Schema
from bluehour.openapi.validators import Path
from bluehour.openapi.wording import field_name

from ..judge.words import words_of


@dataclass(frozen=True)
class Place:
    """A field of a body.

    Attributes:
        path: such as `("style", "prompt")`; nothing for the body itself.
        schema: what its value has to meet.
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
    yield Place(path, schema, required)
    node, value = schema.resolved, value_in(body, path)
    if isinstance(value, dict):
        for name, child in node.get("properties", {}).items():
            inner = Schema(schema.document, child)
            needed = name in node.get("required", ())
            if name in value:
                yield from places(inner, body, (*path, name), required=needed)
            else:
                yield Place((*path, name), inner, needed, present=False)
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        for index in range(len(value)):
            yield from places(Schema(schema.document, node["items"]), body, (*path, index))


def value_in(body: Any, path: Path) -> Any:
    """Return the value at a path that the body has."""
    for step in path:
        body = body[step]
    return body


def with_value(body: Any, path: Path, value: Any) -> Any:
    """Return a copy of a body with another value at a path; the objects on the way are there."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    value_in(changed, path[:-1])[path[-1]] = value
    return changed


def without(body: Any, path: Path) -> Any:
    """Return a copy of a body without a field that it has."""
    changed = copy.deepcopy(body)
    del value_in(changed, path[:-1])[path[-1]]
    return changed
