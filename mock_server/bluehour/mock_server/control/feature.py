"""The control API as a part of the mock: it has the operations of all features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..api.feature import Feature
from ..api.secrets import Secrets
from ..core.world import World
from . import PREFIX
from .exchange import Handler, handlers_of
from .operations import WorldOperations

if TYPE_CHECKING:
    from flask import Flask


@runtime_checkable
class Controllable(Protocol):
    """A feature that the control API can do something with."""

    def control(self) -> Mapping[str, Handler]:
        """Return what carries out the operations of `control.yaml`, by their ids."""


class ControlFeature(Feature):
    """Lets a person or a test see and force everything.

    Args:
        world: what is controlled.
        secrets: what must not be shown.
        features: all others, whose operations it has.
        upstream: the base URL of the server that a proxy stands before; None for a mock.
    """

    pages = (PREFIX,)

    def __init__(
        self, world: World, secrets: Secrets, features: Sequence[Feature], upstream: str | None
    ) -> None:
        self._world = world
        self._secrets = secrets
        self._features = features
        self._upstream = upstream

    def add_pages(self, app: Flask) -> None:
        """Serve the control API."""
        from .routes import ControlApi

        ControlApi(self._world, lambda: self.handlers, self._upstream).add_routes(app)

    @cached_property
    def handlers(self) -> Mapping[str, Handler]:
        """What carries out the operations of `control.yaml`, by their ids."""
        handlers = handlers_of(WorldOperations(self._world, self._secrets, self._features))
        for feature in self._features:
            if isinstance(feature, Controllable):
                handlers |= feature.control()
        return handlers
