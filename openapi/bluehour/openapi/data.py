"""JSON and YAML that somebody else wrote, as plain data: bounded, so that no reader of it hangs or crashes.

Contracts, scenarios and bodies are read by it. Python, orjson and jsonschema-rs each give up on deep data at
a depth of their own, from 254 levels on, and not all of them in a clean way: what passes here is far from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson
import yaml
from yaml.constructor import ConstructorError

from .errors import BluehourError

DEEPEST = 200
"""Lists and objects that may lie in each other. Of published contracts, none has more than some thirty."""

MOST_VALUES = 1_000_000
"""Values of a YAML text, where each alias counts for all that it stands for."""


class DataError(BluehourError, ValueError):
    """The text is well-formed, but can't be taken; the message says why, in half a line."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where it was built
    """YAML 1.2's core types, as OpenAPI asks for: dates, times and words like `on` and `no` are strings."""

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        """Read what one of `_NUMBERS` fits, to what a JSON text of it would give."""
        text: str = self.construct_scalar(node)
        with suppress(ValueError, OverflowError):
            number = int(text, 0) if text.startswith(("0x", "0o")) else _decimal(text)
            if not (isinstance(number, int) and -(2**63) <= number < 2**64):
                number = float(number)
            if math.isfinite(number):
                return number
        raise ConstructorError(None, None, "JSON can't hold this number", node.start_mark)


def _decimal(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_TAG = "tag:yaml.org,2002:"
_NUMBERS = {
    "int": r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _TAG + "bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.yaml_constructors = {  # without the types that JSON has not: sets, bytes, dates
    tag: construct
    for tag, construct in _Loader.yaml_constructors.items()
    if tag is None or tag.removeprefix(_TAG) in ("null", "bool", "str", "seq", "map")
}
for _name, _pattern in _NUMBERS.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), list("-+.0123456789"))
    _Loader.add_constructor(_TAG + _name, _Loader.construct_number)


def from_json(text: bytes | str) -> Any:
    """Return what a JSON text says.

    Raises:
        DataError: it is nested deeper than `DEEPEST`.
        orjson.JSONDecodeError: it is no JSON, or nested a thousand levels deep.
    """
    value = orjson.loads(text)
    # Most texts are known at once not to be deep: what is opened is closed as well.
    if len(text) > 2 * DEEPEST and _openings(text) > DEEPEST:
        refuse_deep(value)
    return value


def from_yaml(text: bytes) -> Any:
    """Return what a YAML text says, as JSON's own types: keys become strings.

    Raises:
        DataError: it is nested deeper than `DEEPEST`, or has more than `MOST_VALUES`.
        yaml.YAMLError: it is no YAML, or has what JSON can't hold.
    """
    _refuse_endless(text)
    value = yaml.load(text, _Loader)  # noqa: S506 - _Loader is a SafeLoader
    refuse_deep(value)  # what aliases stand for has a depth as well
    return _with_string_keys(value)


def _refuse_endless(text: bytes) -> None:
    """Refuse a text for what its events tell: on some, PyYAML's next step would crash, or never end."""
    values = 0
    sizes: dict[str | None, int | None] = {}  # of what an anchor names; None before its end
    collections: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, _Loader):
        match event:  # the most frequent ones first
            case yaml.ScalarEvent():
                values += 1
                if event.anchor is not None:
                    sizes[event.anchor] = 1
            case yaml.CollectionEndEvent():
                anchor, before = collections.pop()
                sizes[anchor] = values - before
            case yaml.CollectionStartEvent():
                collections.append((event.anchor, values))
                sizes[event.anchor] = None
                values += 1
            case yaml.AliasEvent():
                size = sizes.get(event.anchor, 1)
                if size is None:
                    raise DataError(f"the alias *{event.anchor} stands for what it is in, {_line(event)}")
                values += size
        if len(collections) > DEEPEST:
            raise DataError(f"nested more than {DEEPEST} levels deep, {_line(event)}")
        if values > MOST_VALUES:
            raise DataError(f"more than {MOST_VALUES:,} values, with what aliases stand for, {_line(event)}")


def _line(event: yaml.Event) -> str:
    mark = event.start_mark
    return "" if mark is None else f"at line {mark.line + 1}"


def _openings(text: bytes | str) -> int:
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def refuse_deep(value: Any) -> None:
    """Let data pass that is not nested too deeply; not by recursion, which this is to save others from.

    Raises:
        DataError: it is.
    """
    steps: list[Any] = []
    levels = [_parts(value)]
    while levels:
        inner = next((part for part in levels[-1] if isinstance(part[1], dict | list)), None)
        if inner is None:
            levels.pop()
            del steps[-1:]
        else:
            steps.append(inner[0])
            levels.append(_parts(inner[1]))
        if len(levels) > DEEPEST:
            place = "/".join(map(_printable, steps[:4]))
            raise DataError(f"nested more than {DEEPEST} levels deep, at {place}/…")


def _printable(step: str | int) -> str:
    return (str(step) if str(step).isidentifier() else ascii(step))[:40]


def _parts(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict):
        return iter(node.items())
    return enumerate(node) if isinstance(node, list) else iter(())


def _with_string_keys(node: Any) -> Any:
    """YAML reads an unquoted status `200:` as a number; JSON, and so OpenAPI, has only string keys."""
    if isinstance(node, dict):
        return {str(key): _with_string_keys(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_string_keys(item) for item in node]
    return node
