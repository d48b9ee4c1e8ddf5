"""Health and metrics in the control API."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from .. import __version__
from ..api.call import Answer
from ..control.exchange import ControlCall, ControlRefusal
from ..core.installing import command_for
from ..core.process import this_process
from .watched import Watched


class MonitoringOperations:
    """The operations for those that watch a mock.

    Args:
        watched: what is looked at.
    """

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._exposition: Any = None

    def health(self, _: ControlCall) -> Answer:
        """Tell whether the mock can do its work."""
        watched = self._watched
        contract, problem = watched.world.contract, watched.store_problem()
        body = {
            "ready": problem is None,
            "version": __version__,
            "contract": {"title": contract.title, "version": contract.version},
            "process": this_process()._asdict(),
            "processes": [each._asdict() for each in watched.processes()],
            "store": {"kind": watched.world.settings.store.partition("://")[0], "problem": problem},
            "waiting": watched.waiting,
            "workers": self._workers(),
        }
        return Answer(200 if problem is None else 503, body)

    def metrics(self, _: ControlCall) -> Answer:
        """The figures, as Prometheus reads them."""
        if find_spec("prometheus_client") is None:
            message = f"Metrics need prometheus-client: {command_for('metrics')}"
            raise ControlRefusal(501, "not_installed", message)
        from .prometheus import CONTENT_TYPE, Exposition  # here: it takes a tenth of a start

        if self._exposition is None:
            self._exposition = Exposition(self._watched, __version__)
        return Answer(200, self._exposition.text(), CONTENT_TYPE)

    def _workers(self) -> dict[str, Any]:
        rendering = self._watched.rendering
        stage = rendering.stage
        return {
            "renderer": self._watched.world.settings.renderer,
            "threads": 0 if rendering.queue is None else rendering.queue.threads,
            "stage": None if stage is None or rendering.queue is None else stage.described(),
            "processes": [each._asdict() for each in self._watched.workers()],
        }
