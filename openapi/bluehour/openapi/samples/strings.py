"""Strings of a format, a pattern and a length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import jsonschema_rs

from ..validators import PATTERNS
from .patterns import words

_LONGEST = 100_000
_MANY = 80

_FORMATS = {
    "date-time": "2024-01-{:02}T12:00:00Z",
    "date": "2024-01-{:02}",
    "time": "12:{:02}:00Z",
    "duration": "PT{}H",
    "email": "user{}@example.com",
    "hostname": "host{}.example.com",
    "ipv4": "192.0.2.{}",
    "ipv6": "2001:db8::{}",
    "uri": "https://example.com/{}",
    "uri-reference": "/path{}",
    "uri-template": "/things{}/{{id}}",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66af{:02}",
    "json-pointer": "/path{}",
    "relative-json-pointer": "{}/path",
    "regex": "^[a-z]{{{}}}$",
    "byte": "dGV4dA{:02}",
}
_NUMBERS = range(1, 29)  # the days that every month has


def strings(shape: dict[str, Any]) -> Iterator[str]:
    """Yield strings that are legal under a plain schema, readable ones first."""
    limits = {key: shape[key] for key in shape if key in {"pattern", "minLength", "maxLength", "format"}}
    low, high = int(shape.get("minLength", 0)), int(min(shape.get("maxLength", _LONGEST), _LONGEST))
    if low > high:
        return
    judge = jsonschema_rs.Draft202012Validator(limits, validate_formats=True, pattern_options=PATTERNS)
    name = "byte" if shape.get("contentEncoding") == "base64" else shape.get("format", "")
    # What is legal as the last of these is also legal as the first.
    name = name.removeprefix("idn-").replace("iri", "uri").replace("url", "uri")
    formatted = map(_FORMATS[name].format, _NUMBERS) if name in _FORMATS else ()
    patterned = words(shape["pattern"], low) if "pattern" in shape else ()
    yield from filter(judge.is_valid, chain(formatted, patterned, _texts(low, high)))


def _texts(low: int, high: int) -> Iterator[str]:
    for number in range(_MANY):
        word = f"text{number or ''}"
        padded = (word + "-text" * low)[: max(low, len(word))]
        yield padded[-high:] if high else ""  # the end of a word is what differs from the next one
