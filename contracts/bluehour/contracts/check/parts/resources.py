"""What is kept: an item of each resource is made, read, listed, changed and deleted, and its work watched."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from uuid import UUID, uuid4

from bluehour.openapi.model import Operation
from bluehour.openapi.resources import Action, Kind, Resource
from bluehour.openapi.resources.families import parameters_of
from bluehour.openapi.resources.shapes import field_of
from bluehour.openapi.samples.strings import strings
from bluehour.openapi.values import value_at
from bluehour.openapi.wording import cut
from bluehour.openapi.writing import target_of

from ...bodies.places import Place, places, with_value
from ...exchange import Exchange, label_of
from ...rules import RESOURCE_RULES
from ..checker import Check, answered, is_success
from ..jobs import Jobs
from ..listening import Inbox, listening
from .bodies import legal_body

_GONE = (404, 410)
_ILLEGAL = (400, 422)
_MOST_IDS = 50
"""Ids that are tried for one that is legal."""

_MOST_POLLS = 2_000
_SLOWER = 1.3
"""By how much the pause between two polls of the same job grows."""


def try_resources(check: Check, jobs: Jobs) -> None:
    """Try every resource of the contract, those first that others belong to."""
    for trial in _trials(check):
        with check.within_budget(None, *(each.id for each in RESOURCE_RULES)):
            trial.run()


def make_items(check: Check, jobs: Jobs) -> None:
    """Make an item of each resource that has none yet, for all that is tried with one."""
    for trial in _trials(check):
        if not trial.resource.is_singleton and not check.items.has(trial.resource):
            with check.within_budget(None):
                trial.make_one()


def _trials(check: Check) -> Iterator[_Trial]:
    actions = list(check.contract.actions.values())
    resources = {action.resource: None for action in actions}
    for resource in sorted(resources, key=lambda each: each.path.count("/")):
        yield _Trial(check, resource, [each for each in actions if each.resource is resource])


@dataclass(eq=False)
class _Made:
    """An item that was made: by which call, and by what id."""

    exchange: Exchange
    action: Action
    sent: Any
    item_id: str
    path: Mapping[str, str]

    @property
    def sent_item(self) -> Any:
        """What was sent of the item itself."""
        return value_at(self.sent, self.action.sent_at)


@dataclass(eq=False)
class _Trial:
    """What is tried with one resource."""

    check: Check
    resource: Resource
    actions: list[Action]
    inbox: Inbox | None = None
    seen: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Make items, and try everything with them; one of them stays for what else the check does."""
        if self.resource.is_singleton:
            self._try_singleton()
            return
        with listening(self.check.is_local) as self.inbox:
            for action in self._of("create"):
                kept, other = self._make(action), self._make(action)
                for made in filter(None, (kept, other)):
                    self._try_found(made)
                    self._try_listed(made)
                if kept is not None:
                    self.check.items.keep(self.resource, kept.item_id)
                    self._try_work(kept)
                    self._try_changes(kept)
                if other is not None:
                    self._try_delete(other)
            self._try_unknown()

    def make_one(self) -> None:
        """Make an item that stays."""
        made = next(filter(None, map(self._make, self._of("create"))), None)
        if made is not None:
            self.check.items.keep(self.resource, made.item_id)

    def _of(self, *kinds: Kind) -> Iterator[Action]:
        return (action for action in self.actions if action.kind in kinds)

    @property
    def _reader(self) -> Action | None:
        return next(self._of("read"), None)

    # Made.

    def _make(self, action: Action) -> _Made | None:
        """Have an operation make an item; None where it does not."""
        check, operation = self.check, action.operation
        if operation.body is not None and operation.json_body is None:
            check.unjudged("it takes no JSON", operation, "resource.id")
            return None
        body = self._body(action)
        exchange = check.call(operation, check.accounts.main, body, purpose="a new item")
        status = answered(exchange)
        if is_success(exchange) or status in _ILLEGAL:
            message = f"The published example was answered by {status}"
            check.expect("accept.examples", exchange, is_success(exchange), message, "body")
        if not is_success(exchange):
            check.unjudged(f"no item could be made: {status or exchange.failure}", operation, "resource.id")
            return None
        item_id, message = self._id_in(exchange, action)
        if item_id is None:
            check.expect("resource.id", exchange, False, message, action.id_shown_at or "id")
            return None
        is_new = item_id not in self.seen
        check.expect(
            "resource.id",
            exchange,
            is_new,
            f"The id {cut(item_id)} was given to two items",
            action.id_shown_at or "id",
        )
        self.seen.add(item_id)
        path = {**check.items.path_of(operation), self._parameter: item_id}
        made = _Made(exchange, action, body, item_id, path)
        self._try_location(made)
        return made

    @property
    def _parameter(self) -> str:
        return self.resource.parameter or ""

    def _body(self, action: Action) -> Any:
        """Return a legal body: its id is new, where clients choose it, and it says whom to call back."""
        body = legal_body(self.check, action.operation, self.check.accounts.main)
        name = self.resource.id_field
        item = value_at(body, action.sent_at)
        if isinstance(item, dict) and name in item and name in self.resource.sendable:
            body = self._with_fresh_id(action, body, (*action.sent_at, str(name)), item[name])
        where = self._callback_field(action.operation)
        if self.inbox is not None and where is not None and isinstance(body, dict):
            body = {**body, where: self.inbox.url}
        return body

    def _with_fresh_id(self, action: Action, body: Any, place: tuple[str, ...], example: Any) -> Any:
        """Return a body by another id than the example's, if one is found that is legal."""
        media, random = action.operation.json_body, self.check.random
        if media is None:
            return body
        bits = random.getrandbits(128)
        candidates: list[Any] = [random.randrange(10**6, 10**9), f"bluehour{bits:x}"[:16]]
        candidates.append(f"{UUID(int=bits, version=4)}")
        if isinstance(example, str):
            candidates += islice(strings(reduce(field_of, place, media.schema).resolved), 1, _MOST_IDS)
        for candidate in candidates:
            changed = with_value(body, place, candidate)
            is_new = type(candidate) is type(example) and str(candidate) not in self.seen
            if is_new and media.schema.accepts(changed):
                return changed
        return body

    def _id_in(self, exchange: Exchange, action: Action) -> tuple[str | None, str]:
        """Return the id that an answer tells, in its body or in Location; None with what is wrong."""
        answer = exchange.answer.json if exchange.answer else None
        places: list[tuple[str, ...]] = [(action.id_shown_at,)] if action.id_shown_at else []
        if action.shown_at is not None and self.resource.id_field:
            places.append((*action.shown_at, self.resource.id_field))
        for place in places:
            found = value_at(answer, place)
            if isinstance(found, str | int) and not isinstance(found, bool):
                return str(found), ""
        location = exchange.answer.header("Location") if exchange.answer else None
        if location:
            return unquote(urlsplit(location).path.rstrip("/").rpartition("/")[2]), ""
        return None, "The answer tells no id of what was created"

    def _try_location(self, made: _Made) -> None:
        answer = made.exchange.answer
        location = answer.header("Location") if answer else None
        if location and self._reader is not None:
            reader, target = self._reader.operation, self.check.target
            address, base = urlsplit(urljoin(f"{target}/", location)), urlsplit(target)
            if address.netloc != base.netloc:
                return  # elsewhere, where the check has not been asked to call
            own = target_of(reader, None, made.path).partition("?")[0]
            if address.path == base.path + own:
                found = self._read(made, "what Location names")
            else:
                found = self.check.ask(
                    "GET",
                    address.path.removeprefix(base.path),
                    self.check.accounts.main,
                    operation=reader,
                    purpose="what Location names",
                )
            if found is None:
                return
            message = f"Location is {cut(location)}, and reading that is answered by {answered(found)}"
            self.check.expect(
                "resource.location",
                found,
                is_success(found),
                message,
                "Location",
                operation=label_of(made.action.operation),
                related=(made.exchange,),
            )

    # Read.

    def _read(self, made: _Made, purpose: str) -> Exchange | None:
        if self._reader is None:
            return None
        return self.check.call(
            self._reader.operation, self.check.accounts.main, path=made.path, purpose=purpose
        )

    def _shown(self, exchange: Exchange | None) -> Any:
        if exchange is None or exchange.answer is None or self._reader is None:
            return None
        return value_at(exchange.answer.json, self._reader.shown_at or ())

    def _try_found(self, made: _Made) -> None:
        found = self._read(made, "the new item")
        if found is None:
            return
        message = f"The item {cut(made.item_id)} was created, and reading it is answered by {answered(found)}"
        if self.check.expect("resource.found", found, is_success(found), message, related=(made.exchange,)):
            self._expect_kept("resource.kept", found, made.sent_item, (made.exchange,))

    def _expect_kept(
        self, rule_id: str, found: Exchange, sent: Any, related: tuple[Exchange, ...], at: str | None = None
    ) -> None:
        """Say whether an item shows what was sent of it, as far as it shows fields of that name."""
        shown = self._shown(found)
        if not isinstance(shown, dict) or not isinstance(sent, dict):
            return
        lifecycle = self.resource.lifecycle
        skipped = {lifecycle.field if lifecycle else None, self.resource.id_field}
        for name, value in sent.items():
            if name in shown and name not in skipped and name in self.resource.schema.properties:
                message = f"{name} was sent as {_short(value)}, and is shown as {_short(shown[name])}"
                kept = _is_same(value, shown[name])
                self.check.expect(rule_id, found, kept, message, name, operation=at, related=related)
            elif name in self._must_show - skipped:
                message = f"{name} was sent as {_short(value)}, and is not shown"
                self.check.expect(rule_id, found, False, message, name, operation=at, related=related)

    @property
    def _must_show(self) -> frozenset[str]:
        """The fields that a read shows, if an item has them: none of those that are for writing alone."""
        return frozenset(
            name
            for name in self.resource.schema.properties
            if name in self.resource.sendable
            and field_of(self.resource.schema, name).resolved.get("writeOnly") is not True
        )

    def _try_listed(self, made: _Made) -> None:
        for action in self._of("list"):
            if parameters_of(action.operation.path) and not made.path.keys() >= set(
                parameters_of(action.operation.path)
            ):
                continue
            if any(each.required and each.location == "query" for each in action.operation.parameters):
                continue  # it filters, and who knows whether the item is among what it shows
            found = self.check.call(
                action.operation,
                self.check.accounts.main,
                path=made.path,
                purpose="whether the new item is listed",
            )
            if not is_success(found) or found.answer is None:
                continue
            listed = value_at(found.answer.json, action.shown_at or ())
            if not isinstance(listed, list) or _is_cut(found.answer.json, listed, action.operation):
                self.check.unjudged("the list has more pages", action.operation, "resource.listed")
                continue
            ids = [str(each.get(self.resource.id_field)) for each in listed if isinstance(each, dict)]
            message = f"The item {cut(made.item_id)} was created, and is not among {len(ids)} that are listed"
            self.check.expect(
                "resource.listed", found, made.item_id in ids, message, related=(made.exchange,)
            )

    # Changed.

    def _try_changes(self, made: _Made) -> None:
        for action in self._of("replace", "update"):
            before = self._shown(self._read(made, "what is to be changed"))
            before = before if isinstance(before, dict) else made.sent_item
            body = self._other_body(action, before, made.item_id)
            if body is None:
                continue
            changed = self.check.call(
                action.operation, self.check.accounts.main, body, path=made.path, purpose="a change"
            )
            if not is_success(changed):
                why = f"a change was answered by {answered(changed)}"
                self.check.unjudged(why, action.operation, "resource.changed")
                continue
            found = self._read(made, "what was changed")
            if found is not None and is_success(found):
                sent, related = value_at(body, action.sent_at), (made.exchange, changed)
                at = label_of(action.operation)
                self._expect_kept("resource.changed", found, sent, related, at)
                if action.operation.method == "PATCH":
                    self._expect_the_rest(found, before, sent, related, at)

    def _expect_the_rest(
        self, found: Exchange, before: Any, sent: Any, related: tuple[Exchange, ...], at: str
    ) -> None:
        """Say whether a PATCH has left alone what it did not name."""
        shown = self._shown(found)
        if not isinstance(shown, dict) or not isinstance(before, dict) or not isinstance(sent, dict):
            return
        lifecycle = self.resource.lifecycle
        left_alone = self._must_show - sent.keys() - {lifecycle.field if lifecycle else None}
        for name in sorted(left_alone & before.keys()):
            message = f"{name} was not sent, and {_short(before[name])} has become {_short(shown.get(name))}"
            kept = _is_same(before[name], shown.get(name))
            self.check.expect("resource.changed", found, kept, message, name, operation=at, related=related)

    def _other_body(self, action: Action, before: Any, item_id: str) -> Any:
        """Return a legal body with another value in some field than the item has; None for no such body."""
        media = action.operation.json_body
        if media is None:
            return None
        body = legal_body(self.check, action.operation, self.check.accounts.main)
        if action.id_sent_at is not None and isinstance(body, dict):
            body = with_value(body, (*action.sent_at, action.id_sent_at), _as(item_id, body))
        now = before if isinstance(before, dict) else {}
        for place in list(places(media.schema, body)):
            name = place.path[-1] if place.path else None
            if len(place.path) != len(action.sent_at) + 1 or name not in self._must_show - {
                self.resource.id_field
            }:
                continue
            for other in _others(place, now.get(str(name))):
                alone = reduce(lambda inner, key: {key: inner}, reversed(place.path), other)
                bodies = [with_value(body, place.path, other)]
                if action.operation.method == "PATCH":  # the less it says, the more it has to leave alone
                    bodies.insert(0, alone)
                if legal := next(filter(media.schema.accepts, bodies), None):
                    return legal
        return None

    def _try_singleton(self) -> None:
        """Put the one thing that there is, and read it; then put back what was there."""
        check, reader = self.check, self._reader
        for action in self._of("replace", "update"):
            before = self._shown(check.call(reader.operation, check.accounts.main)) if reader else None
            body = self._other_body(action, before, "")
            if body is None or reader is None:
                continue
            changed = check.call(action.operation, check.accounts.main, body, purpose="a change")
            if not is_success(changed):
                check.unjudged(
                    f"a change was answered by {answered(changed)}", action.operation, "resource.changed"
                )
                continue
            found = check.call(reader.operation, check.accounts.main, purpose="what was changed")
            at = label_of(action.operation)
            self._expect_kept("resource.changed", found, value_at(body, action.sent_at), (changed,), at)
            if (
                isinstance(before, dict)
                and action.operation.json_body
                and action.operation.json_body.schema.accepts(before)
            ):
                check.call(action.operation, check.accounts.main, before, purpose="what was there before")

    # Deleted.

    def _try_delete(self, made: _Made) -> None:
        for action in self._of("delete"):
            deleted = self.check.call(
                action.operation, self.check.accounts.main, path=made.path, purpose="deleting an item"
            )
            if not is_success(deleted):
                why = f"the delete was answered by {answered(deleted)}"
                self.check.unjudged(why, action.operation, "resource.deleted")
                return
            found = self._read(made, "what was deleted")
            if found is None or not 0 < answered(found) < 500:
                return
            message = f"The item was deleted, and reading it is answered by {answered(found)}"
            self.check.expect(
                "resource.deleted",
                found,
                answered(found) in _GONE,
                message,
                operation=label_of(action.operation),
                related=(made.exchange, deleted),
            )

    def _try_unknown(self) -> None:
        """Name an item that there is not, in the form that the contract wants."""
        unknown = self._unknown_id()
        for action in self._of("read", "replace", "update", "delete"):
            operation = action.operation
            if action.id_sent_at is not None or action.creates:
                continue
            if unknown is None or not self.seen:
                why = "no id is known that nobody has" if self.seen else "no item could be made"
                self.check.unjudged(why, operation, "resource.unknown")
                continue
            body = self._patch(action)
            path = {**self.check.items.path_of(operation), self._parameter: unknown}
            exchange = self.check.call(
                operation, self.check.accounts.main, body, path=path, purpose="an id that nobody has"
            )
            if 0 < answered(exchange) < 500 and answered(exchange) != 429:
                message = f"There is no item {cut(unknown)}, and it was answered by {answered(exchange)}"
                kept = answered(exchange) in _GONE
                self.check.expect("resource.unknown", exchange, kept, message, self._parameter)

    def _patch(self, action: Action) -> Any:
        if action.operation.json_body is None:
            return None
        return legal_body(self.check, action.operation, self.check.accounts.main)

    def _unknown_id(self) -> str | None:
        named = (
            parameter
            for action in self.actions
            for parameter in action.operation.parameters
            if parameter.name == self._parameter and parameter.location == "path"
        )
        parameter = next(named, None)
        if parameter is None:
            return None
        candidates: list[Any] = [f"{uuid4()}", uuid4().hex, uuid4().int % 10**9 + 10**9, uuid4().int % 10**6]
        schema = parameter.schema
        candidates += islice(strings(schema.resolved), _MOST_IDS) if "string" in schema.types else []
        fits = (each for each in candidates if schema.accepts(each) and str(each) not in self.seen)
        found = next(fits, None)
        return None if found is None else str(found)

    # The work on it.

    def _try_work(self, made: _Made) -> None:
        """Watch a job to its end, and wait for its callback."""
        check, lifecycle = self.check, self.resource.lifecycle
        if lifecycle is None or self._reader is None:
            self._try_callback(made, None)
            return
        order = {lifecycle.waiting: 0, lifecycle.running: 1, lifecycle.done: 2, lifecycle.failed: 2}
        order[lifecycle.canceled] = 2
        last: Exchange | None = None
        highest, waited, pause = -1.0, 0.0, check.pause
        for _ in range(_MOST_POLLS):
            found = self._read(made, f"whether it has ended, after {waited:.3g} s")
            shown = self._shown(found)
            status = shown.get(lifecycle.field) if isinstance(shown, dict) else None
            if found is None or not is_success(found) or status is None:
                return
            place = order.get(status, math.nan)
            before = self._shown(last).get(lifecycle.field) if last is not None else None
            message = f"{lifecycle.field} was {before}, and is {status} again"
            forward = not place < highest and not (highest == 2 and status != before)
            related = (made.exchange, *((last,) if last else ()))
            if not check.expect("resource.status", found, forward, message, lifecycle.field, related=related):
                return
            if highest == 2:
                break
            if place == 2:
                check.expect("resource.ends", found, True, "")
                self._try_callback(made, found)
            elif waited >= check.patience:
                message = f"The job is {status} after {check.patience:g} s"
                check.expect(
                    "resource.ends", found, False, message, lifecycle.field, related=(made.exchange,)
                )
                return
            highest, last = max(highest, 0.0 if math.isnan(place) else place), found
            check.sleep(pause)
            waited, pause = waited + pause, min(pause * _SLOWER, max(check.pause, 1.0))

    def _try_callback(self, made: _Made, ended: Exchange | None) -> None:
        operation = made.action.operation
        declared = check_callbacks(self.check, operation)
        if not declared:
            return
        if self.inbox is None or self._callback_field(operation) is None:
            why = "a callback can't reach this machine from the deployment"
            self.check.unjudged(why, operation, "resource.callback")
            return
        body = self.inbox.wait_for(made.item_id, min(self.check.patience, 10.0), self.check.sleep)
        related = (made.exchange, *((ended,) if ended else ()))
        message = "No callback has come"
        if self.check.expect("resource.callback", made.exchange, body is not None, message, related=related):
            faults = _faults_of(declared, body)
            message = f"The callback is not as it is declared: {faults}"
            self.check.expect("resource.callback", made.exchange, not faults, message, related=related)

    def _callback_field(self, operation: Operation) -> str | None:
        """Return the body's field that says who is to be called back; None where that is told elsewhere."""
        for _, callback in self.check.contract.callbacks(operation):
            before, _, name = callback.path.partition("{$request.body#/")
            if not before and name.endswith("}") and "/" not in name:
                return name.removesuffix("}")
        return None


def check_callbacks(check: Check, operation: Operation) -> list[Operation]:
    """Return what an operation's callbacks say."""
    return [callback for _, callback in check.contract.callbacks(operation)]


def _faults_of(declared: list[Operation], body: Any) -> str:
    """Return what is wrong with a callback's body, if it fits none of those that are declared."""
    schemas = [each.json_body.schema for each in declared if each.json_body]
    if not schemas or any(schema.accepts(body) for schema in schemas):
        return ""
    return "; ".join(fault.detail for fault in schemas[0].faults(body))


def _is_same(sent: Any, shown: Any) -> bool:
    """Tell whether a value is shown as it was sent, but for what servers may put right about it."""
    if isinstance(sent, dict) and isinstance(shown, dict):
        return all(name not in shown or _is_same(value, shown[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and all(map(_is_same, sent, shown))
    if isinstance(sent, str) and isinstance(shown, str):
        return _put_right(sent) == _put_right(shown)
    return bool(sent == shown) and isinstance(sent, bool) == isinstance(shown, bool)


def _put_right(text: str) -> str:
    """A text without what is no difference: case, blanks around it, and how dates and URLs end."""
    return text.strip().casefold().removesuffix("/").replace("+00:00", "z").replace(".000", "")


def _is_cut(body: Any, listed: list[Any], operation: Operation) -> bool:
    """Tell whether there may be more than is listed."""
    names = ("has_more", "hasMore", "next", "next_page", "next_cursor", "nextCursor", "nextPageToken")
    if isinstance(body, dict) and any(body.get(name) for name in names):
        return True
    limits = [
        each.schema.resolved for each in operation.parameters if "limit" in each.name or "size" in each.name
    ]
    return any(len(listed) >= each["default"] for each in limits if isinstance(each.get("default"), int))


def _others(place: Place, now: Any) -> Iterator[Any]:
    """Yield values that a field may have, and has not now."""
    node = place.node
    for value in node.get("enum", ()):
        if value != now:
            yield value
    if "boolean" in place.types:
        yield not now
    if "string" in place.types:
        yield from (text for text in ("changed by bluehour", "by bluehour", "it", "fr") if text != now)
    if {"integer", "number"} & set(place.types):
        lowest = node.get("minimum", 1)
        yield from (value for value in (lowest + 1, lowest, lowest + 2) if value != now)


def _as(item_id: str, body: Any) -> Any:
    is_number = isinstance(body, dict) and any(isinstance(value, int) for value in body.values())
    return int(item_id) if is_number and item_id.isdecimal() else item_id


def _short(value: Any) -> str:
    return cut(f"{value!r}", 60)
