"""The items of a contract's resources that a check has made, so that others of its calls can name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bluehour.openapi.model import Operation
from bluehour.openapi.resources import Resource
from bluehour.openapi.resources.families import parameters_of, shape_of


@dataclass
class Items:
    """One item of each resource, that is there for the whole check.

    Attributes:
        ids: by the shape of the collection's path.
    """

    ids: dict[str, str] = field(default_factory=dict)

    def keep(self, resource: Resource, item_id: str) -> None:
        """Remember an item that is there."""
        self.ids.setdefault(shape_of(resource.path), item_id)

    def has(self, resource: Resource) -> bool:
        """Tell whether an item of a resource is there."""
        return shape_of(resource.path) in self.ids

    def path_of(self, operation: Operation) -> Mapping[str, str]:
        """Return values for an operation's path that lead to items that are there, as far as some are."""
        shape, names = shape_of(operation.path), parameters_of(operation.path)
        values = {}
        for place, name in enumerate(names):
            above = "{}".join(shape.split("{}")[: place + 1]).rstrip("/")
            if above in self.ids:
                values[name] = self.ids[above]
        return values
