"""The rules in the control API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..api.call import Answer
from ..control.exchange import ControlCall, existing, invalid
from ..core.world import World
from .rules import Rule, RuleError
from .scenarios import Scenarios


class RuleOperations:
    """The operations on rules."""

    def __init__(self, world: World, scenarios: Scenarios) -> None:
        self._world = world
        self._scenarios = scenarios

    def list_rules(self, _: ControlCall) -> Answer:
        """Rules, in the order in which they are asked."""
        return Answer(200, {"rules": [_shown(each) for each in self._scenarios.all()]})

    def add_rule(self, call: ControlCall) -> Answer:
        """Add a rule."""
        with _legal():
            rule = self._scenarios.add(call.body)
        self._world.announce("rules")
        return Answer(201, _shown(rule))

    def replace_rules(self, call: ControlCall) -> Answer:
        """Replace all rules."""
        with _legal():
            self._scenarios.replace(call.body["rules"])
        self._world.announce("rules")
        return self.list_rules(call)

    def clear_rules(self, _: ControlCall) -> Answer:
        """Remove all rules."""
        self._scenarios.replace([])
        self._world.announce("rules")
        return Answer(204, media_type=None)

    def switch_rule(self, call: ControlCall) -> Answer:
        """Switch a rule on or off."""
        with existing("rule", call.parameters["id"]):
            rule = self._scenarios.switch(call.parameters["id"], call.body["enabled"])
        self._world.announce("rules")
        return Answer(200, _shown(rule))

    def remove_rule(self, call: ControlCall) -> Answer:
        """Remove a rule."""
        with existing("rule", call.parameters["id"]):
            self._scenarios.remove(call.parameters["id"])
        self._world.announce("rules")
        return Answer(204, media_type=None)


@contextmanager
def _legal() -> Iterator[None]:
    try:
        yield
    except RuleError as error:
        raise invalid(str(error)) from error


def _shown(rule: Rule) -> dict[str, Any]:
    """A rule and how often it was asked."""
    return {
        "id": rule.id,
        "rule": dict(rule.given),
        "enabled": rule.enabled,
        "fitted": rule.fitted,
        "acted": rule.acted,
    }
