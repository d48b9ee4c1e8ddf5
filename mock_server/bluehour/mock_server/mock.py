"""A mock, assembled: a world, and its features. Here, and only here, one is added or left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from bluehour.openapi.contract import Contract, load

from .api.feature import Feature
from .api.secrets import Secrets
from .callbacks.feature import CallbackFeature
from .console.feature import ConsoleFeature
from .control.feature import ControlFeature
from .core.clock import Clock
from .core.settings import WORKERS, Settings
from .core.world import World
from .journal.feature import JournalFeature
from .journal.journal import Journal
from .monitoring.feature import Counting, MonitoringFeature
from .monitoring.watched import Watched
from .outbound.policy import TargetPolicy
from .reference_page.feature import ReferenceFeature
from .rendering import Stage
from .rendering.feature import Rendering
from .rendering.opening import open_stage
from .scenarios.feature import ScenarioFeature
from .scenarios.scenarios import Scenarios
from .webhooks.feature import WebhookFeature
from .webhooks.webhooks import Webhooks

_Feature = TypeVar("_Feature", bound=Feature)


class Mock:
    """One for each server; every part may be used from any thread.

    Args:
        contract: Magic Hour's own where none is given.
        settings: the defaults where none are given.
        assets: an existing folder for uploads and pictures; without one, a private folder is made
            when the first comes, and `close()` removes it.
        clock: the system's time where none is given.
        upstream: what a proxy stands before, whose journal this is; without it, this is a mock.
        stage: what really renders; as the settings say where none is given.

    Attributes:
        world: what is kept.
        features: what takes part, in the order in which it is asked and told.
        targets: which servers may be called.
        secrets: what must not be shown.

    Raises:
        RendererError: the renderer can't be used.
        StoreError: the store can't be opened.
        ValueError: what is allowed or denied is no target.
    """

    def __init__(
        self,
        contract: Contract | None = None,
        settings: Settings | None = None,
        *,
        assets: Path | None = None,
        clock: Clock | None = None,
        upstream: str | None = None,
        stage: Stage[Any, Any] | None = None,
    ) -> None:
        settings = settings or Settings()
        self.targets = TargetPolicy.parsed(settings.allow_targets, settings.deny_targets)
        stage = stage or open_stage(settings.renderer, settings.device, settings.photo_model)
        self.world = World(contract or load(), settings, assets=assets, clock=clock)
        self.secrets = Secrets()
        self.upstream = upstream
        self.features = self._made(stage)
        for feature in self.features:
            self.world.listen(feature)

    def _made(self, stage: Stage[Any, Any] | None) -> tuple[Feature, ...]:
        """The list. What stands further down may show or control what stands above it."""
        world, secrets = self.world, self.secrets
        features: list[Feature] = [
            counts := Counting(world),
            ScenarioFeature(world),
            rendering := Rendering(world, stage, by_workers=world.settings.renderer == WORKERS),
            webhooks := WebhookFeature(world, lambda: self.targets),
            CallbackFeature(world, lambda: self.targets, webhooks.webhooks),
            journal := JournalFeature(world, secrets),
            ReferenceFeature(world),
            ConsoleFeature(journal.journal),
        ]
        watched = Watched(
            world, secrets, rendering, webhooks.webhooks, journal.journal, counts.requests, counts.jobs
        )
        features.append(MonitoringFeature(watched))
        features.append(ControlFeature(world, secrets, features, self.upstream))
        return tuple(features)

    def serve_at(self, address: str, base_url: str) -> None:
        """Be told where clients reach this mock: at a numeric address, by a base URL."""
        self.targets = self.targets.served_at(address)
        self.world.base_url = base_url

    def feature(self, kind: type[_Feature]) -> _Feature:
        """Return the feature of a kind.

        Raises:
            LookupError: this mock was made without it.
        """
        for each in self.features:
            if isinstance(each, kind):
                return each
        raise LookupError(kind.__name__)

    @property
    def scenarios(self) -> Scenarios:
        """The rules."""
        return self.feature(ScenarioFeature).scenarios

    @property
    def webhooks(self) -> Webhooks:
        """What is sent to whom."""
        return self.feature(WebhookFeature).webhooks

    @property
    def journal(self) -> Journal | None:
        """What clients sent and got; None where that is not kept."""
        return self.feature(JournalFeature).journal

    @property
    def rendering(self) -> Rendering:
        """What makes the pictures."""
        return self.feature(Rendering)

    def close(self) -> None:
        """Let go of everything; what is under way is dropped, or ends in a moment."""
        self.world.close()
