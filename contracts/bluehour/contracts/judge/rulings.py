"""What a judge says: which rule was looked at, and how it was broken, if it was."""

from __future__ import annotations

from dataclasses import dataclass

from ..exchange import Exchange
from ..rules import Rule, rule


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule.

    Attributes:
        operation: where, such as `POST /v1/ai-face-editor`.
        field: which part of the answer or the request, such as `downloads[0].url`; nothing for the whole.
        message: what is wrong, in a sentence.
        words: the contract's own words on it, as YAML.
        related: the exchanges before that it takes to see it.
    """

    rule: Rule
    operation: str
    field: str
    message: str
    words: str = ""
    related: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """A rule that was looked at, at an operation; `violation` is None where it was kept."""

    rule: Rule
    operation: str
    violation: Violation | None = None


class Rulings:
    """What is said of one exchange, gathered.

    Args:
        exchange: the one that is judged; its operation is what is ruled on.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.all: list[Ruling] = []
        self._operation = exchange.label

    def keep(self, rule_id: str) -> None:
        """Say that a rule was looked at and kept."""
        self.all.append(Ruling(rule(rule_id), self._operation))

    def violate(
        self,
        rule_id: str,
        message: str,
        field: str = "",
        words: str = "",
        related: tuple[Exchange, ...] = (),
    ) -> None:
        """Say that a rule is broken."""
        known = rule(rule_id)
        broken = Violation(known, self._operation, field, message, words, related)
        self.all.append(Ruling(known, self._operation, broken))

    def expect(
        self,
        rule_id: str,
        kept: bool,
        message: str,
        field: str = "",
        words: str = "",
        related: tuple[Exchange, ...] = (),
    ) -> bool:
        """Say that a rule is kept, or else how it is broken; return which."""
        if kept:
            self.keep(rule_id)
        else:
            self.violate(rule_id, message, field, words, related)
        return kept
