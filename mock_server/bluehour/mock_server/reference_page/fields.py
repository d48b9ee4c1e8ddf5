"""A schema as the rows of a table: every field with its type, its rules and what is said of it.

References are followed in place. One that leads back into itself, or too deep, is cut: its row links to the
schema by name, and the page shows that schema once, in a list of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bluehour.openapi.document import Document, SpecError, at_pointer

from .conditions import Condition, conditions
from .rules import Node, Rule, choices, compact, listing, mapping, rules, type_words, types_of

_SCHEMAS = "#/components/schemas/"

_DEEPEST = 10
"""Levels of indentation that are shown."""

_MOST_ROWS = 400
"""Rows of one table."""

_MOST_MERGES = 20_000
"""References and parts of `allOf` that one table follows; an evil document could have no end of them."""

_MOST_EXAMPLES = 2

_MOST_CHOICES = 60
"""Values of an enum, where there is no room for more."""

_MOST_CHOICES_OF_ALL = 10_000
"""Values of long enums that are shown in full."""


@dataclass(frozen=True, slots=True)
class Field:
    """One row.

    Attributes:
        name: the field's.
        label: instead of a name, for what has none: `each item`, `one of: Cat`.
        conditions: the rules that depend on other fields.
        choices: the values of an enum, the first ones where they are too many for the page.
        count: how many there are of these.
        cut: the name of the schema that the page shows elsewhere; `…` where it has none.
    """

    name: str
    depth: int
    type: str
    label: str = ""
    required: bool = False
    deprecated: bool = False
    access: str = ""
    rules: tuple[Rule, ...] = ()
    conditions: tuple[Condition, ...] = ()
    choices: tuple[str, ...] = ()
    count: int = 0
    default: str | None = None
    examples: tuple[str, ...] = ()
    description: str = ""
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A whole schema: itself, and the fields within."""

    whole: Field
    rows: tuple[Field, ...]

    @property
    def is_plain(self) -> bool:
        """Whether nothing is to be said of the schema itself: it is an object, and its fields follow."""
        whole = self.whole
        rules = whole.rules or whole.conditions or whole.choices
        is_described = whole.description or rules or whole.cut or whole.default
        return whole.type == "object" and bool(self.rows) and not is_described


class Reader:
    """Reads a document's schemas as tables.

    Args:
        nested: whether references below a table's top are followed in place, or linked to.

    Attributes:
        linked: the names of the schemas that rows link to, in the order in which they were met.
        rows: how many rows were made.
    """

    def __init__(self, *, nested: bool) -> None:
        self._nested = nested
        self.linked: dict[str, None] = {}
        self.rows = 0
        self._choices_left = _MOST_CHOICES_OF_ALL

    def table(self, document: Document, node: Any, name: str = "") -> Table:
        """Return a schema and its fields; `name` is its own where it is one of the components."""
        above = frozenset({_SCHEMAS + name}) if name else frozenset[str]()
        walk = _Walk(document, self._nested, above, self._choices)
        whole, *rows = walk.rows(Place(""), node)
        rows = [replace(row, depth=row.depth - 1) for row in rows]
        if len(rows) > _MOST_ROWS:
            rows = [*rows[:_MOST_ROWS], Field("…", 0, f"and {len(rows) - _MOST_ROWS} more fields")]
        self.rows += len(rows) + 1
        self.linked |= dict.fromkeys(row.cut for row in (whole, *rows) if row.cut not in ("", "…"))
        return Table(whole, tuple(rows))

    def _choices(self, node: Node) -> tuple[str, ...]:
        """Return the values of an enum: all of them, until very many have been shown on the page."""
        count = len(listing(node.get("enum")))
        if _MOST_CHOICES < count <= self._choices_left:
            self._choices_left -= count
            return choices(node, count)
        return choices(node, _MOST_CHOICES)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a schema stands: under which name, how deep, and by which references one comes there."""

    name: str
    depth: int = 0
    label: str = ""
    required: bool = False
    above: frozenset[str] = frozenset()


class _Walk:
    def __init__(
        self,
        document: Document,
        nested: bool,
        above: frozenset[str],
        choices: Callable[[Node], tuple[str, ...]],
    ) -> None:
        self._document = document
        self._nested = nested
        self._above = above
        self._choices = choices
        self._left = 2 * _MOST_ROWS  # so that the work has an end, and the reader learns that there is more
        self._merges_left = _MOST_MERGES

    def rows(self, place: Place, node: Any) -> list[Field]:
        return list(self._rows(replace(place, above=self._above), node))

    def _rows(self, place: Place, node: Any) -> Iterator[Field]:
        """Yield a schema's own row, and those of what is within."""
        if self._left <= 0:
            return
        self._left -= 1
        node, references, broken = self._flat(node)
        cut = self._cut(place, references)
        yield self._row(place, node, broken or cut)
        if isinstance(node, dict) and not cut:
            yield from self._within(replace(place, above=place.above | set(references)), node)

    def _cut(self, place: Place, references: list[str]) -> str:
        """Return what stands for a schema that isn't shown here, or nothing."""
        again = any(reference in place.above for reference in references)
        linked = not self._nested and place.depth > 0 and bool(references)
        if not (again or linked or place.depth >= _DEEPEST):
            return ""
        named = [one.removeprefix(_SCHEMAS) for one in references if one.startswith(_SCHEMAS)]
        if linked and not again and not self._has_fields(references[-1]):
            return ""
        return next((_unescaped(name) for name in named if "/" not in name), "…")

    def _has_fields(self, reference: str) -> bool:
        node, _, _ = self._flat({"$ref": reference})
        parts = ("properties", "items", "oneOf", "anyOf", "additionalProperties")
        return isinstance(node, dict) and any(isinstance(node.get(key), dict | list) for key in parts)

    def _row(self, place: Place, node: Any, cut: str) -> Field:
        keywords = mapping(node)
        read_only, write_only = keywords.get("readOnly") is True, keywords.get("writeOnly") is True
        return Field(
            name=place.name,
            label=place.label,
            depth=place.depth,
            type=self._type(node),
            required=place.required,
            deprecated=keywords.get("deprecated") is True,
            access="read-only" if read_only else "write-only" if write_only else "",
            rules=(*rules(keywords), *self._rules_of_items(keywords)),
            conditions=tuple(conditions(keywords)),
            choices=self._choices(keywords),
            count=len(listing(keywords.get("enum"))),
            default=compact(keywords["default"]) if "default" in keywords else None,
            examples=_examples(keywords),
            description=str(keywords.get("description") or keywords.get("title") or ""),
            cut=cut,
        )

    def _type(self, node: Any) -> str:
        if isinstance(node, dict) and not types_of(node):
            return _COMBINED.get(next((key for key in _COMBINED if listing(node.get(key))), ""), "any value")
        return type_words(node, lambda inner: self._flat(inner)[0])

    def _rules_of_items(self, node: Node) -> Iterator[Rule]:
        """What each item has to keep to, where items have no rows of their own."""
        items, _, _ = self._flat(node.get("items"))
        if isinstance(items, dict) and not _is_deep(items):
            for rule in rules(items):
                yield replace(rule, words=f"each {rule.words}")
            if values := choices(items, _MOST_CHOICES):
                yield Rule("each one of", ", ".join(values))

    def _within(self, place: Place, node: Node) -> Iterator[Field]:
        """Yield the rows of a schema's fields, items and alternatives."""
        below = replace(place, name="", label="", required=False, depth=place.depth + 1)
        required = listing(node.get("required"))
        for name, field in mapping(node.get("properties")).items():
            yield from self._rows(replace(below, name=str(name), required=name in required), field)
        for pattern, field in mapping(node.get("patternProperties")).items():
            yield from self._rows(replace(below, name=f"/{pattern}/"), field)
        if isinstance(node.get("additionalProperties"), dict):
            yield from self._rows(replace(below, label="any other name"), node["additionalProperties"])
        for index, item in enumerate(listing(node.get("prefixItems")), start=1):
            yield from self._rows(replace(below, label=f"item {index}"), item)
        yield from self._items(below, node.get("items"))
        for keyword, label in (("oneOf", "one of"), ("anyOf", "any of")):
            for index, option in enumerate(listing(node.get(keyword)), start=1):
                yield from self._rows(replace(below, label=f"{label}: {self._name(option, index)}"), option)

    def _items(self, below: Place, node: Any) -> Iterator[Field]:
        items, _, _ = self._flat(node)
        if isinstance(items, dict) and _is_deep(items):
            yield from self._rows(replace(below, label="each item"), node)

    def _name(self, option: Any, index: int) -> str:
        """What an alternative is called: by its title, by its reference, else by its number."""
        node, references, _ = self._flat(option)
        title = mapping(node).get("title")
        named = _unescaped(references[0].rpartition("/")[2]) if references else ""
        return str(title or named or f"form {index}")

    def _flat(self, node: Any) -> tuple[Any, list[str], str]:
        """Return a schema with its references followed and `allOf` in one, the references, what is broken.

        An alternative that is only null, or the only one, is no choice; it becomes part of the schema.
        """
        references: list[str] = []
        try:
            flat = self._merged(node, references, 0)
        except SpecError:
            return {}, references, "…"
        return flat, references, ""

    def _merged(self, node: Any, references: list[str], depth: int) -> Any:
        self._merges_left -= 1
        if not isinstance(node, dict) or depth > _DEEPEST or self._merges_left < 0:
            return node
        own = {key: value for key, value in node.items() if key not in ("$ref", "allOf")}
        parts = []
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in references:
            references.append(reference)
            parts.append(self._merged(at_pointer(self._document, reference), references, depth + 1))
        for part in listing(node.get("allOf")):
            # A part's own references name it, not the whole; only a schema that is one part has its name.
            names = references if len(node["allOf"]) == 1 and not own.get("properties") else [*references]
            parts.append(self._merged(part, names, depth + 1))
        for part in parts:
            own = _joined(own, mapping(part)) if part is not False else own
        return self._without_null(own, references, depth)

    def _without_null(self, node: Node, references: list[str], depth: int) -> Node:
        """Write `anyOf: [X, null]` as X that may be null."""
        for keyword in ("anyOf", "oneOf"):
            options = listing(node.get(keyword))
            some = [option for option in options if mapping(option).get("type") != "null"]
            if len(some) == 1 and (len(options) > 1 or not types_of(node)):
                inner = mapping(self._merged(some[0], references, depth + 1))
                rest = {key: value for key, value in node.items() if key != keyword}
                joined = _joined(rest, inner)
                types = types_of(joined)
                return {**joined, "type": [*types, "null"]} if types and len(options) > 1 else joined
        return node


_COMBINED = {"oneOf": "one of several forms", "anyOf": "any of several forms"}


def _joined(first: Node, second: Node) -> Node:
    """Return what two schemas say together, the first where they disagree."""
    joined = {**second, **first}
    for key in ("properties", "patternProperties"):
        if key in first and key in second:
            joined[key] = {**mapping(second[key]), **mapping(first[key])}
    if "required" in first and "required" in second:
        joined["required"] = [*listing(second["required"]), *listing(first["required"])]
    return joined


def _is_deep(node: Node) -> bool:
    """Tell whether a schema has fields, items with fields, or alternatives to show."""
    keys = ("properties", "patternProperties", "oneOf", "anyOf", "prefixItems")
    return any(node.get(key) for key in keys) or any(
        isinstance(node.get(key), dict) for key in ("items", "additionalProperties")
    )


def _examples(node: Node) -> tuple[str, ...]:
    """A field's examples; those of an object are in the whole's."""
    values = [*listing(node.get("examples")), *([node["example"]] if "example" in node else [])]
    short = [compact(value) for value in values if not (isinstance(value, dict | list) and _is_deep(node))]
    return tuple(dict.fromkeys(short))[:_MOST_EXAMPLES]


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
