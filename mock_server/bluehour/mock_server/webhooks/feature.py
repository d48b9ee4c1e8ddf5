"""Webhooks as a part of the mock: events of the world are sent to whoever has registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..api.feature import Feature
from ..control.exchange import Handler, handlers_of
from ..core.projects import Project
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .control import WebhookOperations
from .webhooks import Webhooks


class WebhookFeature(Feature):
    """Sends events.

    Args:
        world: whose projects they tell of.
        targets: tells which servers may be called.
    """

    def __init__(self, world: World, targets: Callable[[], TargetPolicy]) -> None:
        self.webhooks = Webhooks(world, targets)
        self._world = world

    def project_created(self, project: Project) -> None:
        self.webhooks.follow(project)

    def project_changed(self, project: Project) -> None:
        self.webhooks.follow(project)

    def changed(self, what: str) -> None:
        if what == "clock":
            self.webhooks.wake()

    def settle(self, timeout: float) -> bool:
        return self.webhooks.settle(timeout)

    def forget(self) -> None:
        self.webhooks.forget()

    def reset(self) -> None:
        self.webhooks.reset()

    def close(self) -> None:
        self.webhooks.close()

    def state(self) -> Mapping[str, Any]:
        return {"webhooks": len(self.webhooks.endpoints()), "events": list(self._world.contract.webhooks)}

    def control(self) -> Mapping[str, Handler]:
        """Return what the control API can do with it."""
        return handlers_of(WebhookOperations(self._world, self.webhooks))
