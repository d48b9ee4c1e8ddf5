"""When events are sent: a thread that hands out what happens, by the mock's clock, and has senders begin."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Mapping
from threading import Condition, Thread

import orjson

from ..api.representation import events_of, kind_of, project_as_shown
from ..core.deliveries import ComingEvent, Delivery
from ..core.world import World
from .registry import Registry
from .senders import Senders

_PAUSE = 1.0
"""Seconds until the store is asked again where it can't be read, or where another process may have left
something in it."""

_LONGEST_PAUSE = 3600.0
"""Seconds."""

_PATIENCE = 2.0
"""Seconds that what is being handed out has to end in at the end."""

_LOOKS_EVERY = 0.02
"""Seconds between two looks at what other processes may be sending."""

log = logging.getLogger("bluehour")


class Scheduler:
    """Watches the store for what is due. May be used from any thread; its own starts with `begin`.

    Args:
        world: whose projects are told of.
        registry: who is told.
        senders: who tell them.
    """

    def __init__(self, world: World, registry: Registry, senders: Senders) -> None:
        self._world = world
        self._deliveries = world.store.deliveries
        self._registry = registry
        self._senders = senders
        self._changed = Condition()
        self._sleeps_until = -math.inf  # by the mock's clock
        self._is_woken = False
        self._is_idle = True
        self._is_closed = False
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Have everything sent from now on that is due."""
        with self._changed:
            if self._thread is None and not self._is_closed:
                self._thread = Thread(target=self._watch, name="bluehour-webhooks", daemon=True)
                self._is_woken = True
                self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Look anew what is due: the clock may have been moved."""
        with self._changed:
            self._is_woken = self._thread is not None
            self._changed.notify_all()

    def expect(self, at: float) -> None:
        """Be told of something that may be due at a time."""
        if at < self._sleeps_until:
            self.wake()

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is due or under way, in any process; tell whether that came true in time."""
        until = time.monotonic() + timeout
        while not self._is_settled():
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(left, _LOOKS_EVERY))
        return True

    def close(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:  # it uses the store, which is closed next
            self._thread.join(_PATIENCE)

    def publish(self, name: str, subject: str, body: bytes, at: float) -> None:
        """Send an event that has happened, and that no project tells of, to all who want it.

        Args:
            name: of the event.
            subject: the id of what it tells of.
            body: what is sent.
            at: when it happened, by the mock's clock.
        """
        self._store(None, name, subject, body, at)
        self.wake()

    def _watch(self) -> None:
        """The scheduler's thread: do what is due, sleep until more is."""
        while True:
            with self._changed:
                self._is_idle = self._is_woken = False
                self._sleeps_until = math.inf
                if self._is_closed:
                    return
            try:
                pause = self._do_what_is_due()
            except Exception as error:  # such as a store that is locked, or a disk that is full
                log.warning("webhooks' events can't be read, and wait: %s", f"{error}".partition("\n")[0])
                pause = _PAUSE
            with self._changed:
                if pause and not self._is_woken and not self._is_closed:
                    self._is_idle = True
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._is_woken or self._is_closed, pause)

    def _do_what_is_due(self) -> float:
        """Hand out the first event, and have senders begin; return how long to sleep, in real seconds."""
        now = self._world.clock.now()
        self._senders.release_those_of_gone_processes()
        event = self._world.store.next_event()
        event_at = math.inf if event is None else event.at
        if event is not None and event_at <= now:
            self._hand_out(event)
        next_at = min((self._senders.begin(each) for each in self._registry.all()), default=math.inf)
        self._sleeps_until = event_at
        left = min(event_at, next_at) - now
        if left > 0 and self._world.clock.frozen:
            left = math.inf
        return min(max(left, 0), _PAUSE if self._world.store.notes.is_shared else _LONGEST_PAUSE)

    def _hand_out(self, event: ComingEvent) -> None:
        """Have an event be a delivery for each webhook that wants it."""
        name = self._names.get((kind_of(self._world, event.project), event.status))
        wanting = self._registry.wanting(name, event.at)
        body = self._body_of(event, name) if wanting else None
        if body is None:
            self._world.store.hand_out(event, [])
        else:
            self._store(event, f"{name}", event.project.id, body, event.at)

    @property
    def _names(self) -> Mapping[tuple[str, str], str]:
        """The contract's events, by the kind of project and the status that they announce."""
        return events_of(self._world.contract)

    def _body_of(self, event: ComingEvent, name: str | None) -> bytes | None:
        try:
            payload = project_as_shown(self._world, event.project, event.at, event.base_url)
            return orjson.dumps({"type": name, "payload": payload})
        except Exception:  # one event is lost, not all that come after it
            log.exception("a webhook's event could not be sent, which is a bug of the mock")
            return None

    def _store(self, event: ComingEvent | None, name: str, subject: str, body: bytes, at: float) -> None:
        """Put deliveries of an event in its place."""
        now = self._world.clock.now()
        deliveries = [
            Delivery(f"delivery-{secrets.token_hex(6)}", each.id, name, subject, body, at, 0, now)
            for each in self._registry.wanting(name, at)
        ]
        self._world.store.hand_out(event, deliveries)

    def _is_settled(self) -> bool:
        if self._is_closed:
            return True
        if self._is_woken or (self._thread is not None and not self._is_idle) or not self._senders.is_idle:
            return False
        endpoints, now = self._registry.all(), self._world.clock.now()
        if not endpoints:
            return True
        if self._deliveries.senders() or any(self._deliveries.next_at(each.id) <= now for each in endpoints):
            return False
        event = self._world.store.next_event()
        return event is None or event.at > now
