"""The reference as a part of the mock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.feature import Feature
from ..core.world import World
from . import PATH

if TYPE_CHECKING:
    from flask import Flask


class ReferenceFeature(Feature):
    """Shows the contract that is served.

    Args:
        world: which has it.
    """

    pages = (PATH, "/openapi.json")

    def __init__(self, world: World) -> None:
        self._world = world

    def add_pages(self, app: Flask) -> None:
        """Serve the reference, and the contract itself."""
        from .pages import add_routes

        add_routes(app, self._world.contract, self._world.actions)
