"""One JSON Schema of a document: whether a value is legal, and if not, each fault.

Two libraries share the work. jsonschema-rs decides, in microseconds, on every request and answer.
jsonschema explains, only where something is wrong, because it can be taught to name a missing field.
The keywords on which the two could differ are asked of jsonschema-rs by both, so there is one verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from . import meaning
from .document import Document, SpecError, resolve
from .validators import PATTERNS, Broken, Path, Validator
from .values import ITEMS

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator as ExplainingValidator

# Where Python's own arithmetic, regular expressions or equality would answer differently from Rust's.
_ASKED_OF_THE_DECIDER = ("type", "pattern", "format", "multipleOf", "uniqueItems", "enum", "const")

MOST_FAULTS = 50
"""Of one value; whoever sent it so wrong learns the rest when these are mended."""

_NOTHING = object()

_MOST_PARTS = 100
"""Schemas that one consists of by `allOf`, and whose fields are its own; recursive ones have no end."""

_DEEPEST_FIELD = 8
"""How deep a request's fields are looked for; recursive schemas have no end of them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule of a schema that a value breaks.

    Attributes:
        path: where in the value, such as `("style", "prompt")`; for a missing field, where it should be.
        keyword: the rule's keyword, such as `required` or `maximum`.
        limit: what the keyword demands, such as `100`.
        value: the value at `path`, or None where it is missing.
        schema: the schema that the value at `path` should meet.
        detail: the library's own words.
    """

    path: Path
    keyword: str
    limit: Any
    value: Any
    schema: dict[str, Any]
    detail: str


class Schema:
    """A schema at some place of a document, with the document's references in reach."""

    def __init__(self, document: dict[str, Any], node: dict[str, Any] | bool) -> None:
        self.document = Document.of(document)
        self.node = node

    def __repr__(self) -> str:
        """Show the schema itself; the document behind it is long."""
        return f"Schema({self.node!r})"

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The schema as an object, its own reference followed."""
        node = resolve(self.document, self.node)
        return node if isinstance(node, dict) else {}

    def said(self, keyword: str, default: Any = None) -> Any:
        """Return what a keyword says: beside the schema's own reference, else in what that refers to."""
        if isinstance(self.node, dict) and keyword in self.node:
            return self.node[keyword]
        return self.resolved.get(keyword, default)

    @property
    def reference_name(self) -> str:
        """The name of what it refers to, such as `Pet`; nothing where it is no reference."""
        reference = self.node.get("$ref", "") if isinstance(self.node, dict) else ""
        return str(reference).rpartition("/")[2]

    @cached_property
    def properties(self) -> tuple[str, ...]:
        """The names of the fields that it declares, those of all that it consists of as well."""
        return tuple(dict.fromkeys(name for declared in self._declared() for name in declared))

    def field(self, name: str) -> Schema:
        """Return the schema of an object's field, in whatever part it is declared; else any value's."""
        found = (declared[name] for declared in self._declared() if name in declared)
        return Schema(self.document, next(found, {}))

    def _declared(self) -> Iterator[dict[str, Any]]:
        """Yield the fields that it declares, and those of each that it consists of."""
        parts = [self.resolved]
        for part in parts:  # grows on the way
            yield _object(part.get("properties"))
            if len(parts) < _MOST_PARTS:
                parts += [Schema(self.document, inner).resolved for inner in _list(part.get("allOf"))]

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that a value may have, as far as the schema says so itself or by its branches."""
        types: set[str] = set()
        nodes = {id(self.resolved): self.resolved}
        for node in (left := [self.resolved]):  # grows on the way; branches may lead back to where they are
            declared = node.get("type")
            types |= {declared} if isinstance(declared, str) else {f"{each}" for each in _list(declared)}
            for keyword in ("allOf", "anyOf", "oneOf"):
                for branch in _list(node.get(keyword)):
                    inner = Schema(self.document, branch).resolved
                    if id(inner) not in nodes:
                        nodes[id(inner)] = inner
                        left.append(inner)
        return frozenset(types)

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is legal. A value that JSON can't hold (NaN) is not."""
        return self._decider.is_valid(value)

    def faults(self, value: Any) -> list[Fault]:
        """Return the rules that a value breaks, up to fifty; none for a legal value."""
        if self.accepts(value):
            return []
        try:
            errors = self._explainer.iter_errors(value)
            explained = list(
                islice((fault for error in errors for fault in self._faults_of(error)), MOST_FAULTS)
            )
        except (
            RecursionError,
            re.error,
        ):  # a deep value of a recursive schema; a pattern that Python can't read
            explained = []
        # The decider has the last word: should the explainer see no fault, its words will have to do.
        return explained or [
            _fault_in_rust(broken) for broken in islice(self._decider.broken(value), MOST_FAULTS)
        ]

    def broken(self, value: Any) -> list[tuple[Path, str]]:
        """Return where a value breaks which keywords, up to fifty: `faults` without the words, far sooner.

        Of a missing field, where means the object that lacks it.
        """
        return [(each.path, each.keyword) for each in islice(self._decider.broken(value), MOST_FAULTS)]

    def filled(self, value: Any) -> Any:
        """Return a copy of an object with the schema's defaults for what it leaves out, at every depth."""
        if not isinstance(value, dict):
            return value
        filled = dict(value)
        for name, field, default in self._fields:
            if name in value:
                filled[name] = field.filled(value[name])
            elif default is not _NOTHING:
                filled[name] = default
        return filled

    def annotated(self, keyword: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Find the fields that carry an x- key: their paths, with `ITEMS` for lists, and its value."""
        if (said := self.said(keyword, _NOTHING)) is not _NOTHING:
            yield path, said
        if len(path) < _DEEPEST_FIELD:
            for name, node in self.resolved.get("properties", {}).items():
                yield from Schema(self.document, node).annotated(keyword, (*path, name))
            if isinstance(items := self.resolved.get("items"), dict):
                yield from Schema(self.document, items).annotated(keyword, (*path, ITEMS))

    @cached_property  # of every request's body; whoever looks through all of a document does without
    def _fields(self) -> tuple[tuple[str, Schema, Any], ...]:
        """Its fields with their defaults."""
        declared = self.resolved.get("properties", {})
        fields = ((name, Schema(self.document, node)) for name, node in declared.items())
        return tuple((name, field, field.said("default", _NOTHING)) for name, field in fields)

    def compile(self) -> None:
        """Build the validator now.

        Raises:
            SpecError: the schema is none, such as one with a broken pattern or reference.
        """
        try:
            self._decider  # noqa: B018 - the property builds it
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            reason = str(error).splitlines()[0]
            raise SpecError(f"a schema can't be used: {reason}") from error

    def allow_anything(self) -> None:
        """Judge by it no more, as it is none."""
        self.document.validators.allow_anything(self.node)

    @cached_property
    def _decider(self) -> Validator:
        return self.document.validators.of(self.node)

    @cached_property
    def _explainer(self) -> ExplainingValidator:
        return _explainer_class()(self._rooted)

    @cached_property
    def _rooted(self) -> dict[str, Any]:
        """The schema as a document of its own in which all its references are found."""
        return {**self.document, "$ref": "#/x-schema", "x-schema": self.node}

    def _faults_of(self, error: ValidationError) -> Iterator[Fault]:
        if error.context:
            branch = _nearest_branch(error.context)
            if branch:
                for inner in branch:
                    yield from self._faults_of(inner)
                return
        path = tuple(error.absolute_path)
        schema = error.schema if isinstance(error.schema, dict) else {}
        value = error.instance
        if error.validator == "required":
            schema = Schema(self.document, schema.get("properties", {}).get(path[-1], {})).resolved
            value = None
        keyword = str(error.validator or "false")
        yield Fault(path, keyword, error.validator_value, value, schema, error.message)


def _object(node: Any) -> dict[str, Any]:
    """An object as it is, and nothing in place of what should be one."""
    return node if isinstance(node, dict) else {}


def _list(node: Any) -> list[Any]:
    """A list, likewise."""
    return node if isinstance(node, list) else []


def _nearest_branch(context: Iterable[ValidationError]) -> list[ValidationError]:
    """Return the errors of the one branch of an anyOf or oneOf that was most likely meant, if one stands out.

    A branch whose very type is another was not meant; of the rest, the one with the fewest faults was.
    """
    branches: dict[Any, list[ValidationError]] = {}
    for error in context:
        if error.validator is None:  # the branch is the schema `false`, which nothing was meant for
            continue
        branches.setdefault(error.relative_schema_path[0], []).append(error)
    meant = [
        errors
        for errors in branches.values()
        if not any(error.validator == "type" and not error.relative_path for error in errors)
    ]
    return min(meant, key=len, default=[])


def _fault_in_rust(broken: Broken) -> Fault:
    return Fault(broken.path, broken.keyword, None, broken.value, {}, broken.message)


def load_explainer() -> None:
    """Import what explains faults; it takes a third of a second, for which the first fault would wait."""
    _explainer_class()


@cache
def _explainer_class() -> type[ExplainingValidator]:
    # Imported here: a server that only sees legal requests never needs it, and starts sooner.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    asked = {keyword: _asked_of_the_decider(keyword) for keyword in _ASKED_OF_THE_DECIDER}
    own = {
        "required": _missing_fields,
        "format": _meant_by(meaning.limits, _asked_of_the_decider("format")),
        "discriminator": _meant_by(meaning.branches),
        "patternProperties": _fields_of_patterns,
        "additionalProperties": _fields_beside_patterns(
            Draft202012Validator.VALIDATORS["additionalProperties"]
        ),
    }
    explaining: type[ExplainingValidator] = extend(  # type: ignore[no-untyped-call]  # the stubs leave it bare
        Draft202012Validator, {**asked, **own}
    )
    return explaining


def _asked_of_the_decider(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    def judge(_validator: Any, limit: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
        from jsonschema import ValidationError

        if not _rule(keyword, json.dumps(limit)).is_valid(value):
            yield ValidationError(f"{value!r} breaks {keyword}: {limit!r}")

    return judge


def _meant_by(
    means: Callable[[dict[str, Any]], Iterable[dict[str, Any]]],
    usual: Callable[..., Iterator[ValidationError]] | None = None,
) -> Callable[..., Iterator[ValidationError]]:
    """Make the judge of a keyword that stands for other schemas, which say better what is wrong."""

    def judge(validator: Any, limit: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if usual is not None:
            yield from usual(validator, limit, value, schema)
        for meant in means(schema):
            yield from validator.descend(value, meant)

    return judge


@lru_cache(maxsize=512)
def _rule(keyword: str, limit: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {keyword: json.loads(limit)}, validate_formats=True, pattern_options=PATTERNS
    )


def matches(pattern: str, text: str) -> bool:
    """Tell whether a contract's pattern is in a text, as it is judged everywhere."""
    return _rule("pattern", json.dumps(pattern)).is_valid(text)


def _fields_of_patterns(
    validator: Any, patterns: dict[str, Any], value: Any, _schema: Any
) -> Iterator[ValidationError]:
    """`patternProperties`, whose names Python's own expressions might match for ever."""
    for pattern, schema in patterns.items():
        for name in value if isinstance(value, dict) else ():
            if matches(pattern, name):
                yield from validator.descend(value[name], schema, path=name, schema_path=pattern)


def _fields_beside_patterns(usual: Any) -> Callable[..., Iterator[ValidationError]]:
    """`additionalProperties`, likewise."""

    def judge(validator: Any, limit: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        patterns = schema.get("patternProperties", {})
        if patterns and isinstance(value, dict):
            value = {name: value[name] for name in value if not any(matches(each, name) for each in patterns)}
            schema = {key: schema[key] for key in schema if key != "patternProperties"}
        yield from usual(validator, limit, value, schema)

    return judge


def _missing_fields(_validator: Any, names: list[str], value: Any, _schema: Any) -> Iterator[ValidationError]:
    """`required`, with the missing field's name in the error's path."""
    from jsonschema import ValidationError

    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield ValidationError(f"{name!r} is missing", path=[name])
