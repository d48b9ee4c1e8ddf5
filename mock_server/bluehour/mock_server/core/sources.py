"""What a project was asked for, the files that its request names, and its own copies of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bluehour.openapi import terms
from bluehour.openapi.contract import Contract
from bluehour.openapi.outputs import Output
from bluehour.openapi.values import values_at
from bluehour.openapi.wording import field_name

from .assets.copies import copy_of, remove_copy
from .projects import Project
from .world import World


def request_of(contract: Contract, project: Project) -> dict[str, Any]:
    """Return what a project's create asked for, with what it left out filled in."""
    operation = contract.operation(project.operation_id)
    return terms.meant(operation, orjson.loads(project.request), project.plan)


def output_of(contract: Contract, project: Project) -> Output:
    """Return what a project makes: what was asked for."""
    operation = contract.operation(project.operation_id)
    if terms.always_makes_the_same(operation):
        return Output()
    return terms.output(operation, request_of(contract, project), project.plan)


def source_of(world: World, project: Project) -> Path | None:
    """Return the project's own copy of the first file that its request names, or None where it has none."""
    return next(sources_of(world, project), None)


def sources_of(world: World, project: Project) -> Iterator[Path]:
    """Yield the project's own copies of what its request names, as far as it has them."""
    return (path for _, path in sources_by_field(world, project))


def sources_by_field(world: World, project: Project) -> Iterator[tuple[str, Path]]:
    """Yield each copy with the field that names it, such as `assets.image_file_path`."""
    for name, field in _named_by(world, project).items():
        path = copy_of(world.files, project.id, name)
        if path is not None:
            yield field, path


def remove_sources(world: World, project: Project) -> None:
    """Remove the project's own copies."""
    for name in _named_by(world, project):
        remove_copy(world.files, project.id, name)


def _named_by(world: World, project: Project) -> dict[str, str]:
    """The files that a project's request names, each once, with the first field that does."""
    operation, request = world.contract.operation(project.operation_id), request_of(world.contract, project)
    named: dict[str, str] = {}
    for path, _ in operation.annotated("x-asset-type"):
        for name in filter(None, values_at(request, path)):
            named.setdefault(name, field_name(path).replace(".[]", "[]"))
    return named
