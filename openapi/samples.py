"""A deterministic value that is legal under a JSON Schema 2020-12 schema.

The server calls it for operations whose contract gives no example of an answer.
"""

from __future__ import annotations

import copy
import json
import math
import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Literal
from urllib.parse import unquote

import jsonschema_rs
import rstr

Schema = dict[str, Any] | bool
Direction = Literal["request", "response"]

# The bounds that keep the work finite, whatever the schema.
_WORK = 20_000  # candidates drawn plus schemas compiled, for one attempt
_CANDIDATES = 80  # values tried at one place before giving the place up
_LEAN_AFTER = 600  # places filled before optional parts are left out
_DEEP = 6  # containers above a place before optional parts are left out
_DEEPEST = 20  # containers above a place before nothing more is tried
_LONGEST = 100_000  # characters or items

_NO_BRANCH_WEIGHT = 1_000


class NoSample(ValueError):  # noqa: N818 - named for what the caller is told, as in StopIteration
    """No legal value was found within the bounds; the message is one line that says why."""


def sample(schema: Schema, root: dict[str, Any], direction: Direction = "response") -> Any:
    """Return a value that is legal under `schema`, the same one on every call.

    An example, a default, a const and the first enum value are preferred in this order when they are legal.
    `$ref`s of the form `#/...` are resolved in `root`. Optional properties that don't travel in `direction`
    (writeOnly in a response, readOnly in a request) are left out.

    Raises NoSample when no value was found.
    """
    reason = ""
    for checked, formats in _ATTEMPTS:
        search = _Search(_Judge(root, formats), direction, checked)
        try:
            return copy.deepcopy(search.whole(schema))
        except NoSample as problem:
            reason = str(problem)
    raise NoSample(reason)


# How many schemas a part may lead to for being checked by itself, and whether formats count. To trust every
# part and judge the whole once is enough for most schemas; parts that lead to half of a large contract cost
# much to check; and a format that its own pattern contradicts is the annotation that it is by default.
_ATTEMPTS = ((-1, True), (20, True), (math.inf, True), (math.inf, False))


# --- judging ------------------------------------------------------------------------------------------------


class _Judge:
    """Resolves references and decides whether a value is legal, and counts the work that this takes."""

    def __init__(self, root: dict[str, Any], formats: bool) -> None:
        self.root = root
        self.formats = formats
        self.work = 0
        # The schema is kept beside what is known of it: an id is only unique while its object lives.
        self._reaches: dict[int, tuple[Schema, set[str]]] = {}
        self._validators: dict[int, tuple[Schema, jsonschema_rs.Draft202012Validator]] = {}

    def spend(self, amount: int = 1) -> None:
        self.work += amount
        if self.work > _WORK:
            raise NoSample(f"no legal value was found within {_WORK} steps")

    def resolve(self, reference: str) -> Schema:
        found = _at(self.root, _tokens(reference))
        if not isinstance(found, dict | bool):
            raise NoSample(f"{reference} leads to no schema")
        return found

    def legal(self, schema: Schema, value: Any) -> bool:
        self.spend()
        try:
            return self._validator(schema).is_valid(value)
        except ValueError:  # a part that was joined from others and says nothing sensible
            return False

    def leads_to_more_than(self, most: float, schema: Schema) -> bool:
        return most < 0 or (most < math.inf and len(self._reachable(schema)) > most)

    def complaint(self, schema: Schema, value: Any) -> str:
        try:
            return next((error.message for error in self._validator(schema).iter_errors(value)), "")
        except ValueError as problem:
            return str(problem)

    def compiles(self, schema: Schema) -> None:
        """Raise NoSample when the schema itself is wrong."""
        try:
            self._validator(schema)
        except ValueError as problem:
            raise NoSample(f"the schema can't be used: {_one_line(str(problem))}") from problem

    def _validator(self, schema: Schema) -> jsonschema_rs.Draft202012Validator:
        known = self._validators.get(id(schema))
        if known is not None:
            return known[1]
        document = self._with_targets(schema)
        validator = jsonschema_rs.Draft202012Validator(
            document, validate_formats=self.formats, retriever=_nothing_elsewhere
        )
        self._validators[id(schema)] = (schema, validator)
        return validator

    def _with_targets(self, schema: Schema) -> dict[str, Any]:
        """Wrap the schema with just the parts of the root that it leads to, in their places."""
        references = self._reachable(schema)
        self.spend(1 + 5 * len(references))
        document: dict[str, Any] = {}
        for tokens in sorted((_tokens(reference) for reference in references), key=len):
            target = _at(self.root, tokens)
            if target is not None:
                _put(document, tokens, target)
        return {**document, "$ref": "#/x-sample", "x-sample": schema}

    def _reachable(self, schema: Schema) -> set[str]:
        known = self._reaches.get(id(schema))
        if known is not None:
            return known[1]
        found: set[str] = set()
        waiting = list(_references(schema))
        while waiting:
            reference = waiting.pop()
            if reference not in found:
                found.add(reference)
                waiting.extend(_references(_at(self.root, _tokens(reference))))
        self._reaches[id(schema)] = (schema, found)
        return found


def _nothing_elsewhere(address: str) -> Any:
    """Answer for other documents, which would be fetched over the network otherwise."""
    raise LookupError(f"{address} is outside of the document")


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            yield reference
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _references(child)


def _tokens(reference: str) -> list[str]:
    if not reference.startswith("#/"):
        raise NoSample(f"{reference} is outside of the document")
    return [unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")]


def _at(root: Any, tokens: list[str]) -> Any:
    for token in tokens:
        if isinstance(root, dict):
            root = root.get(token)
        elif isinstance(root, list) and token.isdecimal() and int(token) < len(root):
            root = root[int(token)]
        else:
            return None
    return root


def _put(document: dict[str, Any], tokens: list[str], target: Any) -> None:
    """Set `target` at a pointer; arrays on the way become objects, which pointers read alike.

    Shorter pointers come first, so what stands on the way as a whole holds the target already.
    """
    for token in tokens[:-1]:
        step = document.setdefault(token, _Place())
        if not isinstance(step, _Place):
            return
        document = step
    document.setdefault(tokens[-1], target)


class _Place(dict[str, Any]):
    """An object that `_put` made, as opposed to one that the root holds."""


def _one_line(text: str) -> str:
    return text.split("\n", 1)[0][:200]


# --- searching ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in the value: how many containers are above it, and the references that led to it."""

    depth: int = 0
    references: tuple[str, ...] = ()

    def through(self, references: tuple[str, ...]) -> _Spot:
        return _Spot(self.depth, self.references + references)

    def inside(self) -> _Spot:
        return _Spot(self.depth + 1, self.references)

    @property
    def repeats(self) -> bool:
        return len(set(self.references)) < len(self.references)


class _Search:
    """One attempt at a value. Each `_..s` method yields candidates, the most wanted first."""

    def __init__(self, judge: _Judge, direction: Direction, checked: float) -> None:
        self.judge = judge
        self.checked = checked
        self._hidden = "writeOnly" if direction == "response" else "readOnly"
        self._places = 0
        self._weights: dict[tuple[int, int], int] = {}

    def whole(self, schema: Schema) -> Any:
        self.judge.compiles(schema)
        tried = islice(self._values(schema, _Spot()), 4 * _CANDIDATES if self.checked >= 0 else 1)
        complaint = "nothing satisfies all of its parts"
        for number, value in enumerate(tried):
            if self.judge.legal(schema, value):
                return value
            if number == 0:
                complaint = self.judge.complaint(schema, value)
        raise NoSample(f"no legal value was found: {_one_line(complaint)}")

    def _several(self, schema: Schema, spot: _Spot) -> Iterator[Any]:
        """Yield the candidates that are good at their own place."""
        values = islice(self._values(schema, spot), _CANDIDATES)
        if self.judge.leads_to_more_than(self.checked, schema):
            return values
        return (value for value in values if self.judge.legal(schema, value))

    def _first(self, schema: Schema, spot: _Spot) -> list[Any]:
        """Return the best candidate in a list, or no candidate: None is a value of its own."""
        return list(islice(self._several(schema, spot), 1))

    def _values(self, schema: Schema, spot: _Spot) -> Iterator[Any]:
        if spot.depth > _DEEPEST:
            return
        self._places += 1
        for shape, references in self._shapes(schema, (), self._is_deep(spot)):
            self.judge.spend()
            yield from self._of_shape(shape, spot.through(references))

    def _is_deep(self, spot: _Spot) -> bool:
        return spot.depth >= _DEEP or spot.repeats or self._places > _LEAN_AFTER

    def _of_shape(self, shape: dict[str, Any], spot: _Spot) -> Iterator[Any]:
        yield from _declared(shape)
        if "const" in shape or "enum" in shape:
            return
        makers: dict[str, Callable[[], Iterator[Any]]] = {
            "object": lambda: self._objects(shape, spot),
            "array": lambda: self._arrays(shape, spot),
            "string": lambda: _strings(shape, self.judge.formats),
            "integer": lambda: _numbers({**shape, "type": "integer"}),
            "number": lambda: _numbers(shape),
            "boolean": lambda: iter((True, False)),
            "null": lambda: iter((None,)),
        }
        for name in _types(shape, null_first=self._is_deep(spot)):
            yield from makers[name]()

    # --- from a schema with branches to flat ones

    def _shapes(
        self, schema: Schema, above: tuple[str, ...], deep: bool
    ) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
        """Yield the schema as flat keywords, once per way through its branches, with references passed."""
        if isinstance(schema, bool):
            if schema:
                yield {}, ()
            return
        passed: tuple[str, ...] = ()
        if "$ref" in schema:
            if schema["$ref"] in above:  # a schema that is itself, which says nothing
                return
            passed = (schema["$ref"],)
        own = {key: value for key, value in schema.items() if key not in _APPLICATORS}
        yield from self._joined(own, passed, self._groups(schema, deep), above + passed, deep)

    def _joined(
        self,
        shape: dict[str, Any],
        passed: tuple[str, ...],
        groups: list[list[Schema]],
        above: tuple[str, ...],
        deep: bool,
    ) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
        if not groups:
            yield shape, passed
            return
        # An example of one part of several shows less than the whole, even where it is legal.
        partial = len(groups) > 1 or not shape.keys().isdisjoint(_STRUCTURE)
        for option in groups[0]:
            for part, references in self._shapes(option, above, deep):
                self.judge.spend()
                merged = _merged(shape, _unannotated(part) if partial else part)
                if merged is not None:
                    yield from self._joined(merged, passed + references, groups[1:], above, deep)

    def _groups(self, schema: dict[str, Any], deep: bool) -> list[list[Schema]]:
        """List the decisions that a schema asks for, each as its options."""
        groups: list[list[Schema]] = []
        if "$ref" in schema:
            groups.append([self.judge.resolve(schema["$ref"])])
        groups.extend([part] for part in schema.get("allOf", ()))
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                groups.append(self._branches(schema, keyword, deep))
        if "if" in schema:
            condition, then, otherwise = schema["if"], schema.get("then", True), schema.get("else", True)
            groups.append([{"allOf": [condition, then]}, {"allOf": [{"not": condition}, otherwise]}])
        groups.extend([part, True] for part in schema.get("dependentSchemas", {}).values())
        return groups

    def _branches(self, schema: dict[str, Any], keyword: str, deep: bool) -> list[Schema]:
        branches: list[Schema] = sorted(schema[keyword], key=_is_null)
        if deep:
            branches.sort(key=self._weight)
        discriminator = schema.get("discriminator")
        named = [_discriminated(branch, discriminator) for branch in branches if discriminator]
        apart = self._told_apart(branches) if keyword == "oneOf" else []
        return [*named, *branches, *apart]

    def _told_apart(self, branches: list[Schema]) -> list[Schema]:
        """Make branches that only one of can hold, by a property that the other one can't have.

        Such values look odd, but nothing else is legal where every branch allows further properties.
        """
        targets = [self._target(branch) for branch in branches]
        apart: list[Schema] = []
        for branch, target in zip(branches, targets, strict=True):
            rest = [other for other in targets if other is not target]
            strange = [_first_unknown(other, target) for other in rest]
            excluded = {name: {"not": part} for name, part in chain.from_iterable(strange)}
            if excluded:
                apart.append(_both(branch, {"properties": excluded, "required": list(excluded)}))
        return apart

    def _target(self, schema: Schema) -> dict[str, Any]:
        for _ in range(8):  # a reference may lead to a reference
            if isinstance(schema, bool):
                break
            if "$ref" not in schema:
                return schema
            schema = self.judge.resolve(schema["$ref"])
        return {}

    def _weight(self, schema: Schema, left: int = 4) -> int:
        """Estimate how much a schema requires: where a value must end, the lightest branch ends it."""
        if isinstance(schema, bool) or "null" in _listed(schema.get("type")):
            return 0
        if left == 0:
            return _NO_BRANCH_WEIGHT
        key = (id(schema), left)
        if key not in self._weights:
            self._weights[key] = min(_NO_BRANCH_WEIGHT, self._sum(schema, left - 1))
        return self._weights[key]

    def _sum(self, schema: dict[str, Any], left: int) -> int:
        properties = schema.get("properties", {})
        parts = [properties[name] for name in schema.get("required", ()) if name in properties]
        parts += schema.get("allOf", [])
        if schema.get("minItems"):
            parts.append(schema.get("items", True))
        if "$ref" in schema:
            parts.append(self.judge.resolve(schema["$ref"]))
        total = len(schema.get("required", ())) + sum(self._weight(part, left) for part in parts)
        for keyword in ("oneOf", "anyOf"):
            total += min((self._weight(branch, left) for branch in schema.get(keyword, ())), default=0)
        return total

    # --- objects

    def _objects(self, shape: dict[str, Any], spot: _Spot) -> Iterator[dict[str, Any]]:
        inside = spot.inside()
        required = list(dict.fromkeys(shape.get("required", ())))
        least: dict[str, Any] = {}
        for name in required:
            found = self._first(self._member(shape, name), inside)
            if not found:
                return
            least[name] = found[0]
        full = self._filled(shape, least, inside)
        spare = [name for name in full if name not in least]
        for candidate in self._variants(shape, full, least, spare, inside):
            yield self._with_dependents(shape, candidate, inside)

    def _filled(self, shape: dict[str, Any], least: dict[str, Any], inside: _Spot) -> dict[str, Any]:
        """Add the optional properties, as declared, then as many more as minProperties asks for."""
        values = dict(least)
        few, most = shape.get("minProperties", 0), shape.get("maxProperties", math.inf)
        declared = [name for name in shape.get("properties", {}) if name not in least]
        visible = [name for name in declared if not self._is_hidden(shape["properties"][name])]
        if not self._is_deep(inside):
            self._add(shape, values, visible, most, inside)
        if not declared and not values and isinstance(shape.get("additionalProperties"), dict):
            few = max(few, 0 if self._is_deep(inside) else 1)
        if len(values) < few:
            extra = islice(self._extra_names(shape, inside), _CANDIDATES + int(few))
            self._add(shape, values, chain(visible, declared, extra), few, inside)
        order = [*shape.get("properties", {}), *values]
        return {name: values[name] for name in order if name in values}

    def _add(
        self,
        shape: dict[str, Any],
        values: dict[str, Any],
        names: Iterator[str] | list[str],
        until: float,
        inside: _Spot,
    ) -> None:
        for name in names:
            if len(values) >= until:
                return
            if name not in values and (found := self._first(self._member(shape, name), inside)):
                values[name] = found[0]

    def _variants(
        self,
        shape: dict[str, Any],
        full: dict[str, Any],
        least: dict[str, Any],
        spare: list[str],
        inside: _Spot,
    ) -> Iterator[dict[str, Any]]:
        """Yield the full object, then ones that differ in a value, then ones with less in them."""
        yield full
        others = {name: islice(self._several(self._member(shape, name), inside), 1, 12) for name in full}
        yield from self._changed(full, others, rounds=1)
        yield from self._changed(full, dict(islice(others.items(), 3)), rounds=8)
        for name in islice(spare, 12):
            yield {key: value for key, value in full.items() if key != name}
        if spare:
            yield least
        for name in islice(spare, 12):
            yield {**least, name: full[name]}
        yield from self._changed(full, others, rounds=10)

    def _changed(
        self, full: dict[str, Any], others: Mapping[str, Iterator[Any]], rounds: int
    ) -> Iterator[dict[str, Any]]:
        for _ in range(rounds):
            for name in islice(others, 12):
                for value in islice(others[name], 1):
                    yield {**full, name: value}

    def _with_dependents(
        self, shape: dict[str, Any], candidate: dict[str, Any], inside: _Spot
    ) -> dict[str, Any]:
        dependents: dict[str, list[str]] = shape.get("dependentRequired", {})
        values, waiting = dict(candidate), list(candidate)
        while waiting:
            needed = [name for name in dependents.get(waiting.pop(), ()) if name not in values]
            self._add(shape, values, needed, math.inf, inside)
            waiting.extend(name for name in needed if name in values)
        return values

    def _member(self, shape: dict[str, Any], name: str) -> Schema:
        """Return what a property's value must satisfy."""
        parts: list[Schema] = []
        if name in shape.get("properties", {}):
            parts.append(shape["properties"][name])
        for pattern, schema in shape.get("patternProperties", {}).items():
            if _text_is_legal({"pattern": pattern}, name, False):
                parts.append(schema)
        if not parts:
            parts.append(shape.get("additionalProperties", True))
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _extra_names(self, shape: dict[str, Any], inside: _Spot) -> Iterator[str]:
        if "propertyNames" in shape:
            named = (name for name in self._several(shape["propertyNames"], inside) if isinstance(name, str))
            yield from named
        for pattern in shape.get("patternProperties", {}):
            yield from islice(_strings({"pattern": pattern}, False), 20)
        yield "key"
        yield from (f"key{number}" for number in range(2, _LONGEST))

    def _is_hidden(self, schema: Schema) -> bool:
        beside = isinstance(schema, dict) and schema.get(self._hidden) is True
        return beside or self._target(schema).get(self._hidden) is True

    # --- arrays

    def _arrays(self, shape: dict[str, Any], spot: _Spot) -> Iterator[list[Any]]:
        inside = spot.inside()
        few, most = int(shape.get("minItems", 0)), min(shape.get("maxItems", _LONGEST), _LONGEST)
        needed = int(shape.get("minContains", 1)) if "contains" in shape else 0
        open_ended = shape.get("items", True) is not False
        usual = max(few, needed, len(shape.get("prefixItems", ())) or int(open_ended))
        if self._is_deep(spot):
            usual = max(few, needed)
        for length in dict.fromkeys((usual, few, few + 1, few + 2, usual + 1, 0, 2, 3)):
            if few <= length <= most:
                yield from self._of_length(shape, length, needed, inside)

    def _of_length(
        self, shape: dict[str, Any], length: int, needed: int, inside: _Spot
    ) -> Iterator[list[Any]]:
        places = self._item_schemas(shape, length, needed)
        # One place after the other gives way, for what one candidate can't satisfy together with its peers.
        for varied in range(min(length, 3) + 1):
            for skipped in range(1 if varied == 0 else 12):
                self.judge.spend()
                skips = {varied - 1: skipped + 1} if varied else {}
                items = self._items(shape, places, skips, inside)
                if items is None:
                    break
                yield items

    def _items(
        self, shape: dict[str, Any], places: list[Schema], skips: dict[int, int], inside: _Spot
    ) -> list[Any] | None:
        unique = bool(shape.get("uniqueItems"))
        items: list[Any] = []
        seen: set[str] = set()
        streams: dict[tuple[int, int], Iterator[Any]] = {}
        firsts: dict[tuple[int, int], list[Any]] = {}
        for index, place in enumerate(places):
            key = (id(place), skips.get(index, 0))
            if key not in streams:
                streams[key] = islice(self._several(place, inside), key[1], None)
                firsts[key] = []
            if unique:
                found = list(islice((v for v in streams[key] if _identity(v) not in seen), 1))
            else:
                firsts[key] = found = firsts[key] or list(islice(streams[key], 1))
            if not found:
                return None
            if unique:
                seen.add(_identity(found[0]))
            items.append(found[0])
        return items

    def _item_schemas(self, shape: dict[str, Any], length: int, needed: int) -> list[Schema]:
        prefix: list[Schema] = shape.get("prefixItems", [])[:length]
        places = prefix + [shape.get("items", True)] * (length - len(prefix))
        if "contains" not in shape:
            return places
        inner = {id(place): _both(place, shape["contains"]) for place in places}
        outer = {id(place): _both(place, {"not": shape["contains"]}) for place in places}
        order = [*range(len(prefix), length), *range(len(prefix))]
        for rank, index in enumerate(order):
            if rank < needed:
                places[index] = inner[id(places[index])]
            elif "maxContains" in shape:
                places[index] = outer[id(places[index])]
        return places


# --- flat schemas -------------------------------------------------------------------------------------------

_APPLICATORS = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "discriminator"}
)
_ANNOTATIONS = frozenset({"example", "examples", "default"})
_STRUCTURE = frozenset({"properties", "items", "prefixItems"})

# The keywords that tell a type where none is named, in the order in which types are tried.
_TELLING = {
    "object": {
        "properties", "required", "additionalProperties", "patternProperties", "minProperties",
        "maxProperties", "propertyNames", "dependentRequired", "unevaluatedProperties",
    },
    "array": {"items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "string": {"pattern", "minLength", "maxLength", "format", "contentEncoding", "contentMediaType"},
    "boolean": set(),
    "null": set(),
}  # fmt: skip


def _both(first: Schema, second: Schema) -> Schema:
    return {"allOf": [first, second]}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_null(schema: Schema) -> bool:
    if isinstance(schema, bool):
        return False
    only_null: dict[str, list[Any]] = {"type": [["null"], "null"], "enum": [[None]], "const": [None]}
    return any(key in schema and schema[key] in values for key, values in only_null.items())


def _types(shape: dict[str, Any], null_first: bool) -> list[str]:
    told = [name for name, keywords in _TELLING.items() if not keywords.isdisjoint(shape)]
    untold = [name for name in ("string", "object", "number", "array", "boolean", "null") if name not in told]
    names = [name for name in _listed(shape.get("type")) if isinstance(name, str)] or told + untold
    if "type" not in shape:
        return names
    return sorted(names, key=lambda name: (name == "null") != null_first)


def _unannotated(shape: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if key not in _ANNOTATIONS}


def _declared(shape: dict[str, Any]) -> Iterator[Any]:
    """Yield the values that a schema names itself."""
    if "example" in shape:
        yield shape["example"]
    if isinstance(shape.get("examples"), list):
        yield from shape["examples"]
    for key in ("default", "const"):
        if key in shape:
            yield shape[key]
    yield from sorted(shape.get("enum", ()), key=lambda value: value is None)


def _identity(value: Any) -> str:
    """Return a text that is equal for values that JSON Schema calls equal."""

    def plain(node: Any) -> Any:
        if isinstance(node, float) and node.is_integer():
            return int(node)
        if isinstance(node, dict):
            return {key: plain(child) for key, child in node.items()}
        return [plain(child) for child in node] if isinstance(node, list) else node

    return json.dumps(plain(value), sort_keys=True, default=str)


def _first_unknown(other: dict[str, Any], known: dict[str, Any]) -> list[tuple[str, Schema]]:
    unknown = other.get("properties", {}).items()
    return [(name, part) for name, part in unknown if name not in known.get("properties", {})][:1]


def _discriminated(branch: Schema, discriminator: dict[str, Any]) -> Schema:
    """Add the discriminator's value to a branch: the schema's name, unless the mapping has another."""
    reference = branch.get("$ref") if isinstance(branch, dict) else None
    name = discriminator.get("propertyName")
    if not isinstance(reference, str) or not isinstance(name, str):
        return branch
    plain = reference.rsplit("/", 1)[-1]
    mapping = discriminator.get("mapping", {})
    mapped = next((key for key, target in mapping.items() if target in (reference, plain)), plain)
    return _both(branch, {"properties": {name: {"const": mapped}}})


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Return the keywords of both schemas as one, or None where their types or values exclude each other."""
    first, second = _closed(first, second), _closed(second, first)
    merged = {**second, **first}
    for key in first.keys() & second.keys():
        merge = _MERGES.get(key)
        if merge is not None:
            merged[key] = merge(first[key], second[key])
    if merged.get("type") == [] or merged.get("enum") == []:
        return None
    return merged


def _closed(schema: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Leave out the properties that the other schema forbids."""
    forbids = other.get("additionalProperties") is False and "patternProperties" not in other
    if not forbids or "properties" not in schema:
        return schema
    allowed = other.get("properties", {})
    kept = {name: value for name, value in schema["properties"].items() if name in allowed}
    return {**schema, "properties": kept}


def _merged_types(first: Any, second: Any) -> list[str]:
    firsts, seconds = _listed(first), _listed(second)
    kept = [name for name in firsts if name in seconds or (name == "integer" and "number" in seconds)]
    if "number" in firsts and "integer" in seconds and "integer" not in kept:
        kept.append("integer")
    return kept


def _merged_values(first: list[Any], second: list[Any]) -> list[Any]:
    allowed = {_identity(value) for value in second}
    return [value for value in first if _identity(value) in allowed]


def _merged_maps(first: dict[str, Schema], second: dict[str, Schema]) -> dict[str, Schema]:
    shared = {name: _both(first[name], second[name]) for name in first if name in second}
    return {**first, **second, **shared}


def _merged_dependents(first: dict[str, list[str]], second: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: first.get(name, []) + second.get(name, []) for name in first | second}


def _merged_prefixes(first: list[Schema], second: list[Schema]) -> list[Schema]:
    longer = max(first, second, key=len)
    return [_both(*pair) for pair in zip(first, second, strict=False)] + longer[
        min(len(first), len(second)) :
    ]


def _merged_steps(first: float, second: float) -> float:
    one, two = _exact(first), _exact(second)
    common = math.lcm(one.numerator * two.denominator, two.numerator * one.denominator)
    return _number(Fraction(common, one.denominator * two.denominator))


def _merged_nots(first: Schema, second: Schema) -> Schema:
    return {"anyOf": [first, second]}


_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _merged_types,
    "enum": _merged_values,
    "properties": _merged_maps,
    "patternProperties": _merged_maps,
    "additionalProperties": _both,
    "propertyNames": _both,
    "items": _both,
    "prefixItems": _merged_prefixes,
    "required": lambda first, second: [*first, *second],
    "dependentRequired": _merged_dependents,
    "not": _merged_nots,
    "multipleOf": _merged_steps,
    "uniqueItems": lambda first, second: first or second,
}
for _key in ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"):
    _MERGES[_key] = max
for _key in ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"):
    _MERGES[_key] = min


# --- numbers ------------------------------------------------------------------------------------------------


def _exact(value: float) -> Fraction:
    """Return the number as it is written: 0.01 is a hundredth, not the nearest binary fraction."""
    if isinstance(value, float) and abs(value) >= 2**53:  # what is written is no longer what is compared with
        return Fraction(value)
    return Fraction(str(value))


def _number(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)


@dataclass(frozen=True, slots=True)
class _Range:
    low: Fraction | None
    high: Fraction | None
    low_is_open: bool
    high_is_open: bool

    @classmethod
    def of(cls, shape: dict[str, Any]) -> _Range:
        low, low_is_open = _bound(shape, "minimum", "exclusiveMinimum", max)
        high, high_is_open = _bound(shape, "maximum", "exclusiveMaximum", min)
        return cls(low, high, low_is_open, high_is_open)

    def __contains__(self, value: Fraction) -> bool:
        above = self.low is None or value > self.low or (value == self.low and not self.low_is_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_is_open)
        return above and below


def _bound(
    shape: dict[str, Any], closed: str, opened: str, stricter: Callable[[Fraction, Fraction], Fraction]
) -> tuple[Fraction | None, bool]:
    bounds = [_exact(shape[key]) for key in (closed, opened) if key in shape]
    if not bounds:
        return None, False
    bound = bounds[0] if len(bounds) == 1 else stricter(*bounds)
    return bound, opened in shape and _exact(shape[opened]) == bound


def _numbers(shape: dict[str, Any]) -> Iterator[float]:
    limits = _Range.of(shape)
    step = _exact(shape["multipleOf"]) if "multipleOf" in shape else None
    if shape.get("type") == "integer":
        step = (
            Fraction(1) if step is None else Fraction(step.numerator)
        )  # the lcm of 1 and a reduced p/q is p
    drawn = _between(limits) if step is None else _multiples(limits, step)
    legal = [value for value in dict.fromkeys(drawn) if value in limits]
    # Readers that divide floats, as most do, take the multiples first that such a division leaves whole.
    yield from map(_number, sorted(legal, key=lambda value: step is not None and not _divides(value, step)))


def _divides(value: Fraction, step: Fraction) -> bool:
    try:
        return (_number(value) / _number(step)).is_integer()
    except OverflowError:
        return False


def _multiples(limits: _Range, step: Fraction) -> Iterator[Fraction]:
    if (1 / step).denominator == 1:
        yield Fraction(1)
    if limits.low is not None:
        first, sign = math.ceil(limits.low / step), 1
    elif limits.high is not None:
        first, sign = math.floor(limits.high / step), -1
    else:
        first, sign = 1, 1
    yield from (step * (first + sign * number) for number in range(_CANDIDATES))
    yield from (step * number for number in (0, -1))


def _between(limits: _Range) -> Iterator[Fraction]:
    low, high = limits.low, limits.high
    yield from (Fraction(3, 2), Fraction(1))
    if low is not None and high is not None:
        yield from ((low + high) / 2, low, high)
        yield from (low + (high - low) * part / _CANDIDATES for part in range(_CANDIDATES))
        return
    start, sign = (low, 1) if low is not None else (high, -1) if high is not None else (Fraction(0), 1)
    yield from (start + sign * number for number in range(1, _CANDIDATES))
    yield from (start, -start, start - 1)


# --- strings ------------------------------------------------------------------------------------------------

_FORMATS: dict[str, Callable[[int], str]] = {
    "date-time": lambda n: f"2024-01-{1 + n % 28:02}T12:00:{n % 60:02}Z",
    "date": lambda n: f"20{24 + n // 28 % 70}-01-{1 + n % 28:02}",
    "time": lambda n: f"12:{n // 60 % 60:02}:{n % 60:02}Z",
    "duration": lambda n: f"PT{n + 1}H",
    "email": lambda n: f"user{n or ''}@example.com",
    "idn-email": lambda n: f"user{n or ''}@example.com",
    "hostname": lambda n: f"host{n}.example.com" if n else "example.com",
    "idn-hostname": lambda n: f"host{n}.example.com" if n else "example.com",
    "ipv4": lambda n: f"192.0.2.{1 + n % 250}",
    "ipv6": lambda n: f"2001:db8::{n + 1:x}",
    "uri": lambda n: f"https://example.com/{n or ''}",
    "url": lambda n: f"https://example.com/{n or ''}",
    "iri": lambda n: f"https://example.com/{n or ''}",
    "uri-reference": lambda n: f"/path{n or ''}",
    "iri-reference": lambda n: f"/path{n or ''}",
    "uri-template": lambda n: f"/things{n or ''}/{{id}}",
    "uuid": lambda n: f"3fa85f64-5717-4562-b3fc-{0x2C963F66AFA6 + n:012x}",
    "json-pointer": lambda n: f"/path{n or ''}",
    "relative-json-pointer": lambda n: f"{n}/path",
    "regex": lambda n: f"^[a-z]{{{n + 1}}}$",
    "byte": lambda n: ("dGV4dA==", "dGV4dDE=", "dGV4dDI=", "dGV4dDM=")[n % 4],
    "binary": lambda n: f"bytes{n or ''}",
    "password": lambda n: f"Correct-Horse-{n + 1}",
    "decimal": lambda n: f"{n + 1}.50",
    "int32": lambda n: str(n + 1),
    "int64": lambda n: str(n + 1),
}
# The least of a format on both sides of a part that can be as long as it must.
_STRETCHABLE = {
    "email": ("", "@b.co"),
    "hostname": ("", ".io"),
    "uri": ("http://a.io/", ""),
    "url": ("http://a.io/", ""),
    "uri-reference": ("/", ""),
}
_VARIETY = 60
_TEXT_LIMITS = frozenset({"pattern", "minLength", "maxLength", "format"})


def _strings(shape: dict[str, Any], formats: bool) -> Iterator[str]:
    limits = {key: value for key, value in shape.items() if key in _TEXT_LIMITS}
    low, high = int(limits.get("minLength", 0)), int(min(limits.get("maxLength", _LONGEST), _LONGEST))
    drawn = chain(_formatted(shape), _stretched(shape, low), _patterned(limits, low, high), _words(low, high))
    legal = (text for text in drawn if _text_is_legal(limits, text, formats))
    yield from islice(_unlike(legal), _CANDIDATES)


def _unlike(texts: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for text in texts:
        if text not in seen:
            seen.add(text)
            yield text


def _formatted(shape: dict[str, Any]) -> Iterator[str]:
    name = "byte" if shape.get("contentEncoding") == "base64" else shape.get("format")
    make = _FORMATS.get(name) if isinstance(name, str) else None
    if make is not None:
        yield from (make(number) for number in range(_VARIETY))


def _stretched(shape: dict[str, Any], low: int) -> Iterator[str]:
    """Yield the shortest words of a format that are long enough."""
    front, back = _STRETCHABLE.get(str(shape.get("format")), ("", ""))
    if (front or back) and low <= _LONGEST:
        least = max(1, low - len(front) - len(back))
        yield from (front + letter * least + back for letter in string.ascii_lowercase)


def _words(low: int, high: int) -> Iterator[str]:
    if low > _LONGEST:
        return
    for number in range(_VARIETY):
        word = f"text{number or ''}"
        if len(word) < low:
            word = (word + "-text" * low)[:low]
        yield word[-high:] if high else ""  # the end of a word is what differs from the next one


@lru_cache(maxsize=512)
def _text_validator(limits: str, formats: bool) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(limits), validate_formats=formats)


def _text_is_legal(limits: dict[str, Any], text: str, formats: bool) -> bool:
    try:
        return _text_validator(json.dumps(limits), formats).is_valid(text)
    except ValueError:  # a pattern that is none
        return False


def _patterned(limits: dict[str, Any], low: int, high: int) -> Iterator[str]:
    pattern = limits.get("pattern")
    if not isinstance(pattern, str) or low > _LONGEST:
        return
    # The shortest words that are long enough come first; repeats that must fill a length exactly come last.
    repeats = [*(max(low, 3), 1, 8, max(low, 1), 30) * 12, *range(low, max(low - 12, 0), -1), min(high, 200)]
    for attempt, most in enumerate(repeats):
        text = _Words(attempt, most, exactly=attempt >= 60 or attempt % 5 == 3).matching(pattern)
        if text is not None:
            yield text
            if len(text) < low:
                yield _padded(text, pattern, low)
            if not pattern.endswith("$"):
                yield text + _EASY[attempt % len(_EASY)]


def _padded(text: str, pattern: str, low: int) -> str:
    padding = "a" * (low - len(text))
    return padding + text if pattern.endswith("$") else text + padding


_EASY = string.ascii_letters + string.digits
# Letters beyond ASCII are for patterns that ask for them.
_READABLE = _EASY + string.punctuation + " éд日"


class _Words(rstr.Rstr):
    """Draws short, readable words that match a pattern, the same ones for the same number.

    It overrides how rstr chooses: rstr repeats up to a hundred times and, for a negated class, picks from a
    set, whose order changes from one process to the next.
    """

    def __init__(self, number: int, repeats: int, exactly: bool) -> None:
        super().__init__(
            random.Random(number),  # noqa: S311 - the choice must be repeatable, not secret
            printable=_EASY,
            nondigits=string.ascii_letters,
            whitespace=" ",
            nonwhitespace=_EASY,
            nonword="- .",
        )
        self._repeats = repeats
        self._exactly = exactly
        self._any_character = number % 3 == 2
        self._left = _LONGEST
        # What a lookahead at the front asks for stands in the words that follow, most often.
        lookahead: Callable[[Any], str] = self._cases["assert"] if number % 4 == 1 else lambda _: ""
        self._cases = {**self._cases, "assert": lookahead}

    def matching(self, pattern: str) -> str | None:
        """Return a word that likely matches, or None where the pattern is beyond rstr."""
        try:
            return self.xeger(_for_python(pattern))
        except (re.error, ValueError, LookupError, TypeError, OverflowError, RecursionError):
            return None

    def _handle_in(self, value: Any) -> Any:
        states = [self._handle_state(state) for state in value]
        negated = states[0] == [False]
        named = set(chain.from_iterable(states[1:] if negated else states))
        choices = [char for char in _READABLE if (char in named) != negated]
        easy = [char for char in choices if char in _EASY]
        if easy and not self._any_character:
            return self._random.choice(easy)
        return self._random.choice(choices or sorted(named))

    def _handle_repeat(self, start_range: int, end_range: int, value: Any) -> str:
        most = int(min(end_range, max(start_range, self._repeats)))
        times = most if self._exactly else self._random.randint(start_range, most)
        self._left -= times
        if self._left < 0:
            raise ValueError("the pattern asks for more than a readable word")
        return "".join(self._handle_state(state) for _ in range(times) for state in value)


_PIECES = re.compile(
    r"\\[pP]\{\^?(\w+)(?:=(\w+))?\}|\\u\{([0-9a-fA-F]+)\}|\\k<(\w+)>|\\.|\(\?<(?![=!])|.", re.S
)
_CATEGORIES = {
    "N": "0-9",
    "P": "!,.:;?-",
    "S": "$+<=>",
    "Z": " ",
    "Lu": "A-Z",
    "Uppercase": "A-Z",
    "Ll": "a-z",
}


def _for_python(pattern: str) -> str:
    """Return an ECMA pattern in Python's spelling, near enough to draw words from."""
    pieces: list[str] = []
    in_class = False
    for match in _PIECES.finditer(pattern):
        piece = match.group()
        pieces.append(_python_piece(match, in_class))
        in_class = piece == "[" or (in_class and piece != "]")
    return "".join(pieces)


def _python_piece(match: re.Match[str], in_class: bool) -> str:
    piece, category, value, code, name = match.group(), *match.groups()
    if category:
        found = value or category
        letters = _CATEGORIES.get(found) or _CATEGORIES.get(found[0]) or "A-Za-z"
        return letters if in_class else f"[{'^' if piece[1] == 'P' else ''}{letters}]"
    if code:
        return re.escape(chr(int(code, 16)))
    if name:
        return f"(?P={name})"
    if piece == "(?<" and not in_class:
        return "(?P<"
    return "\\" + piece if in_class and piece in "[&|~" else piece
