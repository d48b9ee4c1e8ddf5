"""The rules of a running mock: kept in order, asked for every request, changed while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bluehour.openapi import wording
from bluehour.openapi.contract import Contract
from bluehour.openapi.document import SpecError, parse_file
from bluehour.openapi.schema import Schema

from ..api.effects import Effect
from ..control.contract import control_contract
from ..core.world import World
from .rules import ACTED, FITTED, Facts, Rule, RuleError

log = logging.getLogger("bluehour")


class _Noted(NamedTuple):
    """The rules, and those that a reset comes back to."""

    rules: list[Rule]
    initial: list[Rule]

    def with_rules(self, rules: Iterable[Rule]) -> _Noted:
        """Return the same with other rules."""
        return self._replace(rules=list(rules))


class Scenarios:
    """The rules; the first that fits a request acts. May be used from any thread.

    They are a note on the world's board, so that all processes on a store have them, and count together; what
    is here is made of it.

    Args:
        world: whose contract knows the operations that rules name.
    """

    def __init__(self, world: World) -> None:
        self._contract = world.contract
        self._counts = world.store.notes
        self._note = world.board.note("rules")
        self._noted = _Noted([], [])
        self._listeners: list[Callable[[], None]] = []
        self._note.follow(self._take)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have a function called after every change."""
        self._listeners.append(listener)

    @property
    def active(self) -> bool:
        """Whether there is any rule to ask."""
        return bool(self._noted.rules)

    def effect_on(self, facts: Facts) -> Effect | None:
        """Return what is forced on a request, or None."""
        for rule in self._noted.rules:
            if (effect := rule.effect_on(facts, self._counts)) is not None:
                return effect
        return None

    def all(self) -> list[Rule]:
        """Return the rules, in the order in which they are asked."""
        return list(self._noted.rules)

    def counts_of(self, rule: Rule) -> dict[str, int]:
        """Return how many requests a rule fitted, and on how many it acted."""
        return {FITTED: 0, ACTED: 0, **self._counts.counts(rule.group)}

    def add(self, given: Mapping[str, Any]) -> Rule:
        """Add a rule, legal by its schema, behind the others.

        Raises:
            RuleError: it can't be.
        """
        rule = self._made(given)
        self._change(lambda noted: noted.with_rules([*noted.rules, rule]))
        return rule

    def replace(self, given: Iterable[Mapping[str, Any]]) -> None:
        """Replace all rules, or none of them.

        Raises:
            RuleError: one of them can't be; it is named.
        """
        rules = self._all_made(given)
        self._change(lambda noted: noted.with_rules(rules))

    def start_with(self, given: Iterable[Mapping[str, Any]]) -> None:
        """Give the rules that `reset` comes back to, in place of earlier such ones; others stay, behind them.

        One that was there, written the same, is still that one, with all that it has counted.

        Raises:
            RuleError: one of them can't be; nothing has changed.
        """
        made = self._all_made(given, is_initial=True)

        def start(noted: _Noted) -> _Noted:
            before = [rule for rule in noted.rules if rule.is_initial]
            others = [rule for rule in noted.rules if not rule.is_initial]
            initial = [_kept(rule, before) for rule in made]
            return _Noted([*initial, *others], initial)

        self._change(start)

    def reset(self) -> None:
        """Come back to the rules of the start, none of which has been asked yet."""
        before = self._noted.rules
        self._change(lambda noted: noted._replace(rules=[each.as_written() for each in noted.initial]))
        for rule in before:
            self._counts.forget_counts(rule.group)

    def switch(self, rule_id: str, enabled: bool) -> Rule:
        """Switch a rule on or off; switched on, it counts from the start.

        Raises:
            KeyError: there is no such rule.
        """

        def switch(noted: _Noted) -> _Noted:
            rule = _found(rule_id, noted.rules)
            if enabled and not rule.enabled:
                self._counts.forget_counts(rule.group)
            return noted.with_rules(rule.switched(enabled) if each is rule else each for each in noted.rules)

        self._change(switch)
        return _found(rule_id, self._noted.rules)

    def remove(self, rule_id: str) -> None:
        """Remove a rule.

        Raises:
            KeyError: there is no such rule.
        """

        def remove(noted: _Noted) -> _Noted:
            gone = _found(rule_id, noted.rules)
            return noted.with_rules(rule for rule in noted.rules if rule is not gone)

        self._change(remove)

    def adopt(self, contract: Contract) -> None:
        """Have rules name the operations of another contract from now on.

        Raises:
            RuleError: one of the rules names an operation that it has not; nothing has changed.
        """
        rules, initial = self._noted
        self._noted = _Noted(
            [each.renewed(contract) for each in rules], [each.renewed(contract) for each in initial]
        )
        self._contract = contract

    def _change(self, make: Callable[[_Noted], _Noted]) -> None:
        def changed(note: bytes | None) -> bytes:
            rules, initial = make(self._read(note))
            return orjson.dumps([[rule.noted for rule in rules], [rule.noted for rule in initial]])

        before = self._noted.rules
        self._note.change(changed)
        left = {rule.id for rule in self._noted.rules}
        for rule in before:
            if rule.id not in left:
                self._counts.forget_counts(rule.group)

    def _take(self, note: bytes | None) -> None:
        self._noted = self._read(note)
        for listener in self._listeners:
            listener()

    def _read(self, note: bytes | None) -> _Noted:
        rules, initial = [[], []] if note is None else orjson.loads(note)
        return _Noted(self._those_of(rules), self._those_of(initial))

    def _those_of(self, noted: Iterable[dict[str, Any]]) -> list[Rule]:
        """Return the rules that were noted, but for what this process's contract does not allow."""
        rules = []
        for each in noted:
            try:
                rules.append(Rule(**each, contract=self._contract))
            except RuleError as error:
                log.warning("%s does not fit the contract, and is left out: %s", each["rule_id"], error)
        return rules

    def _all_made(self, given: Iterable[Mapping[str, Any]], *, is_initial: bool = False) -> list[Rule]:
        rules = []
        for index, each in enumerate(given):
            try:
                rules.append(self._made(each, is_initial=is_initial))
            except RuleError as error:
                raise RuleError(f"rules[{index}]: {error}") from error
        return rules

    def _made(self, given: Mapping[str, Any], *, is_initial: bool = False) -> Rule:
        number = self._counts.count("rules", "numbers")
        return Rule(f"rule-{number}", given, self._contract, is_initial=is_initial)


def _found(rule_id: str, rules: Iterable[Rule]) -> Rule:
    for rule in rules:
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
