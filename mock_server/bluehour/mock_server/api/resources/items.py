"""What an item says: what its client sent, in a legal example of all else, judged before it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from bluehour.openapi.document import SpecError
from bluehour.openapi.model import MediaType, Operation
from bluehour.openapi.resources import Resource
from bluehour.openapi.resources.model import Place
from bluehour.openapi.resources.shapes import alternatives, field_of, fields_of, items_of, required_by
from bluehour.openapi.resources.words import plain, singular
from bluehour.openapi.samples import NoSample, fitted, sample
from bluehour.openapi.schema import Schema
from bluehour.openapi.values import value_at

from ...core.clock import isoformat

Item = dict[str, Any]

_MADE = ("created", "createdat", "createdon", "creationdate", "createdtime", "datecreated", "timestamp")
_CHANGED = ("updated", "updatedat", "updatedon", "modified", "modifiedat", "lastmodified", "dateupdated")
_MADE_BY_WORK = ("result", "output", "download", "url", "asset", "artifact", "finish", "complet", "ended")
_DEEPEST_PART = 4
_WORD_AND_PARAMETER = re.compile(r"([^/{}]+)/\{([^{}/]*)\}")
_DIGITS = re.compile(r"-?[0-9]{1,18}")
_ENDS_OF_ERRORS = ("error", "errors", "failure", "errorcode", "errormessage", "failurereason")


class Items:
    """Makes items of one resource.

    Args:
        resource: of which.
        readers: operations that show an item, each with where in its answer; their examples are looked at.
    """

    def __init__(self, resource: Resource, readers: Iterable[tuple[Operation, Place]]) -> None:
        self.resource = resource
        self._schema = resource.schema
        self._readers = tuple(readers)
        self._fields = {name: field_of(self._schema, name) for name in fields_of(self._schema)}
        self._example: Item | None = None
        choices = alternatives(self._schema)
        self._kinds = (
            [Items(replace(resource, schema=each), self._readers) for each in choices]
            if len(choices) > 1
            else []
        )

    @property
    def example(self) -> Item:
        """A legal item: one that is published, else one made from the schema.

        Raises:
            SpecError: there can be none.
        """
        if self._example is None:
            self._example = self._published or self._sample()
        return self._example

    @cached_property
    def _published(self) -> Item | None:
        return next(self._examples(), None)

    def _examples(self) -> Iterator[Item]:
        for operation, place in self._readers:
            media = operation.success[1].json
            for published in media.examples if media else ():
                item = value_at(published, place)
                if isinstance(item, dict) and self._schema.accepts(item):
                    yield item

    def _sample(self) -> Item:
        try:
            made = sample(self._schema.node, self._schema.document)
        except NoSample as error:
            raise SpecError(f"no example could be made for {self.resource.path}: {error}") from error
        return made if isinstance(made, dict) else {}

    def new(self, sent: Mapping[str, Any], record_id: str, now: float, before: Item | None = None) -> Item:
        """Return an item as it is made, or replaced.

        Args:
            sent: what the client says of it.
            record_id: what names it.
            now: seconds since the epoch.
            before: what it is in the place of; what clients can't set stays as it was there.
        """
        if self._kinds:
            return self._best(sent, (kind.new(sent, record_id, now, before) for kind in self._kinds))
        made: Item = {} if self._fields else {**sent}
        for name, field in self._fields.items():
            if name == self.resource.id_field:
                made[name] = self.typed(record_id)
            elif name in sent and field.resolved.get("writeOnly") is not True:
                made[name] = completed(field, sent[name])
            else:
                made |= self._unsent(name, field, now, before)
        return fitted(self._schema, made, before or self._named(record_id))

    def _best(self, sent: Mapping[str, Any], made: Iterable[Item]) -> Item:
        """Return the legal one of several items that keeps most of what was sent."""

        def worth(item: Item) -> tuple[bool, int]:
            kept = sum(name in item and item[name] == value for name, value in sent.items())
            return self._schema.accepts(item), kept

        best = max(made, key=worth)
        for name, value in sent.items():  # of several by `anyOf` all that are legal together
            if name in self._fields and name not in best and not self._is_secret(name):
                more = {**best, name: value}
                best = more if self._schema.accepts(more) else best
        return best

    def _unsent(self, name: str, field: Schema, now: float, before: Item | None) -> Item:
        """Return what an item says in a field that its client did not send: nothing where it need not."""
        if field.resolved.get("writeOnly") is True:
            return {}
        if (stamp := self._stamp(name, field, now, is_new=before is None)) is not None:
            return {name: stamp}
        if name in self.resource.sendable:
            return {name: field.resolved["default"]} if "default" in field.resolved else self._required(name)
        if before is None and not self._is_told(field):
            return self._required(name)
        source = self.example if before is None else before
        return {name: source[name]} if name in source else {}

    def _is_told(self, field: Schema) -> bool:
        """Tell whether an example's value is worth to be shown: it is published, or the server's to tell."""
        is_read_only = field.resolved.get("readOnly") is True
        return self._published is not None or self.resource.lifecycle is not None or is_read_only

    def _required(self, name: str) -> Item:
        if name not in required_by(self._schema):
            return {}
        nothing = _nothing_in(self._fields[name])
        return {name: nothing[0] if nothing else self.example.get(name)}

    def _stamp(self, name: str, field: Schema, now: float, *, is_new: bool) -> Any:
        known = plain(name)
        if known in _CHANGED or (is_new and known in _MADE):
            if field.resolved.get("format") == "date-time":
                return isoformat(now)
            if "integer" in field.types:
                return int(now)
        return None

    def changed(self, item: Item, sent: Mapping[str, Any], now: float, *, merge: bool = False) -> Item:
        """Return an item with other values in what a client has sent of it.

        Args:
            item: as it was.
            sent: the fields to change.
            now: seconds since the epoch.
            merge: whether objects are merged, and null takes a field away (RFC 7396).
        """
        if self._kinds:
            changes = (kind.changed(item, sent, now, merge=merge) for kind in self._kinds)
            return self._best({**item, **sent}, changes)
        wanted = {
            name: value
            for name, value in sent.items()
            if name != self.resource.id_field
            and (name in self._fields or not self._fields)
            and not self._is_secret(name)
        }
        wanted = {
            name: completed(self._fields[name], value) if name in self._fields and not merge else value
            for name, value in wanted.items()
        }
        after = _merged(item, wanted) if merge else {**item, **wanted}
        for name, field in self._fields.items():
            if name not in sent and (stamp := self._stamp(name, field, now, is_new=False)) is not None:
                after[name] = stamp
        return fitted(self._schema, after, item)

    def _is_secret(self, name: str) -> bool:
        return name in self._fields and self._fields[name].resolved.get("writeOnly") is True

    def at_work(self, item: Item, status: str) -> Item:
        """Return an item as it is shown while work on it is under way, or once that is over.

        What the work makes is not there before its end, and an error only where it has failed.

        Args:
            item: as it is kept.
            status: a word of the resource's lifecycle.
        """
        lifecycle = self.resource.lifecycle
        if lifecycle is None:
            return item
        for kind in self._kinds:
            if kind._schema.accepts(item):
                return kind.at_work(item, status)
        shown = {**item, lifecycle.field: status}
        for name, field in self._fields.items():
            known = plain(name)
            if name in (lifecycle.field, self.resource.id_field) or name in self.resource.sendable:
                continue
            if known in _ENDS_OF_ERRORS:
                shown = self._with_error(shown, name, field, failed=status == lifecycle.failed)
            elif status != lifecycle.done and _is_made_by_work(known, field):
                shown = self._without(shown, name, field)
        return fitted(self._schema, shown, {**item, lifecycle.field: status})

    def _with_error(self, item: Item, name: str, field: Schema, *, failed: bool) -> Item:
        if not failed:
            return self._without(item, name, field)
        if item.get(name) is not None:
            return item
        try:
            return {**item, name: sample(field.node, field.document)}
        except NoSample:
            return item

    def _without(self, item: Item, name: str, field: Schema) -> Item:
        """Take a field out of an item, if only by null or an empty list where it has to be there."""
        nothing = _nothing_in(field)
        if nothing and (name in item or name in required_by(self._schema)):
            return {**item, name: nothing[0]}
        return {key: value for key, value in item.items() if key != name}

    def typed(self, record_id: str) -> Any:
        """Return an id as the field for it has it: a number, or text."""
        name, named_by = self.resource.id_field, self.resource.named_by
        field = self._fields.get(name) if name is not None else named_by
        types = field.types if field is not None else ()
        is_number = "string" not in types and ("integer" in types or "number" in types)
        return int(record_id) if is_number and _DIGITS.fullmatch(record_id) else record_id

    def said_by_path(self, template: str, values: Mapping[str, str]) -> Item:
        """Return what a path says of an item in it: of one in `/users/7/posts`, that its `userId` is 7.

        Args:
            template: the operation's path.
            values: of its parameters.
        """
        known = {plain(name): name for name in self._fields if name != self.resource.id_field}
        said: Item = {}
        for word, parameter in _WORD_AND_PARAMETER.findall(template):
            one = singular(plain(word))
            names = [plain(parameter), one + plain(parameter), one + "id"]
            name = next((known[each] for each in names if each in known), None)
            if name is not None and parameter != self.resource.parameter:
                types, value = self._fields[name].types, values.get(parameter, "")
                is_number = "string" not in types and _DIGITS.fullmatch(value)
                said[name] = int(value) if is_number else value
        return {name: value for name, value in said.items() if self._fields[name].accepts(value)}

    def _named(self, record_id: str) -> Item:
        name = self.resource.id_field
        return (
            self.example
            if name is None or name not in self._fields
            else {**self.example, name: self.typed(record_id)}
        )


def _is_made_by_work(known: str, field: Schema) -> bool:
    is_stamp = known in _MADE or known in _CHANGED
    return not is_stamp and ("null" in field.types or any(word in known for word in _MADE_BY_WORK))


def _nothing_in(field: Schema) -> list[Any]:
    """Return how a field says that it has nothing, the plainest first; empty where it can't."""
    nothing: list[tuple[Any, str]] = [(None, "null"), ([], "array")]
    return [value for value, name in nothing if name in field.types]


def shown_in(media: MediaType, place: Place | None, item: Any, beside: Mapping[str, Any]) -> Any:
    """Return what a representation says that shows an item, or only some values of it.

    Args:
        media: the representation.
        place: where the item is; None where it is not shown.
        item: or the list of them.
        beside: what else the answer may tell, by its fields' names.

    Raises:
        SpecError: no example could be made of what is around it.
    """
    if place == () and media.schema.accepts(item):
        return item
    example = media.example
    if not isinstance(example, dict):
        return item if media.schema.accepts(item) else example
    known = {
        name: value for name, value in beside.items() if name in example or name in fields_of(media.schema)
    }
    if place is None:
        named = {name: value for name, value in item.items() if name in fields_of(media.schema)}
        return fitted(media.schema, {**example, **named, **known}, example)
    if place == ():
        named = {name: value for name, value in item.items() if name in fields_of(media.schema)}
        return fitted(media.schema, {**example, **named}, example)
    return fitted(media.schema, _put({**example, **known}, place, item), example)


def _put(body: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    inside = body.get(place[0]) if isinstance(body, dict) else None
    return {**(body if isinstance(body, dict) else {}), place[0]: _put(inside, place[1:], value)}


def completed(schema: Schema, value: Any, depth: int = 0) -> Any:
    """Return what a client has sent with what only the server can add to it, such as the ids of its parts."""
    if depth == _DEEPEST_PART or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        items = items_of(schema)
        return value if items is None else [completed(items, each, depth + 1) for each in value]
    made = (_completed(each, value, depth) for each in alternatives(schema))
    return next((each for each in made if schema.accepts(each)), value)


def _completed(schema: Schema, value: Item, depth: int) -> Item:
    inner = {
        name: completed(field_of(schema, name), each, depth + 1) if isinstance(each, dict | list) else each
        for name, each in value.items()
    }
    missing = required_by(schema) - value.keys()
    if not missing:
        return inner
    try:
        made = sample(schema.node, schema.document)
    except NoSample:
        return inner
    known = made if isinstance(made, dict) else {}
    return {**{name: known[name] for name in missing if name in known}, **inner}


def _merged(target: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = {**target} if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged
