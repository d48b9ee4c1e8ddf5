"""Who has registered for events: the same in every process of a mock, as it stands in the store."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock

from bluehour.openapi.wording import cut

from ..core.deliveries import Endpoint
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .sending import check_url
from .signature import delivery_rules

_MOST_ENDPOINTS = 100
"""Webhooks."""


class Registry:
    """The registered webhooks. May be used from any thread.

    Args:
        world: its store keeps them, and its board tells of changes.
        targets: tells which servers may be called.
    """

    def __init__(self, world: World, targets: Callable[[], TargetPolicy]) -> None:
        self._world = world
        self._targets = targets
        self._lock = Lock()
        self._known: dict[str, Endpoint] | None = None  # None: to be read again
        self._readings = 0
        self._note = world.board.note("webhooks")
        self._note.follow(lambda _: self.forget())

    def forget(self) -> None:
        """Have the store read again when somebody asks: another process may have changed it."""
        with self._lock:
            self._readings += 1
            self._known = None

    def follow(self, changed: Callable[[], None]) -> None:
        """Have a function called after each change, by whatever process."""
        before = self._readings

        def call(_: bytes | None) -> None:
            if self._readings != before:  # not now
                changed()

        self._note.follow(call)

    @property
    def events(self) -> frozenset[str]:
        """What the contract's events are called."""
        return frozenset(self._world.contract.webhooks)

    def all(self) -> list[Endpoint]:
        """Return the registered webhooks, in the order in which they came."""
        return list(self._read().values())

    def find(self, webhook_id: str) -> Endpoint | None:
        """Return one of them, or None."""
        return self._read().get(webhook_id)

    def wanting(self, event: str | None, at: float) -> list[Endpoint]:
        """Return those who get an event that happened at a time."""
        return [each for each in self.all() if each.wants(event, at)]

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
        wanted = self.events if events is None else frozenset(events)
        if unknown := wanted - self.events:
            known = ", ".join(sorted(self.events))
            raise ValueError(f"there is no event {cut(min(unknown))}; there are {known}")
        made_up = secret or delivery_rules()["secret-prefix"] + secrets.token_hex(16)
        return self._add(Endpoint(f"webhook-{secrets.token_hex(6)}", url, made_up, wanted))

    def register_initial(self, url: str, secret: str | None) -> Endpoint:
        """Register a receiver that is there from the start; of several processes that do, one does.

        So its id, and a secret that is made up, follow from its URL and the store's own secret.

        Raises:
            ValueError: no URL, one that may not be called, or one too many.
        """
        check_url(url, self._targets())
        digest = hmac.new(self._world.store.secret(), f"webhook {url}".encode(), hashlib.sha256).hexdigest()
        made_up = secret or delivery_rules()["secret-prefix"] + digest[:32]
        return self._add(Endpoint(f"webhook-{digest[-12:]}", url, made_up, self.events, is_initial=True))

    def switch(self, webhook_id: str, enabled: bool) -> Endpoint:
        """Switch a webhook on or off.

        Raises:
            KeyError: there is no such webhook.
        """
        return self.put(replace(self._read()[webhook_id], enabled=enabled))

    def put(self, endpoint: Endpoint) -> Endpoint:
        """Put a webhook in the place of the one with its id."""
        self._world.store.put_webhook(endpoint)
        self._tell()
        return endpoint

    def remove(self, webhook_id: str) -> int:
        """Forget a webhook and its deliveries; return how many of those were pending.

        Raises:
            KeyError: there is no such webhook.
        """
        if webhook_id not in self._read():
            raise KeyError(webhook_id)
        pending = self._world.store.remove_webhook(webhook_id)
        self._tell()
        return pending

    def _add(self, endpoint: Endpoint) -> Endpoint:
        known = self.all()
        if not self.events:
            raise ValueError("the contract has no webhooks for projects: there is nothing to send")
        if len(known) >= _MOST_ENDPOINTS:
            raise ValueError(f"there are {_MOST_ENDPOINTS} webhooks already, as many as there may be")
        now = self._world.clock.now()
        added = replace(endpoint, since=now)
        self._world.store.add_webhook(added)
        if not known:  # until now, creates were stored without their events
            self._world.store.announce_unfinished(now, self._world.base_url)
        self._tell()
        return self.find(added.id) or added

    def _tell(self) -> None:
        """Have all processes read the store again, and return once none goes by what it knew before."""
        self._note.change(lambda old: b"%d" % (int(old or 0) + 1))

    def _read(self) -> dict[str, Endpoint]:
        known = self._known
        if known is None:
            reading = self._readings
            known = {each.id: each for each in self._world.store.webhooks()}
            with self._lock:
                if reading == self._readings:  # else it may be out of date by now
                    self._known = known
        return known
