"""Arrays of a legal length, with the items that a schema asks for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, repeat
from typing import Any

from .merging import Draw, Node, both

_LONGEST = 100_000


def arrays(shape: dict[str, Any], draw: Draw, lean: bool) -> Iterator[list[Any]]:
    """Yield arrays: of the usual length, which is one or, where lean, none, then of others."""
    few = max(int(shape.get("minItems", 0)), int("contains" in shape))
    most = min(shape.get("maxItems", _LONGEST), _LONGEST)
    usual = few if lean else max(few, len(shape.get("prefixItems", ())) or 1)
    for length in dict.fromkeys((usual, few, few + 1)):
        if few <= length <= most:
            items = _items(_places(shape, length), draw, unique=shape.get("uniqueItems", False))
            yield from [items] if len(items) == length else []


def _places(shape: dict[str, Any], length: int) -> list[Node]:
    """Return each item's schema; the first one after the prefix is the one that must be contained."""
    prefix: list[Node] = shape.get("prefixItems", [])[:length]
    places = prefix + [shape.get("items", True)] * (length - len(prefix))
    if "contains" in shape:
        index = min(len(prefix), length - 1)
        places[index] = both(places[index], shape["contains"])
    return places


def _items(places: list[Node], draw: Draw, *, unique: bool) -> list[Any]:
    """Return items, fewer than places if there is none for one of them."""
    streams: dict[int, Iterator[Any]] = {}
    items: list[Any] = []
    for place in places:
        if id(place) not in streams:
            streams[id(place)] = draw(place) if unique else chain.from_iterable(map(repeat, draw(place)))
        items += islice((item for item in streams[id(place)] if not (unique and item in items)), 1)
    return items
