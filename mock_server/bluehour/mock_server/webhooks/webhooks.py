"""Registered webhooks, and the events on their way to them: what the mock's other parts use of it.

Everything is in the store: who has registered (`registry`), events to come, which a create is stored with,
and deliveries with all that became of them. Each event is read off its project as that is when the event
falls due (`scheduler`), so a project that was ended early tells of that, and of nothing else. Any process on
the store sends what is due (`senders`), so `kill -9` loses nothing.

Of a project, a webhook gets events in their order: the next one is not begun before the one in front of it
was tried, whichever processes send them. One that was not taken is tried again later, and those behind it do
not wait for that: a retry may come after events that happened later. Those of other projects go on meanwhile.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from bluehour.openapi.wording import counted

from ..api.secrets import without_user
from ..core.deliveries import Delivery, Endpoint
from ..core.projects import Project
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .registry import Registry
from .scheduler import Scheduler
from .senders import COUNTS, Senders
from .sending import check_url

log = logging.getLogger("bluehour")


class Webhooks:
    """What is sent to whom. May be used from any thread; its own start when there is somebody to send to.

    Args:
        world: whose projects they tell of; it is told of every change of a delivery.
        targets: tells which servers may be called.

    Attributes:
        senders: who send; it has the time limit of an answer.
        endpoints: returns the registered webhooks.
        register: registers one; see `Registry`.
        publish: sends an event of something else than a project; see `Scheduler`.
        settle: waits until nothing is due; see `Scheduler`.
        resend: sends a delivery once more; see `Senders`.
        wake: looks anew what is due, as the clock may have been moved.
    """

    def __init__(self, world: World, targets: Callable[[], TargetPolicy]) -> None:
        self._world = world
        self._targets = targets
        self._registry = Registry(world, targets)
        self.senders = Senders(world, self._registry, targets)
        self._scheduler = Scheduler(world, self._registry, self.senders)
        self._initial: tuple[Endpoint, ...] = ()
        self.senders.on_change = self._scheduler.wake
        self._registry.follow(self._scheduler.begin)
        self.endpoints = self._registry.all
        self.register = self._registry.register
        self.publish = self._scheduler.publish
        self.settle = self._scheduler.settle
        self.resend = self.senders.resend
        self.wake = self._scheduler.wake

    @property
    def waiting(self) -> int:
        """How many deliveries are under way, or wait to be tried again."""
        return self._world.store.deliveries.count_waiting()

    @property
    def ended(self) -> Counter[str]:
        """How many deliveries are over since the start of this process, by what they ended in."""
        return self.senders.ended

    @property
    def dropped(self) -> int:
        """How many deliveries waited for webhooks that a later start did not give again, since the reset."""
        return self._world.store.notes.counts(COUNTS).get("dropped", 0)

    @property
    def forgotten(self) -> int:
        """How many deliveries are over and shown no more, since the reset."""
        return self._world.store.notes.counts(COUNTS).get("forgotten", 0)

    def deliveries(self, project_id: str | None = None, limit: int | None = None) -> list[Delivery]:
        """Return deliveries, newest first."""
        return self._world.store.deliveries.newest(project_id, limit)

    def resume(self, urls: Iterable[str] = (), secret: str | None = None) -> None:
        """Begin with the webhooks of the command line, and take up what is in the store.

        Those that were registered by the control API are as they were left. Those of the last command line
        are if they are given again, and on again where no other process lives; else they are dropped, and
        what waits for them.

        Args:
            urls: the webhooks to begin with, which `reset` comes back to.
            secret: theirs; where none is given, it stays as it was, or is made up.

        Raises:
            ValueError: an URL can't be a webhook.
        """
        given = list(dict.fromkeys(urls))
        for url in given:
            check_url(url, self._targets())
        there = {each.url: each for each in self.endpoints() if each.is_initial}
        for endpoint in there.values():
            if endpoint.url not in given:
                self._drop(endpoint)
        self._initial = tuple(self._begun_with(url, secret, there.get(url)) for url in given)
        now = self._world.clock.now()
        for endpoint in self.endpoints():
            if endpoint.enabled:  # a clock that was ahead is not waited for
                self._world.store.deliveries.hasten(endpoint.id, now, after=now)
            self._scheduler.begin()

    def switch(self, webhook_id: str, enabled: bool) -> Endpoint:
        """Switch a webhook on or off; switched on, it gets at once what has waited for it.

        Raises:
            KeyError: there is no such webhook.
        """
        before = self._registry.find(webhook_id)
        endpoint = self._registry.switch(webhook_id, enabled)
        if enabled and before is not None and not before.enabled:
            self._world.store.deliveries.hasten(webhook_id, self._world.clock.now())
            self.wake()
        return endpoint

    def remove(self, webhook_id: str) -> None:
        """Forget a webhook and its deliveries.

        Raises:
            KeyError: there is no such webhook.
        """
        self._registry.remove(webhook_id)

    def follow(self, project: Project) -> None:
        """Look after the events of a project that has just been stored, or changed there."""
        self._scheduler.expect(project.rendering_at)

    def forget(self) -> None:
        """Forget what this process knows; the store has been reset."""
        self._registry.forget()
        self.wake()

    def reset(self) -> None:
        """Have the webhooks of the start in the store again, also those that were removed."""
        self._world.store.notes.forget_counts(COUNTS)
        for endpoint in self._initial:
            self._registry.put(endpoint)

    def close(self) -> None:
        """Send nothing more; what is under way may end. What waits, others send, or the next start does."""
        self._scheduler.close()
        self.senders.close()

    def _begun_with(self, url: str, secret: str | None, there: Endpoint | None) -> Endpoint:
        """Have a webhook of the command line in the store, and return it as a reset leaves it."""
        endpoint = there or self._registry.register_initial(url, secret)
        others = self._world.store.notes.members().keys() - {self._world.board.member}
        wanted = replace(endpoint, secret=secret or endpoint.secret, enabled=endpoint.enabled or not others)
        if wanted != endpoint:
            self._registry.put(wanted)
        return replace(wanted, enabled=True, since=-math.inf)

    def _drop(self, endpoint: Endpoint) -> None:
        dropped = self._registry.remove(endpoint.id)
        if dropped:
            self._world.store.notes.count(COUNTS, "dropped", by=dropped)
            log.warning(
                "%s for %s dropped: it is no --webhook now",
                counted(dropped, "event"),
                without_user(endpoint.url),
            )
