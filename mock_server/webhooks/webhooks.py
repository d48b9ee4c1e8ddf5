"""Registered webhooks, and the events on their way to them.

An event is planned when its project is created, falls due when the clock gets there, and is then read off
the project as it is: so a project that was ended early tells of that, and of nothing else. What is due goes
to the receiver's own thread, because one receiver that is slow must not hold up the others.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from queue import SimpleQueue
from threading import Condition, Thread
from typing import TYPE_CHECKING, NamedTuple

import orjson

from ..projects import Project, status_at
from ..representation import image_project
from .deliveries import Attempt, Delivery, Endpoint
from .sending import post
from .signature import delivery_rules, signed_headers

if TYPE_CHECKING:
    from ..mock import Mock

_REMEMBERED = 1000
"""Deliveries that are over, and still shown."""


class _Due(NamedTuple):
    """Something to do at a time: an event that happens, or a delivery to be tried again."""

    at: float
    number: int
    what: _Event | Delivery


class _Event(NamedTuple):
    name: str
    at: float
    project_id: str
    base_url: str


class _Errand(NamedTuple):
    """A delivery to make; in any case, or only if its webhook is switched on when its turn comes."""

    delivery: Delivery
    in_any_case: bool


class Webhooks:
    """What is sent to whom. May be used from any thread; its own start with the first registration.

    Args:
        mock: whose projects they tell of.
        answer_within: seconds that a receiver has; what the contract says where none are given.
        on_change: called when a delivery has changed.
    """

    def __init__(
        self, mock: Mock, answer_within: float | None = None, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._mock = mock
        self._answer_within = answer_within
        self._on_change = on_change
        self._changed = Condition()
        self._numbers = count(1)
        self._endpoints: dict[str, Endpoint] = {}
        self._initial: tuple[Endpoint, ...] = ()
        self._lanes: dict[str, SimpleQueue[_Errand | None]] = {}
        self._due: list[_Due] = []
        self._deliveries: dict[str, Delivery] = {}
        self._under_way = 0
        self._closed = False
        self._scheduler: Thread | None = None
        mock.clock.on_change(self._wake)

    @property
    def events(self) -> dict[str, str]:
        """The contract's events by the status that they announce."""
        return {
            operation.node["x-project-status"]: name
            for name, operation in self._mock.contract.webhooks.items()
            if "x-project-status" in operation.node
        }

    def endpoints(self) -> list[Endpoint]:
        """Return the registered webhooks."""
        return list(self._endpoints.values())

    def register(self, url: str, secret: str | None = None, events: Iterable[str] | None = None) -> Endpoint:
        """Register a receiver; it also hears of the projects that are unfinished now.

        Args:
            url: where events are POSTed to.
            secret: made up where none is given.
            events: names; all where none are given.

        Raises:
            ValueError: an event that there is not.
        """
        known = frozenset(self.events.values())
        wanted = known if events is None else frozenset(events)
        if wanted - known or not known:
            unknown = ", ".join(sorted(wanted - known)) or "any"
            raise ValueError(f"there is no event {unknown}; there are {', '.join(sorted(known)) or 'none'}")
        secret = secret or delivery_rules()["secret-prefix"] + secrets.token_hex(16)
        endpoint = Endpoint(f"webhook-{next(self._numbers)}", url, secret, wanted)
        with self._changed:
            is_first = not self._endpoints
            self._add(endpoint)
        if is_first:
            now = self._mock.clock.now()
            for project in self._mock.store.projects(unfinished_at=now, limit=100_000):
                self.follow(project, self._mock.base_url, since=now)
        return endpoint

    def start_with(self, endpoints: Iterable[Endpoint]) -> None:
        """Mark the registered ones as those that `reset` comes back to."""
        self._initial = tuple(endpoints)

    def switch(self, endpoint_id: str, enabled: bool) -> Endpoint:
        """Switch a webhook on or off.

        Raises:
            KeyError: there is no such webhook.
        """
        with self._changed:
            endpoint = self._endpoints[endpoint_id]
            was_enabled, endpoint.enabled = endpoint.enabled, enabled
            if enabled and not was_enabled:
                now = self._mock.clock.now()
                for delivery in self._deliveries.values():
                    if delivery.endpoint is endpoint and delivery.next_at is not None:
                        self._schedule(now, delivery)
        return endpoint

    def remove(self, endpoint_id: str) -> None:
        """Forget a webhook and the deliveries that wait for it.

        Raises:
            KeyError: there is no such webhook.
        """
        with self._changed:
            endpoint = self._endpoints.pop(endpoint_id)
            self._lanes.pop(endpoint_id).put(None)
            waiting = [key for key, each in self._deliveries.items() if each.endpoint is endpoint]
            for key in waiting:
                del self._deliveries[key]
            if not self._endpoints:  # the next to register plans what is to come anew
                self._due.clear()
            self._changed.notify_all()

    def follow(self, project: Project, base_url: str, since: float = -math.inf) -> None:
        """Plan the events of a project that was created, or ended early.

        Args:
            project: as it is now.
            base_url: what clients reach the mock by; it goes into links.
            since: events that are older are not planned.
        """
        if not self._endpoints:
            return
        events = self.events
        moments = [(project.finished_at, events.get(status_at(project, project.finished_at)))]
        if project.rendering_at < project.finished_at:  # a fast job skips it, as on the real service
            moments.append((project.rendering_at, events.get("rendering")))
        with self._changed:
            for at, name in moments:
                if name is not None and since <= at < math.inf:
                    self._schedule(at, _Event(name, at, project.id, base_url))

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

    def reset(self) -> None:
        """Forget all deliveries, and the webhooks that were not there at the start."""
        with self._changed:
            for lane in self._lanes.values():
                lane.put(None)
            self._endpoints.clear()
            self._lanes.clear()
            self._deliveries.clear()
            self._due.clear()
            for endpoint in self._initial:
                endpoint.enabled = True
                self._add(endpoint)
            self._changed.notify_all()

    def close(self) -> None:
        """Send nothing more."""
        with self._changed:
            self._closed = True
            for lane in self._lanes.values():
                lane.put(None)
            self._changed.notify_all()

    def _add(self, endpoint: Endpoint) -> None:
        lane: SimpleQueue[_Errand | None] = SimpleQueue()
        self._endpoints[endpoint.id] = endpoint
        self._lanes[endpoint.id] = lane
        Thread(target=self._work, args=(lane,), name="bluehour-webhook", daemon=True).start()
        if self._scheduler is None:
            self._scheduler = Thread(target=self._watch, name="bluehour-webhooks", daemon=True)
            self._scheduler.start()

    def _schedule(self, at: float, what: _Event | Delivery) -> None:
        if isinstance(what, Delivery):
            what.next_at = at
        heappush(self._due, _Due(at, next(self._numbers), what))
        self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _watch(self) -> None:
        """The scheduler's thread: hand out what is due, sleep until more is."""
        with self._changed:
            while not self._closed:
                now = self._mock.clock.now()
                while self._due and self._due[0].at <= now:
                    self._begin(heappop(self._due), now)
                self._changed.notify_all()
                self._changed.wait(self._seconds_to_sleep(now))

    def _seconds_to_sleep(self, now: float) -> float | None:
        if not self._due or self._mock.clock.frozen:
            return None
        return min(max(self._due[0].at - now, 0.001), 3600)

    def _begin(self, due: _Due, now: float) -> None:
        if isinstance(due.what, Delivery):
            if due.what.next_at == due.at and due.what.id in self._deliveries:
                self._try(due.what, now)
            return
        body = self._body_of(due.what)
        if body is None:
            return
        for endpoint in self._endpoints.values():
            if due.what.name in endpoint.events:
                number = f"delivery-{next(self._numbers)}"
                delivery = Delivery(number, endpoint, due.what.name, due.what.project_id, body, due.at, now)
                self._deliveries[number] = delivery
                self._try(delivery, now)
        self._forget_oldest()

    def _body_of(self, event: _Event) -> bytes | None:
        """The event's body; None where the project has taken another turn since it was planned."""
        project = self._mock.store.project(event.project_id)
        if project is None or event.at not in (project.rendering_at, project.finished_at):
            return None
        if self.events.get(status_at(project, event.at)) != event.name:
            return None
        payload = image_project(self._mock, project, event.at, event.base_url)
        return orjson.dumps({"type": event.name, "payload": payload})

    def _try(self, delivery: Delivery, now: float) -> None:
        if delivery.endpoint.enabled:
            self._send(delivery)
        else:
            self._retry_or_give_up(delivery, now)

    def _send(self, delivery: Delivery, *, in_any_case: bool = False) -> None:
        delivery.next_at = None
        self._under_way += 1
        self._lanes[delivery.endpoint.id].put(_Errand(delivery, in_any_case))

    def _work(self, lane: SimpleQueue[_Errand | None]) -> None:
        """A receiver's thread: send it one event after the other."""
        while (errand := lane.get()) is not None:
            delivery = errand.delivery
            attempt = self._attempt(delivery) if self._is_wanted(errand) else None
            with self._changed:
                self._under_way -= 1
                if attempt is not None:
                    self._note(delivery, attempt)
                self._changed.notify_all()
            self._on_change()

    def _is_wanted(self, errand: _Errand) -> bool:
        """Tell whether it is still to be run: much may have happened while it waited for those before it."""
        delivery = errand.delivery
        with self._changed:
            if self._closed or self._deliveries.get(delivery.id) is not delivery:
                return False
            if delivery.endpoint.enabled or errand.in_any_case:
                return True
            self._retry_or_give_up(delivery, self._mock.clock.now())
            return False

    def _attempt(self, delivery: Delivery) -> Attempt:
        at = self._mock.clock.now()
        headers = signed_headers(delivery.body, int(at), delivery.endpoint.secret)
        limit = self._answer_within or delivery_rules()["answer-within"]
        status, problem, ms = post(delivery.endpoint.url, delivery.body, headers, limit)
        if problem and status in (400, 401, 403):
            problem += self._skew()
        return Attempt(at, headers, status, problem, ms)

    def _skew(self) -> str:
        """Why a receiver may have refused an event though it did everything right."""
        ahead = self._mock.clock.now() - time.time()
        if abs(ahead) <= delivery_rules()["tolerance"]:
            return ""
        where = "ahead of" if ahead > 0 else "behind"
        return f" (the mock's clock, and so the timestamp, is {abs(ahead):,.0f} s {where} the system's)"

    def _note(self, delivery: Delivery, attempt: Attempt) -> None:
        delivery.attempts.append(attempt)
        if attempt.problem is None:
            delivery.state, delivery.next_at = "delivered", None
        elif delivery.state == "pending":
            self._retry_or_give_up(delivery, attempt.at)

    def _retry_or_give_up(self, delivery: Delivery, now: float) -> None:
        rules = delivery_rules()
        again_at = now + rules["first-retry-after"] * 2.0 ** max(len(delivery.attempts) - 1, 0)
        give_up_at = delivery.at + rules["retried-for"]
        if now >= give_up_at:
            delivery.state, delivery.next_at = "failed", None
        elif delivery.endpoint.enabled:
            self._schedule(min(again_at, give_up_at), delivery)
        else:  # nothing to do until it is switched on, or the day is over
            self._schedule(give_up_at, delivery)

    def _is_settled(self) -> bool:
        nothing_due = not self._due or self._due[0].at > self._mock.clock.now()
        return self._closed or (nothing_due and self._under_way == 0)

    def _forget_oldest(self) -> None:
        over = [key for key, each in self._deliveries.items() if each.state != "pending"]
        for key in over[: max(0, len(over) - _REMEMBERED)]:
            del self._deliveries[key]
