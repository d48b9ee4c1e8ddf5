"""Webhooks and their deliveries in the control API."""

from __future__ import annotations

from math import inf
from typing import Any

from ..api.call import Answer
from ..control.contract import control_contract
from ..control.exchange import ControlCall, conflict, existing, invalid
from ..core.accounts import shortened
from ..core.clock import isoformat, not_before
from ..core.deliveries import Attempt, Delivery, Endpoint
from ..core.world import World
from .webhooks import Webhooks

_RESEND_SECONDS = 30.0


class WebhookOperations:
    """The operations on webhooks."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def list_webhooks(self, _: ControlCall) -> Answer:
        """Registered webhooks, and how many deliveries are not there any more."""
        body = {
            "webhooks": [_webhook(each) for each in self._webhooks.endpoints()],
            "dropped": self._webhooks.dropped,
            "forgotten": self._webhooks.forgotten,
        }
        return Answer(200, body)

    def add_webhook(self, call: ControlCall) -> Answer:
        """Register a webhook."""
        body = call.body
        try:
            endpoint = self._webhooks.register(body["url"], body.get("secret"), body.get("events"))
        except ValueError as error:
            raise invalid(str(error)) from error
        self._world.announce("webhooks")
        return Answer(201, {**_webhook(endpoint), "secret": endpoint.secret})

    def switch_webhook(self, call: ControlCall) -> Answer:
        """Switch a webhook on or off."""
        with existing("webhook", call.parameters["id"]):
            endpoint = self._webhooks.switch(call.parameters["id"], call.body["enabled"])
        self._world.announce("webhooks")
        return Answer(200, _webhook(endpoint))

    def remove_webhook(self, call: ControlCall) -> Answer:
        """Remove a webhook."""
        with existing("webhook", call.parameters["id"]):
            self._webhooks.remove(call.parameters["id"])
        self._world.announce("webhooks")
        return Answer(204, media_type=None)

    def list_deliveries(self, call: ControlCall) -> Answer:
        """Deliveries, newest first."""
        found = self._webhooks.deliveries(call.parameters.get("project"), call.parameters.get("limit"))
        urls = {each.id: each.url for each in self._webhooks.endpoints()}
        shown = [_delivery(each, urls[each.webhook_id]) for each in found if each.webhook_id in urls]
        return Answer(200, {"deliveries": shown})

    def settle_deliveries(self, call: ControlCall) -> Answer:
        """Wait until no picture is being made, and no event is due."""
        timeout = control_contract().operation("settleDeliveries").with_defaults(dict(call.body))["timeout"]
        if not self._world.settle(timeout):
            raise conflict(f"After {timeout:g} s pictures or deliveries are still due or under way")
        return self.list_deliveries(call)

    def resend_delivery(self, call: ControlCall) -> Answer:
        """Send a delivery once more."""
        try:
            with existing("delivery", call.parameters["id"]):
                delivery = self._webhooks.resend(call.parameters["id"], _RESEND_SECONDS)
        except TimeoutError:
            raise conflict("It is being sent just now, and its receiver does not answer") from None
        urls = {each.id: each.url for each in self._webhooks.endpoints()}
        return Answer(200, _delivery(delivery, urls.get(delivery.webhook_id, "")))


def _webhook(endpoint: Endpoint) -> dict[str, Any]:
    """A webhook; its secret can be recognised, but not used."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "secret": shortened(endpoint.secret),
        "events": sorted(endpoint.events),
        "enabled": endpoint.enabled,
    }


def _delivery(delivery: Delivery, url: str) -> dict[str, Any]:
    """A delivery with every attempt."""
    return {
        "id": delivery.id,
        "webhook": delivery.webhook_id,
        "url": url,
        "event": delivery.event,
        "project": delivery.project_id,
        "state": delivery.state,
        "problem": delivery.problem,
        "body": delivery.body.decode(),
        "next_at": None if delivery.next_at == inf else not_before(delivery.next_at),
        "attempts": [_attempt(each) for each in delivery.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": isoformat(attempt.at),
        "headers": attempt.headers,
        "status": attempt.status,
        "problem": attempt.problem,
        "ms": attempt.ms,
    }
