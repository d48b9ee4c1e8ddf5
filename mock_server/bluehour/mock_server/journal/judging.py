"""What of a recorded request breaks the contract, and what in it deserves a warning.

Both are found when somebody looks, not when the request comes: that keeps recording cheap.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from bluehour.openapi import wording
from bluehour.openapi.data import from_json
from bluehour.openapi.faults import Fault
from bluehour.openapi.reading import read
from bluehour.openapi.schema import Schema
from bluehour.openapi.wording import cut

from .entry import Entry

_MOST_WARNINGS = 50
"""Of a kind, for one request."""

_LONGEST_PATH = 120
"""Characters of a path that a fault repeats."""

_LONGEST_KEY = 64
"""Characters of an unknown key that are compared with those that there are."""


def faults_of(entry: Entry) -> list[Fault]:
    """Return what of a request breaks the contract, whatever was answered; none for a legal one.

    What depends on the mock's state (credits, an unknown id, an asset that was never uploaded) is no fault.
    """
    operation = entry.operation
    if operation is None:
        return _faults_outside(entry)
    found = read(operation, entry.request, entry.path_values)
    if entry.request_body is None:  # too large to be kept: what was answered has to do
        refused = entry.status in (400, 413)
        found.body_faults = [Fault("body", str(entry.note["error"]))] if refused else []
    return found.faults


def warnings_of(entry: Entry) -> list[str]:
    """Return what a client's author should know, though the request is legal."""
    found = list(entry.habits)
    schema, body = _json_body(entry)
    if schema is not None:
        found += islice(_unknown_keys(schema, body, ()), _MOST_WARNINGS)
        found += islice(_deprecated(schema, body, ()), _MOST_WARNINGS)
    return found


def _faults_outside(entry: Entry) -> list[Fault]:
    if entry.transfer or entry.status not in (404, 405):
        return []
    where = "path" if entry.status == 404 else "method"
    return [
        Fault(where, f"The contract has no operation {cut(entry.method)} {cut(entry.path, _LONGEST_PATH)}")
    ]


def _json_body(entry: Entry) -> tuple[Schema | None, Any]:
    """The body as data with the schema that judges it, where it is JSON."""
    operation = entry.operation
    if operation is None or operation.body is None or not entry.request_body:
        return None, None
    media = operation.body.media_type(entry.request.content_type)
    if media is None or not media.is_json:
        return None, None
    try:
        return media.schema, from_json(entry.request_body)
    except ValueError:
        return None, None


def _unknown_keys(schema: Schema, value: Any, path: tuple[str | int, ...]) -> Iterator[str]:
    """Keys that no schema speaks of: accepted, and most likely a slip."""
    for name, inner, place in _walk(schema, value, path):
        if inner is None:
            near = difflib.get_close_matches(
                str(name)[:_LONGEST_KEY], schema.resolved.get("properties", {}), n=1
            )
            hint = f"; did you mean {near[0]}?" if near else ""
            yield f"unknown key {_field(place)}: it is ignored{hint}"
        else:
            yield from _unknown_keys(inner, _child(value, name), place)


def _deprecated(schema: Schema, value: Any, path: tuple[str | int, ...]) -> Iterator[str]:
    for name, inner, place in _walk(schema, value, path):
        if inner is None:
            continue
        if inner.resolved.get("deprecated"):
            yield f"{_field(place)} is deprecated{_advice(inner)}"
        yield from _deprecated(inner, _child(value, name), place)


def _field(path: tuple[str | int, ...]) -> str:
    return cut(wording.field_name(path))


def _advice(schema: Schema) -> str:
    """The first sentence of a field's description, which says what to use in its place."""
    text = schema.resolved.get("description", "").strip().removeprefix("Deprecated: ")
    return f": {text.partition('. ')[0]}" if text else ""


def _walk(
    schema: Schema, value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[str | int, Schema | None, tuple[str | int, ...]]]:
    """The parts of a value, each with its schema; None for a key that the schema does not know."""
    node = schema.resolved
    if isinstance(value, dict) and "properties" in node:
        is_open = "additionalProperties" in node or "patternProperties" in node or "allOf" in node
        for name in value:
            if name in node["properties"]:
                yield name, Schema(schema.document, node["properties"][name]), (*path, name)
            elif not is_open:
                yield name, None, (*path, name)
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        for index in range(len(value)):
            yield index, Schema(schema.document, node["items"]), (*path, index)


def _child(value: Any, name: str | int) -> Any:
    return value[name]
