"""A project's files: each made when it is first asked for, if a queue did not before, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

from bluehour.openapi.outputs import Output

from ..core.gate import Forgotten
from ..core.pictures import NoPicture
from ..core.projects import Project
from ..core.sources import output_of, request_of, source_of, sources_of
from ..core.world import World
from . import Job, JobFailed, Renderer, Stage
from .room import Room

_SIMULATED = "png"
"""The pictures that the simulated renderer makes, so that polls of it need not look for the upload."""

_EXAMPLE = Output(seconds=2.0, fps=24.0)
"""What is made of a project that published examples name."""


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

    def of_project(self, project: Project, name: str) -> Path:
        """Return a file of a complete project; for whoever is inside the gate.

        Raises:
            NoPicture: it makes none of that name.
            Forgotten: it had to be rendered, and a reset has come meanwhile.
        """
        path = self._world.files.output(project.id, name)
        if path.exists():
            return path
        names = self.names_of(project)
        if name not in names:
            raise NoPicture(project.id)
        return self._kept(path, lambda: self.job_of(project, names.index(name) + 1))

    def of_example(self, project_id: str, name: str) -> Path:
        """Return a file of a project that the published examples name; likewise."""
        extension = name.rpartition(".")[2].lower()
        edge = self._world.plans[self._world.settings.plan]["longest-edge"]
        job = Job("EXAMPLE", {}, None, edge, extension, _EXAMPLE)
        return self._kept(self._world.files.output(project_id, name), lambda: job)

    def files_of(self, project: Project) -> list[Path]:
        """Return where the files of a project are, or will be."""
        return [self._world.files.output(project.id, name) for name in self.names_of(project)]

    def remove(self, project: Project) -> None:
        """Remove the files of a project."""
        for file in self.files_of(project):
            file.unlink(missing_ok=True)

    def names_of(self, project: Project) -> list[str]:
        """Return what the files of a project are called."""
        return output_of(self._world.contract, project).names(self._extension_of(project))

    def _extension_of(self, project: Project) -> str:
        """Return the extension of a project's pictures, without its dot, where nothing asks for another."""
        stage = self.stage_for(project)
        return _SIMULATED if stage is None else stage.extension_for(source_of(self._world, project))

    def stage_for(self, project: Project) -> Stage[Any, Any] | None:
        """Return what really renders a project's picture; None where it is simulated."""
        project_type = self._world.contract.operation(project.operation_id).project_type
        return self._stage if self._stage is not None and self._stage.edits(project_type) else None

    def job_of(self, project: Project, number: int = 1) -> Job:
        """Return what is to be rendered for one of a project's files."""
        operation = self._world.contract.operation(project.operation_id)
        output = output_of(self._world.contract, project)
        pictures = self._world.contract.extension("x-asset-extensions", {}).get("image", ())
        sources = sources_of(self._world, project)
        return Job(
            operation.project_type,
            request_of(self._world.contract, project),
            next((each for each in sources if each.suffix[1:] in pictures), None),
            self._world.plans[project.plan]["longest-edge"],
            output.names(self._extension_of(project))[number - 1].rpartition(".")[2],
            _really_made(project, output),
            number,
            (project.width, project.height) if project.width and project.height else None,
        )

    @cached_property
    def simulated(self) -> Renderer:
        """Makes a file at once; imported late, since few clients download one."""
        from .files import SimulatedFiles

        return SimulatedFiles()

    def _kept(self, path: Path, job: Callable[[], Job]) -> Path:
        """Return the file, made now if it never was."""
        if not path.exists():
            wanted = job()
            try:
                with (
                    self._world.gate.outside(),  # no reset waits for it
                    self.room.for_picture(wanted.source, wanted.largest_edge),
                ):
                    if not path.exists():
                        self._make(path, wanted)
            except Forgotten:
                path.unlink(missing_ok=True)
                raise
        return path

    def _make(self, path: Path, job: Job) -> None:
        renderer = self._renderer_of(job)
        with whole(path) as part:
            try:
                renderer.render(job, part)
            except JobFailed:
                # A scenario has it complete, whatever its picture: so there is one, if not of that picture.
                renderer.render(replace(job, source=None), part)

    def _renderer_of(self, job: Job) -> Renderer:
        if self._stage is not None and self._stage.edits(job.project_type):
            return Unqueued(self._stage)
        return self.simulated


def _really_made(project: Project, asked: Output) -> Output:
    """Return what was asked for, as long and with as many frames as a project's row says."""
    if project.fps is None:
        return asked
    seconds = asked.seconds if project.seconds is None else project.seconds
    return replace(asked, seconds=seconds, fps=project.fps)


class Unqueued:
    """Renders at once, in the caller's thread: what a scenario has complete without any rendering."""

    def __init__(self, stage: Stage[Any, Any]) -> None:
        self._stage = stage

    def render(self, job: Job, target: Path) -> None:
        """Write the picture to a file.

        Raises:
            JobFailed: it can't be made.
        """
        (made,) = self._stage.edit([self._stage.load(job)])
        if isinstance(made, JobFailed):
            raise made
        target.write_bytes(self._stage.encode(made))


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a file to write to, which takes its place only once all of it is there."""
    part = path.with_suffix(f".{token_hex(8)}.part{path.suffix}")  # others may write the same, on any machine
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
