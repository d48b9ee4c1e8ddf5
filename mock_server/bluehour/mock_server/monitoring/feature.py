"""Monitoring as a part of the mock: what is counted from the start on, and what others see of it."""

from __future__ import annotations

from collections.abc import Mapping

from bluehour.openapi.messages import Request

from ..api.feature import Feature
from ..api.reply import Reply
from ..api.trace import Trace
from ..control.exchange import Handler, handlers_of
from ..core.projects import Project
from ..core.world import World
from .control import MonitoringOperations
from .jobs import JobTally
from .requests import RequestTally
from .watched import Watched

_NO_OPERATION = "none"
"""In place of an operation's id: no operation has this path, or not by this method."""


class Counting(Feature):
    """Counts the requests and the jobs of a world."""

    def __init__(self, world: World) -> None:
        self.requests = RequestTally()
        self.jobs = JobTally(world.clock.now)
        self._world = world

    def record(self, request: Request, trace: Trace, reply: Reply, ms: float) -> None:
        is_dropped = reply.disruption is not None and reply.disruption.kind == "drop"
        self.requests.add(trace.called or _NO_OPERATION, 0 if is_dropped else reply.status, ms)

    def project_created(self, project: Project) -> None:
        if project.is_pending and self._world.store.jobs is not None:
            self.jobs.leave(project)
        else:
            self.jobs.create(project)

    def project_changed(self, project: Project) -> None:
        self.jobs.change(project)

    def forget(self) -> None:
        self.jobs.forget_unfinished()


class MonitoringFeature(Feature):
    """Shows how a mock is doing.

    Args:
        watched: what is looked at when somebody asks.
    """

    def __init__(self, watched: Watched) -> None:
        self._operations = MonitoringOperations(watched)

    def control(self) -> Mapping[str, Handler]:
        """Return what the control API can do with it."""
        return handlers_of(self._operations)
