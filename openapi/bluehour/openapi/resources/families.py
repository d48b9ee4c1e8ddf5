"""Paths that belong together: a collection, and the items in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..model import Operation

_PARAMETER = re.compile(r"\{([^{}/]*)\}")


@dataclass(eq=False)
class Family:
    """A collection's operations and its items'.

    Attributes:
        path: of the collection.
        parameter: what names an item in its path.
        on_items: by method.
        on_collection: by method.
    """

    path: str
    parameter: str
    on_items: Mapping[str, Operation]
    on_collection: Mapping[str, Operation] = field(default_factory=dict)

    @property
    def shape(self) -> str:
        """The collection's path, whatever its parameters are called."""
        return shape_of(self.path)

    @property
    def word(self) -> str:
        """What its items are called: the last word of its path."""
        return self.path.rpartition("/")[2]


def shape_of(path: str) -> str:
    """Return a path with its parameters unnamed: of `/pets/{id}/`, `/pets/{}`."""
    return _PARAMETER.sub("{}", path).rstrip("/")


def parameters_of(path: str) -> tuple[str, ...]:
    """Return the names of a path's parameters."""
    return tuple(_PARAMETER.findall(path))


def by_shape(operations: Iterable[Operation]) -> dict[str, dict[str, Operation]]:
    """Return operations by the shape of their path, and by method."""
    found: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        found.setdefault(shape_of(operation.path), {})[operation.method] = operation
    return found


def families(operations: Mapping[str, Mapping[str, Operation]]) -> list[Family]:
    """Return each path that ends in a parameter, and in a word before it: the shortest first."""
    found = []
    for shape, of_items in operations.items():
        path = next(iter(of_items.values())).path.rstrip("/")
        collection, _, last = path.rpartition("/")
        parameter = _PARAMETER.fullmatch(last)
        if parameter and collection and not collection.endswith("}"):
            on_collection = operations.get(shape.rpartition("/")[0], {})
            found.append(Family(collection, parameter[1], of_items, on_collection))
    return sorted(found, key=lambda family: family.path.count("/"))
