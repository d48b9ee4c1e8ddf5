"""Answers over time: each is judged by those before it.

Only what answers say of each other is looked at, so it holds for traffic of any client.
"""

from __future__ import annotations

from collections.abc import Callable

from bluehour.openapi.contract import Contract

from ..exchange import Answer, Exchange
from .projects import Projects
from .rulings import Rulings
from .uploads import Uploads

_DELETES = "delete-project"


class History:
    """Remembers what answers said.

    Args:
        contract: prices, types and lifetimes are taken from it.
    """

    def __init__(self, contract: Contract) -> None:
        self._projects = Projects(contract)
        self._by_behaviour: dict[str, Callable[[Exchange, Answer, Rulings], None]] = {
            "create-project": self._projects.created,
            "get-project": self._projects.read,
            _DELETES: self._projects.deleted,
            "create-upload-urls": Uploads(contract).issued,
        }

    def judge(self, exchange: Exchange, rulings: Rulings) -> None:
        """Say what of an answer fits those before it, and remember it."""
        operation, answer = exchange.operation, exchange.answer
        if operation is None or exchange.request.method != operation.method:
            return
        if answer is None or answer.status >= 500:
            if operation.behaviour == _DELETES:
                self._projects.doubt(exchange)
            return
        judge = self._by_behaviour.get(operation.behaviour or "")
        if judge is not None:
            judge(exchange, answer, rulings)
