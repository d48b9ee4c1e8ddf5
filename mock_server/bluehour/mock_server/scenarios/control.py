"""The rules in the control API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..api.call import Answer
from ..control.exchange import ControlCall, existing, invalid
from .rules import Rule, RuleError
from .scenarios import Scenarios


class RuleOperations:
    """The operations on rules."""

    def __init__(self, scenarios: Scenarios) -> None:
        self._scenarios = scenarios

    def list_rules(self, _: ControlCall) -> Answer:
        """Rules, in the order in which they are asked."""
        return Answer(200, {"rules": [self._shown(each) for each in self._scenarios.all()]})

    def add_rule(self, call: ControlCall) -> Answer:
        """Add a rule."""
        with _legal():
            rule = self._scenarios.add(call.body)
        return Answer(201, self._shown(rule))

    def replace_rules(self, call: ControlCall) -> Answer:
        """Replace all rules."""
        with _legal():
            self._scenarios.replace(call.body["rules"])
        return self.list_rules(call)

    def clear_rules(self, _: ControlCall) -> Answer:
        """Remove all rules."""
        self._scenarios.replace([])
        return Answer(204, media_type=None)

    def switch_rule(self, call: ControlCall) -> Answer:
        """Switch a rule on or off."""
        with existing("rule", call.parameters["id"]):
            rule = self._scenarios.switch(call.parameters["id"], call.body["enabled"])
        return Answer(200, self._shown(rule))

    def remove_rule(self, call: ControlCall) -> Answer:
        """Remove a rule."""
        with existing("rule", call.parameters["id"]):
            self._scenarios.remove(call.parameters["id"])
        return Answer(204, media_type=None)

    def _shown(self, rule: Rule) -> dict[str, Any]:
        """A rule and how often it was asked."""
        counts = self._scenarios.counts_of(rule)
        return {"id": rule.id, "rule": dict(rule.given), "enabled": rule.enabled, **counts}


@contextmanager
def _legal() -> Iterator[None]:
    try:
        yield
    except RuleError as error:
        raise invalid(str(error)) from error
