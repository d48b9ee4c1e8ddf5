"""From a contract's paths and schemas to its resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..model import Operation
from ..schema import Schema
from .families import Family, by_shape, families, parameters_of, shape_of
from .hints import hint_of
from .lifecycle import FIELDS, lifecycle_of
from .model import Action, Kind, Place, Resource
from .polling import tied
from .shapes import contents, envelopes, field_of, fields_of, is_same, items_of, json_of, list_in
from .words import id_among, plain, singular

_KINDS: Mapping[str, Kind] = {"GET": "read", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}
_CREATED = "201"


def actions(operations: Iterable[Operation]) -> Mapping[str, Action]:
    """Return what operations do to the resources of their contract, by operation id.

    Operations that have a behaviour of their own are none of them, and neither are those of a resource that
    nothing makes or nothing shows: there, a published example is a better answer.
    """
    free = [each for each in operations if not each.behaviour and each.node.get("x-resource", True)]
    on_paths = by_shape(free)
    index = _Index.of(free, families(on_paths))
    found: dict[str, Action] = {}
    resources: dict[str, Resource] = {}
    for family in index.families:
        _take(family, index, resources, found)
    for on_path in on_paths.values():
        if not any(each.id in found for each in on_path.values()):
            _take_singleton(on_path, resources, found)
    return found


@dataclass(frozen=True)
class _Index:
    """Where the operations are found that may be about a collection: files have thousands of either.

    Attributes:
        families: the collections.
        below: operations by each path that theirs goes on from; none of those on a collection.
        made: POSTs on the paths of items' parts, by their last word.
        listed: operations that list something, by that schema's identity in the document.
        begun: operations that make items of other paths' collections, with the field that names one.
        hinted: operations by the collection that `x-resource` names.
    """

    families: Sequence[Family]
    below: Mapping[str, Sequence[Operation]]
    made: Mapping[str, Sequence[Operation]]
    listed: Mapping[int, Sequence[Operation]]
    begun: Mapping[str, Sequence[tuple[Operation, str]]]
    hinted: Mapping[str, Sequence[Operation]]

    @classmethod
    def of(cls, operations: Sequence[Operation], known: Sequence[Family]) -> _Index:
        """Look through all operations once."""
        collections = {each.shape for each in known}
        below, made, hinted = (defaultdict[str, list[Operation]](list) for _ in range(3))
        for operation in operations:
            shape = shape_of(operation.path)
            above, _, word = shape.rpartition("/")
            if shape not in collections:
                for end in (place for place, letter in enumerate(shape) if letter == "/"):
                    below[shape[:end]].append(operation)
            if operation.method == "POST" and above.endswith("}"):
                made[word].append(operation)
            if isinstance(collection := hint_of(operation).get("of"), str):
                hinted[collection].append(operation)
        return cls(known, below, made, _listing_by_item(operations), _begun(operations, known), hinted)


def _begun(
    operations: Sequence[Operation], known: Sequence[Family]
) -> Mapping[str, list[tuple[Operation, str]]]:
    """Return the operations that make items of other paths' collections, and the field that names one."""
    readable = [each for each in known if "GET" in each.on_items]
    own = {each.shape for each in known} | {f"{each.shape}/{{}}" for each in known}
    below = tuple(f"{each.shape}/{{}}/" for each in known)
    begun: dict[str, list[tuple[Operation, str]]] = {}
    for operation in operations:
        shape = shape_of(operation.path)
        is_own = shape in own or shape.startswith(below)
        if tie := None if is_own else tied(operation, readable):
            begun.setdefault(tie[0].path, []).append((operation, tie[1]))
    return begun


def _take(family: Family, index: _Index, resources: dict[str, Resource], found: dict[str, Action]) -> None:
    """Find a collection's resource, and all that is done to it."""
    item, id_field = _item_of(family)
    if item is None or (not family.parameter and _is_another(family, item, resources)):
        return
    parent = _parent_of(family.shape, resources)
    resource = Resource(family.path, family.parameter, id_field, item, _named_by(family), parent=parent)
    own = {
        each.operation.id: each for each in _actions_on(family, resource, index.below.get(family.shape, ()))
    }
    for operation in index.listed.get(id(item.resolved), ()):
        if action := _listing(operation, resource):
            own.setdefault(operation.id, action)
    for operation in index.made.get(family.word, ()):
        if (
            operation.id not in own
            and operation.id not in found
            and _makes_elsewhere(operation, family, resource)
        ):
            own[operation.id] = _action("create", resource, operation)
    for operation, name in index.begun.get(family.path, ()):
        if operation.id not in own:
            own[operation.id] = _action("create", resource, operation, id_shown_at=name)
    own |= {each.id: _as_hinted(each, resource) for each in index.hinted.get(family.path, ())}
    kinds = {action.kind for action in own.values()}
    makes = "create" in kinds or any(action.creates for action in own.values())
    if not makes or kinds.isdisjoint(("read", "list")):
        return
    resources[family.shape] = _finished(resource, own, found)


def _listing_by_item(operations: Iterable[Operation]) -> Mapping[int, list[Operation]]:
    """Return the operations that list something, by the schema of that: one object of the document."""
    found: dict[int, list[Operation]] = {}
    for operation in operations:
        answer = json_of(operation.success[1]) if operation.method == "GET" else None
        if listed := list_in(answer) if answer else None:
            found.setdefault(id(listed[1].resolved), []).append(operation)
    return found


def _as_hinted(operation: Operation, resource: Resource) -> Action:
    hint = hint_of(operation)
    action = _listing(operation, resource) if hint["action"] == "list" else None
    name = hint.get("id")
    return action or _action(
        hint["action"], resource, operation, id_shown_at=name if isinstance(name, str) else None
    )


def _parent_of(shape: str, resources: Mapping[str, Resource]) -> Resource | None:
    """Return the resource whose items a path goes on from."""
    above = sorted(resources, key=len, reverse=True)
    return next((resources[each] for each in above if shape.startswith(f"{each}/{{}}/")), None)


def _take_singleton(
    on_path: Mapping[str, Operation], resources: Mapping[str, Resource], found: dict[str, Action]
) -> None:
    """Find a thing of which there is one: it can be read and written, and its path does not name it."""
    reader = on_path.get("GET")
    item = json_of(reader.success[1]) if reader is not None else None
    writers = [on_path[method] for method in ("PUT", "PATCH") if method in on_path]
    if reader is None or item is None or not fields_of(item) or not writers or reader.path.endswith("}"):
        return
    if list_in(item) and not set(fields_of(item)) & set().union(*map(_sent_fields, writers)):
        return
    resource = Resource(reader.path, None, None, item, parent=_parent_of(shape_of(reader.path), resources))
    own = {reader.id: _action("read", resource, reader)}
    own |= {each.id: _action(_KINDS[each.method], resource, each, creates=True) for each in writers}
    if (deleter := on_path.get("DELETE")) is not None:
        own[deleter.id] = _action("delete", resource, deleter)
    _finished(resource, own, found)


def _finished(resource: Resource, own: Mapping[str, Action], found: dict[str, Action]) -> Resource:
    sendable = frozenset().union(*(_sent_fields(each.operation) for each in own.values()))
    lifecycle = lifecycle_of(resource.schema, sendable)
    resource = replace(resource, sendable=sendable, lifecycle=lifecycle)
    resource.schema.document.validators.expect(resource.schema.node)  # items are judged by it
    for operation_id, action in own.items():
        found.setdefault(operation_id, replace(action, resource=resource))
    return resource


def _named_by(family: Family) -> Schema | None:
    """Return what the parameter may be that names an item."""
    return next(
        (
            each.schema
            for operation in family.on_items.values()
            for each in operation.parameters
            if each.location == "path" and each.name == family.parameter
        ),
        None,
    )


def _item_of(family: Family) -> tuple[Schema | None, str | None]:
    """Return what an item of a collection is, and which of its fields is its id."""
    shown = [
        family.on_items[method] for method in ("GET", "PUT", "PATCH", "POST") if method in family.on_items
    ]
    bodies = [json_of(operation.success[1]) for operation in shown]
    if (maker := family.on_collection.get("POST")) is not None:
        bodies.append(json_of(maker.success[1]))
    if (lister := family.on_collection.get("GET")) is not None:
        answer = json_of(lister.success[1])
        listed = list_in(answer, family.word) if answer else None
        bodies.append(listed[1] if listed else None)
    full = [body for body in bodies if body is not None and fields_of(body)]
    named = [
        (item, name)
        for body in full
        for _, item in envelopes(body)
        if (name := id_among(fields_of(item), family.parameter, family.word))
    ]
    if named and (len(fields_of(named[0][0])) > 1 or full[0] is named[0][0]):
        return named[0]
    return (contents(full[0]), None) if full else (None, None)  # more is known of it than the id alone


def _is_another(family: Family, item: Schema, resources: Mapping[str, Resource]) -> bool:
    """Tell whether what has no path of its own here is what another collection has."""
    return any(
        each.name == family.word and item.resolved is each.schema.resolved for each in resources.values()
    )


def _actions_on(family: Family, resource: Resource, below: Iterable[Operation]) -> Iterator[Action]:
    on_collection = [_on_collection(each, resource) for each in family.on_collection.values()]
    yield from (each for each in on_collection if each)
    has_create = any(each and each.kind == "create" for each in on_collection)
    for method, operation in family.on_items.items():
        if method in _KINDS:
            creates = method == "PUT" and (not has_create or _CREATED in operation.responses)
            yield _action(_KINDS[method], resource, operation, creates=creates)
        elif method == "POST" and (
            _shown_at(operation, resource) is not None or not operation.success[1].content
        ):
            yield _action("update", resource, operation)
    yield from (action for each in below if (action := _below(each, family, resource)))


def _on_collection(operation: Operation, resource: Resource) -> Action | None:
    answer = json_of(operation.success[1])
    match operation.method:
        case "POST":
            action = _action("create", resource, operation)
            is_told = action.shown_at is not None or action.id_shown_at or _is_located(operation)
            return action if is_told or resource.id_field in _sent_fields(operation) else None
        case "GET":
            return _listing(operation, resource)
        case "PUT" | "PATCH" if resource.id_field in _sent_fields(operation) and answer is not None:
            kind = _KINDS[operation.method]
            return replace(_action(kind, resource, operation), id_sent_at=resource.id_field)
    return None


def _below(operation: Operation, family: Family, resource: Resource) -> Action | None:
    """Return what an operation on a path below a collection's does to it."""
    shape = shape_of(operation.path)
    if shape == f"{family.shape}/{{}}":
        return None
    word = shape.removeprefix(f"{family.shape}/{{}}/")
    if word != shape and "/" not in word and "{" not in word:
        return _on_part(operation, word, resource)
    if operation.method == "POST" and "{}" not in shape[len(family.shape) :]:
        return _many(operation, resource)
    return None


def _on_part(operation: Operation, word: str, resource: Resource) -> Action | None:
    """Return what an operation does to an item whose path ends in a word more, such as `cancel`."""
    answer = json_of(operation.success[1])
    is_shown = _shown_at(operation, resource) is not None
    if operation.method == "GET":
        fields = set(fields_of(answer)) if answer else set()
        tells = any(plain(name).endswith(FIELDS) for name in fields) and fields <= set(
            fields_of(resource.schema)
        )
        return Action("read", resource, operation) if tells else None
    if operation.method != "POST":
        return _action("update", resource, operation) if is_shown else None
    is_item = answer is not None and any(is_same(each, resource.schema) for _, each in envelopes(answer))
    if _CREATED in operation.responses:  # something new: an item like this one, or else who knows what
        return replace(_action("create", resource, operation), copies=True) if is_item else None
    if not is_item and singular(word) != word:  # many of something else
        return None
    if is_shown:
        return _action("update", resource, operation)
    return None if operation.success[1].content else Action("act", resource, operation)


def _makes_elsewhere(operation: Operation, family: Family, resource: Resource) -> bool:
    """Tell whether an operation on a longer path makes items, as `/users/{userId}/posts` does of `/posts`."""
    answer = json_of(operation.success[1])
    return (
        shape_of(operation.path) != family.shape
        and answer is not None
        and any(each.resolved is resource.schema.resolved for _, each in envelopes(answer))
        and _is_narrowed(operation, resource)
    )


def _is_narrowed(operation: Operation, resource: Resource) -> bool:
    """Tell whether items know what an operation's path names, and the path tells where they are kept."""
    known = {plain(name) for name in fields_of(resource.schema)}
    of_resource = {plain(name) for name in parameters_of(resource.path)}
    of_path = {plain(name) for name in parameters_of(operation.path)}
    return of_resource <= of_path <= known | of_resource


def _listing(operation: Operation, resource: Resource) -> Action | None:
    """Return an operation as one that lists items, where the ones that it shows are of this kind."""
    answer = json_of(operation.success[1])
    listed = list_in(answer, resource.name) if answer else None
    if listed is None:
        return None
    place, item = listed
    if operation.path.rstrip("/") != resource.path:
        if item.resolved is not resource.schema.resolved or not _is_narrowed(operation, resource):
            return None
    elif (fields := fields_of(item)) and resource.id_field not in (None, *fields):
        return None
    return Action("list", resource, operation, shown_at=place)


def _many(operation: Operation, resource: Resource) -> Action | None:
    media = operation.json_body
    items = items_of(media.schema) if media else None
    if items is None or not is_same(items, resource.schema):
        return None
    answer = json_of(operation.success[1])
    listed = list_in(answer, resource.name) if answer else None
    is_shown = listed is not None and is_same(listed[1], resource.schema)
    return Action("create_many", resource, operation, listed[0] if listed and is_shown else None)


def _action(
    kind: Kind,
    resource: Resource,
    operation: Operation,
    *,
    creates: bool = False,
    id_shown_at: str | None = None,
) -> Action:
    shown_at = _shown_at(operation, resource)
    if kind == "create" and shown_at is None and id_shown_at is None and resource.parameter:
        answer = json_of(operation.success[1])
        fields = fields_of(answer) if answer else ()
        id_shown_at = id_among(fields, resource.parameter, resource.name)
    return Action(
        kind,
        resource,
        operation,
        shown_at,
        _sent_at(operation, resource),
        id_shown_at=id_shown_at,
        creates=creates,
    )


def _shown_at(operation: Operation, resource: Resource) -> Place | None:
    """Return where an operation's answer shows an item; None where it does not."""
    answer = json_of(operation.success[1])
    return None if answer is None else shown_in_body(answer, resource)


def shown_in_body(body: Schema, resource: Resource) -> Place | None:
    """Return where a body shows an item; None where it does not."""
    found = list(envelopes(body))
    same = [place for place, schema in found if is_same(schema, resource.schema)]
    alike = [place for place, schema in found if _is_alike(schema, resource)]
    return next(iter(same + alike), None)


def is_about(name: str, request: Operation, resource: Resource) -> bool:
    """Tell whether an event is about items of a resource: by its name, or as its body shows one."""
    media = request.json_body
    is_named = singular(plain(resource.name)) in plain(name)
    return is_named or (media is not None and shown_in_body(media.schema, resource) is not None)


def names_item(field: str, resource: Resource) -> bool:
    """Tell whether a field, elsewhere than in an item, is the id of one: `petId` of a pet."""
    one = singular(plain(resource.name))
    known = {plain(resource.parameter or ""), "id", f"{one}id"}
    return plain(field) in known


def _is_alike(schema: Schema, resource: Resource) -> bool:
    """Tell whether what is shown is an item, though not all of it, or more."""
    shown, known = set(fields_of(schema)), set(fields_of(resource.schema))
    return resource.id_field in shown and len(shown & known) > max(1, len(known) // 2)


def _sent_at(operation: Operation, resource: Resource) -> Place:
    """Return where a request's body has the item; all of it, unless that lies in an envelope."""
    media = (
        operation.json_body or next(iter(operation.body.content.values()), None) if operation.body else None
    )
    if media is None:
        return ()
    known = set(fields_of(resource.schema))
    found = [place for place, schema in envelopes(media.schema, 1) if known & set(fields_of(schema))]
    return next(iter(found), ())


def _sent_fields(operation: Operation) -> frozenset[str]:
    """Return the fields that an operation's body may have, in an envelope or not."""
    if operation.body is None or operation.method == "GET":
        return frozenset()
    return frozenset(
        name
        for media in operation.body.content.values()
        for schema in (media.schema, contents(media.schema))
        for name in fields_of(schema)
        if field_of(schema, name).resolved.get("readOnly") is not True
    )


def _is_located(operation: Operation) -> bool:
    return any(header.name.lower() == "location" for header in operation.success[1].headers)
