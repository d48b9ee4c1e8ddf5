"""Legal values at the edges of a schema, and few bodies that have them all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

from bluehour.openapi.model import MediaType
from bluehour.openapi.schema import Schema
from bluehour.openapi.validators import Path
from bluehour.openapi.wording import counted

from .illegal import LONGEST
from .places import Place, places, value_in, with_items, with_value, without
from .structures import MOST_KEYS, items_of, keys_of, seldom_texts, stretched

_LONG, _LONGEST = 4_000, 70_000
"""Characters of texts that have no greatest length; the latter are more than 2^16, where columns of databases
end, and a body has one such text at most: frameworks read so many kilobytes, and no more."""

_FEW = 10
"""Integers of a range that are all tried."""

_UNKNOWN = ("x_unknown_key",)
_RESERVED = ("__proto__", "constructor", "")
"""Keys that mean something to some languages, or nothing to any."""

_MOST_CHOICES = 24
"""Values of a list of choices that are tried."""

_MANY = 60
"""Items of a list that has no greatest length."""

_SCRIPTS = "Zoë 東京 мир שלום مرحبا ไทย 👩🏽‍🚀 é ß <i>&amp;</i>"
_SUSPECT = (
    "select the hat from the shelf and drop table of glass; union of 1=1 colors -- "
    "<script> as a tattoo, ../ on a note, a cat /etc on the passwd"
)
"""What a person may write, and a firewall takes for an attack."""

_ESCAPED = "\"'\\ \\n\n\t\r</b> %s {0} ${x} `y` -- ; &amp; \u2028 end"

_TEXTS: tuple[tuple[str, Callable[[Random], str]], ...] = (
    (f"{_LONG:,} characters long", lambda random: _prose(_LONG, random)),
    ("in many scripts, with marks of HTML", lambda random: _shuffled(_SCRIPTS, random)),
    ("empty", lambda _: ""),
    ("with quotes, backslashes and line breaks", lambda _: _ESCAPED),
    ("with words that firewalls look for", lambda _: _SUSPECT),
    (f"{_LONGEST:,} characters long", lambda random: _prose(_LONGEST, random)),
)


@dataclass(frozen=True)
class Edge:
    """A legal value at some edge.

    Attributes:
        rule: of `bluehour.contracts.rules`.
        field: in the vendor's writing.
        says: what is at the edge: `its maximum 100`.
        path: of the field; nothing for edges that are of the whole body.
        body: a legal body with it.
        place: the field itself; None where it is no matter of one.
        content_type: where it is not the media type's own.
        written: the body, where it is not as `dumped` would write it.
    """

    rule: str
    field: str
    says: str
    path: Path
    body: Any
    place: Place | None = None
    content_type: str = ""
    written: bytes = b""

    @property
    def words(self) -> str:
        """The contract's own words on the field."""
        return self.place.words if self.place else ""

    @property
    def value(self) -> Any:
        """What the field has."""
        return value_in(self.body, self.path)

    @property
    def content(self) -> bytes:
        """What to send."""
        return self.written or dumped(self.body)


@dataclass(frozen=True)
class Pack:
    """A legal body with many edges."""

    edges: tuple[Edge, ...]
    body: Any

    @property
    def content(self) -> bytes:
        """What to send."""
        return dumped(self.body)


def legal(media: MediaType, base: Any, random: Random) -> Iterator[Edge]:
    """Yield a body for each edge of each field.

    Args:
        media: the representation that the operation takes.
        base: a legal body.
        random: chooses among values that are as good.
    """
    base = with_items(media.schema, base)
    found = list(places(media.schema, base))
    for place in found:
        if "x-asset-type" in place.node:  # any text is legal for the schema; what it names must be there
            continue
        for rule, says, value in _values(place, base, random):
            body = with_value(base, place.path, value)
            if media.schema.accepts(body):
                yield Edge(rule, place.name, says, place.path, body, place)
    yield from (edge for edge in _of_the_whole(media, base, found) if media.schema.accepts(edge.body))


def packed(
    edges: Iterable[Edge], base: Any, schema: Schema, accepts: Callable[[Any], bool] | None = None
) -> list[Pack]:
    """Return few bodies that have all edges of fields between them, those with the most first.

    Args:
        edges: of one operation.
        base: a legal body.
        schema: of bodies.
        accepts: tells which bodies may be made; all legal ones where it isn't given.
    """
    accepts = accepts or schema.accepts
    base, packs = with_items(schema, base), list[tuple[list[Edge], Any]]()
    # What replaces other fields comes last: it would be alone with few.
    for edge in sorted(edges, key=lambda edge: isinstance(edge.value, dict | list)):
        if not edge.path or edge.written:  # in a pack it would be written as any other
            continue
        for index, (among, body) in enumerate(packs):
            if any(
                _overlap(edge.path, other.path) or (_is_long(edge) and _is_long(other)) for other in among
            ):
                continue
            joined = with_value(body, edge.path, edge.value)
            if accepts(joined):
                packs[index] = ([*among, edge], joined)
                break
        else:
            alone = with_value(base, edge.path, edge.value)
            if accepts(alone):
                packs.append(([edge], alone))
    return [Pack(tuple(among), body) for among, body in sorted(packs, key=lambda pack: -len(pack[0]))]


def dumped(body: Any) -> bytes:
    """Return a body as JSON, its floats as floats: 4.0 stays 4.0."""
    return json.dumps(body, ensure_ascii=False).encode()


def _values(place: Place, base: Any, random: Random) -> Iterator[tuple[str, str, Any]]:
    types, node = place.types, place.node
    rule = "accept.deprecated" if node.get("deprecated") else ""
    if "number" in types or "integer" in types:
        for kind, says, value in _numbers(node, "integer" in types, random):
            yield rule or kind, says, value
    elif "string" in types and not {"pattern", "enum", "format"} & node.keys():
        for says, text in _TEXTS:
            yield rule or "accept.text", f"text, {says}", text(random)
        for count in _lengths(node, "Length"):
            yield rule or "accept.bounds", f"{counted(count, 'character')}, as its bound allows", "a" * count
    elif "string" in types and "enum" not in node:
        for says, seldom in seldom_texts(node):
            yield rule or "accept.bounds", says, seldom
        for count in _lengths(node, "Length") if "pattern" in node and place.present else ():
            known = stretched(value_in(base, place.path), count)
            yield rule or "accept.bounds", f"{counted(count, 'character')}, as its bound allows", known
    elif "boolean" in types:
        for flag in (True, False):
            yield rule or "accept.optional", json.dumps(flag), flag
    elif "array" in types and place.present and (items := value_in(base, place.path)):
        yield "accept.bounds", "a single item", items[:1]
        for count in _lengths(node, "Items"):
            if found := items_of(place, items, count, random):
                yield "accept.bounds", f"{counted(count, 'item')}, as its bound allows", found
        if "maxItems" not in node and not node.get("uniqueItems"):
            yield "accept.bounds", f"{_MANY} items", (items * _MANY)[:_MANY]
    elif "object" in types and place.path:
        if not node.get("required"):
            yield "accept.optional", "an empty object", {}
        for bound in ("minProperties", "maxProperties") if place.present else ():
            if 0 < (count := node.get(bound, 0)) <= MOST_KEYS:
                keys = keys_of(value_in(base, place.path), count)
                yield "accept.bounds", f"{counted(count, 'key')}, as its bound allows", keys
    for value in _some_of(node.get("enum", ()), random):
        yield rule or "accept.bounds", f"{json.dumps(value)}, one of its choices", value


def _some_of(choices: Sequence[Any], random: Random) -> Sequence[Any]:
    """Return all choices, or of very many the ends and some between them."""
    if len(choices) <= _MOST_CHOICES:
        return choices
    return [choices[0], *random.sample(choices[1:-1], _MOST_CHOICES - 2), choices[-1]]


def _lengths(node: dict[str, Any], what: str) -> list[int]:
    """Return how short and how long a text or a list may be at most."""
    bounds = (node.get(f"min{what}"), node.get(f"max{what}"))
    return [each for each in bounds if isinstance(each, int) and 0 < each <= LONGEST]


def _numbers(node: dict[str, Any], whole: bool, random: Random) -> Iterator[tuple[str, str, Any]]:
    """Yield a number's edges, first those that servers get wrong most often: not all may be paid for."""
    low, high, step = node.get("minimum"), node.get("maximum"), node.get("multipleOf")
    if low is not None:
        yield "accept.bounds", f"its minimum {low}", low
    if high is not None:
        yield "accept.bounds", f"its maximum {high}", high
    yield from _inside(node, whole)
    within = _within(low, high, step, random)
    if whole and low is not None and high is not None and high - low <= _FEW:
        for value in range(int(low) + 1, int(high)):
            yield "accept.numbers", f"{value}, between its bounds", value
    written = "an integer" if whole else "a number"
    if (low is None or low < 0) and (negative := -within if step or low is None else max(low, -within)) < 0:
        yield "accept.numbers", f"{negative}, a negative number", negative
    if not whole and not step:
        yield "accept.numbers", "a fraction with many digits", _fraction(low, high, random)
    yield "accept.numbers", "0", 0
    yield "accept.numbers", f"{float(within)} for {written}", float(within)
    if high is None:
        large = random.randint(1_000, 9_999)
        yield "accept.numbers", f"{large}, a large number", large
    if not whole and not step:
        yield "accept.numbers", f"{within} without a point", within
        yield "accept.numbers", "5e-324, close to 0", 5e-324
    yield "accept.numbers", "-0.0", -0.0


def _inside(node: dict[str, Any], whole: bool) -> Iterator[tuple[str, str, Any]]:
    """Yield what is next to bounds that are not allowed themselves."""
    step = Fraction(repr(node.get("multipleOf", 1 if whole else 0.001)))
    for keyword, sign in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        if isinstance(bound := node.get(keyword), int | float) and not isinstance(bound, bool):
            next_to = Fraction(repr(bound)) + sign * step
            value = int(next_to) if next_to.denominator == 1 else float(next_to)
            yield "accept.bounds", f"{value}, next to its bound {bound}", value


def _within(low: Any, high: Any, step: Any, random: Random) -> int:
    """An integer within the bounds, away from them where that can be; an odd number of steps."""
    unit = Fraction(repr(step or 1)).numerator  # the least multiple that is whole
    first = max(int(low) // unit + 1 if low is not None else 1, 1)
    last = int(high) // unit - 1 if high is not None else 100
    counts = range(first, last + 1)
    odd = range(first | 1, last + 1, 2) or counts
    return random.choice(odd) * unit if odd else int(low if low is not None else high)


def _fraction(low: Any, high: Any, random: Random) -> float:
    return round(random.uniform(low if low is not None else 0, high if high is not None else 10), 9)


def _of_the_whole(media: MediaType, base: Any, found: list[Place]) -> Iterator[Edge]:
    for index, example in enumerate(media.examples):
        if media.schema.accepts(example):
            yield Edge("accept.examples", "body", f"published example {index + 1}", (), example)
    yield Edge("accept.optional", "body", "nothing but what is required", (), _minimal(base, found))
    for place in found:
        if "object" in place.types and place.present and _is_open(place.node):
            for name in _UNKNOWN if place.path else (*_UNKNOWN, *_RESERVED):
                path = (*place.path, name)
                body = with_value(base, path, {"a": [1, None]})
                yield Edge("accept.unknown-keys", place.name, f"an unknown key, {name!r}", path, body)
    yield from _with_exponents(base, found)
    for says in (f"{media.name}; charset=utf-8", media.name.title()):
        yield Edge("accept.media-type", "Content-Type", says, (), base, content_type=says)


def _with_exponents(base: Any, found: list[Place]) -> Iterator[Edge]:
    """A number that is written with an exponent, for each kind of number that the body has."""
    marker = 98_765.4321
    for kind in ("number", "integer"):
        place = next((each for each in found if kind in each.types and each.present), None)
        if place is None:
            continue
        for written, value in ((b"6e2", 600), (b"5e0", 5), (b"0e0", 0)):
            body = with_value(base, place.path, value)
            if place.schema.accepts(value):
                raw = dumped(with_value(base, place.path, marker)).replace(b"98765.4321", written)
                says = f"{written.decode()} for {'an' if kind == 'integer' else 'a'} {kind}"
                yield Edge("accept.numbers", place.name, says, place.path, body, place, written=raw)
                break


def _minimal(base: Any, found: list[Place]) -> Any:
    body = base
    for place in reversed(found):
        if place.present and not place.required and place.path:
            body = without(body, place.path)
    return body


def _is_open(node: dict[str, Any]) -> bool:
    return "additionalProperties" not in node and "unevaluatedProperties" not in node


def _is_long(edge: Edge) -> bool:
    return isinstance(edge.value, str) and len(edge.value) >= _LONGEST


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _prose(length: int, random: Random) -> str:
    return "a" + "".join(random.choices("abcde fghij ", k=length - 2)) + "z"


def _shuffled(text: str, random: Random) -> str:
    words = text.split(" ")
    random.shuffle(words)
    return " ".join(words)
