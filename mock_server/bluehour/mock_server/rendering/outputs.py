"""A project's picture: rendered when it is first asked for, if a queue did not before, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import get_ident
from typing import Any

from ..core.gate import Forgotten
from ..core.projects import Project
from ..core.sources import request_of, source_of
from ..core.world import World
from . import Job, Renderer, RenderError, Stage
from .room import Room

_SIMULATED = "png"
"""What the simulated renderer always makes, so that polls of it need not look for the upload."""


class Outputs:
    """The pictures of projects. May be used from any thread.

    Args:
        world: whose projects they are.
        stage: what really renders; None where the simulated renderer does.
    """

    def __init__(self, world: World, stage: Stage[Any, Any] | None) -> None:
        self.room = Room()
        self._world = world
        self._stage = stage

    def of_project(self, project: Project) -> Path:
        """Return the file with a complete project's picture; for whoever is inside the gate.

        Raises:
            Forgotten: it had to be rendered, and a reset has come meanwhile.
        """
        return self._kept(self.file_of(project), lambda: self.job_of(project))

    def of_example(self, project_id: str) -> Path:
        """Return the file with the picture of the project that the published examples name; likewise."""
        edge = self._world.plans[self._world.settings.plan]["longest-edge"]
        job = Job("IMAGE", {}, None, edge, _SIMULATED)
        return self._kept(self._world.files.output(project_id, _SIMULATED), lambda: job)

    def file_of(self, project: Project) -> Path:
        """Return where a project's picture is, or will be."""
        return self._world.files.output(project.id, self.extension_of(project))

    def extension_of(self, project: Project) -> str:
        """Return the extension of a project's picture, without its dot."""
        if self._stage is None:
            return _SIMULATED
        return self._stage.extension_for(source_of(self._world, project))

    def job_of(self, project: Project) -> Job:
        """Return what is to be rendered for a project."""
        operation = self._world.contract.operation(project.operation_id)
        edge = self._world.plans[project.plan]["longest-edge"]
        source = source_of(self._world, project)
        request = request_of(self._world, project)
        return Job(operation.project_type, request, source, edge, self.extension_of(project))

    @cached_property
    def renderer(self) -> Renderer:
        """Makes a picture at once, where no queue has; imported late, since few clients download one."""
        from .simulated import SimulatedRenderer

        return SimulatedRenderer() if self._stage is None else Unqueued(self._stage)

    def _kept(self, path: Path, job: Callable[[], Job]) -> Path:
        """Return the file, rendered now if it never was."""
        if not path.exists():
            wanted = job()
            try:
                with (
                    self._world.gate.outside(),  # no reset waits for it
                    self.room.for_picture(wanted.source, wanted.largest_edge),
                ):
                    if not path.exists():
                        keep(path, self._rendered(wanted))
            except Forgotten:
                path.unlink(missing_ok=True)
                raise
        return path

    def _rendered(self, job: Job) -> bytes:
        try:
            return self.renderer.render(job)
        except RenderError:
            # A scenario has it complete, whatever its picture: so there is one, if not of that picture.
            return self.renderer.render(replace(job, source=None))


class Unqueued:
    """Renders at once, in the caller's thread: what a scenario has complete without any rendering."""

    def __init__(self, stage: Stage[Any, Any]) -> None:
        self._stage = stage

    def render(self, job: Job) -> bytes:
        """Return the picture as an encoded file.

        Raises:
            RenderError: it can't be made.
        """
        (made,) = self._stage.edit([self._stage.load(job)])
        if isinstance(made, RenderError):
            raise made
        return self._stage.encode(made)


def keep(path: Path, picture: bytes) -> None:
    """Write a picture to its file, which appears only once all of it is there."""
    part = path.with_suffix(f".{get_ident()}.part")  # another thread may write the same
    part.write_bytes(picture)
    part.replace(path)
