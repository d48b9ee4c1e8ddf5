"""A schema's faults in the vendor's words: one sentence each, joined by `; `.

The style is the vendor's own since its changelog of 2025-08-14 (magichourhq/docs, changelog/2025), and
`must be at least` is from its Node SDK's README.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from .schema import MOST_FAULTS, Fault
from .validators import Path

_LONGEST_QUOTE = 60

_MOST_FAULTS = 20
"""Faults that one message tells of; of the others, how many they are."""

_MOST_CHOICES = 25
"""Of more of them, a message has those that are most like what was sent; of the others, how many they are."""

_NEAREST = 5


def sentence(faults: Iterable[Fault], subject: str = "body") -> str:
    """Return all faults in one message, missing fields first; of very many, how many more there are.

    Args:
        faults: what a schema found.
        subject: what the value as a whole is called, where the fault is the whole value's.
    """
    ordered = worth_saying(faults)
    return joined((describe(fault, subject) for fault in ordered), complete=len(ordered) < MOST_FAULTS)


def worth_saying(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults that a person needs to know of, missing fields first.

    What is no number is not to be told that it is too small a one as well.
    """
    faults = list(faults)
    mistyped = {fault.path for fault in faults if fault.keyword == "type"}
    apart = [fault for fault in faults if fault.keyword == "type" or fault.path not in mistyped]
    return sorted(apart, key=lambda fault: fault.keyword != "required")


def joined(messages: Iterable[str], *, complete: bool = True) -> str:
    """Return messages as one: each once, and not so many that nobody reads them.

    Args:
        messages: one sentence each.
        complete: whether they are all that there is to say.
    """
    each = list(dict.fromkeys(messages))
    more = len(each) - _MOST_FAULTS
    if more > 0:
        each[_MOST_FAULTS:] = [f"… and {more} more" if complete else f"… and {more} or more others"]
    return "; ".join(each)


def describe(fault: Fault, subject: str = "body") -> str:
    """Return one fault, such as `Invalid type for resolution: expected integer, got string`."""
    # Without its limit it is the decider's, told in that one's own words.
    words = _other if fault.limit is None and fault.keyword != "const" else _WORDS.get(fault.keyword, _other)
    return words(fault, cut(field_name(fault.path)) or subject)


def field_name(path: Path) -> str:
    """Return a path as the vendor writes it: `items[0].extension`."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def counted(number: int, thing: str) -> str:
    """Return a number of things: `1 rule`, `2 rules`, `4,000 rules`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def type_name(value: Any) -> str:
    """Return a value's type in the vendor's words; a number with a fraction is a `float`."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def expected_type(schema: dict[str, Any]) -> str:
    """Return what a schema wants: `string`, `number or null`, `value` where it doesn't say."""
    types = schema.get("type")
    if isinstance(types, list):
        return " or ".join(types)
    if isinstance(types, str):
        return types
    return type_name(schema["enum"][0]) if schema.get("enum") else "value"


def cut(text: str, most: int = _LONGEST_QUOTE) -> str:
    """Return a text, or its beginning and an ellipsis: what was sent is never repeated at its length."""
    return text if len(text) <= most else f"{text[:most]}…"


def printable(text: str) -> str:
    """Escape what a request could use to write lines, or on the terminal, of its own."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown_call(method: str, path: str) -> str:
    """Return which request a line of a log is about, cut where it is long, and printable."""
    return printable(f"{cut(method)} {cut(path)}")


def quoted(value: Any) -> str:
    """Return a value as a person would quote it, cut where it is long."""
    return f"'{cut(value)}'" if isinstance(value, str) else cut(repr(value))


def listed(choices: Sequence[str], sent: str) -> str:
    """Return choices as a list: all, or of many those that come near what was sent, else the first.

    Args:
        choices: one name each.
        sent: what is none of them.
    """
    if len(choices) <= _MOST_CHOICES:
        return ", ".join(choices)
    near = get_close_matches(cut(sent), choices, n=_NEAREST) or choices[:_NEAREST]
    return f"{', '.join(near)}, … and {len(choices) - len(near)} more"


def _missing(fault: Fault, name: str) -> str:
    return f"Missing required field: {name} (expected {expected_type(fault.schema)})"


def _wrong_type(fault: Fault, name: str) -> str:
    expected = expected_type({"type": fault.limit})
    return f"Invalid type for {name}: expected {expected}, got {type_name(fault.value)}"


def _not_among(fault: Fault, name: str) -> str:
    choices = fault.limit if fault.keyword == "enum" else [fault.limit]
    expected = listed([quoted(choice) for choice in choices], quoted(fault.value))
    only = f"one of {expected}" if len(choices) > 1 else expected
    return f"Invalid value for {name}: expected {only}, got {quoted(fault.value)}"


def _not_allowed(fault: Fault, name: str) -> str:
    if fault.schema.get("writeOnly"):
        return f"{name} is write-only: no response may have it"
    return f"Invalid value for {name}: it fits what is not allowed"


def _bound(phrase: str) -> Callable[[Fault, str], str]:
    return lambda fault, name: f"{name} must be {phrase} {_number(fault.limit)}"


def _size(phrase: str, unit: str) -> Callable[[Fault, str], str]:
    def words(fault: Fault, name: str) -> str:
        return f"{name} must {phrase} {fault.limit} {unit}{'' if fault.limit == 1 else 's'}"

    return words


def _number(limit: Any) -> str:
    return str(int(limit)) if isinstance(limit, float) and limit.is_integer() else str(limit)


def _other(fault: Fault, name: str) -> str:
    whole = len(fault.detail) <= 2 * _LONGEST_QUOTE
    detail = fault.detail if whole else f"it breaks the rule {fault.keyword}"
    return f"Invalid value for {name}: {detail}"


_WORDS: dict[str, Callable[[Fault, str], str]] = {
    "required": _missing,
    "type": _wrong_type,
    "enum": _not_among,
    "const": _not_among,
    "not": _not_allowed,
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "exclusiveMinimum": _bound("greater than"),
    "exclusiveMaximum": _bound("less than"),
    "multipleOf": _bound("a multiple of"),
    "minLength": _size("have at least", "character"),
    "maxLength": _size("have at most", "character"),
    "minItems": _size("have at least", "item"),
    "maxItems": _size("have at most", "item"),
    "minProperties": _size("have at least", "field"),
    "maxProperties": _size("have at most", "field"),
    "pattern": lambda fault, name: (
        f"Invalid value for {name}: {quoted(fault.value)} does not match the pattern {fault.limit}"
    ),
    "format": lambda fault, name: (
        f"Invalid value for {name}: {quoted(fault.value)} is not a valid {fault.limit}"
    ),
    "uniqueItems": lambda _fault, name: f"{name} must not have the same item twice",
    "additionalProperties": lambda fault, name: (
        f"Unknown field in {name}: {cut(fault.detail, 2 * _LONGEST_QUOTE)}"
    ),
    "oneOf": lambda _fault, name: f"Invalid value for {name}: it must fit exactly one of the allowed forms",
    "anyOf": lambda _fault, name: f"Invalid value for {name}: it fits none of the allowed forms",
}
