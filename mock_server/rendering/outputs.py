"""A project's picture: rendered when it is first asked for, then kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from openapi.schema import value_at

from ..assets.sources import picture_of
from . import Job, RenderError

if TYPE_CHECKING:
    from ..mock import Mock
    from ..projects import Project


def output_of(mock: Mock, project: Project) -> Path:
    """Return the file with a complete project's picture."""
    return _kept(mock, project.id, lambda: _job_of(mock, project))


def example_output(mock: Mock, project_id: str) -> Path:
    """Return the file with the picture of the project that the published examples name."""
    edge = mock.plans[mock.settings.plan]["longest-edge"]
    return _kept(mock, project_id, lambda: Job("IMAGE", {}, None, edge))


def source_of(mock: Mock, project: Project) -> Path | None:
    """Return the project's own copy of the picture that its request names, or None where it has none."""
    operation = mock.contract.operation(project.operation_id)
    request = operation.with_defaults(orjson.loads(project.request))
    named = (value_at(request, path) for path, _ in operation.annotated("x-asset-type"))
    return next(filter(None, (picture_of(mock, project.id, name) for name in named if name)), None)


def _kept(mock: Mock, project_id: str, job: Callable[[], Job]) -> Path:
    """Return the file, rendered now if it never was."""
    path = mock.files.output(project_id)
    if not path.exists():
        with mock.pictures:
            if not path.exists():
                part = path.with_suffix(".part")
                part.write_bytes(_rendered(mock, job()))
                part.replace(path)
    return path


def _rendered(mock: Mock, job: Job) -> bytes:
    try:
        return mock.renderer.render(job)
    except RenderError:
        # A scenario has it complete, whatever its picture: so there is one, if not of that picture.
        return mock.renderer.render(replace(job, source=None))


def _job_of(mock: Mock, project: Project) -> Job:
    operation = mock.contract.operation(project.operation_id)
    request = operation.with_defaults(orjson.loads(project.request))
    edge = mock.plans[project.plan]["longest-edge"]
    return Job(operation.project_type, request, source_of(mock, project), edge)
