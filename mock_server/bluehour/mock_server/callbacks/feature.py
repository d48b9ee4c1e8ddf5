"""Callbacks as a part of the mock: what a request, or a webhook, is to be told of is sent when it happens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson

from bluehour.openapi.contract import Contract
from bluehour.openapi.data import from_json
from bluehour.openapi.expressions import filled
from bluehour.openapi.messages import Headers, Request, Response
from bluehour.openapi.model import Operation
from bluehour.openapi.resources import Action
from bluehour.openapi.resources.inference import is_about, names_item, shown_in_body
from bluehour.openapi.resources.shapes import fields_of
from bluehour.openapi.wording import cut

from ..api.feature import Feature
from ..api.reply import Reply
from ..api.resources.items import Items, shown_in
from ..api.resources.work import item_at
from ..api.secrets import without_user
from ..api.trace import ItemKey, Trace
from ..core.records import Record
from ..core.world import World
from ..outbound.policy import TargetPolicy
from ..webhooks.sending import post
from ..webhooks.webhooks import Webhooks
from .moments import Moment, moment_in
from .timetable import Errand, Timetable

_ANSWER_WITHIN = 10.0
"""Seconds that a receiver has."""

_MOST_TOLD = 20
"""Servers far away of which it is said that they are not called."""

_PAUSES = (1.0, 4.0)
"""Seconds, by the mock's clock, before a callback that was not taken is sent again."""

_ENDS: Mapping[str, Moment] = {"complete": "complete", "canceled": "canceled"}

log = logging.getLogger("bluehour")


@dataclass(frozen=True)
class _Notice:
    """Something that is sent about an item.

    Attributes:
        request: what is sent.
        moment: of what it tells; None where its name does not say.
        action: what made the item; None where nothing is kept.
        key: of the item; likewise.
    """

    request: Operation
    moment: Moment | None
    action: Action | None = None
    key: ItemKey | None = None


class CallbackFeature(Feature):
    """Sends what the contract says that its server sends by itself.

    Args:
        world: whose items it tells of.
        targets: tells which servers may be called.
        webhooks: send the events that are for whoever has registered.
    """

    def __init__(self, world: World, targets: Callable[[], TargetPolicy], webhooks: Webhooks) -> None:
        self._timetable = Timetable(world.clock)
        self._world = world
        self._targets = targets
        self._webhooks = webhooks
        self._far: set[str] = set()
        self.adopt(world.contract)

    def adopt(self, contract: Contract) -> None:
        self._declared = {
            operation.id: callbacks
            for operation in contract.operations
            if operation.node.get("callbacks") and (callbacks := contract.callbacks(operation))
        }
        self._events = {
            name: operation
            for name, operation in contract.webhooks.items()
            if "x-project-status" not in operation.node
        }

    # What happens.

    def record(self, request: Request, trace: Trace, reply: Reply, ms: float) -> None:
        operation = trace.operation
        if operation is None or operation.id not in self._declared or not 200 <= reply.status < 300:
            return
        try:
            sent = from_json(request.body)
        except ValueError:
            sent = None
        body = reply.body if isinstance(reply.body, bytes) else b""
        response = Response(reply.status, Headers(tuple(reply.headers)), body)
        action = self._world.actions.get(operation.id)
        for name, callback in self._declared[operation.id]:
            url = filled(callback.path, request, sent, trace.path_values, response)
            if url is not None and self._may_call(url):
                moment = None if _tells_how(callback, action) else moment_in(name)
                notice = _Notice(callback, moment, action, trace.item)
                self._plan(notice, partial(self._call, callback.method, url))

    def _may_call(self, url: str) -> bool:
        """Tell whether a URL that a request names is to be called; of one far away, say that it is not."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not host:
            return False
        if self._targets().is_near(host, port):
            return True
        if host not in self._far and len(self._far) < _MOST_TOLD:
            self._far.add(host)
            shown = cut(host)
            log.warning("callbacks to %s are not sent; --allow-target %s has them sent", shown, shown)
        return False

    def record_changed(self, old: Record | None, new: Record) -> None:
        if old is not None:
            self._timetable.look_anew()
        action = self._world.actions.get(new.operation_id) if self._events else None
        if action is None or not self._webhooks.endpoints():
            return
        happened: Moment = "deleted" if new.is_deleted else "created" if old is None else "changed"
        for name, request in self._events.items():
            if not is_about(name, request, action.resource):
                continue
            notice = _Notice(request, moment_in(name), action, (new.collection, new.id))
            if notice.moment in (None, happened):
                body = self._body(notice, old if new.is_deleted and old else new)
                self._webhooks.publish(name, new.id, body, self._world.clock.now())
            elif old is None and notice.moment not in ("changed", "deleted") and action.resource.lifecycle:
                self._plan(notice, partial(self._webhooks.publish, name, new.id))

    # When it is told.

    def _plan(self, notice: _Notice, send: Callable[[bytes, float], None]) -> None:
        """Have a notice sent when it is due, with what it says then."""

        def act() -> None:
            record = self._record_of(notice)
            send(self._body(notice, record), self._world.clock.now())

        self._timetable.add(Errand(act, partial(self._due_at, notice, self._world.clock.now())))

    def _due_at(self, notice: _Notice, asked_at: float) -> float | None:
        """Return when a notice is due; None where what it tells of never happens."""
        record = self._record_of(notice)
        if record is None or notice.action is None or notice.action.resource.lifecycle is None:
            return asked_at
        if record.is_deleted:
            return None
        match notice.moment:
            case "begun":
                return record.running_at
            case "created":
                return asked_at
            case "complete" | "failed" | "canceled" if notice.moment != _ENDS.get(record.outcome, "failed"):
                return None
        return record.finished_at

    def _record_of(self, notice: _Notice) -> Record | None:
        return self._world.store.record(*notice.key) if notice.key is not None else None

    # What is told.

    def _body(self, notice: _Notice, record: Record | None) -> bytes:
        """Return what is sent: the contract's example, with what is known of the item."""
        media = notice.request.json_body
        if media is None:
            return b""
        if notice.action is None or record is None:
            return orjson.dumps(media.example)
        resource = notice.action.resource
        items = Items(resource, ())
        told: dict[str, Any] = {
            name: items.typed(record.id) for name in fields_of(media.schema) if names_item(name, resource)
        }
        item = item_at(items, record, self._world.clock.now())
        return orjson.dumps(shown_in(media, shown_in_body(media.schema, resource), item, told))

    def _call(self, method: str, url: str, body: bytes, at: float, tries: int = 0) -> None:
        """Send a callback; where it is not taken, some more times."""
        status, problem, _ = post(url, body, {}, _ANSWER_WITHIN, self._targets(), method)
        shown = cut(without_user(url))
        if problem is None:
            log.info("callback to %s: %s", shown, status)
        elif tries == len(_PAUSES):
            log.warning("callback to %s: %s; given up", shown, problem)
        else:
            log.warning("callback to %s: %s; sent again in %g s", shown, problem, _PAUSES[tries])
            again_at = self._world.clock.now() + _PAUSES[tries]
            act = partial(self._call, method, url, body, again_at, tries + 1)
            self._timetable.add(Errand(act, lambda: again_at))

    # The rest.

    def changed(self, what: str) -> None:
        if what == "clock":
            self._timetable.look_anew()

    def settle(self, timeout: float) -> bool:
        return self._timetable.settle(timeout)

    def forget(self) -> None:
        self._timetable.reset()

    def close(self) -> None:
        self._timetable.close()


def _tells_how(callback: Operation, action: Action | None) -> bool:
    """Tell whether a callback says how the work has ended, so that its name need not."""
    media, lifecycle = callback.json_body, action.resource.lifecycle if action else None
    return media is not None and lifecycle is not None and lifecycle.field in media.schema.properties
