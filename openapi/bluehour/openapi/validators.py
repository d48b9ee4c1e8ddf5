"""The schemas of one document, compiled: jsonschema-rs judges values by them, in microseconds.

To compile a schema is to compile whatever it refers to. In a document whose schemas refer to each other in
circles that is nearly all of it: with 900 of them, 60 ms and 30 MB. So the schemas that messages are judged
by are compiled together, once, as the fields of one object; a value is judged as the field of its schema.
Any other schema is compiled on its own, and what it refers to is left to those.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cached_property
from threading import RLock
from typing import Any, NamedTuple, Protocol

import jsonschema_rs

from .meaning import is_needed, judgeable

PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)
"""Most patterns are matched in linear time; one that looks around or back is tried for some milliseconds, and
what it has not matched by then it does not match."""

_HERE = "urn:bluehour:contract"
"""What the document is called where it is referred to from outside of it."""

_SAID_AS_IT_IS = ("const", "default", "enum", "example", "examples")

_MOST_ALONE = 512
"""Compiled schemas that are kept beside those that messages are judged by; what is not, is compiled again."""

_REFERENCE = "bluehour-reference"
"""A keyword in place of `$ref`, for what is judged elsewhere."""

Path = tuple[str | int, ...]


class Broken(NamedTuple):
    """A rule that a value breaks.

    Attributes:
        path: where in the value.
        keyword: of the rule; `false` for a schema that nothing meets.
        value: what is there.
        message: the library's own words.
    """

    path: Path
    keyword: str
    value: Any
    message: str


class Validator(Protocol):
    """A compiled schema."""

    def is_valid(self, value: Any) -> bool:
        """Tell whether a value is legal. One that JSON can't hold (NaN) is not."""

    def broken(self, value: Any) -> Iterator[Broken]:
        """Find the rules that a value breaks."""


class Validators:
    """Compiles a document's schemas when they are first asked for. Any number of threads may ask.

    Args:
        document: whose schemas they are, in which their references are found.
        resolve: returns the node that a reference names.
    """

    def __init__(self, document: dict[str, Any], resolve: Callable[[str], Any]) -> None:
        self._document = document
        self._resolve = resolve
        self._lock = RLock()
        self._waiting: dict[int, Any] = {}
        self._together: dict[int, _Together] = {}
        self._alone: OrderedDict[int, tuple[Any, _Alone]] = OrderedDict()

    def expect(self, node: Any) -> None:
        """Have a schema compiled with the others that messages are judged by."""
        if isinstance(node, dict) and id(node) not in self._together:
            self._waiting[id(node)] = node

    def of(self, node: Any) -> Validator:
        """Return the validator of a schema.

        Raises:
            ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError: it is none.
        """
        with self._lock:
            if id(node) in self._waiting:
                self._compile_together()
            return self._together.get(id(node)) or self._kept_alone(node)

    def allow_anything(self, node: Any) -> None:
        """Have every value be legal under a schema that is none."""
        with self._lock:
            self._together[id(node)] = _Together(self._compiled(True), "it", node)

    def _compile_together(self) -> None:
        waiting, self._waiting = self._waiting, {}
        fields = {f"{number}": self._absolute(node) for number, node in enumerate(waiting.values())}
        try:
            compiled = self._compiled({"properties": fields})
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
            return  # one of them is none; each is on its own then
        for number, node in enumerate(waiting.values()):
            self._together[id(node)] = _Together(compiled, f"{number}", node)

    def _kept_alone(self, node: Any) -> _Alone:
        kept = self._alone.get(id(node))
        if kept is None:
            kept = self._alone[id(node)] = node, self._compiled_alone(node)
            if len(self._alone) > _MOST_ALONE:
                self._alone.popitem(last=False)
        return kept[1]

    def _compiled_alone(self, node: Any) -> _Alone:
        # What has been evaluated behind a reference is not known when somebody else judges there.
        if not isinstance(node, dict) or "unevaluated" in (text := repr(node)) or "'$ref'" not in text:
            return _Alone(self._compiled(self._absolute(node)))
        return _Alone(self._compiled(self._apart(node)), lambda: self._compiled(self._absolute(node)))

    def _compiled(self, schema: Any) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(
            schema,
            registry=self._registry,
            validate_formats=True,
            offline=True,
            pattern_options=PATTERNS,
            keywords={_REFERENCE: _judging_elsewhere(lambda reference: self.of(self._resolve(reference)))},
        )

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        document = _rewritten(self._document, _same) if self._has_meaning else dict(self._document)
        return jsonschema_rs.Registry([(_HERE, document)])

    @cached_property
    def _has_meaning(self) -> bool:
        return is_needed(self._document)

    def _absolute(self, node: Any) -> Any:
        """Return a schema whose references are found from outside the document."""
        return _rewritten(node, lambda reference: {"$ref": _HERE + reference})

    def _apart(self, node: Any) -> Any:
        """Return a schema without what it refers to, which there must be."""

        def apart(reference: str) -> dict[str, Any]:
            self._resolve(reference)
            return {_REFERENCE: reference}

        return _rewritten(node, apart)


def _rewritten(node: Any, said: Callable[[str], dict[str, Any]]) -> Any:
    """Return a schema, or all that has schemas in it, as it is compiled.

    Args:
        node: what is written anew.
        said: returns the keywords for a reference.
    """
    if isinstance(node, list):
        return [_rewritten(item, said) for item in node]
    if not isinstance(node, dict):
        return node
    node = judgeable(node)
    written = {
        key: value if key in _SAID_AS_IT_IS else _rewritten(value, said) for key, value in node.items()
    }
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        del written["$ref"]
        written.update(said(reference))
    return written


def _same(reference: str) -> dict[str, Any]:
    return {"$ref": reference}


def _judging_elsewhere(validator_of: Callable[[str], Validator]) -> type[jsonschema_rs.KeywordValidator]:
    """Make a keyword whose value is a reference: what that names judges."""

    class Elsewhere:
        def __init__(self, _parent: object, reference: str, _place: object) -> None:
            self._reference = reference

        def validate(self, value: Any) -> None:
            if not validator_of(self._reference).is_valid(value):
                raise ValueError("it is not what the reference names")

    return Elsewhere


class _Alone:
    """A schema that was compiled on its own.

    Args:
        compiled: decides.
        whole: compiles it with all that it refers to, to tell what is broken; where that is not `compiled`.
    """

    def __init__(
        self,
        compiled: jsonschema_rs.Draft202012Validator,
        whole: Callable[[], jsonschema_rs.Draft202012Validator] | None = None,
    ) -> None:
        self._compiled = compiled
        self._whole = whole
        self.is_valid = compiled.is_valid

    def broken(self, value: Any) -> Iterator[Broken]:
        compiled = self._whole() if self._whole else self._compiled
        for error in compiled.iter_errors(value):
            yield _broken(error, tuple(error.instance_path))


class _Together:
    """A schema that was compiled as a field of an object."""

    def __init__(self, compiled: jsonschema_rs.Draft202012Validator, name: str, node: Any) -> None:
        self._is_valid, self._errors = compiled.is_valid, compiled.iter_errors
        self._name = name
        self._node = node  # kept, so that its id is nobody else's

    def is_valid(self, value: Any) -> bool:
        return self._is_valid({self._name: value})

    def broken(self, value: Any) -> Iterator[Broken]:
        for error in self._errors({self._name: value}):
            yield _broken(error, tuple(error.instance_path[1:]))


def _broken(error: jsonschema_rs.ValidationError, path: Path) -> Broken:
    keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
    return Broken(path, keyword, error.instance, error.message)
