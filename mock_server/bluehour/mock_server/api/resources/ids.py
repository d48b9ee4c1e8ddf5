"""Ids for new items, in the form that their schema wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import count
from random import Random
from uuid import UUID

from bluehour.openapi.resources import Resource
from bluehour.openapi.resources.shapes import field_of
from bluehour.openapi.samples.strings import strings
from bluehour.openapi.schema import Schema

_PREFIX = re.compile(r"[A-Za-z]+[_-]")
_LIMITS = ("pattern", "format", "minLength", "maxLength", "enum", "const", "allOf", "anyOf", "oneOf", "not")
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONG = 20
_MOST_OF_A_PATTERN = 1_000


def fresh_ids(resource: Resource, example: object, known: int, random: Random) -> Iterator[str]:
    """Yield ids for a new item, one after the other, until one is not taken.

    Args:
        resource: of which kind it is.
        example: a published id; what it begins with, such as `cus_`, new ones begin with.
        known: how many items there are.
        random: draws those that are no numbers.
    """
    schema = field_of(resource.schema, resource.id_field) if resource.id_field else resource.named_by
    if schema is None:
        yield from iter(partial(_word, random), None)
    elif "string" not in schema.types and {"integer", "number"} & schema.types:
        lowest = schema.resolved.get("minimum", 1)
        first = max(known + 1, int(lowest) if isinstance(lowest, int | float) else 1)
        yield from (str(number) for number in count(first))
    else:
        yield from _texts(schema, example, random)


def _word(random: Random) -> str:
    """Return what looks like an id of anybody's: letters and digits."""
    return "".join(random.choices(_LETTERS, k=_LONG))


def _texts(schema: Schema, example: object, random: Random) -> Iterator[str]:
    found = _PREFIX.match(example) if isinstance(example, str) else None
    prefix = found[0] if found else ""

    def with_prefix() -> str:
        return prefix + _word(random)

    def uuid() -> str:
        return f"{UUID(int=random.getrandbits(128), version=4)}"

    is_free = schema.resolved.keys().isdisjoint(_LIMITS)
    for make in (with_prefix, uuid):
        if is_free or schema.accepts(make()):
            yield from iter(make, None)
    for number, text in enumerate(strings(schema.resolved)):
        if number >= _MOST_OF_A_PATTERN:
            return
        if schema.accepts(text):
            yield text
