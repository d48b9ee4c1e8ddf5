"""Registered webhooks, and the events on their way to them.

An event is planned when its project is created, falls due when the clock gets there, and is then read off
the project as it is: so a project that was ended early tells of that, and of nothing else. What is due goes
to the receiver's own thread, because one receiver that is slow must not hold up the others.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from queue import SimpleQueue
from threading import Condition, Thread
from typing import TYPE_CHECKING, Literal, NamedTuple

import orjson

from ..projects import Project, status_at
from ..representation import image_project
from .deliveries import Attempt, Delivery, Endpoint
from .sending import check_url, post
from .signature import delivery_rules, signed_headers

if TYPE_CHECKING:
    from ..mock import Mock

_REMEMBERED = 1000
"""Deliveries that are over, and still shown."""

_MOST_PENDING = 10_000
"""Deliveries that wait for a receiver; what comes beyond them has failed."""

log = logging.getLogger("bluehour")


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

    @property
    def happens_once(self) -> tuple[str, float, str]:
        """What makes it this event, whoever told of it."""
        return self.name, self.at, self.project_id


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
        self._planned: set[tuple[str, float, str]] = set()
        self._deliveries: dict[str, Delivery] = {}
        self._over: deque[str] = deque()
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
            ValueError: an event that there is not, or no URL.
        """
        check_url(url, self._mock.targets)
        known = frozenset(self.events.values())
        wanted = known if events is None else frozenset(events)
        if not known:
            raise ValueError("the contract has no webhooks for image projects: there is nothing to send")
        if unknown := wanted - known:
            raise ValueError(f"there is no event {min(unknown)}; there are {', '.join(sorted(known))}")
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
            its = {key for key, each in self._deliveries.items() if each.endpoint is endpoint}
            for key in its:
                del self._deliveries[key]
            self._over = deque(key for key in self._over if key not in its)
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
                    self._plan(_Event(name, at, project.id, base_url))

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
            self._over.clear()
            self._due.clear()
            self._planned.clear()
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

    def _plan(self, event: _Event) -> None:
        # Whoever registers has the unfinished projects followed again: each event happens once all the same.
        if event.happens_once not in self._planned:
            self._planned.add(event.happens_once)
            self._schedule(event.at, event)

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
        while (due := self._next_due()) is not None:
            try:
                self._begin(due)
            except Exception:  # one event is lost, not all that come after it
                log.exception("a webhook's event could not be sent, which is a bug of the mock")
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()

    def _next_due(self) -> _Due | None:
        """Wait until something is due, and return it, counted as under way; None once all is closed."""
        with self._changed:
            while not self._closed:
                now = self._mock.clock.now()
                if self._due and self._due[0].at <= now:
                    self._under_way += 1
                    return heappop(self._due)
                self._changed.wait(self._seconds_to_sleep(now))
        return None

    def _seconds_to_sleep(self, now: float) -> float | None:
        if not self._due or self._mock.clock.frozen:
            return None
        return min(max(self._due[0].at - now, 0.001), 3600)

    def _begin(self, due: _Due) -> None:
        now = self._mock.clock.now()
        if isinstance(due.what, Delivery):
            with self._changed:
                if due.what.next_at == due.at and due.what.id in self._deliveries:
                    self._try(due.what, now)
            return
        body = self._body_of(due.what)  # reads the store, which the lock is not held for
        with self._changed:
            wanted = due.what.happens_once in self._planned
            self._planned.discard(due.what.happens_once)
            if body is not None and wanted:
                for endpoint in self._endpoints.values():
                    if due.what.name in endpoint.events:
                        self._deliver(due.what, endpoint, body, now)

    def _deliver(self, event: _Event, endpoint: Endpoint, body: bytes, now: float) -> None:
        number = f"delivery-{next(self._numbers)}"
        delivery = Delivery(number, endpoint, event.name, event.project_id, body, event.at, now)
        self._deliveries[number] = delivery
        if len(self._deliveries) - len(self._over) > _MOST_PENDING:
            self._end(delivery, "failed")
        else:
            self._try(delivery, now)

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
            attempt = self._attempt_if_wanted(errand)
            with self._changed:
                self._under_way -= 1
                if attempt is not None:
                    self._note(delivery, attempt)
                self._changed.notify_all()
            self._on_change()

    def _attempt_if_wanted(self, errand: _Errand) -> Attempt | None:
        try:
            return self._attempt(errand.delivery) if self._is_wanted(errand) else None
        except Exception:  # one event is lost, not all that come after it
            log.exception("a webhook's event could not be sent, which is a bug of the mock")
            return None

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
        status, problem, ms = post(delivery.endpoint.url, delivery.body, headers, limit, self._mock.targets)
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
            self._end(delivery, "delivered")
        elif delivery.state == "pending":
            self._retry_or_give_up(delivery, attempt.at)

    def _retry_or_give_up(self, delivery: Delivery, now: float) -> None:
        rules = delivery_rules()
        again_at = now + rules["first-retry-after"] * 2.0 ** max(len(delivery.attempts) - 1, 0)
        give_up_at = delivery.at + rules["retried-for"]
        if now >= give_up_at:
            self._end(delivery, "failed")
        elif delivery.endpoint.enabled:
            self._schedule(min(again_at, give_up_at), delivery)
        else:  # nothing to do until it is switched on, or the day is over
            self._schedule(give_up_at, delivery)

    def _is_settled(self) -> bool:
        nothing_due = not self._due or self._due[0].at > self._mock.clock.now()
        return self._closed or (nothing_due and self._under_way == 0)

    def _end(self, delivery: Delivery, state: Literal["delivered", "failed"]) -> None:
        if delivery.state == "pending":
            self._over.append(delivery.id)
        delivery.state, delivery.next_at = state, None
        while len(self._over) > _REMEMBERED:
            self._deliveries.pop(self._over.popleft(), None)
