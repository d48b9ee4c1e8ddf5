"""JSON that few programs expect: odd values, legal bodies changed in a few places, and what is no JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Raw:
    """Something that is written into JSON as it is, whether Python could hold it or not."""

    text: str


def _words(text: str) -> list[str]:
    return text.split(" ")


def _raws(text: str) -> list[Raw]:
    return list(map(Raw, _words(text)))


_DIGITS = "9" * 5000
"""More than Python makes an int of (4,300)."""

NUMBERS: list[Any] = [
    *_raws("1.0 0.0 -0 -0.0 1e0 1E+3 5e-324 1e400 -1e400 1e-400 2.5 NaN Infinity -Infinity"),
    *_raws(f"01 +1 1. .5 0x10 1_000 {_DIGITS} -{_DIGITS} 0.{_DIGITS} 1e{_DIGITS} {_DIGITS}.0 {'9' * 400}"),
    *(2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 0, -1, 1),
]

TEXTS: list[str] = [
    *_words("\0 a\0b \x1b[31m \x7f \ufeff \ud800 \udfff 漢字 😀 é ß ٣ ² \uff11 Ⅷ \u0130 e\u0301 \u202e"),
    *_words("1 1.0 1e3 -1 +1 1_000 0x1 NaN inf true null [] {} .. ../../etc/passwd / // \\ % %00 %zz %2f"),
    *_words("? # & = ; ' \" <script>alert(1)</script> ${x} {{x}} %s%n __proto__ * *a* [ ( (? data:, //x"),
    *_words("ftp://x/y.png http://[ http://127.0.0.1:99999/x.png http://127.0.0.1/漢/%zz.png a/b/c/d.png"),
    *_words(f"api-assets/x/../y.png api-assets/{'x' * 300}.png {_DIGITS} {'a' * 300} {'漢' * 300}"),
    *_words("9999-12-31T23:59:60Z 0001-01-01T00:00:00Z 2024-02-30T00:00:00Z 1970-01-01T00:00:00+23:59"),
    *("", " ", "\n", "\r\nX-Odd: 1", "\u2028", " 1", "*a" * 30 + "*b", "a" * 400),
]

LONG_TEXTS: list[str] = ["x" * 20_000, "漢" * 10_000, "." * 20_000, "a." + "b" * 70_000]

CONTAINERS: list[Any] = [
    *([], {}, [[]], [{}], {"": ""}, {"a": {"b": []}}, [None], [1, "1", True], {"length": 1}, [[1, 2]] * 3),
    *_raws(r"""{"a":1,"a":2} {"\ud800":1} {"\u0000":1} "\ud83d" "\uDE00\uD83D" """),
    *(Raw("[" * depth + "]" * depth) for depth in (60, 300, 2000)),
    Raw('{"a":' * 200 + "1" + "}" * 200),
    [0] * 2000,
    {f"key-{number}": number for number in range(500)},
]

_NAMES = ["", "__proto__", "漢", "\ud800", "a" * 500, "a.b", "0"]
"""Of fields."""


def odd_value(random: Random) -> Any:
    """Return any of them."""
    kind = random.random()
    if kind < 0.35:
        return random.choice(NUMBERS)
    if kind < 0.7:
        return random.choice(TEXTS)
    if kind < 0.72:
        return random.choice(LONG_TEXTS)
    if kind < 0.9:
        return random.choice(CONTAINERS)
    return random.choice((None, True, False))


def mutated(value: Any, random: Random, learned: Sequence[str]) -> Any:
    """Return a copy of a JSON value, changed in a few places.

    Args:
        value: a legal body, most of the time.
        random: decides.
        learned: texts that the server gave out, such as ids and links.
    """
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        value = _changed(value, random, learned)
    return value


def _changed(value: Any, random: Random, learned: Sequence[str]) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        return _changed_object(value, random, learned)
    if isinstance(value, list) and value and random.random() < 0.8:
        return _changed_list(value, random, learned)
    if learned and random.random() < 0.15:
        return random.choice(learned)
    return [value] if random.random() < 0.1 else odd_value(random)


def _changed_object(value: dict[str, Any], random: Random, learned: Sequence[str]) -> dict[str, Any]:
    """With another value of a field, most of the time; or without it, with another name, or a field more."""
    key = random.choice(list(value))
    choice = random.random()
    if choice < 0.65:
        return {**value, key: _changed(value[key], random, learned)}
    if choice < 0.75:
        return {name: item for name, item in value.items() if name != key}
    odd = random.choice((key.upper(), f"{key} ", f"{key}\0", f"{key}s", random.choice(_NAMES)))
    if choice < 0.85:
        return {odd if name == key else name: item for name, item in value.items()}
    return {**value, odd: odd_value(random)}


def _changed_list(value: list[Any], random: Random, learned: Sequence[str]) -> list[Any]:
    index = random.randrange(len(value))
    choice = random.random()
    if choice < 0.7:
        return [*value[:index], _changed(value[index], random, learned), *value[index + 1 :]]
    return value * random.choice((2, 30)) if choice < 0.8 else value[:index]


def written(value: Any, random: Random) -> bytes:
    """Return a value as JSON, or as what only looks like it."""
    raws: list[str] = []
    text = json.dumps(_marked(value, raws), ensure_ascii=random.random() < 0.5)
    for index, raw in enumerate(raws):
        text = text.replace(f'"@raw-{index}@"', raw)
    if text.startswith("{") and random.random() < 0.03:
        text = '{"assets":1,"rules":2,"token":3,' + text[1:]
    content = text.encode("utf-8", "surrogatepass")
    return _broken(content, random) if random.random() < 0.04 else content


def _marked(value: Any, raws: list[str]) -> Any:
    """The value with a text that `json` can write in place of each `Raw`."""
    if isinstance(value, Raw):
        raws.append(value.text)
        return f"@raw-{len(raws) - 1}@"
    if isinstance(value, dict):
        return {key: _marked(item, raws) for key, item in value.items()}
    if isinstance(value, list):
        return [_marked(item, raws) for item in value]
    return value


def _broken(content: bytes, random: Random) -> bytes:
    place = random.randrange(len(content) + 1)
    before, after = content[:place], content[place:]
    as_utf_16 = content.decode("utf-8", "replace").encode("utf-16")
    ends = (
        before,
        b"\xef\xbb\xbf" + content,
        as_utf_16,
        content * 2,
        content + b"\0",
        b" " * 5000 + content,
        b"",
    )
    return random.choice((before + b"\xff" + after, before + b"\0" + after, *ends))
