"""Legal values made up by chance: another one with every draw, and the same ones with the same seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from ..document import SpecError
from ..schema import Schema
from .numbers import numbers
from .search import NoSample, sample
from .strings import strings

_DEEPEST = 8
_MANY = 40
"""Values of which one is drawn."""

_MOST_ITEMS = 3
_WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "indigo", "juniper", "kelp",
    "lagoon", "maple", "nectar", "otter", "pebble", "quartz", "raven", "spruce", "thistle", "umber", "willow",
)  # fmt: skip
_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
_DAYS = 2_500

_FORMATS: dict[str, Callable[[Random], str]] = {
    "date-time": lambda random: f"{_moment(random):%Y-%m-%dT%H:%M:%SZ}",
    "date": lambda random: f"{_moment(random):%Y-%m-%d}",
    "time": lambda random: f"{_moment(random):%H:%M:%SZ}",
    "email": lambda random: f"{random.choice(_WORDS)}.{random.choice(_WORDS)}@example.com",
    "hostname": lambda random: f"{random.choice(_WORDS)}.example.com",
    "ipv4": lambda random: f"192.0.2.{random.randrange(1, 255)}",
    "ipv6": lambda random: f"2001:db8::{random.randrange(1, 2**16):x}",
    "uri": lambda random: f"https://example.com/{random.choice(_WORDS)}/{random.randrange(10**6)}",
    "uuid": lambda random: f"{UUID(int=random.getrandbits(128), version=4)}",
}


def varied(schema: Schema, random: Random) -> Any:
    """Return a legal value made up by chance.

    Args:
        schema: what it has to meet.
        random: draws it; the same state, the same value.

    Raises:
        SpecError: none could be made.
    """
    try:
        first = sample(schema.node, schema.document)
    except NoSample as error:
        raise SpecError(f"no value could be made up: {error}") from error
    made = _varied(schema, first, random, 0)
    return made if schema.accepts(made) else first


def _varied(schema: Schema, value: Any, random: Random, depth: int) -> Any:
    """Return another value in place of a legal one, as like it as its schema wants."""
    node = schema.resolved
    if depth > _DEEPEST or "const" in node:
        return value
    if isinstance(choices := node.get("enum"), list) and choices:
        return random.choice(choices)
    match value:
        case bool():
            return random.random() < 0.5
        case dict():
            return _object(schema, value, random, depth)
        case list():
            return _array(schema, value, random, depth)
        case int() | float():
            return _number(node, value, random)
        case str():
            return _text(node, value, random)
    return value


def _object(schema: Schema, value: dict[str, Any], random: Random, depth: int) -> dict[str, Any]:
    changed = {}
    for name, inner in value.items():
        field = schema.field(name)
        changed[name] = _varied(field, inner, random, depth + 1) if field.resolved else inner
    return changed


def _array(schema: Schema, value: list[Any], random: Random, depth: int) -> list[Any]:
    items = schema.resolved.get("items")
    if not isinstance(items, dict) or not value:
        return value
    least, most = schema.resolved.get("minItems", 1), schema.resolved.get("maxItems", _MOST_ITEMS)
    count = random.randint(min(least, most), max(least, min(most, _MOST_ITEMS)))
    inner = Schema(schema.document, items)
    return [_varied(inner, value[0], random, depth + 1) for _ in range(count)]


def _number(node: dict[str, Any], value: float, random: Random) -> float:
    whole = isinstance(value, int) or node.get("type") == "integer"
    low, high = node.get("minimum"), node.get("maximum")
    if "multipleOf" in node or "exclusiveMinimum" in node or "exclusiveMaximum" in node:
        found = list(islice(numbers(node, whole=whole), _MANY))
        return random.choice(found) if found else value
    low = low if low is not None else (0 if high is None else high - 1000)
    high = high if high is not None else low + 1000
    if whole:
        return random.randint(int(-(-low // 1)), int(high // 1)) if low <= high else value
    return round(random.uniform(low, high), 2)


def _text(node: dict[str, Any], value: str, random: Random) -> str:
    if "pattern" not in node and (make := _FORMATS.get(node.get("format", ""))):
        return make(random)
    if "pattern" in node or "format" in node:
        found = list(islice(strings(node), _MANY))
        return random.choice(found) if found else value
    words = " ".join(random.choice(_WORDS) for _ in range(random.randint(1, 4)))
    least, most = int(node.get("minLength", 0)), node.get("maxLength")
    while len(words) < least:
        words += f" {random.choice(_WORDS)}"
    return words if most is None else words[: int(most)]


def _moment(random: Random) -> datetime:
    return _FIRST_DAY + timedelta(days=random.randrange(_DAYS), seconds=random.randrange(86_400))
