"""The pictures that a project was made of: what its request names, and its own copies of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bluehour.openapi.schema import value_at

from .assets.copies import copy_of, remove_copy
from .projects import Project
from .world import World


def request_of(world: World, project: Project) -> dict[str, Any]:
    """Return what a project's create asked for, with the contract's defaults filled in."""
    operation = world.contract.operation(project.operation_id)
    return operation.with_defaults(orjson.loads(project.request))


def source_of(world: World, project: Project) -> Path | None:
    """Return the project's own copy of the picture that its request names, or None where it has none."""
    found = (copy_of(world.files, project.id, name) for name in _named_by(world, project))
    return next(filter(None, found), None)


def remove_sources(world: World, project: Project) -> None:
    """Remove the project's own copies."""
    for name in _named_by(world, project):
        remove_copy(world.files, project.id, name)


def _named_by(world: World, project: Project) -> Iterator[str]:
    """The pictures that a project's request names."""
    operation, request = world.contract.operation(project.operation_id), request_of(world, project)
    named = (value_at(request, path) for path, _ in operation.annotated("x-asset-type"))
    return (name for name in named if name)
