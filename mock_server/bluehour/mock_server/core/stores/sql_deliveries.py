"""The deliveries of a store in a database, which its processes share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from math import inf
from typing import Any

import orjson

from ..deliveries import Attempt, Delivery
from . import statements as sql
from .database import Database, Session


class SqlDeliveries:
    """Keeps them in a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, webhook_id: str, sender: str, at: float) -> Delivery | None:
        """Take what is to be sent to a webhook next; two who ask at once take two, if there are two."""
        if self.next_at(webhook_id) > at:  # to look costs less than to try
            return None
        given = {"wanted": webhook_id, "sender": sender, "at": at}
        found = self._database.change(lambda session: session.change(sql.TAKE_DELIVERY, given))
        return _delivery(found[0]) if found else None

    def next_at(self, webhook_id: str) -> float:
        """Return when `take` will have something."""
        with self._database.reading() as session:
            found = session.first(sql.NEXT_DELIVERY, {"wanted": webhook_id})
        return inf if found is None else float(found[0])

    def swap(self, old: Delivery, new: Delivery) -> bool:
        """Put what becomes of a delivery in its place; tell whether it was still at the same try."""
        given = {f"new_{name}": value for name, value in _row(new).items()}
        given |= {"wanted": old.id, "sender": old.sender, "made": old.tries}
        return bool(self._database.change(lambda session: session.change(sql.CHANGE_DELIVERY, given)))

    def senders(self) -> set[str]:
        """Return all who send something."""
        with self._database.reading() as session:
            return {sender for (sender,) in session.find(sql.FIND_SENDERS)}

    def release(self, sender: str, at: float) -> None:
        """Have what somebody was sending be due at `at`."""
        given = {"sender": sender, "at": at}
        self._database.change(lambda session: session.change(sql.RELEASE_DELIVERIES, given))

    def hasten(self, webhook_id: str, at: float, after: float = -inf) -> None:
        """Have what waits for a webhook, and happened after a time, be due at `at`."""
        given = {"wanted": webhook_id, "at": at, "after": after}
        self._database.change(lambda session: session.change(sql.HASTEN_DELIVERIES, given))

    def postpone(self, webhook_id: str, at: float, seconds: float, problem: str) -> int:
        """Have what is due by `at` wait, and give up what has waited too long; return how many those are."""
        given = {"wanted": webhook_id, "at": at, "seconds": seconds}

        def postpone(session: Session) -> int:
            given_up = session.change(sql.GIVE_UP_DELIVERIES, {**given, "problem": problem})
            session.change(sql.POSTPONE_DELIVERIES, given)
            return len(given_up)

        return self._database.change(postpone)

    def forget_over(self, most: int) -> int:
        """Forget the earliest of those that are over; return how many."""
        given = {"most": most}
        with self._database.reading() as session:
            if session.first(sql.FIRST_TO_FORGET, given) is None:
                return 0
        return len(self._database.change(lambda session: session.change(sql.FORGET_DELIVERIES, given)))

    def find(self, delivery_id: str) -> Delivery | None:
        """Return one, or None."""
        with self._database.reading() as session:
            row = session.first(sql.FIND_DELIVERY, {"wanted": delivery_id})
        return None if row is None else _delivery(row)

    def newest(self, project_id: str | None = None, limit: int | None = None) -> list[Delivery]:
        """Return those of a project, or all, the last to be handed out first."""
        statement = sql.NEWEST_DELIVERIES if project_id is None else sql.ITS_NEWEST_DELIVERIES
        given = {"wanted": project_id, "limit": 2**62 if limit is None else limit}
        with self._database.reading() as session:
            return [_delivery(row) for row in session.find(statement, given)]

    def count_waiting(self) -> int:
        """Return how many are pending."""
        with self._database.reading() as session:
            return int(session.first(sql.COUNT_WAITING_DELIVERIES)[0])


_STATE = [field.name for field in fields(Delivery)].index("state")


def add_deliveries(session: Session, deliveries: Iterable[Delivery]) -> None:
    """Have deliveries wait, in the transaction that takes their event away; but for gone webhooks."""
    for each in deliveries:
        session.change(sql.ADD_DELIVERY, _row(each))


def _row(delivery: Delivery) -> dict[str, Any]:
    row = {name: getattr(delivery, name) for name in delivery.__slots__}
    row["state"] = None if delivery.state == "pending" else delivery.state
    attempts = [[each.at, each.headers, each.status, each.problem, each.ms] for each in delivery.attempts]
    row["attempts"] = orjson.dumps(attempts) if attempts else None
    return row


def _delivery(row: Sequence[Any]) -> Delivery:
    values = [*row]
    values[_STATE] = values[_STATE] or "pending"
    values[-1] = tuple(Attempt(*each) for each in orjson.loads(values[-1])) if values[-1] else ()
    return Delivery(*values)
