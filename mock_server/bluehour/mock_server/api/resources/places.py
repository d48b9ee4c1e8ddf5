"""Where an item is kept: in which collection, by which name."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

from bluehour.openapi.resources import Action, Resource
from bluehour.openapi.resources.families import parameters_of, shape_of
from bluehour.openapi.resources.words import plain

from ...core.records import Record
from ..call import Call, Refusal


def collection_of(action: Action, path: Mapping[str, str]) -> str:
    """Return the path of the collection that a call is about, its parameters filled in.

    Args:
        action: what the called operation does.
        path: the values of the parameters of its path.
    """
    resource = action.resource
    wanted = parameters_of(resource.path)
    if shape_of(action.operation.path).startswith(shape_of(resource.path)):
        names = parameters_of(action.operation.path)[: len(wanted)]
        values = [path[name] for name in names]
    else:
        known = {plain(name): value for name, value in path.items()}
        values = [known.get(plain(name), "") for name in wanted]
    return _filled(resource.path, values)


def named(action: Action, path: Mapping[str, str]) -> str | None:
    """Return the id of the item that a path names; nothing for a singleton, None where no item is named."""
    resource = action.resource
    if resource.is_singleton:
        return ""
    operation = action.operation.path
    place = len(parameters_of(resource.path))
    names = parameters_of(operation)
    is_below = shape_of(operation).startswith(f"{shape_of(resource.path)}/{{}}")
    return path[names[place]] if is_below else None


def address_of(record: Record, call: Call) -> str:
    """Return the path at which an item is found, under the same base path as the call."""
    template = call.operation.path
    own = _filled(template, [call.path[name] for name in parameters_of(template)])
    came = call.request.raw_path
    base = came.removesuffix(own) if came.endswith(own) else ""
    return f"{base}{record.collection}/{quote(record.id, safe='')}"


def refuse_missing_parents(call: Call, resource: Resource, collection: str) -> None:
    """Refuse a call on what belongs to an item that is known not to be there.

    Raises:
        Refusal: 404.
    """
    parent = resource.parent
    if parent is None:
        return
    above = collection.split("/")
    depth = len(parent.path.split("/"))
    its_collection, record_id = "/".join(above[:depth]), above[depth]
    if call.world.store.has_records(its_collection):
        record = call.world.store.record(its_collection, unquote(record_id))
        if record is None or record.is_deleted:
            raise Refusal("not_found")
    refuse_missing_parents(call, parent, its_collection)


def _filled(path: str, values: list[str]) -> str:
    left = iter(values)
    return "/".join(
        quote(next(left, ""), safe="") if part.startswith("{") else part for part in path.split("/")
    )
