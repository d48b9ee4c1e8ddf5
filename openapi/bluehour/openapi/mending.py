"""What is wrong in a file is left out and told, so that the rest of it can be served.

A file of thousands of schemas is not refused for one bad pattern. What is left out refuses nothing: a value
that a broken rule may have been meant for is legal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jsonschema_rs

from .structure import Place, rewritten
from .validators import PATTERNS

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


class Defect(NamedTuple):
    """Something wrong in a file.

    Attributes:
        place: the keys that lead to it.
        message: what is wrong, in half a line.
    """

    place: Place
    message: str

    def __str__(self) -> str:
        """Show it with its JSON pointer, such as `#/paths/~1pets/get/parameters: a list is due here`."""
        return f"{pointer(self.place)}: {self.message}"


def pointer(place: Place) -> str:
    """Return the JSON pointer (RFC 6901) of a place, as a fragment."""
    return "#" + "".join(f"/{_escaped(str(step))}" for step in place)


def mended(
    document: dict[str, Any], is_legal_reference: Callable[[str], str]
) -> tuple[dict[str, Any], list[Defect]]:
    """Return a document without what can't be used, and what that was.

    Args:
        document: OpenAPI 3, of whatever version; not changed.
        is_legal_reference: returns why a reference of a schema can't be followed, or nothing where it can.
    """
    defects: list[Defect] = []
    schemas = _Schemas(defects, is_legal_reference, is_old=str(document.get("openapi")).startswith("3.0"))
    new = rewritten(document, schemas.mended, lambda at, message: defects.append(Defect(at, message)))
    return new, defects


class _Schemas:
    """Mends schemas: each keyword whose value is none is left out."""

    def __init__(self, defects: list[Defect], why_not: Callable[[str], str], *, is_old: bool) -> None:
        self._defects = defects
        self._why_not = why_not
        self._is_old = is_old
        schemas, many, named = self.mended, self._list, self._map
        self._parts: dict[str, Callable[[Any, Place], Any]] = {
            "properties": named, "patternProperties": named, "$defs": named, "definitions": named,
            "dependentSchemas": named, "allOf": many, "anyOf": many, "oneOf": many, "prefixItems": many,
            "not": schemas, "if": schemas, "then": schemas, "else": schemas, "items": schemas,
            "contains": schemas, "propertyNames": schemas, "additionalProperties": schemas,
            "unevaluatedItems": schemas, "unevaluatedProperties": schemas,
        }  # fmt: skip

    def mended(self, node: Any, at: Place) -> Any:
        """Return a schema without what is none in it."""
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            return self._left_out(at, f"a schema is due here, not {node!r:.60}", {})
        if "$ref" in node and (reason := self._wrong_reference(node["$ref"])):
            node = {key: value for key, value in node.items() if key != "$ref"}
            self._left_out((*at, "$ref"), reason, None)
        made = {key: self._keyword(key, value, (*at, key)) for key, value in node.items()}
        return self._modern({key: value for key, value in made.items() if value is not _NOTHING}, at)

    def _wrong_reference(self, reference: Any) -> str:
        return self._why_not(reference) if isinstance(reference, str) else "a reference is a text"

    def _keyword(self, key: str, value: Any, at: Place) -> Any:
        if key in self._parts:
            return self._parts[key](value, at)
        wrong = key in _RULES and _RULES[key](value)
        return self._left_out(at, wrong, _NOTHING) if wrong else value

    def _modern(self, node: dict[str, Any], at: Place) -> dict[str, Any]:
        """Write what an OpenAPI 3.1 file has from 3.0 as 3.1 has it."""
        if self._is_old:
            return node
        for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if isinstance(node.get(bound), bool):
                is_exclusive = node.pop(bound)
                if is_exclusive and limit in node:
                    node[bound] = node.pop(limit)
                self._left_out((*at, bound), "a number is due here; taken as OpenAPI 3.0 has it", None)
        return node

    def _list(self, node: Any, at: Place) -> Any:
        if not isinstance(node, list) or not node:
            return self._left_out(at, f"a list of schemas is due here, not {node!r:.60}", _NOTHING)
        return [self.mended(item, (*at, place)) for place, item in enumerate(node)]

    def _map(self, node: Any, at: Place) -> Any:
        if not isinstance(node, dict):
            return self._left_out(at, f"an object is due here, not {node!r:.60}", _NOTHING)
        legal = dict(node)
        if at[-1] == "patternProperties":
            for pattern in node:
                if wrong := _wrong_pattern(pattern):
                    self._left_out((*at, pattern), wrong, legal.pop(pattern))
        return {name: self.mended(item, (*at, name)) for name, item in legal.items()}

    def _left_out(self, at: Place, message: str, instead: Any) -> Any:
        self._defects.append(Defect(at, message))
        return instead


_NOTHING = object()


def _wrong_type(value: Any) -> str:
    names = value if isinstance(value, list) and value else [value]
    unknown = [name for name in names if not isinstance(name, str) or name not in _TYPES]
    return f"there is no type {unknown[0]!r:.60}" if unknown else ""


def _wrong_pattern(value: Any) -> str:
    if not isinstance(value, str):
        return f"a pattern is a text, not {value!r:.60}"
    return "" if _is_pattern(value) else f"the pattern {value!r:.60} can't be used"


@cache
def _is_pattern(pattern: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=PATTERNS)
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _due(wanted: str, fits: Callable[[Any], bool]) -> Callable[[Any], str]:
    return lambda value: "" if fits(value) else f"{wanted} is due here, not {value!r:.60}"


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_number = _due("a number", _is_number)
_bound = _due("a number", lambda value: _is_number(value) or isinstance(value, bool))
_size = _due("a size", lambda value: _is_number(value) and value >= 0 and value == int(value))
_list = _due("a list", lambda value: isinstance(value, list))
_RULES: dict[str, Callable[[Any], str]] = {
    "type": _wrong_type,
    "pattern": _wrong_pattern,
    "enum": _list,
    "required": _due("a list of names", lambda value: _is_names(value) and len(set(value)) == len(value)),
    "minimum": _number,
    "maximum": _number,
    "exclusiveMinimum": _bound,
    "exclusiveMaximum": _bound,
    "multipleOf": _due("a number above 0", lambda value: _is_number(value) and value > 0),
    "uniqueItems": _due("true or false", lambda value: isinstance(value, bool)),
    "format": _due("a text", lambda value: isinstance(value, str)),
    **dict.fromkeys(
        (
            *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
            *("minContains", "maxContains"),
        ),
        _size,
    ),
}
"""What is wrong with a keyword's value; nothing where it can be used."""


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
