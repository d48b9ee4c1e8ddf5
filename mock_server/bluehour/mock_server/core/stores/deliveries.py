"""Deliveries as a store keeps them, those that wait and the last that are over; and how the memory has them.

A project's deliveries to one webhook stand in a line: one that has not been tried yet holds up those behind
it.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import count, islice
from math import inf
from threading import Lock
from typing import Protocol

from ..deliveries import Delivery


class Deliveries(Protocol):
    """Keeps them; `Store.hand_out` adds them. All calls may come from any thread, and may raise
    StoreUnavailable."""

    def take(self, webhook_id: str, sender: str, at: float) -> Delivery | None:
        """Take what is to be sent to a webhook next; None where nothing is due by `at`.

        Args:
            webhook_id: whose.
            sender: who sends it from now on; that is one try more.
            at: the time it is now.
        """

    def next_at(self, webhook_id: str) -> float:
        """Return when `take` will have something; `math.inf` where nothing waits."""

    def swap(self, old: Delivery, new: Delivery) -> bool:
        """Put what becomes of a delivery in its place.

        Returns:
            Whether it was still with the same sender at the same try; otherwise nothing has changed.
        """

    def senders(self) -> set[str]:
        """Return all who send something."""

    def release(self, sender: str, at: float) -> None:
        """Have what somebody was sending, who is gone, be due at `at`."""

    def hasten(self, webhook_id: str, at: float, after: float = -inf) -> None:
        """Have what waits for a webhook, and happened after a time, be due at `at`."""

    def postpone(self, webhook_id: str, at: float, seconds: float, problem: str) -> int:
        """Have what is due by `at` wait for a webhook that is off, and give up what has waited too long.

        Args:
            webhook_id: whose.
            at: the time it is now.
            seconds: how long after its event a delivery is given up.
            problem: what is said of those.

        Returns:
            How many were given up.
        """

    def forget_over(self, most: int) -> int:
        """Forget the earliest of those that are over, if they are more; return how many."""

    def find(self, delivery_id: str) -> Delivery | None:
        """Return one, or None."""

    def newest(self, project_id: str | None = None, limit: int | None = None) -> list[Delivery]:
        """Return those of a project, or all, the last to be handed out first; at most so many."""

    def count_waiting(self) -> int:
        """Return how many are pending, those that are being sent as well."""


class MemoryDeliveries:
    """Keeps them in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count()
        self._kept: dict[str, Delivery] = {}  # in the order of their numbers
        self._number_of: dict[str, int] = {}
        self._lines: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)  # those pending
        self._due: defaultdict[str, list[tuple[float, int, str]]] = defaultdict(list)  # heaps
        self._sent: dict[str, str] = {}
        self._over: list[tuple[int, str]] = []

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Have deliveries wait."""
        with self._lock:
            for each in deliveries:
                self._number_of[each.id] = next(self._numbers)
                self._put(each)

    def forget_webhook(self, webhook_id: str) -> int:
        """Forget all deliveries of a webhook; return how many of them were pending."""
        with self._lock:
            its = [each for each in self._kept.values() if each.webhook_id == webhook_id]
            self._remove(each.id for each in its)
            self._over = [each for each in self._over if each[1] in self._kept]
            self._due.pop(webhook_id, None)
            return sum(each.state == "pending" for each in its)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._remove(list(self._kept))
            self._over.clear()
            self._due.clear()

    def take(self, webhook_id: str, sender: str, at: float) -> Delivery | None:
        """Take what is to be sent to a webhook next."""
        with self._lock:
            first = self._first(webhook_id)
            if first is None or first.next_at > at:
                return None
            taken = replace(first, sender=sender, tries=first.tries + 1, next_at=inf)
            self._put(taken)
            return taken

    def next_at(self, webhook_id: str) -> float:
        """Return when `take` will have something."""
        with self._lock:
            first = self._first(webhook_id)
            return inf if first is None else first.next_at

    def swap(self, old: Delivery, new: Delivery) -> bool:
        """Put what becomes of a delivery in its place; tell whether it was still at the same try."""
        with self._lock:
            kept = self._kept.get(old.id)
            if kept is None or (kept.sender, kept.tries) != (old.sender, old.tries):
                return False
            self._put(new)
            return True

    def senders(self) -> set[str]:
        """Return all who send something."""
        with self._lock:
            return set(self._sent.values())

    def release(self, sender: str, at: float) -> None:
        """Have what somebody was sending be due at `at`."""
        with self._lock:
            for id_ in [id_ for id_, each in self._sent.items() if each == sender]:
                kept = self._kept[id_]
                self._put(replace(kept, sender=None, next_at=at if kept.state == "pending" else inf))

    def hasten(self, webhook_id: str, at: float, after: float = -inf) -> None:
        """Have what waits for a webhook, and happened after a time, be due at `at`."""
        with self._lock:
            for each in self._waiting_for(webhook_id, inf):
                if each.at > after:
                    self._put(replace(each, next_at=at))

    def postpone(self, webhook_id: str, at: float, seconds: float, problem: str) -> int:
        """Have what is due by `at` wait, and give up what has waited too long; return how many those are."""
        given_up = 0
        with self._lock:
            for each in self._waiting_for(webhook_id, at):
                if each.at + seconds > at:
                    self._put(replace(each, next_at=each.at + seconds))
                else:
                    given_up += 1
                    self._put(replace(each, state="failed", problem=problem, next_at=inf))
        return given_up

    def forget_over(self, most: int) -> int:
        """Forget the earliest of those that are over; return how many."""
        with self._lock:
            excess = max(len(self._over) - most, 0)
            if not excess:
                return 0
            gone, self._over = self._over[:excess], self._over[excess:]
            self._remove(id_ for _, id_ in gone)
            return excess

    def find(self, delivery_id: str) -> Delivery | None:
        """Return one, or None."""
        return self._kept.get(delivery_id)

    def newest(self, project_id: str | None = None, limit: int | None = None) -> list[Delivery]:
        """Return those of a project, or all, the last to be handed out first."""
        with self._lock:
            kept = list(self._kept.values())
        found = (each for each in reversed(kept) if project_id in (None, each.project_id))
        return list(islice(found, limit))

    def count_waiting(self) -> int:
        """Return how many are pending."""
        return len(self._kept) - len(self._over)

    def _waiting_for(self, webhook_id: str, until: float) -> list[Delivery]:
        return [
            each
            for each in self._kept.values()
            if each.webhook_id == webhook_id and each.next_at < inf and each.next_at <= until
        ]

    def _put(self, delivery: Delivery) -> None:
        """Have a delivery stand as it is now, with those that it held up."""
        id_, number = delivery.id, self._number_of[delivery.id]
        before, self._kept[id_] = self._kept.get(id_), delivery
        if delivery.sender is None:
            self._sent.pop(id_, None)
        else:
            self._sent[id_] = delivery.sender
        line = self._lines[_line_of(delivery)]
        if delivery.state == "pending":
            line[id_] = None
        else:
            line.pop(id_, None)
            if before is None or before.state == "pending":
                insort(self._over, (number, id_))
        self._line_up(_line_of(delivery))

    def _line_up(self, key: tuple[str, str]) -> None:
        """Have all of a line be due that nobody in front holds up."""
        if not self._lines[key]:
            del self._lines[key]
            return
        due = self._due[key[0]]
        for id_ in self._lines[key]:
            each = self._kept[id_]
            if each.next_at < inf:
                heappush(due, (each.next_at, self._number_of[id_], id_))
            if not each.attempts:
                break
        if len(due) > 4 * len(self._kept) + 100:
            due[:] = {each for each in due if self._is_right(each)}
            heapify(due)

    def _first(self, webhook_id: str) -> Delivery | None:
        due = self._due.get(webhook_id, [])
        while due:
            if self._is_right(due[0]):
                return self._kept[due[0][2]]
            heappop(due)
        return None

    def _is_right(self, entry: tuple[float, int, str]) -> bool:
        kept = self._kept.get(entry[2])
        return kept is not None and kept.next_at == entry[0]

    def _remove(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            key = _line_of(self._kept.pop(id_))
            del self._number_of[id_]
            self._sent.pop(id_, None)
            if key in self._lines:
                self._lines[key].pop(id_, None)
                self._line_up(key)


def _line_of(delivery: Delivery) -> tuple[str, str]:
    return delivery.webhook_id, delivery.project_id
