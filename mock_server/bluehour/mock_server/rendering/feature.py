"""Rendering as a part of the mock: it makes pictures in the background, or when they are asked for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..api.feature import Feature
from ..control.exchange import Handler, handlers_of
from ..core.installing import command_for
from ..core.pictures import Clip, Pictures
from ..core.projects import Project, ProjectEnded
from ..core.sources import remove_sources
from ..core.world import World
from . import Stage
from .control import PictureOperations
from .outputs import Outputs
from .queue import RenderQueue

_LOOKS_EVERY = 0.05
"""Seconds between two looks at whether workers have done what there is."""

_WRITTEN_BY_PYAV = (".mp4", ".webm", ".mp3")


class Rendering(Feature, Pictures):
    """Makes the pictures of a world.

    Args:
        world: whose projects they are.
        stage: what really renders, in the background; without one, pictures are simulated when they are
            asked for.
        by_workers: whether other processes render what waits, `bluehour work`.
    """

    def __init__(self, world: World, stage: Stage[Any, Any] | None, *, by_workers: bool = False) -> None:
        self.stage = stage
        self.outputs = Outputs(world, stage)
        self.queue = None if stage is None or by_workers else RenderQueue(world, stage, self.outputs)
        self._by_workers = by_workers
        self._world = world
        world.pictures = self

    # What the world is told of its pictures.

    def takes_time_for(self, project_type: str) -> bool:
        return self.stage is not None and self.stage.edits(project_type)

    def clip_of(self, file: Path) -> Clip | None:
        from .media.clips import clip_of
        from .pictures import size_in

        size = size_in(file)
        return clip_of(file) if size is None else Clip(size)

    def names_of(self, project: Project) -> Sequence[str]:
        return self.outputs.names_of(project)

    def picture_of(self, project: Project, name: str) -> Path:
        return self.outputs.of_project(project, name)

    def example_picture(self, project_id: str, name: str) -> Path:
        return self.outputs.of_example(project_id, name)

    def media_type_of(self, picture: Path) -> str:
        from .encoding import media_type_of  # not before: most clients under test never download one

        return media_type_of(picture)

    def remove(self, project: Project, now: float) -> None:
        self.outputs.remove(project)
        if project.finished_at <= now:  # else it may be rendered just now
            remove_sources(self._world, project)

    def fault_of(self, picture: Path) -> str | None:
        from .pictures import fault_of

        with self.outputs.room.for_picture(picture):
            return fault_of(picture)

    def remarks_on(self, project: Project) -> list[str]:
        stage = self.outputs.stage_for(project)
        if stage is None:
            return self._lacks(self.outputs.names_of(project)[0])
        job = self.outputs.job_of(project)
        remark = stage.remark_on(job.project_type, job.request)
        return [] if remark is None else [remark]

    def _lacks(self, name: str) -> list[str]:
        """Say where a file can't be made as it was asked for."""
        if not name.endswith(_WRITTEN_BY_PYAV) or find_spec("av"):  # its import would keep the create waiting
            return []
        needed = command_for("video")
        return [f"a packed {name.rpartition('.')[2]} is what can be downloaded; real ones need {needed}"]

    # What the world tells.

    def project_created(self, project: Project) -> None:
        if self.queue is not None and project.is_pending:
            self.queue.add(project)

    def resume(self) -> None:
        """Have pending projects rendered, the oldest first.

        Where nothing is rendered before it is asked for, they are complete. Those of operations that the
        contract lacks wait on, for a start with the contract that they were made by.
        """
        if self._by_workers:  # for whom the store keeps a job of each
            return
        known = {operation.id for operation in self._world.contract.operations}
        for project in self._world.store.pending_projects():
            if project.operation_id not in known:
                continue
            if self.queue is not None:
                self.queue.add(project)
            else:
                with contextlib.suppress(KeyError, ProjectEnded):  # another process was quicker
                    self._world.end_project(project.id, "complete")

    def settle(self, timeout: float) -> bool:
        if self._by_workers:
            return self._workers_settle(timeout)
        return self.queue is None or self.queue.settle(timeout)

    def _workers_settle(self, timeout: float) -> bool:
        jobs, give_up_at = self._world.store.jobs, time.monotonic() + timeout
        while jobs is not None and jobs.count():
            if time.monotonic() >= give_up_at:
                return False
            time.sleep(_LOOKS_EVERY)
        return True

    def forget(self) -> None:
        if self.queue is not None:
            self.queue.clear()

    def close(self) -> None:
        if self.queue is not None:
            self.queue.close()

    def control(self) -> Mapping[str, Handler]:
        """Return what the control API can do with it."""
        return handlers_of(PictureOperations(self._world, self.outputs))
