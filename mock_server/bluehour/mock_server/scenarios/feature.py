"""Scenarios as a part of the mock: what a request's Prefer header, or else a rule, forces on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluehour.openapi.contract import Contract
from bluehour.openapi.messages import Request

from ..api.effects import Effect
from ..api.feature import Feature
from ..control.exchange import Handler, handlers_of
from ..core.world import World
from .control import RuleOperations
from .prefer import preferred
from .rules import Facts, RuleError
from .scenarios import Scenarios


class ScenarioFeature(Feature):
    """Forces on requests what scenarios say."""

    def __init__(self, world: World) -> None:
        self.scenarios = Scenarios(world)
        self._world = world
        self.scenarios.on_change(lambda: world.announce("rules"))

    def effect_on(self, request: Request, called: str, token: str | None) -> Effect | None:
        header = request.headers.get("prefer")
        effect = preferred(header, self._world.random) if header else None
        if effect is None and self.scenarios.active:
            effect = self.scenarios.effect_on(Facts(called, token, request.body))
        return effect

    def adopt(self, contract: Contract) -> None:
        try:
            self.scenarios.adopt(contract)
        except RuleError as error:
            raise ValueError(f"a rule does not fit: {error}") from error

    def reset(self) -> None:
        self.scenarios.reset()

    def state(self) -> Mapping[str, Any]:
        return {"rules": sum(rule.enabled for rule in self.scenarios.all())}

    def control(self) -> Mapping[str, Handler]:
        """Return what the control API can do with it."""
        return handlers_of(RuleOperations(self.scenarios))
