"""Judges answers by the contract, each alone and all of them over time: `Judge(contract).observe(exchange)`.

The checker judges what it provokes itself, the proxy what others do; both by these rules.
"""

from __future__ import annotations

from bluehour.openapi.contract import Contract

from ..exchange import Exchange
from .answers import Answers
from .history import History
from .leaks import judge_leaks
from .rulings import Ruling, Rulings, Violation

__all__ = ["Judge", "Ruling", "Rulings", "Violation"]


class Judge:
    """Judges one deployment's answers. Not for several threads at once.

    Args:
        contract: what the deployment has to keep.
    """

    def __init__(self, contract: Contract) -> None:
        self._answers = Answers(contract)
        self._history = History(contract)

    def observe(self, exchange: Exchange) -> list[Violation]:
        """Return the rules that an answer breaks, by itself or after all that was observed before."""
        return [ruling.violation for ruling in self.rule_on(exchange) if ruling.violation is not None]

    def rule_on(self, exchange: Exchange) -> list[Ruling]:
        """Return what can be said of an answer, the rules that it keeps included."""
        rulings = Rulings(exchange)
        self._answers.judge(exchange, rulings)
        judge_leaks(exchange, rulings)
        self._history.judge(exchange, rulings)
        return rulings.all
