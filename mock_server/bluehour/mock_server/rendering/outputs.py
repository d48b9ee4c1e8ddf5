"""A project's picture: rendered when it is first asked for, if a queue did not before, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING

import orjson

from bluehour.openapi.schema import value_at

from ..assets.sources import picture_of, remove_picture
from ..gate import Forgotten
from . import Job, RenderError

if TYPE_CHECKING:
    from ..mock import Mock
    from ..projects import Project


EXAMPLE_EXTENSION = "png"
"""Of the picture of the project that the published examples name."""


def output_of(mock: Mock, project: Project) -> Path:
    """Return the file with a complete project's picture; for whoever is inside the gate.

    Raises:
        Forgotten: it had to be rendered, and a reset has come meanwhile.
    """
    return _kept(mock, output_file(mock, project), lambda: job_of(mock, project))


def example_output(mock: Mock, project_id: str) -> Path:
    """Return the file with the picture of the project that the published examples name."""
    edge = mock.plans[mock.settings.plan]["longest-edge"]
    job = Job("IMAGE", {}, None, edge, EXAMPLE_EXTENSION)
    return _kept(mock, mock.files.output(project_id, EXAMPLE_EXTENSION), lambda: job)


def output_file(mock: Mock, project: Project) -> Path:
    """Return where a project's picture is, or will be."""
    return mock.files.output(project.id, extension_of(mock, project))


def extension_of(mock: Mock, project: Project) -> str:
    """Return the extension of a project's picture, without its dot."""
    # The simulated renderer always makes the same, so that polls of it need not look for the upload.
    return "png" if mock.stage is None else mock.stage.extension_for(source_of(mock, project))


def source_of(mock: Mock, project: Project) -> Path | None:
    """Return the project's own copy of the picture that its request names, or None where it has none."""
    found = (picture_of(mock, project.id, name) for name in _named_by(mock, project))
    return next(filter(None, found), None)


def remove_pictures(mock: Mock, project: Project, now: float) -> None:
    """Remove the pictures of a project that was deleted: what was made of it, and what it was made of."""
    output_file(mock, project).unlink(missing_ok=True)
    if project.finished_at <= now:  # else it may be rendered just now
        for name in _named_by(mock, project):
            remove_picture(mock, project.id, name)


def _named_by(mock: Mock, project: Project) -> Iterator[str]:
    """The pictures that a project's request names."""
    operation = mock.contract.operation(project.operation_id)
    request = operation.with_defaults(orjson.loads(project.request))
    named = (value_at(request, path) for path, _ in operation.annotated("x-asset-type"))
    return (name for name in named if name)


def job_of(mock: Mock, project: Project) -> Job:
    """Return what is to be rendered for a project."""
    operation = mock.contract.operation(project.operation_id)
    request = operation.with_defaults(orjson.loads(project.request))
    edge = mock.plans[project.plan]["longest-edge"]
    source = source_of(mock, project)
    return Job(operation.project_type, request, source, edge, extension_of(mock, project))


def keep(path: Path, picture: bytes) -> None:
    """Write a picture to its file, which appears only once all of it is there."""
    part = path.with_suffix(f".{get_ident()}.part")  # another thread may write the same
    part.write_bytes(picture)
    part.replace(path)


def _kept(mock: Mock, path: Path, job: Callable[[], Job]) -> Path:
    """Return the file, rendered now if it never was."""
    if not path.exists():
        wanted = job()
        try:
            with (
                mock.gate.outside(),
                mock.room_for(wanted.source, wanted.largest_edge),
            ):  # no reset waits for it
                if not path.exists():
                    keep(path, _rendered(mock, wanted))
        except Forgotten:
            path.unlink(missing_ok=True)
            raise
    return path


def _rendered(mock: Mock, job: Job) -> bytes:
    try:
        return mock.renderer.render(job)
    except RenderError:
        # A scenario has it complete, whatever its picture: so there is one, if not of that picture.
        return mock.renderer.render(replace(job, source=None))
