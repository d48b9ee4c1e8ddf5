"""The rules of a running mock: kept in order, asked for every request, changed while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from bluehour.openapi import wording
from bluehour.openapi.contract import Contract
from bluehour.openapi.document import SpecError, parse_file
from bluehour.openapi.schema import Schema

from ..api.effects import Effect
from ..control.contract import control_contract
from .rules import Facts, Rule, RuleError


class Scenarios:
    """The rules; the first that fits a request acts. May be used from any thread.

    Args:
        contract: knows the operations that rules name.
    """

    def __init__(self, contract: Contract) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._contract = contract
        self._rules: list[Rule] = []
        self._initial: list[Rule] = []

    @property
    def active(self) -> bool:
        """Whether there is any rule to ask."""
        return bool(self._rules)

    def effect_on(self, facts: Facts) -> Effect | None:
        """Return what is forced on a request, or None."""
        with self._lock:
            for rule in self._rules:
                if (effect := rule.effect_on(facts)) is not None:
                    return effect
        return None

    def all(self) -> list[Rule]:
        """Return the rules, in the order in which they are asked."""
        return list(self._rules)

    def add(self, given: Mapping[str, Any]) -> Rule:
        """Add a rule, legal by its schema, behind the others.

        Raises:
            RuleError: it can't be.
        """
        rule = self._made(given)
        with self._lock:
            self._rules = [*self._rules, rule]
        return rule

    def replace(self, given: Iterable[Mapping[str, Any]]) -> None:
        """Replace all rules, or none of them.

        Raises:
            RuleError: one of them can't be; it is named.
        """
        rules = self._all_made(given)
        with self._lock:
            self._rules = rules

    def start_with(self, given: Iterable[Mapping[str, Any]]) -> None:
        """Give the rules that `reset` comes back to, in place of earlier such ones; others stay, behind them.

        Raises:
            RuleError: one of them can't be; nothing has changed.
        """
        made = self._all_made(given)
        with self._lock:
            before = list(self._initial)
            initial = [_kept(rule, before) for rule in made]
            added = [rule for rule in self._rules if rule not in self._initial]
            self._rules = [*initial, *added]
            self._initial = initial

    def reset(self) -> None:
        """Come back to the rules of the start, none of which has been asked yet."""
        anew = [Rule(rule.id, rule.given, self._contract) for rule in self._initial]
        with self._lock:
            self._rules = self._initial = anew

    def switch(self, rule_id: str, enabled: bool) -> Rule:
        """Switch a rule on or off.

        Raises:
            KeyError: there is no such rule.
        """
        with self._lock:
            rule = self._found(rule_id)
            rule.switch(enabled)
            return rule

    def remove(self, rule_id: str) -> None:
        """Remove a rule.

        Raises:
            KeyError: there is no such rule.
        """
        with self._lock:
            gone = self._found(rule_id)
            self._rules = [rule for rule in self._rules if rule is not gone]

    def adopt(self, contract: Contract) -> None:
        """Have rules name the operations of another contract from now on.

        Raises:
            RuleError: one of the rules names an operation that it has not; nothing has changed.
        """
        with self._lock:
            renewed = {rule: rule.renewed(contract) for rule in {*self._rules, *self._initial}}
            self._rules = [renewed[rule] for rule in self._rules]
            self._initial = [renewed[rule] for rule in self._initial]
            self._contract = contract

    def _all_made(self, given: Iterable[Mapping[str, Any]]) -> list[Rule]:
        rules = []
        for index, each in enumerate(given):
            try:
                rules.append(self._made(each))
            except RuleError as error:
                raise RuleError(f"rules[{index}]: {error}") from error
        return rules

    def _made(self, given: Mapping[str, Any]) -> Rule:
        return Rule(f"rule-{next(self._numbers)}", given, self._contract)

    def _found(self, rule_id: str) -> Rule:
        for rule in self._rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


def _kept(rule: Rule, before: list[Rule]) -> Rule:
    """Return the rule of before that was written the same, with all that it has counted; else the new one."""
    for index, old in enumerate(before):
        if old.given == rule.given and old.enabled == rule.enabled:
            return before.pop(index)
    return rule


def read_scenario(path: Path) -> list[Mapping[str, Any]]:
    """Return the rules of a scenario file, YAML or JSON, legal by their schema.

    Raises:
        RuleError: the file can't be read or used; the message says why, in one line.
    """
    try:
        given = parse_file(path)
    except SpecError as error:
        raise RuleError(str(error)) from error
    if faults := scenario_schema().faults(given):
        raise RuleError(f"{path}: {wording.sentence(faults, 'the file')}")
    rules: list[Mapping[str, Any]] = given["rules"]
    return rules


def scenario_schema() -> Schema:
    """Return the schema of a scenario file: the control API's own for rules."""
    document = control_contract().document
    return Schema(document, document["components"]["schemas"]["Scenario"])
