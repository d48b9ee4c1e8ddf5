"""What each kind of action does, as a function from a `Call` to an `Answer`.

As long as a collection has had no item, nothing is known of it, and the published example answers: a mock
that was just started shows what its contract shows. From the first one on it has what was put there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson

from bluehour.openapi.model import DeclaredResponse, MediaType
from bluehour.openapi.resources import Action, Kind
from bluehour.openapi.resources.families import parameters_of, shape_of
from bluehour.openapi.resources.words import plain
from bluehour.openapi.values import value_at

from ...core.records import CANCELED, COMPLETE, Record
from ..call import Answer, Behaviour, Call, Refusal
from ..examples import answered, documented_example
from .ids import fresh_ids
from .items import Item, Items, shown_in
from .listing import page_of, with_page
from .patches import patched
from .places import address_of, collection_of, named, refuse_missing_parents
from .work import as_item, item_at, item_in

_RENDER_SECONDS = 30.0
"""How long work takes where `x-render-seconds` does not tell, before the time scale."""

_WAITING_SHARE = 0.25
"""How much of that passes before the work begins."""

_MOST_TRIES = 100
"""How often a change is begun anew, as others were quicker, or an id sought."""

_MEANS_CANCEL = ("cancel", "abort", "stop")

_MERGED = ("merge-patch", "vnd.api+json")
"""Media types whose objects are merged into what is there: RFC 7396, https://jsonapi.org/format/#crud-updating."""

_JSON_PATCH = "json-patch+json"


def behaviours_of(actions: Iterable[Action]) -> Mapping[str, Behaviour]:
    """Return what answers each operation that does something to a resource, by its id."""
    actions = tuple(actions)
    made: dict[str, Behaviour] = {}
    for resource in {action.resource: None for action in actions}:
        own = [action for action in actions if action.resource is resource]
        readers = [(each.operation, each.shown_at) for each in own if each.shown_at is not None]
        items = Items(resource, [(operation, place) for operation, place in readers])
        made |= {each.operation.id: partial(_BEHAVIOURS[each.kind], each, items) for each in own}
    return made


def _create(action: Action, items: Items, call: Call) -> Answer:
    collection = _place(action, call)
    sent = _sent(action, call)
    if action.copies:
        original = item_in(_found(action, call, collection))
        sent = {
            **{name: value for name, value in original.items() if name in action.resource.sendable},
            **sent,
        }
    return _created(action, items, call, collection, sent, call.operation.success)


def _create_many(action: Action, items: Items, call: Call) -> Answer:
    collection = _place(action, call)
    records = [_stored(action, items, call, collection, as_item(each)) for each in call.body or ()]
    note = {"items": len(records)}
    if action.shown_at is None:
        return replace(documented_example(call), note=note)
    made = [item_at(items, record, call.now) for record in records]
    status, response = call.operation.success
    return replace(
        answered(call, status, response, lambda media: shown_in(media, action.shown_at, made, {})), note=note
    )


def _read(action: Action, items: Items, call: Call) -> Answer:
    collection = _place(action, call)
    if not call.world.store.has_records(collection):
        return documented_example(call)
    record = _found(action, call, collection)
    return _shown(action, items, call, record, call.operation.success)


def _list(action: Action, items: Items, call: Call) -> Answer:
    collection = _place(action, call)
    store = call.world.store
    if not store.has_records(collection):
        return documented_example(call)
    shown = [item_at(items, record, call.now) for record in store.records(collection)]
    shown = [item for item in shown if _is_below(item, action, call)]
    page = page_of(shown, action.resource, call.operation, call.parameters)
    status, response = call.operation.success

    def data(media: MediaType) -> Any:
        body = shown_in(media, action.shown_at, list(page.items), {})
        return with_page(media, body, action.shown_at or (), page, call.base_url + call.request.target)

    answer = answered(call, status, response, data)
    return replace(answer, note={"items": len(page.items)})


def _replace(action: Action, items: Items, call: Call) -> Answer:
    sent = _sent(action, call)
    collection = _place(action, call)
    record_id = named(action, call.path)
    if record_id is None:
        record_id = str(sent.get(action.id_sent_at or "", ""))

    def again(record: Record) -> Item:
        return items.new(sent, record.id, call.now, before=item_in(record))

    return _changed(action, items, call, collection, record_id, sent, again)


def _update(action: Action, items: Items, call: Call) -> Answer:
    sent = _sent(action, call) or _said_in_query(action, call)
    collection = _place(action, call)
    record_id = named(action, call.path)
    if record_id is None:
        record_id = str(sent.get(action.id_sent_at or "", ""))
    merge = any(name in call.request.content_type for name in _MERGED)

    def changed(record: Record) -> Item:
        item = item_in(record)
        if _JSON_PATCH in call.request.content_type:
            return items.changed(item, patched(item, call), call.now)
        return items.changed(item, sent, call.now, merge=merge)

    return _changed(action, items, call, collection, record_id, sent, changed)


def _act(action: Action, items: Items, call: Call) -> Answer:
    def the_same(record: Record) -> Item:
        return items.changed(item_in(record), {}, call.now)

    return _changed(action, items, call, _place(action, call), named(action, call.path) or "", {}, the_same)


def _delete(action: Action, items: Items, call: Call) -> Answer:
    collection = _place(action, call)
    if not call.world.store.has_records(collection):
        return documented_example(call)
    for _ in range(_MOST_TRIES):
        record = _found(action, call, collection)
        if call.world.change_record(record, record.deleted()):
            break
    return _shown(action, items, call, record, call.operation.success)


_BEHAVIOURS: Mapping[Kind, Callable[[Action, Items, Call], Answer]] = {
    "create": _create,
    "create_many": _create_many,
    "read": _read,
    "list": _list,
    "replace": _replace,
    "update": _update,
    "act": _act,
    "delete": _delete,
}


# What is kept.


def _place(action: Action, call: Call) -> str:
    collection = collection_of(action, call.path)
    refuse_missing_parents(call, action.resource, collection)
    return collection


def _found(action: Action, call: Call, collection: str) -> Record:
    """Return the record that a path names.

    Raises:
        Refusal: 404.
    """
    record = call.world.store.record(collection, named(action, call.path) or "")
    if record is None or record.is_deleted:
        raise Refusal("not_found")
    return record


def _changed(
    action: Action,
    items: Items,
    call: Call,
    collection: str,
    record_id: str,
    sent: Item,
    change: Callable[[Record], Item],
) -> Answer:
    """Change a record, whoever else does; make it where there is none, and the operation may."""
    store, world = call.world.store, call.world
    for _ in range(_MOST_TRIES):
        old = store.record(collection, record_id)
        if old is None or old.is_deleted:
            if action.creates:
                if action.kind == "update":  # of the one thing that there is, and was shown by its example
                    sent = {**items.example, **sent}
                status = 201 if "201" in call.operation.responses else call.operation.success[0]
                response = call.operation.response(status) or call.operation.success[1]
                return _created(action, items, call, collection, sent, (status, response), record_id)
            if not store.has_records(collection):
                return documented_example(call)
            raise Refusal("not_found")
        new = old.changed(orjson.dumps(change(old)))
        if _cancels(action) and old.finished_at > call.now:
            new = replace(new.ended(CANCELED, call.now), version=old.version + 1)
        if world.change_record(old, new):
            return _shown(action, items, call, new, _success_of_change(call))
    raise Refusal("service_unavailable", "Too many changes of this item at a time; send the request again")


def _success_of_change(call: Call) -> tuple[int, DeclaredResponse]:
    """The answer to a change of what was there: not the one that tells of something new."""
    others = [int(each) for each in call.operation.responses if each.startswith("2") and each.isdecimal()]
    status = next((each for each in sorted(others) if each != 201), call.operation.success[0])
    return status, call.operation.response(status) or call.operation.success[1]


def _cancels(action: Action) -> bool:
    word = shape_of(action.operation.path).rpartition("/")[2]
    lifecycle = action.resource.lifecycle
    return lifecycle is not None and lifecycle.canceled is not None and word.startswith(_MEANS_CANCEL)


def _created(
    action: Action,
    items: Items,
    call: Call,
    collection: str,
    sent: Item,
    success: tuple[int, DeclaredResponse],
    record_id: str | None = None,
) -> Answer:
    record = _stored(action, items, call, collection, sent, record_id)
    answer = _shown(action, items, call, record, success)
    if any(name.lower() == "location" for name in answer.headers):
        answer.headers = {**answer.headers, "Location": call.base_url + address_of(record, call)}
    return answer


def _stored(
    action: Action, items: Items, call: Call, collection: str, sent: Item, record_id: str | None = None
) -> Record:
    """Store a new item, by the id that it is given, that its client sends, or that is free.

    Raises:
        Refusal: there is one by that id, and the contract knows that this can be.
    """
    resource = action.resource
    sent = {**sent, **items.said_by_path(action.operation.path, call.path)}
    given = sent.get(resource.id_field) if resource.id_field in resource.sendable else None
    if record_id is None and given is not None and not isinstance(given, dict | list):
        record_id = str(given)
    if record_id is not None:
        while True:
            old = call.world.store.record(collection, record_id)
            if old is not None and not old.is_deleted and call.operation.responses.get("409"):
                raise Refusal("conflict", f"There is one by the id {record_id} already")
            record = _record(action, items, call, collection, sent, record_id)
            if old is not None:
                record = replace(record, version=old.version + 1)
            if call.world.change_record(old, record):
                return record
    example = items.example.get(resource.id_field or "")
    for number, fresh in enumerate(
        fresh_ids(resource, example, call.world.store.count_records(collection), call.world.random)
    ):
        record = _record(action, items, call, collection, sent, fresh)
        if call.world.change_record(None, record):
            return record
        if number > _MOST_TRIES * _MOST_TRIES:
            break
    raise Refusal("service_unavailable", "No free id was found for a new item")


def _record(action: Action, items: Items, call: Call, collection: str, sent: Item, record_id: str) -> Record:
    item = items.new(sent, record_id, call.now)
    record = Record(collection, record_id, orjson.dumps(item), call.operation.id, call.now)
    if action.resource.lifecycle is None:
        return record
    said = call.operation.said_render_seconds
    given = _RENDER_SECONDS if said is None else said
    seconds = math.inf if call.job == "stuck" else given * call.world.settings.time_scale
    outcome = call.job if call.job not in (None, "stuck") else COMPLETE
    return replace(
        record,
        running_at=call.now + seconds * _WAITING_SHARE,
        finished_at=call.now + seconds,
        outcome=str(outcome),
    )


# What came, and what is shown.


def _sent(action: Action, call: Call) -> Item:
    return as_item(value_at(call.body, action.sent_at))


def _said_in_query(action: Action, call: Call) -> Item:
    """What a request says of an item by parameters of its query, as forms without a body do."""
    names = {each.name for each in call.operation.parameters if each.location == "query"}
    return {name: value for name, value in call.parameters.items() if name in names and value is not None}


def _shown(
    action: Action, items: Items, call: Call, record: Record, success: tuple[int, DeclaredResponse]
) -> Answer:
    item = item_at(items, record, call.now)
    resource = action.resource
    call.trace.item = record.collection, record.id
    told: dict[str, Any] = {}
    if action.id_shown_at is not None:
        told[action.id_shown_at] = items.typed(record.id)
    if action.kind == "delete":
        told |= {
            "deleted": True,
            **({resource.id_field: items.typed(record.id)} if resource.id_field else {}),
        }

    def data(media: MediaType) -> Any:
        return shown_in(media, action.shown_at, item, told)

    answer = answered(call, *success, data)
    name = f"{record.collection}/{quote(record.id, safe='')}" if record.id else record.collection
    note = {"item": name}
    if resource.lifecycle is not None:
        note["job"] = str(item.get(resource.lifecycle.field, ""))
    if action.kind == "delete":
        note["job"] = "deleted"
    return replace(answer, note=note)


def _is_below(item: Item, action: Action, call: Call) -> bool:
    """Tell whether an item belongs to what the path of a list elsewhere names."""
    if shape_of(call.operation.path).startswith(shape_of(action.resource.path)):
        return True
    known = {plain(name): value for name, value in item.items()}
    own = {plain(name) for name in parameters_of(action.resource.path)}
    return all(
        plain(name) in own or str(known.get(plain(name))) == call.path[name]
        for name in parameters_of(call.operation.path)
    )
