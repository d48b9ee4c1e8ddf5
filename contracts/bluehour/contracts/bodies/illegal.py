"""Bodies that break one rule of a schema each: every field and rule, by values that no other rule refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from random import Random
from typing import Any

from bluehour.openapi.model import MediaType
from bluehour.openapi.schema import Schema
from bluehour.openapi.wording import counted

from .places import Place, places, value_in, with_items, with_value, without
from .structures import Tried, items_of, no_such_list, no_such_object, no_such_text, stretched

KEYWORDS = {
    "refuse.missing": {"required", "dependentRequired"},
    "refuse.null": {"type"},
    "refuse.type": {"type"},
    "refuse.container": {
        *("type", "additionalProperties", "unevaluatedProperties"),
        *("uniqueItems", "contains", "items", "unevaluatedItems"),
    },
    "refuse.empty": {"minLength", "minItems", "minProperties"},
    "refuse.minimum": {"minimum", "exclusiveMinimum"},
    "refuse.maximum": {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"},
    "refuse.step": {"multipleOf"},
    "refuse.choice": {"enum", "const"},
    "refuse.pattern": {"pattern", "format", "propertyNames"},
}
"""What the one fault is, by the rule that is tried."""

LONGEST = 10_000
"""Characters and items that a text or a list is made to have: of larger bounds nothing is tried."""

_NO_STRINGS: tuple[Any, ...] = (5, True)


@dataclass(frozen=True)
class Illegal:
    """A body that must be refused.

    Attributes:
        rule: of `bluehour.contracts.rules`.
        field: what is wrong, in the vendor's writing.
        says: how, in words: `-105, below its minimum`.
        content: what to send.
        content_type: as what.
        place: where in the body; None where it is no matter of a field.
    """

    rule: str
    field: str
    says: str
    content: bytes
    content_type: str
    place: Place | None = None

    @property
    def words(self) -> str:
        """The contract's own words on the field."""
        return self.place.words if self.place else ""


def illegal(media: MediaType, base: Any, random: Random) -> Iterator[Illegal]:
    """Yield bodies with one fault each.

    Args:
        media: the representation that the operation takes.
        base: a legal body; every field that it has is tried, and every one that it leaves out.
        random: chooses among values that are as good.
    """
    base = with_items(media.schema, base)
    for place in list(places(media.schema, base)):
        for rule, says, body in _variants(place, base, random):
            if _breaks_only(media.schema, body, place, KEYWORDS[rule]):
                yield Illegal(rule, place.name, says, _dumped(body), media.name, place)


def unparsable(media: MediaType, base: Any) -> Iterator[Illegal]:
    """Yield what is no legal body of the media type, or says that it is another."""
    content = _dumped(base)
    for says, broken in (
        ("no body at all", b""),
        ("JSON that is cut off", content[:-1]),
        ("JSON cut in half", content[: len(content) // 2]),
        ("JSON with a comma too many", content[:-1] + b",}"),
        ("JSON with something behind it", content + b"]"),
        ("words that are no JSON", b"this is no JSON"),
        ("JSON with single quotes", content.replace(b'"', b"'")),
        ("text that is no UTF-8", content.replace(b'"', b'"\xff\xfe', 1)),
        *_not_numbers(media, base),
    ):
        if broken == content:  # there is not a text in it
            continue
        yield Illegal("refuse.malformed", "body", says, broken, media.name)
    for content_type, body in (
        ("text/plain", content),
        ("application/x-www-form-urlencoded", content),
        ("application/x-www-form-urlencoded", b"style=1&assets=2"),
        ("application/xml", b"<request/>"),
        ("no/media/type; ;", content),
        (";;;", content),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ):
        yield Illegal("refuse.media-type", "Content-Type", content_type, body, content_type)
    yield Illegal("refuse.untyped", "Content-Type", "none", content, "")


def _not_numbers(media: MediaType, base: Any) -> Iterator[tuple[str, bytes]]:
    """Words that JavaScript and Python have for numbers, and JSON has not."""
    for place in places(media.schema, base):
        if "number" in place.types and place.present:
            for word in ("NaN", "Infinity"):
                yield f"{place.name} as {word}", _dumped(with_value(base, place.path, float(word)))
            return


def _variants(place: Place, base: Any, random: Random) -> Tried:
    if place.present and place.path:  # it may be needed by another one alone
        yield "refuse.missing", "missing", without(base, place.path)
    for rule, says, value in _values(place, base, random):
        yield rule, says, with_value(base, place.path, value)


def _values(place: Place, base: Any, random: Random) -> Tried:
    value = value_in(base, place.path) if place.present else None
    types = place.types
    yield ("refuse.null" if place.path else "refuse.container"), "null", None
    if "object" in types:
        yield from _for_object(place.node, value)
    elif "array" in types:
        yield from _for_array(place, value, random)
    else:
        expected = types[0] if types else "value"
        for says, container in (
            ("an array", []),
            ("an array with one", [_legal(place, value, random)]),
            ("an object", {}),
        ):
            yield "refuse.container", f"{says} in place of a {expected}", container
    if "number" in types or "integer" in types:
        yield from _for_number(place, random)
        yield from _beside_choices(place.node)
    elif "boolean" in types:
        for wrong in ("true", 1, 0):
            yield "refuse.type", f"{json.dumps(wrong)} in place of a boolean", wrong
        for flag in (True, False):
            yield "refuse.choice", f"{json.dumps(flag)}, none of the choices", flag
    elif "string" in types:
        yield from _for_string(place, value, random)


def _for_object(node: dict[str, Any], value: Any) -> Tried:
    if node.get("minProperties", 0) > 0:
        yield "refuse.empty", "an empty object", {}
    yield "refuse.container", "an array in place of an object", []
    yield "refuse.container", "an array with the object in it", [value]
    yield "refuse.container", "an object as JSON text in place of an object", json.dumps(value)
    for wrong in ("text", 1, True):
        yield "refuse.container", f"{json.dumps(wrong)} in place of an object", wrong
    yield from no_such_object(node, value)


def _for_array(place: Place, value: Any, random: Random) -> Tried:
    yield "refuse.empty", "an empty array", []
    if isinstance(value, list) and value:
        for rule, side, count in _beside(place.node, "Items"):
            if items := items_of(place, value, count, random):
                yield rule, f"{counted(count, 'item')}, {side}", items
    yield from no_such_list(place, value)
    yield "refuse.container", "an object in place of an array", {}
    if isinstance(value, list) and value:
        yield "refuse.container", "an item in place of the array", value[0]
    for wrong in ("text", 1):
        yield "refuse.container", f"{json.dumps(wrong)} in place of an array", wrong


def _for_number(place: Place, random: Random) -> Tried:
    node, whole = place.node, "integer" in place.types
    step = node.get("multipleOf")
    low, high = node.get("minimum"), node.get("maximum")
    legal = _legal_number(place, random)
    yield "refuse.type", f'"{legal}", a number in quotes', str(legal)
    # To some languages true is 1 and false 0: the one is tried that would be a legal number.
    flag = place.schema.accepts(1) and not place.schema.accepts(0)
    yield "refuse.type", f"{json.dumps(flag)} in place of a number", flag
    if whole:
        fraction = legal + 0.5 if high is None or random.random() < 0.5 else high - 0.1
        yield "refuse.type", f"{fraction} in place of an integer", fraction
    unit = _exact(step or (1 if whole else 0.01))
    far = unit * random.randint(100, 1000)
    for rule, keyword, sign, side in (
        ("refuse.minimum", "minimum", -1, "below"),
        ("refuse.maximum", "maximum", 1, "above"),
    ):
        if keyword in node:
            first = (
                _beyond(_exact(node[keyword]), unit if step else None, sign)
                or _exact(node[keyword]) + sign * unit
            )
            for wrong in (_plain(first), _plain(first + sign * far)):
                yield rule, f"{wrong}, {side} its {keyword} {node[keyword]}", wrong
        exclusive = f"exclusive{keyword.title()}"
        if exclusive in node:
            yield rule, f"{node[exclusive]}, not {side} its bound", node[exclusive]
    if step:
        inside = [value for value in (low, high) if value is not None] or [0]
        middle = _exact(step) * int(_exact(sum(inside)) / len(inside) / _exact(step))
        off = random.randint(1, int(step) - 1) if step >= 2 else _exact(step) / 4
        half = _exact(step) / 2
        for wrong in map(_plain, (middle + off, middle - off, middle + half, middle - half)):
            yield "refuse.step", f"{wrong}, no multiple of {step}", wrong


def _beside_choices(node: dict[str, Any]) -> Tried:
    """Yield numbers that are none of those that are listed: one between them, and those around them."""
    choices = node.get("enum", [node["const"]] if "const" in node else ())
    numbers = sorted(each for each in choices if isinstance(each, int | float))
    if not numbers or any(isinstance(each, bool) for each in numbers):
        return
    between = (first + 1 for first, second in pairwise(numbers) if second - first > 1)
    for wrong in (*islice(between, 1), numbers[0] - 1, numbers[-1] + 1):
        yield "refuse.choice", f"{json.dumps(wrong)}, none of the choices", wrong


def _beside(node: dict[str, Any], what: str) -> Iterator[tuple[str, str, int]]:
    """Yield how long a text or a list must not be: one less than the least, one more than the most."""
    least, most = node.get(f"min{what}"), node.get(f"max{what}")
    if isinstance(least, int) and least > 1:
        yield "refuse.empty", f"fewer than its {least}", least - 1
    if isinstance(most, int) and most < LONGEST:
        yield "refuse.maximum", f"more than its {most}", most + 1


def _for_string(place: Place, value: Any, random: Random) -> Tried:
    node = place.node
    for wrong in _NO_STRINGS:
        yield "refuse.type", f"{json.dumps(wrong)} in place of a string", wrong
    if node.get("minLength", 0) > 0:
        yield "refuse.empty", "an empty string", ""
    if node.keys().isdisjoint(("format", "enum", "const")):
        for rule, side, count in _beside(node, "Length"):
            text = stretched(value, count) if "pattern" in node else "a" * count
            yield rule, f"{counted(count, 'character')}, {side}", text
    yield from no_such_text(node)
    for choice in node.get("enum", [node["const"]] if "const" in node else ())[:1]:
        for text in (str(choice).upper(), f"{choice}s", "", "none-of-them"):
            yield "refuse.choice", f"{json.dumps(text)}, none of the choices", text
    if "pattern" in node:
        known, odd = str(value or "png"), random.choice(" ./_-%")
        for text in (
            known.upper(),
            f".{known}",
            f"{known}{odd}",
            f"{known[:1]}{odd}{known[1:]}",
            f"{known}\n",
            "",
            "é",
        ):
            yield "refuse.pattern", f"{json.dumps(text)}, against its pattern", text


def _legal(place: Place, value: Any, random: Random) -> Any:
    """A value that the field could have, and that no language takes for nothing."""
    if {"number", "integer"} & set(place.types):
        return _legal_number(place, random)
    return value or "text"


def _legal_number(place: Place, random: Random) -> int:
    node = place.node
    low, high = node.get("minimum", 1), node.get("maximum", 100)
    unit = _exact(node.get("multipleOf", 1)).numerator  # the least multiple that is whole
    first = max(int(low), 1)
    numbers = range(-(-first // unit) * unit, int(high) + 1, unit)
    return random.choice(numbers) if numbers else int(high)


def _exact(number: float) -> Fraction:
    """A number as it is written: 0.1 is a tenth."""
    return Fraction(repr(number))


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)


def _beyond(bound: Fraction, step: Fraction | None, sign: int) -> Fraction | None:
    """The first multiple of a step on the other side of a bound."""
    if step is None:
        return None
    whole = bound / step
    first = (
        -(-whole.numerator // whole.denominator) - 1 if sign < 0 else whole.numerator // whole.denominator + 1
    )
    return first * step


def _breaks_only(schema: Schema, body: Any, place: Place, keywords: set[str]) -> bool:
    path = place.path
    where = path[:-1] if "required" in keywords else path
    broken = schema.broken(body)
    if [each for each in broken if each not in ((path, "anyOf"), (path, "oneOf"))] == [] and broken:
        # it may be null as well, so that each of its rules is a branch's
        broken = [((*path, *inner), keyword) for inner, keyword in place.schema.broken(value_in(body, path))]
    if (path, "type") in broken:  # which is none of the choices either
        broken = [each for each in broken if each not in ((path, "enum"), (path, "const"))]
    if len(broken) != 1 or broken[0][1] not in keywords:
        return False
    at, keyword = broken[0]
    return at == where or (keyword == "items" and at[:-1] == where)  # told of the item that is one too many


def _dumped(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
