"""Paths that belong together: a collection, and the items in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..model import Operation

_PARAMETER = re.compile(r"\{([^{}/]*)\}")
_STATUSES = ("status", "state", "progress")


@dataclass(eq=False)
class Family:
    """A collection's operations and its items'.

    Attributes:
        path: of the collection.
        parameter: what names an item in its path; empty where no path does.
        on_items: by method.
        on_collection: by method.
    """

    path: str
    parameter: str
    on_items: Mapping[str, Operation]
    on_collection: Mapping[str, Operation] = field(default_factory=dict)

    @cached_property
    def shape(self) -> str:
        """The collection's path, whatever its parameters are called."""
        return shape_of(self.path)

    @property
    def word(self) -> str:
        """What its items are called: the last word of its path."""
        return self.path.rpartition("/")[2]


def shape_of(path: str) -> str:
    """Return a path with its parameters unnamed: `/pets/{}/feed`, of `/pets/{id}:feed` as well."""
    return _PARAMETER.sub("{}", path).replace("}:", "}/").rstrip("/")


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
    """Return the collections: the shortest path first, and last those whose items have no path.

    A collection is a path before one that ends in a parameter, or in the status of what that names; and one
    that can be listed and added to.
    """
    on_items: dict[str, tuple[str, dict[str, Operation]]] = {}
    for shape, on_path in sorted(operations.items(), key=lambda each: each[0].count("/")):
        path = _path_of(on_path)
        if shape.endswith("}"):
            on_items[shape] = path, dict(on_path)
        elif shape.endswith(tuple(f"{{}}/{word}" for word in _STATUSES)) and "GET" in on_path:
            above, of_item = shape.rpartition("/")[0], path.rpartition("/")[0]
            on_items.setdefault(above, (of_item, {}))[1].setdefault("GET", on_path["GET"])
    found = []
    for shape, (path, of_items) in on_items.items():
        collection, _, last = path.rpartition("/")
        parameter = _PARAMETER.fullmatch(last)
        if parameter and collection and not collection.endswith("}"):
            on_collection = operations.get(shape.rpartition("/")[0], {})
            found.append(Family(collection, parameter[1], of_items, on_collection))
    for shape, on_path in operations.items():
        if {"GET", "POST"} <= on_path.keys() and not shape.endswith("}") and f"{shape}/{{}}" not in on_items:
            found.append(Family(_path_of(on_path), "", {}, on_path))
    return sorted(found, key=lambda family: (not family.parameter, family.path.count("/")))


def _path_of(on_path: Mapping[str, Operation]) -> str:
    return next(iter(on_path.values())).path.rstrip("/")
