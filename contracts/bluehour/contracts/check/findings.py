"""Gathers what is found: which rules were kept where, which are broken, and why others were not judged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from bluehour.openapi.errors import BluehourError

from ..exchange import Exchange
from ..judge import Ruling, Violation
from ..results import Finding, State, Verdict
from ..rules import ALL_RULES, Rule, rule

BUSY = "the deployment is too busy: "
BUDGET = "budget: "
"""What the reason begins with where the budget kept a rule from being judged."""

_MOST_FIELDS = 25
"""Findings of one rule at one operation that are told apart by their field; more are only counted."""


class Enough(BluehourError):
    """A rule is broken, and no more was asked for."""


class Findings:
    """What is known so far.

    Args:
        selected: the rules that are asked about; what is found of others is dropped.
        only_first: whether the first broken rule is all that is wanted: `add` then raises `Enough`.
        accepts: tells whether a rule may be broken at an operation, by its id and the operation's label.
    """

    def __init__(
        self,
        selected: Collection[Rule],
        *,
        only_first: bool = False,
        accepts: Callable[[str, str], object] = lambda _rule, _operation: None,
    ) -> None:
        self._only_first = only_first
        self._accepts = accepts
        self.selected = frozenset(each.id for each in selected)
        self._kept: dict[tuple[str, str], int] = {}
        self._broken: dict[tuple[str, str, str], Finding] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def wants(self, rule_ids: Iterable[str]) -> bool:
        """Tell whether any of these rules is asked about."""
        return not self.selected.isdisjoint(rule_ids)

    def take(self, rulings: Iterable[Ruling], exchange: Exchange) -> None:
        """Take what a judge says of an exchange."""
        for ruling in rulings:
            if ruling.violation is None:
                self.keep(ruling.rule.id, ruling.operation)
            else:
                self.add(ruling.violation, exchange)

    def keep(self, rule_id: str, operation: str) -> None:
        """A rule was looked at, and kept."""
        if rule_id in self.selected:
            place = (rule_id, operation)
            self._kept[place] = self._kept.get(place, 0) + 1

    def add(self, violation: Violation, exchange: Exchange | None) -> None:
        """A rule is broken; the first exchange that shows it is the one to tell of."""
        known, operation, field = violation.rule, violation.operation, violation.field
        if known.id not in self.selected:
            return
        if self._is_full(known.id, operation, field):
            field = next(each[2] for each in self._broken if each[:2] == (known.id, operation))
        place = (known.id, operation, field)
        if place in self._broken:
            self._broken[place].times += 1
            return
        message, words, related = violation.message, violation.words, violation.related
        finding = Finding(known, operation, violation.field, message, exchange, words, related=related)
        self._broken[place] = finding
        if self._only_first and finding.is_error and not self._accepts(known.id, operation):
            raise Enough

    def fold(self, violation: Violation, exchange: Exchange, times: int, reason: str) -> None:
        """Add what is wrong with an operation as a whole: what else was found at it is told under that.

        Args:
            times: how many exchanges show it.
            reason: why none of the rest is judged.
        """
        root, operation = violation.rule, violation.operation
        if root.id not in self.selected:
            return
        places = [each for each in self._broken if each[1] == operation]
        found = [self._broken.pop(each) for each in places]
        folded = tuple(each for each in found if each.rule is not root)
        for rule_id in {each[0] for each in (*places, *self._kept) if each[1] == operation}:
            self._kept.pop((rule_id, operation), None)
            self._reasons[rule_id, operation] = reason
        cause = Finding(
            root, operation, "", violation.message, exchange, violation.words, times, folded=folded
        )
        self._broken = {(root.id, operation, ""): cause, **self._broken}  # before what is less of it

    def unjudged(self, rule_id: str, operation: str, reason: str) -> None:
        """A rule can't be judged there, or not to the end; the first reason counts."""
        if rule_id in self.selected:
            self._reasons.setdefault((rule_id, operation), reason)

    def is_broken(self, rule_id: str, operation: str) -> bool:
        """Tell whether a rule was seen broken there."""
        return any(each[:2] == (rule_id, operation) for each in self._broken)

    def is_any_broken(self, operation: str) -> bool:
        """Tell whether some rule was seen broken there."""
        return any(each[1] == operation for each in self._broken)

    def is_untried(self, operation: str) -> bool:
        """Tell whether the budget or the deployment's haste kept something from being judged there."""
        return any(
            at == operation and why.startswith((BUDGET, BUSY)) for (_, at), why in self._reasons.items()
        )

    @property
    def count(self) -> int:
        """How many findings there are."""
        return len(self._broken)

    def findings(self) -> tuple[Finding, ...]:
        """Return the findings, in the rules' order."""
        order = {each.id: index for index, each in enumerate(ALL_RULES)}
        return tuple(sorted(self._broken.values(), key=lambda finding: order[finding.rule.id]))

    def verdicts(self, operations: Collection[str]) -> tuple[Verdict, ...]:
        """Return what is known of each rule at each operation, in the rules' and the operations' order."""
        broken = {each[:2] for each in self._broken}
        known = broken | self._kept.keys() | self._reasons.keys()
        order = {each: index for index, each in enumerate(operations)}
        return tuple(
            self._verdict(each.id, operation, broken)
            for each in ALL_RULES
            for operation in sorted(
                (at for known_id, at in known if known_id == each.id), key=order.__getitem__
            )
        )

    def _verdict(self, rule_id: str, operation: str, broken: set[tuple[str, str]]) -> Verdict:
        place = (rule_id, operation)
        checks, reason = self._kept.get(place, 0), self._reasons.get(place, "")
        if place in broken:
            return Verdict(rule(rule_id), operation, State.BROKEN, checks)
        state = State.KEPT if checks else State.UNJUDGED
        return Verdict(rule(rule_id), operation, state, checks, reason)

    def _is_full(self, rule_id: str, operation: str, field: str) -> bool:
        if (rule_id, operation, field) in self._broken:
            return False
        return sum(each[:2] == (rule_id, operation) for each in self._broken) >= _MOST_FIELDS
