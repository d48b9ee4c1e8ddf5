"""Registered webhooks, and the events on their way to them.

Events wait in the store: a create is stored with them, and each is read off its project as that is when the
event falls due. So a project that was ended early tells of that, and of nothing else; and where the store is
kept, webhooks, events and deliveries outlive the process. What is due goes to the receiver's own thread,
because one receiver that is slow must not hold up the others.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import count
from queue import SimpleQueue
from threading import Condition, RLock, Thread
from typing import Literal, NamedTuple

import orjson

from bluehour.openapi.wording import counted, cut

from ..api.representation import events_of, kind_of, project_as_shown
from ..api.secrets import without_user
from ..core.deliveries import Attempt, ComingEvent, Delivery, Endpoint, WaitingDelivery
from ..core.projects import Project
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .sending import check_url, post
from .signature import delivery_rules, signed_headers

_MOST_ENDPOINTS = 100
"""Webhooks; each has a thread."""

_REMEMBERED = 1000
"""Deliveries that are over, and still shown."""

_MOST_PENDING = 10_000
"""Deliveries that wait for a receiver; what comes beyond them has failed."""

_PATIENCE = 0.5
"""Seconds that deliveries under way have to end in at the end."""

_PAUSE = 1.0
"""Seconds until the store is asked again where it can't be read."""

log = logging.getLogger("bluehour")


class _Retry(NamedTuple):
    """A delivery to be tried at a time."""

    at: float
    number: int
    delivery: Delivery

    @property
    def is_wanted(self) -> bool:
        """Whether it has not been scheduled anew, or ended, since."""
        return self.delivery.next_at == self.at


class _Errand(NamedTuple):
    """A delivery to make; in any case, or only if its webhook is switched on when its turn comes."""

    delivery: Delivery
    in_any_case: bool


class Webhooks:
    """What is sent to whom. May be used from any thread; its own start with the first registration.

    Args:
        world: whose projects they tell of; it is told of every change of a delivery.
        targets: tells which servers may be called.
        answer_within: seconds that a receiver has; what the contract says where none are given.

    Attributes:
        dropped: deliveries that failed because too many were waiting, since the start or the reset.
        forgotten: deliveries that were over and are shown no more, as there are too many.
        ended: how many deliveries are over since the start, by what they ended in.
    """

    def __init__(
        self, world: World, targets: Callable[[], TargetPolicy], answer_within: float | None = None
    ) -> None:
        self.dropped = 0
        self.forgotten = 0
        self.ended: Counter[str] = Counter(delivered=0, failed=0)
        self._world = world
        self._targets = targets
        self._answer_within = answer_within
        lock = RLock()
        self._changed = Condition(lock)
        self._alarm = Condition(lock)  # for the scheduler alone
        self._sleeps_until = math.inf
        self._is_woken = False
        self._numbers = count(1)
        self._endpoints: dict[str, Endpoint] = {}
        self._initial: tuple[Endpoint, ...] = ()
        self._lanes: dict[str, SimpleQueue[_Errand | None]] = {}
        self._retries: list[_Retry] = []
        self._deliveries: dict[str, Delivery] = {}
        self._over: deque[str] = deque()
        self._to_be_forgotten: list[str] = []  # by the store
        self._is_dropping = False
        self._resets = 0
        self._under_way = 0
        self._closed = False
        self._scheduler: Thread | None = None

    @property
    def events(self) -> Mapping[tuple[str, str], str]:
        """The contract's events, by the kind of project and the status that they announce."""
        return events_of(self._world.contract)

    @property
    def names(self) -> frozenset[str]:
        """What the contract's events are called, those that tell of other things than projects as well."""
        return frozenset(self._world.contract.webhooks)

    def endpoints(self) -> list[Endpoint]:
        """Return the registered webhooks."""
        return list(self._endpoints.values())

    @property
    def waiting(self) -> int:
        """How many deliveries are under way, or wait to be tried again."""
        with self._changed:
            return len(self._deliveries) - len(self._over)

    def register(self, url: str, secret: str | None = None, events: Iterable[str] | None = None) -> Endpoint:
        """Register a receiver; it also hears of the projects that are unfinished now.

        Args:
            url: where events are POSTed to.
            secret: made up where none is given.
            events: names; all where none are given.

        Raises:
            ValueError: an event that there is not, no URL, one that may not be called, or one too many.
        """
        check_url(url, self._targets())
        known = self.names
        wanted = known if events is None else frozenset(events)
        if not known:
            raise ValueError("the contract has no webhooks for projects: there is nothing to send")
        if unknown := wanted - known:
            raise ValueError(f"there is no event {cut(min(unknown))}; there are {', '.join(sorted(known))}")
        if len(self._endpoints) >= _MOST_ENDPOINTS:
            raise ValueError(f"there are {_MOST_ENDPOINTS} webhooks already, as many as there may be")
        secret = secret or delivery_rules()["secret-prefix"] + secrets.token_hex(16)
        now = self._world.clock.now()
        endpoint = Endpoint(_new_id("webhook"), url, secret, wanted, since=now)
        self._world.store.put_webhook(endpoint)
        with self._changed:
            is_first = not self._endpoints
            self._add(endpoint)
        if is_first:
            self._world.store.announce_unfinished(now, self._world.base_url)
            self.wake()
        return endpoint

    def start_with(self, endpoints: Iterable[Endpoint]) -> None:
        """Mark registered ones as those that `reset` comes back to, and that each start has to give again."""
        self._initial = tuple(endpoints)
        for endpoint in self._initial:
            endpoint.is_initial = True
            self._world.store.put_webhook(endpoint)

    def resume(self, urls: Iterable[str] = (), secret: str | None = None) -> None:
        """Begin with the webhooks of the command line, and take up what another process left in the store.

        Those that were registered while it ran are back, with their secrets. Those of its command line are if
        they are given again; else they are dropped, and what waits for them.

        Args:
            urls: the webhooks to begin with.
            secret: theirs; where none is given, it stays as it was, or is made up.

        Raises:
            ValueError: an URL can't be a webhook.
        """
        given, initial = list(urls), list(self._initial)
        for url in given:
            check_url(url, self._targets())
        for endpoint in self._world.store.webhooks():
            if endpoint.id in self._endpoints:
                continue
            if endpoint.is_initial and endpoint.url in given:
                given.remove(endpoint.url)
                endpoint.secret, endpoint.enabled = secret or endpoint.secret, True
                initial.append(endpoint)
            elif endpoint.is_initial:
                self._drop_with_its_deliveries(endpoint)
                continue
            with self._changed:
                self._add(endpoint)
        self._take_up_deliveries()
        self.start_with([*initial, *(self.register(url, secret) for url in given)])

    def switch(self, endpoint_id: str, enabled: bool) -> Endpoint:
        """Switch a webhook on or off.

        Raises:
            KeyError: there is no such webhook.
        """
        endpoint = self._endpoints[endpoint_id]
        self._world.store.put_webhook(replace(endpoint, enabled=enabled))
        with self._changed:
            was_enabled, endpoint.enabled = endpoint.enabled, enabled
            if enabled and not was_enabled:
                now = self._world.clock.now()
                for delivery in self._deliveries.values():
                    if delivery.endpoint is endpoint and delivery.next_at is not None:
                        self._schedule(now, delivery)
        return endpoint

    def remove(self, endpoint_id: str) -> None:
        """Forget a webhook and the deliveries that wait for it.

        Raises:
            KeyError: there is no such webhook.
        """
        endpoint = self._endpoints[endpoint_id]
        self._world.store.remove_webhook(endpoint_id)
        with self._changed:
            if self._endpoints.pop(endpoint_id, None) is None:
                return
            self._lanes.pop(endpoint_id).put(None)
            its = {key for key, each in self._deliveries.items() if each.endpoint is endpoint}
            for key in its:
                self._deliveries.pop(key).next_at = None  # so that no retry of it is wanted
            self._over = deque(key for key in self._over if key not in its)
            self._changed.notify_all()

    def follow(self, project: Project) -> None:
        """Look after the events of a project that has just been stored, or changed there."""
        if self._endpoints and project.rendering_at < self._sleeps_until:
            self.wake()

    def deliveries(self, project_id: str | None = None) -> list[Delivery]:
        """Return deliveries, newest first."""
        with self._changed:
            found = list(self._deliveries.values())
        return [each for each in reversed(found) if project_id in (None, each.project_id)]

    def resend(self, delivery_id: str, timeout: float) -> Delivery:
        """Send a delivery once more, whatever became of it, and wait for the answer.

        Raises:
            KeyError: there is no such delivery.
            TimeoutError: other deliveries to the same receiver take too long.
        """
        with self._changed:
            delivery = self._deliveries[delivery_id]
            tried = len(delivery.attempts)
            self._send(delivery, in_any_case=True)
            if not self._changed.wait_for(lambda: len(delivery.attempts) > tried, timeout):
                raise TimeoutError
        return delivery

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is due; tell whether that came true within `timeout` real seconds."""
        with self._changed:
            return self._changed.wait_for(self._is_settled, timeout)

    def forget(self) -> None:
        """Forget all deliveries, and webhooks that were not there at the start; the store has been reset."""
        with self._changed:
            self._resets += 1
            self.dropped = self.forgotten = 0
            for lane in self._lanes.values():
                lane.put(None)
            self._endpoints.clear()
            self._lanes.clear()
            self._deliveries.clear()
            self._over.clear()
            self._retries.clear()
            for endpoint in self._initial:
                endpoint.enabled, endpoint.since = True, -math.inf
                self._add(endpoint)
            self._changed.notify_all()

    def reset(self) -> None:
        """Have the webhooks of the start in the store again."""
        for endpoint in self._initial:  # one that was removed is not in the store any more
            self._world.store.put_webhook(endpoint)

    def close(self) -> None:
        """Send nothing more; what is under way may end. What waits is taken up from a store that is kept."""
        with self._changed:
            self._closed = True
            for lane in self._lanes.values():
                lane.put(None)
            self._changed.notify_all()
            self._alarm.notify_all()
            self._changed.wait_for(lambda: self._under_way == 0, _PATIENCE)

    # What was left in the store.

    def _drop_with_its_deliveries(self, endpoint: Endpoint) -> None:
        dropped = sum(each.webhook_id == endpoint.id for each in self._world.store.waiting_deliveries())
        self._world.store.remove_webhook(endpoint.id)
        self.dropped += dropped
        if dropped:
            log.warning(
                "%s for %s dropped: it is no --webhook now",
                counted(dropped, "event"),
                without_user(endpoint.url),
            )

    def _take_up_deliveries(self) -> None:
        now = self._world.clock.now()
        with self._changed:
            for kept in self._world.store.waiting_deliveries():
                endpoint = self._endpoints.get(kept.webhook_id)
                if endpoint is not None and kept.id not in self._deliveries:
                    delivery = Delivery(
                        kept.id,
                        endpoint,
                        kept.event,
                        kept.project_id,
                        kept.body,
                        kept.at,
                        kept.next_at,
                        tries=kept.tries,
                    )
                    self._deliveries[kept.id] = delivery
                    # The clock of the other process may have been ahead of this one's.
                    self._schedule(min(kept.next_at, now + _pause_after(kept.tries)), delivery)

    # The scheduler.

    def _add(self, endpoint: Endpoint) -> None:
        lane: SimpleQueue[_Errand | None] = SimpleQueue()
        self._endpoints[endpoint.id] = endpoint
        self._lanes[endpoint.id] = lane
        Thread(target=self._work, args=(lane,), name="bluehour-webhook", daemon=True).start()
        if self._scheduler is None:
            self._scheduler = Thread(target=self._watch, name="bluehour-webhooks", daemon=True)
            self._scheduler.start()

    def _schedule(self, at: float, delivery: Delivery) -> None:
        delivery.next_at = at
        heappush(self._retries, _Retry(at, next(self._numbers), delivery))
        if len(self._retries) > 2 * len(self._deliveries) + 100:  # most of them are out of date
            wanted = {each.delivery.id: each for each in self._retries if each.is_wanted}
            self._retries = list(wanted.values())
            heapify(self._retries)
        self.wake()

    def wake(self) -> None:
        """Look anew what is due: the clock may have been moved."""
        with self._changed:
            self._is_woken = True
            self._alarm.notify_all()

    def _watch(self) -> None:
        """The scheduler's thread: hand out what is due, sleep until more is."""
        while True:
            with self._changed:
                if self._closed:
                    return
                self._is_woken = False
                self._under_way += 1
            try:
                pause = self._do_next()
                self._have_the_store_forget()
            except Exception as error:  # such as a store that is locked, or a disk that is full
                log.warning("webhooks' events can't be read, and wait: %s", f"{error}".partition("\n")[0])
                pause = _PAUSE
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
                if pause != 0 and not self._is_woken and not self._closed:
                    self._alarm.wait(pause)
                self._sleeps_until = math.inf

    def _do_next(self) -> float | None:
        """Do what is due first; return how many real seconds there are to sleep, None for ever."""
        event = self._world.store.next_event()
        now = self._world.clock.now()
        with self._changed:
            while self._retries and not self._retries[0].is_wanted:
                heappop(self._retries)
            event_at = math.inf if event is None else event.at
            retry_at = self._retries[0].at if self._retries else math.inf
            next_at = min(event_at, retry_at)
            if next_at > now:
                self._sleeps_until = event_at
                return None if self._world.clock.frozen else min(max(next_at - now, 0.001), 3600)
            if retry_at < event_at:
                self._try(heappop(self._retries).delivery, now)
                return 0
            resets = self._resets
        if event is not None:
            self._hand_out(event, now, resets)
        return 0

    def _hand_out(self, event: ComingEvent, now: float, resets: int) -> None:
        """Have an event be a delivery for each webhook that wants it."""
        name = self.events.get((kind_of(self._world, event.project), event.status))
        with self._changed:
            wanting = [
                each for each in self._endpoints.values() if name in each.events and each.since <= event.at
            ]
            room = max(_MOST_PENDING - (len(self._deliveries) - len(self._over)), 0)
        body = self._body_of(event, name) if name is not None and wanting else None
        if body is None:
            deliveries = []
        else:
            deliveries = [
                Delivery(_new_id("delivery"), each, f"{name}", event.project.id, body, event.at, now)
                for each in wanting
            ]
        if self._world.store.hand_out(event, [_kept(each) for each in deliveries[:room]]):
            self._begin(deliveries, room, now, resets)

    def publish(self, name: str, subject: str, body: bytes, at: float) -> None:
        """Send an event that has happened to all who want it.

        Args:
            name: of the event.
            subject: the id of what it tells of.
            body: what is sent.
            at: when it happened, by the mock's clock.
        """
        with self._changed:
            wanting = [each for each in self._endpoints.values() if name in each.events and each.since <= at]
            room = max(_MOST_PENDING - (len(self._deliveries) - len(self._over)), 0)
            resets = self._resets
        deliveries = [Delivery(_new_id("delivery"), each, name, subject, body, at, at) for each in wanting]
        self._world.store.hand_out(None, [_kept(each) for each in deliveries[:room]])
        self._begin(deliveries, room, at, resets)

    def _begin(self, deliveries: list[Delivery], room: int, now: float, resets: int) -> None:
        """Have deliveries made that are stored, as far as there is room for them."""
        with self._changed:
            for place, delivery in enumerate(deliveries):
                if (
                    self._endpoints.get(delivery.endpoint.id) is not delivery.endpoint
                    or resets != self._resets
                ):
                    self._to_be_forgotten.append(delivery.id)
                    continue
                self._deliveries[delivery.id] = delivery
                if place < room:
                    self._try(delivery, now)
                else:
                    self._drop(delivery)

    def _drop(self, delivery: Delivery) -> None:
        self.dropped += 1
        problem = f"dropped, not sent: {_MOST_PENDING:,} deliveries were waiting already"
        self._end(delivery, "failed", problem)
        if not self._is_dropping:  # told once, not with every event
            self._is_dropping = True
            log.warning(
                "webhooks: %s deliveries are waiting for receivers; those beyond are dropped, and counted in "
                "GET /_mock/webhooks",
                f"{_MOST_PENDING:,}",
            )

    def _body_of(self, event: ComingEvent, name: str) -> bytes | None:
        try:
            payload = project_as_shown(self._world, event.project, event.at, event.base_url)
            return orjson.dumps({"type": name, "payload": payload})
        except Exception:  # one event is lost, not all that come after it
            log.exception("a webhook's event could not be sent, which is a bug of the mock")
            return None

    def _try(self, delivery: Delivery, now: float) -> None:
        if delivery.endpoint.enabled:
            self._send(delivery)
        else:
            self._retry_or_give_up(delivery, now)

    def _send(self, delivery: Delivery, *, in_any_case: bool = False) -> None:
        lane = self._lanes[delivery.endpoint.id]
        delivery.next_at = None
        self._under_way += 1
        lane.put(_Errand(delivery, in_any_case))

    # A receiver's thread.

    def _work(self, lane: SimpleQueue[_Errand | None]) -> None:
        """Send a receiver one event after the other."""
        while (errand := lane.get()) is not None:
            attempt = self._attempt_if_wanted(errand)
            if attempt is not None:
                with self._changed:
                    self._note(errand.delivery, attempt)
            self._have_the_store_forget()
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
            self._world.announce("webhooks")

    def _attempt_if_wanted(self, errand: _Errand) -> Attempt | None:
        delivery = errand.delivery
        try:
            if self._is_wanted(errand) and self._may_be_tried(delivery):
                return self._attempt(delivery)
        except Exception as error:  # such as a store that is locked, or a disk that is full
            log.warning("a webhook's event can't be sent, and waits: %s", f"{error}".partition("\n")[0])
            with self._changed:
                if delivery.state == "pending":
                    self._retry_or_give_up(delivery, self._world.clock.now())
        return None

    def _is_wanted(self, errand: _Errand) -> bool:
        """Tell whether it is still to be run: much may have happened while it waited for those before it."""
        delivery = errand.delivery
        with self._changed:
            if self._closed or self._deliveries.get(delivery.id) is not delivery:
                return False
            if delivery.endpoint.enabled or errand.in_any_case:
                return True
            self._retry_or_give_up(delivery, self._world.clock.now())
            return False

    def _may_be_tried(self, delivery: Delivery) -> bool:
        """Count a try, in the store first: whatever happens to this process, none is made twice at a time."""
        if delivery.state != "pending":  # sent once more: nothing waits
            return True
        again_at = self._world.clock.now() + _pause_after(delivery.tries + 1)
        is_ours = self._world.store.try_delivery(delivery.id, delivery.tries, again_at)
        with self._changed:
            if is_ours:
                delivery.tries += 1
            else:  # another process on the same store has it
                self._deliveries.pop(delivery.id, None)
        return is_ours

    def _attempt(self, delivery: Delivery) -> Attempt:
        at = self._world.clock.now()
        headers = signed_headers(delivery.body, int(at), delivery.endpoint.secret)
        limit = self._answer_within or delivery_rules()["answer-within"]
        status, problem, ms = post(delivery.endpoint.url, delivery.body, headers, limit, self._targets())
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

    def _note(self, delivery: Delivery, attempt: Attempt) -> None:
        delivery.attempts.append(attempt)
        if attempt.problem is None:
            self._end(delivery, "delivered")
        elif delivery.state == "pending":
            self._retry_or_give_up(delivery, attempt.at)

    # The end of a delivery.

    def _retry_or_give_up(self, delivery: Delivery, now: float) -> None:
        retried_for = delivery_rules()["retried-for"]
        give_up_at = delivery.at + retried_for
        if now >= give_up_at:
            self._end(delivery, "failed", f"given up: nobody has taken it within {retried_for / 3600:g} h")
        elif delivery.endpoint.enabled:
            self._schedule(min(now + _pause_after(delivery.tries), give_up_at), delivery)
        else:  # nothing to do until it is switched on, or the day is over
            self._schedule(give_up_at, delivery)

    def _end(
        self, delivery: Delivery, state: Literal["delivered", "failed"], problem: str | None = None
    ) -> None:
        if delivery.state == "pending":
            self.ended[state] += 1
            self._over.append(delivery.id)
            self._to_be_forgotten.append(delivery.id)
        delivery.state, delivery.problem, delivery.next_at = state, problem, None
        if len(self._deliveries) - len(self._over) <= _MOST_PENDING // 2:
            self._is_dropping = False
        while len(self._over) > _REMEMBERED:
            self._deliveries.pop(self._over.popleft(), None)
            self.forgotten += 1

    def _have_the_store_forget(self) -> None:
        """Have the store forget what is over; not under the lock, as it may take its time."""
        with self._changed:
            over, self._to_be_forgotten = self._to_be_forgotten, []
        try:
            while over:
                self._world.store.end_delivery(over[-1])
                over.pop()
        except Exception as error:
            log.warning("the end of a delivery can't be stored yet: %s", f"{error}".partition("\n")[0])
            with self._changed:
                self._to_be_forgotten += over

    def _is_settled(self) -> bool:
        if self._closed:
            return True
        if self._under_way or not self._endpoints:
            return not self._under_way
        now = self._world.clock.now()
        if any(each.is_wanted and each.at <= now for each in self._retries):
            return False
        event = self._world.store.next_event()
        return event is None or event.at > now


def _new_id(kind: str) -> str:
    """An id that no other process on the same store makes as well."""
    return f"{kind}-{secrets.token_hex(6)}"


def _pause_after(tries: int) -> float:
    """How long a delivery waits after so many tries, in seconds."""
    return float(delivery_rules()["first-retry-after"]) * 2.0 ** max(tries - 1, 0)


def _kept(delivery: Delivery) -> WaitingDelivery:
    """A delivery that is about to be made, as the store keeps it."""
    return WaitingDelivery(
        delivery.id,
        delivery.endpoint.id,
        delivery.event,
        delivery.project_id,
        delivery.body,
        delivery.at,
        0,
        delivery.next_at or 0,
    )
