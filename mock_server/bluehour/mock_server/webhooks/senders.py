"""Who sends: for each webhook some threads, which take what is due from the store, one after the other.

A delivery is marked with its sender before it is sent, and what came of that is stored before the next one is
taken. So no two processes send the same at once, and what a process was sending that was killed, another one
sends again: at least once, by one id.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import inf
from threading import Condition, Thread

from ..core.deliveries import Attempt, Delivery, Endpoint
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .registry import Registry
from .sending import post
from .signature import delivery_rules, signed_headers

MOST_AT_ONCE = 4
"""Deliveries that a process sends to a webhook side by side."""

_REMEMBERED = 1000
"""Deliveries that are over, and still shown."""

COUNTS = "deliveries"
"""The group of what is counted of them, over all processes: those dropped, and those forgotten."""

_MOST_ATTEMPTS = 100
"""Of a delivery, that are shown: the last ones."""

_PAUSE = 1.0
"""Seconds until the end of a delivery is stored that could not be."""

_PATIENCE = 0.5
"""Seconds that deliveries under way have to end in at the end."""

log = logging.getLogger("bluehour")


class Senders:
    """Sends deliveries. May be used from any thread.

    Args:
        world: its store has the deliveries.
        registry: who gets them.
        targets: tells which servers may be called.

    Attributes:
        answer_within: seconds that a receiver has; what the contract says where it is None.
        ended: how many deliveries are over since the start of this process, by what they ended in.
        on_change: called when a sender is through, and there may be more to do.
    """

    def __init__(self, world: World, registry: Registry, targets: Callable[[], TargetPolicy]) -> None:
        self.answer_within: float | None = None
        self.ended: Counter[str] = Counter(delivered=0, failed=0)
        self.on_change: Callable[[], None] = lambda: None
        self._world = world
        self._deliveries = world.store.deliveries
        self._registry = registry
        self._targets = targets
        self._changed = Condition()
        self._busy: Counter[str] = Counter()
        self._is_closed = False
        self._is_over = False

    @property
    def is_idle(self) -> bool:
        """Whether this process sends nothing."""
        return not self._busy.total()

    def begin(self, endpoint: Endpoint) -> float:
        """Have what is due for a webhook sent, as much as it is sent at once.

        Returns:
            When more will be due, by the mock's clock; `math.inf` where nothing waits, or a sender takes it.
        """
        if not endpoint.enabled:
            return self._put_off(endpoint)
        while self._busy[endpoint.id] < MOST_AT_ONCE:
            taken = self._take(endpoint.id)
            if taken is None:
                return self._deliveries.next_at(endpoint.id)
            with self._changed:
                self._busy[endpoint.id] += 1
            Thread(target=self._work, args=(taken,), name="bluehour-webhook", daemon=True).start()
        return inf

    def resend(self, delivery_id: str, timeout: float) -> Delivery:
        """Send a delivery once more, whatever became of it, and return it with the new attempt.

        Raises:
            KeyError: there is no such delivery.
            TimeoutError: somebody sends it already, and that takes too long.
        """
        until = time.monotonic() + timeout
        while True:
            found = self._deliveries.find(delivery_id)
            endpoint = None if found is None else self._registry.find(found.webhook_id)
            if found is None or endpoint is None:
                raise KeyError(delivery_id)
            taken = replace(found, sender=self._world.board.member, tries=found.tries + 1, next_at=inf)
            if found.sender is None and self._deliveries.swap(found, taken):
                after = self._end(taken, self._attempted(endpoint, taken))
                self.on_change()
                return after
            if time.monotonic() > until:
                raise TimeoutError
            with self._changed:
                self._changed.wait(0.02)

    def release_those_of_gone_processes(self) -> None:
        """Have what other processes were sending that are gone be due again."""
        notes = self._world.store.notes
        if not notes.is_shared:
            return
        senders = self._deliveries.senders() - {self._world.board.member}
        if senders:  # each was among the members before it was a sender
            for gone in senders - notes.members().keys():
                self._deliveries.release(gone, self._world.clock.now())

    def close(self) -> None:
        """Take nothing more; what is under way may end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.is_idle, _PATIENCE)
            self._is_over = True

    def _take(self, webhook_id: str) -> Delivery | None:
        if self._is_closed:
            return None
        return self._deliveries.take(webhook_id, self._world.board.member, self._world.clock.now())

    def _work(self, taken: Delivery) -> None:
        """Be a sender: as long as there is something for a webhook."""
        webhook_id = taken.webhook_id
        must_look = False  # whether the scheduler has to, for what is tried again, or what no sender was for
        try:
            next_one: Delivery | None = taken
            while next_one is not None:
                must_look |= self._send(next_one)
                endpoint = self._registry.find(webhook_id)
                next_one = self._take(webhook_id) if endpoint and endpoint.enabled else None
            self._forget_over()
        except Exception as error:  # such as a store that is locked: the scheduler asks it again
            must_look = True
            log.warning("webhooks' events can't be read, and wait: %s", f"{error}".partition("\n")[0])
        finally:
            with self._changed:
                must_look |= self._busy[webhook_id] >= MOST_AT_ONCE
                self._busy[webhook_id] -= 1
                self._changed.notify_all()
            if must_look:
                self.on_change()

    def _forget_over(self) -> None:
        """Have no more in the store that is over than is shown."""
        gone = 0 if self._is_over else self._deliveries.forget_over(_REMEMBERED)
        if gone:
            self._world.store.notes.count(COUNTS, "forgotten", by=gone)

    def _send(self, taken: Delivery) -> bool:
        """Send a delivery, and tell whether it is to be sent again."""
        endpoint = self._registry.find(taken.webhook_id)
        if endpoint is None:  # and it is gone with it
            return False
        if endpoint.enabled:
            after = self._attempted(endpoint, taken)
        else:
            after = replace(taken, sender=None, tries=taken.tries - 1, next_at=self._world.clock.now())
        self._end(taken, after)
        self._world.announce("webhooks")
        return after.next_at < inf

    def _end(self, taken: Delivery, after: Delivery) -> Delivery:
        """Store what came of a delivery, however long the store is away."""
        while not self._is_over:
            try:
                if self._deliveries.swap(taken, after) and after.state != taken.state:
                    self.ended[after.state] += 1
                break
            except Exception as error:
                log.warning("the end of a delivery can't be stored yet: %s", f"{error}".partition("\n")[0])
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closed, _PAUSE)
                    if self._is_closed:
                        break
        return after

    def _put_off(self, endpoint: Endpoint) -> float:
        """Have what is due for a webhook that is off wait until it is on, or its day is over."""
        now = self._world.clock.now()
        if self._deliveries.next_at(endpoint.id) <= now:
            given_up = self._deliveries.postpone(endpoint.id, now, *_giving_up())
            self.ended["failed"] += given_up
            self._forget_over()
            found = self._registry.find(endpoint.id)
            if found is not None and found.enabled:  # by now
                self._deliveries.hasten(endpoint.id, now)
        return self._deliveries.next_at(endpoint.id)

    def _attempted(self, endpoint: Endpoint, delivery: Delivery) -> Delivery:
        """Try to deliver, and return what becomes of the delivery."""
        try:
            attempt = self._attempt(endpoint, delivery)
        except Exception as error:  # one is lost, not all that come after it
            log.exception("a webhook's event could not be sent, which is a bug of the mock")
            attempt = Attempt(self._world.clock.now(), {}, None, f"not sent: {error}", 0)
        return _after(delivery, attempt)

    def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> Attempt:
        at = self._world.clock.now()
        headers = signed_headers(delivery.body, int(at), endpoint.secret)
        limit = self.answer_within or delivery_rules()["answer-within"]
        status, problem, ms = post(endpoint.url, delivery.body, headers, limit, self._targets())
        if problem and status in (400, 401, 403):
            problem += self._skew()
        return Attempt(at, headers, status, problem, ms)

    def _skew(self) -> str:
        """Why a receiver may have refused an event though it did everything right."""
        ahead = self._world.clock.now() - time.time()
        if abs(ahead) <= delivery_rules()["tolerance"]:
            return ""
        where = "ahead of" if ahead > 0 else "behind"
        return f" (the mock's clock, and so the timestamp, is {abs(ahead):,.0f} s {where} the system's)"


def _after(delivery: Delivery, attempt: Attempt) -> Delivery:
    """Return what becomes of a delivery by an attempt."""
    attempts = (*delivery.attempts, attempt)[-_MOST_ATTEMPTS:]
    tried = replace(delivery, sender=None, next_at=inf, attempts=attempts)
    if attempt.problem is None:
        return replace(tried, state="delivered", problem=None)
    if delivery.state != "pending":
        return tried
    seconds, problem = _giving_up()
    if attempt.at >= delivery.at + seconds:
        return replace(tried, state="failed", problem=problem)
    pause = float(delivery_rules()["first-retry-after"]) * 2.0 ** max(delivery.tries - 1, 0)
    return replace(tried, next_at=min(attempt.at + pause, delivery.at + seconds))


def _giving_up() -> tuple[float, str]:
    """After how many seconds a delivery is given up, and what is said then."""
    seconds = delivery_rules()["retried-for"]
    return seconds, f"given up: nobody has taken it within {seconds / 3600:g} h"
