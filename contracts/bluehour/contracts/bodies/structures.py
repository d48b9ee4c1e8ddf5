"""Lists, objects and formats: what their keywords forbid, and what they just allow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import Any

from bluehour.openapi.document import SpecError
from bluehour.openapi.samples.varied import varied
from bluehour.openapi.schema import Schema
from bluehour.openapi.wording import counted

from .places import Place

Tried = Iterator[tuple[str, str, Any]]
"""Rules, what is done about them in words, and values to try."""

MOST_KEYS = 500
"""Keys that an object is made to have: of larger bounds nothing is tried."""

_UNKNOWN = "x_unknown_key"
_NAMES = (_UNKNOWN, "", "0", "é", "A B", "x" * 300)
"""Keys of which some are against any rule that names have."""

_TRIES_EACH = 4
"""Draws for each item that a list of different ones is to have."""

_FORMATS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "date": (("2026-02-30", "30.01.2026", "2026-01-30T00:00:00Z"), ("2024-02-29",)),
    "date-time": (
        ("2026-02-30T00:00:00Z", "2026-01-30", "yesterday"),
        ("2024-02-29T23:59:59.999999Z", "2026-01-30T01:02:03+05:30"),
    ),
    "time": (("25:00:00Z", "noon"), ("23:59:59Z",)),
    "duration": (("one hour", "P"), ()),
    "email": (("nobody", "a@b@example.com"), ("first.last+tag@example.com",)),
    "hostname": (("-a.example.com", "a b"), ()),
    "ipv4": (("256.0.0.1", "1.2.3"), ()),
    "ipv6": (("1::2::3", "12345::"), ()),
    "uri": (("no uri", "//example.com"), ()),
    "uuid": (("f81d4fae", "f81d4fae-7dec-11d0-a765-00a0c91e6bfg"), ()),
}
"""Texts that are none of a format, and some that are but seldom seen.

What names a thing that has to be there, such as a UUID, has none of the latter: nobody could tell for what it
is refused."""


def no_such_text(node: dict[str, Any]) -> Tried:
    """Yield texts that are not of a field's format."""
    for text in _FORMATS.get(str(node.get("format")), ((), ()))[0]:
        yield "refuse.pattern", f"{json.dumps(text)}, no {node['format']}", text


def seldom_texts(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield texts that are of a field's format, and what is seldom about them."""
    for text in _FORMATS.get(str(node.get("format")), ((), ()))[1]:
        yield f"{text}, a {node['format']}", text


def no_such_list(place: Place, value: Any) -> Tried:
    """Yield lists whose items are not as they have to be among each other."""
    node = place.node
    if not isinstance(value, list) or not value:
        return
    if node.get("uniqueItems"):
        yield "refuse.container", "an item twice", [*value, value[0]]
    if "contains" in node:
        wanted = Schema(place.schema.document, node["contains"])
        yield "refuse.container", "no item as one has to be", [x for x in value if not wanted.accepts(x)]
    if "prefixItems" in node or node.get("items") is False:
        yield "refuse.container", "an item too many", [*value, value[-1]]


def items_of(place: Place, value: list[Any], number: int, random: Random) -> list[Any] | None:
    """Return a list of so many items, different ones where they have to be; None where it can't be made."""
    node = place.node
    if not node.get("uniqueItems"):
        return (value * number)[:number]
    items = Schema(place.schema.document, node.get("items", True))
    found = {json.dumps(each, sort_keys=True): each for each in value[:number]}
    for _ in range(_TRIES_EACH * number):
        if len(found) >= number:
            break
        try:
            made = varied(items, random)
        except SpecError:
            return None
        found.setdefault(json.dumps(made, sort_keys=True), made)
    return [*found.values()] if len(found) == number else None


def no_such_object(node: dict[str, Any], value: Any) -> Tried:
    """Yield objects with keys that they must not have, too many or too few."""
    if not isinstance(value, dict):
        return
    for closed in ("additionalProperties", "unevaluatedProperties"):
        if node.get(closed) is False:
            yield "refuse.container", "a key that it does not have", {**value, _UNKNOWN: "x"}
    if "propertyNames" in node:
        for name in _NAMES:
            named = {**value, name: [*value.values(), "x"][0]}
            yield "refuse.pattern", f"a key as none may be named, {name[:20]!r}", named
    if 0 < (most := node.get("maxProperties", 0)) < MOST_KEYS:
        yield "refuse.maximum", f"{most + 1} keys, more than its {most}", keys_of(value, most + 1)
    if (least := node.get("minProperties", 0)) > 1:
        yield (
            "refuse.empty",
            f"{counted(least - 1, 'key')}, fewer than its {least}",
            keys_of(value, least - 1),
        )


def keys_of(value: dict[str, Any], number: int) -> dict[str, Any]:
    """Return an object with so many keys: its own, and others with the value of its last one."""
    last = [*value.values()][-1] if value else "x"
    others = (f"key{index}" for index in count(1))
    made = dict([*value.items()][:number])
    while len(made) < number:
        made.setdefault(next(others), last)
    return made


def stretched(text: Any, number: int) -> str:
    """Return a text of so many characters: it is cut, or its last one is repeated."""
    known = str(text or "a")
    return known[:number] + known[-1] * (number - len(known))
