"""The queue of a stage that really renders: from a project that waits for it to one that has its picture.

A job passes three kinds of threads. Loaders read pictures, one thread edits as many of one operation at once
as wait for it, savers write what was made. So a device need not wait for files, nor its memory hold more than
a few batches.

Every job's state is in the store alone: a process that takes up the store of one that was killed finds its
unfinished projects pending, and renders them (`Rendering.resume`). They were charged when they were
created, and are not again.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

from ..core.lacks import lack_in
from ..core.projects import Project, ProjectEnded
from ..core.world import World
from . import Job, JobFailed, Stage
from .outputs import Outputs, whole

log = logging.getLogger("bluehour")

_HELPERS = max(1, min(4, (os.cpu_count() or 1) // 2))
"""Threads that read pictures, and as many that write them."""

_BATCHES_IN_MEMORY = 2
"""One that is edited, and one that is read or written."""

_COMPLETE = "complete"
_FAILED = "unknown_error"
"""The job error of a renderer that fails by a fault of its own; openapi/magic_hour.yaml, x-job-errors."""

_PATIENCE = 5.0
"""Seconds that what is under way has to end in when the queue is closed."""

_PAUSE = 0.5
"""Seconds until a job is tried again whose state the store could not take: it may be locked for a while."""


@dataclass(slots=True, eq=False)
class _Task:
    """A project on its way."""

    project: Project
    project_type: str
    picture: Any = None
    """Loaded, later edited; as the stage has it."""
    waits: bool = True
    """To be edited."""
    over: list[Callable[[], object]] = field(default_factory=list)
    """Called once it is done, or forgotten."""


class RenderQueue:
    """Renders pending projects in the background, the oldest first. May be used from any thread.

    Threads are started with the first project, and are ended by `close`.
    """

    def __init__(self, world: World, stage: Stage[Any, Any], outputs: Outputs) -> None:
        self._world = world
        self._outputs = outputs
        self._stage = stage
        self._changed = Condition()
        self._tasks: dict[str, _Task] = {}
        """All that are on their way, by project."""
        self._waiting: deque[_Task] = deque()
        self._loaded: deque[_Task] = deque()
        self._edited: deque[_Task] = deque()
        self._in_memory = 0
        self._threads: list[Thread] = []
        self._closed = False

    def add(self, project: Project, over: Callable[[], object] = lambda: None) -> None:
        """Have a pending project rendered; one that is on its way already stays where it is.

        Args:
            project: which.
            over: called, by any thread, once it is done or forgotten; it must not take long.

        Raises:
            KeyError: the contract has no such operation.
        """
        project_type = self._world.contract.operation(project.operation_id).project_type
        task = _Task(project, project_type)
        with self._changed:
            if self._closed:
                return
            if project.id not in self._tasks:
                self._tasks[project.id] = task
                self._waiting.append(task)
                self._start()
                self._changed.notify_all()
            self._tasks[project.id].over.append(over)

    def drop(self, project_id: str) -> None:
        """Forget a project, if it is on its way; what is made of it is dropped."""
        with self._changed:
            task = self._tasks.pop(project_id, None)
            if task is not None and task in self._waiting:
                self._waiting.remove(task)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many projects wait to be edited."""
        with self._changed:
            return sum(task.waits for task in self._tasks.values())

    @property
    def threads(self) -> int:
        """How many threads work, or wait for work."""
        return sum(thread.is_alive() for thread in self._threads)

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is on its way; tell whether that came true within `timeout` real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._tasks, timeout)

    def clear(self) -> None:
        """Forget all projects; what is made of those under way is dropped."""
        with self._changed:
            for task in self._tasks.values():
                _tell(task)
            self._tasks.clear()
            self._waiting.clear()
            self._in_memory -= len(self._loaded) + len(self._edited)
            self._loaded.clear()
            self._edited.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Render nothing more; pending projects stay pending in the store."""
        self.clear()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        deadline = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self) -> None:
        if self._threads:
            return
        kinds = [self._load_next] * _HELPERS + [self._edit_next] + [self._save_next] * _HELPERS
        for number, step in enumerate(kinds):
            name = f"bluehour-render-{number}"
            self._threads.append(Thread(target=self._work, args=(step,), name=name, daemon=True))
        for thread in self._threads:
            thread.start()

    def _work(self, step: Callable[[], bool]) -> None:
        """A thread: the same step again and again, until the queue is closed; no job's failure ends it."""
        going = True
        while going:
            try:
                going = step()
            except Exception:  # none is known; whatever it is, it may pass
                log.exception("a picture could not be rendered or kept")
                time.sleep(_PAUSE)

    def _load_next(self) -> bool:
        task = self._taken(self._loadable)
        if task is None:
            return False
        try:
            job = self._outputs.job_of(task.project)
            task.picture = self._loaded_picture(job)
        except JobFailed as error:
            self._end(task, error.code)
        except Exception as error:
            self._fail(task, error)
        else:
            self._pass_on(task, self._loaded)
        return True

    def _loadable(self) -> deque[_Task] | None:
        """Return the line of those that wait, if there is room in memory for the first of them."""
        if not self._waiting:
            return None
        most = _BATCHES_IN_MEMORY * self._stage.most_at_once(self._waiting[0].project_type)
        return self._waiting if self._in_memory < most else None

    def _loaded_picture(self, job: Job) -> Any:
        with self._outputs.room.for_picture(job.source):
            return self._stage.load(job)

    def _edit_next(self) -> bool:
        batch = self._batch()
        if not batch:
            return False
        wanted = [task for task in batch if self._begin(task)]
        for task, made in zip(wanted, self._edited_pictures(wanted), strict=True):
            if isinstance(made, JobFailed):
                self._end(task, made.code)
            else:
                task.picture = made
                self._pass_on(task, self._edited)
        return True

    def _batch(self) -> list[_Task]:
        """Wait for loaded pictures, take the oldest and those of its operation; none once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._loaded or self._closed)
            if self._closed:
                return []
            first = self._loaded[0]
            alike = [task for task in self._loaded if task.project.operation_id == first.project.operation_id]
            batch = alike[: self._stage.most_at_once(first.project_type)]
            for task in batch:
                self._loaded.remove(task)
                task.waits = False
            return batch

    def _begin(self, task: _Task) -> bool:
        """Tell the world that a project renders; and whether it is still to be rendered."""
        has_begun = False
        try:
            with self._world.gate:
                if self._is_wanted(task):
                    self._begin_in_store(task)
                    has_begun = True
        except (KeyError, ProjectEnded):  # forgotten, or ended by somebody else
            pass
        except Exception as error:
            self._put_back(task, error)
            return False
        if not has_begun:
            self._drop(task)
        elif task.project.deleted_at is not None:  # nobody will ever see it
            self._end(task, _COMPLETE)
            has_begun = False
        return has_begun

    def _begin_in_store(self, task: _Task) -> None:
        task.project = self._world.begin_project(task.project.id)

    def _edited_pictures(self, batch: Sequence[_Task]) -> list[Any]:
        """Edit a batch; where that fails, one by one, so that no job fails by another's fault."""
        pictures = [task.picture for task in batch]
        try:
            return self._stage.edit(pictures) if pictures else []
        except Exception:
            if len(batch) == 1:
                log.exception("the renderer failed at %s", batch[0].project.id)
                return [JobFailed(_FAILED)]
        return [made for task in batch for made in self._edited_pictures([task])]

    def _save_next(self) -> bool:
        task = self._taken(lambda: self._edited)
        if task is None:
            return False
        try:
            encoded = self._stage.encode(task.picture)
            with self._world.gate:
                if self._is_wanted(task):
                    with whole(self._outputs.files_of(task.project)[0]) as part:
                        part.write_bytes(encoded)
        except Exception as error:
            self._fail(task, error)
        else:
            self._end(task, _COMPLETE)
        return True

    def _fail(self, task: _Task, error: Exception) -> None:
        """End a job that the renderer has failed at by a fault of its own, or of the machine."""
        lack = lack_in(error)
        log.error("the renderer failed at %s: %s", task.project.id, lack or error, exc_info=lack is None)
        self._end(task, _FAILED)

    def _end(self, task: _Task, outcome: str) -> None:
        """End a job, and give its credits back unless it is complete."""
        try:
            with self._world.gate:
                if self._is_wanted(task):
                    with suppress(KeyError, ProjectEnded):  # forgotten, or ended by somebody else
                        self._world.end_project(task.project.id, outcome)
                    self._remove_unseen(task.project)
        except Exception as error:
            self._put_back(task, error)
        else:
            self._drop(task)

    def _remove_unseen(self, project: Project) -> None:
        """Leave no picture of a project that isn't complete after all, or is deleted."""
        stored = self._world.store.project(project.id)
        if stored is None or stored.outcome != _COMPLETE or stored.deleted_at is not None:
            self._outputs.remove(project)

    def _is_wanted(self, task: _Task) -> bool:
        return self._tasks.get(task.project.id) is task

    def _taken(self, line: Callable[[], deque[_Task] | None]) -> _Task | None:
        """Wait for a task in a line that may be entered, and take it; None once all is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or line())
            if self._closed:
                return None
            tasks = line()
            assert tasks is not None  # noqa: S101 - waited for
            if tasks is self._waiting:
                self._in_memory += 1
            return tasks.popleft()

    def _pass_on(self, task: _Task, line: deque[_Task]) -> None:
        with self._changed:
            if self._is_wanted(task):
                line.append(task)
            else:
                self._in_memory -= 1
            self._changed.notify_all()

    def _put_back(self, task: _Task, error: Exception) -> None:
        """Let a job wait again, at the end of the line, because the store could not take its state."""
        is_a_bug = lack_in(error) is None
        log.warning(
            "%s could not be stored, and is tried again: %s", task.project.id, error, exc_info=is_a_bug
        )
        task.picture = None
        with self._changed:
            self._in_memory -= 1
            self._changed.wait_for(lambda: self._closed or not self._is_wanted(task), _PAUSE)
            if self._is_wanted(task):
                task.waits = True
                self._waiting.append(task)
            self._changed.notify_all()

    def _drop(self, task: _Task) -> None:
        """Let go of a task that is over."""
        task.picture = None
        with self._changed:
            if self._is_wanted(task):
                del self._tasks[task.project.id]
                _tell(task)
            self._in_memory -= 1
            self._changed.notify_all()


def _tell(task: _Task) -> None:
    for over in task.over:
        over()
