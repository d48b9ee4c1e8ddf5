"""What a file refers to in other files is brought into it, so that all other code knows a single file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import chain, count
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from .structure import Place, Structure

_ELSEWHERE = re.compile(rb"""\$ref["']?\s*:\s*["']?[^"'#\s]""")
_SAID_AS_IT_IS = ("const", "default", "enum", "example", "examples")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def refers_elsewhere(text: bytes) -> bool:
    """Tell whether the text of a file may have references to other files."""
    return _ELSEWHERE.search(text) is not None


def joined(base: str, reference: str) -> str:
    """Return what a reference in a file names: a file beside it, or an address.

    What came over HTTP can't name files of this machine.
    """
    if "://" in base or "://" in reference:
        return urljoin(base, reference)
    return os.path.normpath(PurePath(base).parent / unquote(reference))


def bundled(document: dict[str, Any], place: str, part: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return a document with what it refers to elsewhere among its components.

    References that can't be followed stay, for whoever needs them to complain about.

    Args:
        document: not changed.
        place: of its file: a path, or an address.
        part: returns what is at a JSON pointer (such as `/Pet`; empty for all of it) of another file, or
            raises a LookupError.
    """
    bundle = _Bundle(place, part, document)
    new = bundle.document(document)
    components = new.get("components") or {}
    for kind, parts in bundle.parts.items():
        components = {**components, kind: {**(components.get(kind) or {}), **parts}}
    return {**new, "components": components} if bundle.parts else new


def bundled_swagger(document: dict[str, Any], place: str, part: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return a Swagger 2.0 document likewise: with what it refers to elsewhere among its own parts."""
    bundle = _SwaggerBundle(place, part, document)
    new = bundle.any(document, "paths")
    return {**new, **{kind: {**(new.get(kind) or {}), **parts} for kind, parts in bundle.parts.items()}}


class _Bundle(Structure):
    """Walks through a file, and through whatever it refers to."""

    def __init__(self, place: str, part: Callable[[str, str], Any], document: dict[str, Any]) -> None:
        super().__init__(self._any_schema, None)
        self._brought = _Brought(place, part, "/components/", document.get("components") or {})
        self.parts = self._brought.parts

    def _any_schema(self, node: Any, at: Place) -> Any:
        if isinstance(node, list):
            return [self._any_schema(item, at) for item in node]
        if not isinstance(node, dict):
            return node
        inner = {
            key: value if key in _SAID_AS_IT_IS else self._any_schema(value, at)
            for key, value in node.items()
        }
        return self._with_reference("schemas", inner, self._any_schema)

    def _path_item(self, node: Any, at: Place) -> Any:
        """Rewrite a path item; one of another file takes its reference's place, where overlays find it."""
        if isinstance(node, dict) and self._brought.is_elsewhere(node.get("$ref")):
            return self._brought.followed(node, lambda part: self._path_item(part, at))
        return self._with_reference("pathItems", super()._path_item(node, at), self._path_item)

    def _operation(self, node: Any, at: Place) -> Any:
        return self._with_reference("x-operations", super()._operation(node, at), self._operation)

    def _parameter(self, node: Any, at: Place) -> Any:
        return self._with_reference("parameters", super()._parameter(node, at), self._parameter)

    def _body(self, node: Any, at: Place) -> Any:
        return self._with_reference("requestBodies", super()._body(node, at), self._body)

    def _response(self, node: Any, at: Place) -> Any:
        return self._with_reference("responses", super()._response(node, at), self._response)

    def _callback(self, node: Any, at: Place) -> Any:
        return self._with_reference("callbacks", super()._callback(node, at), self._callback)

    def _with_reference(self, kind: str, node: Any, rewrite: Callable[[Any, Place], Any]) -> Any:
        return self._brought.with_reference(kind, node, lambda part: rewrite(part, ()))


class _SwaggerBundle:
    """Walks through a Swagger 2.0 file, where a part's kind is told by the key that it is under."""

    def __init__(self, place: str, part: Callable[[str, str], Any], document: dict[str, Any]) -> None:
        self._brought = _Brought(place, part, "/", document)
        self.parts = self._brought.parts

    def any(self, node: Any, kind: str) -> Any:
        """Return a part with new references; a path item itself, as the document has no place for it."""
        if isinstance(node, list):
            return [self.any(item, kind) for item in node]
        if not isinstance(node, dict):
            return node
        inner = {
            key: value if key in _SAID_AS_IT_IS else self.any(value, _kind_under(key, kind))
            for key, value in node.items()
        }
        if kind == "paths" and isinstance(node.get("$ref"), str):
            return self._brought.followed(node, lambda part: self.any(part, kind))
        return self._brought.with_reference(kind, inner, lambda part: self.any(part, kind))


def _kind_under(key: str, kind: str) -> str:
    if kind == "paths" and key in ("parameters", "responses", "definitions"):
        return key
    return "definitions" if key == "schema" else kind


class _Brought:
    """The parts of other files that were brought in, by their kinds and new names."""

    def __init__(
        self, place: str, part: Callable[[str, str], Any], under: str, named: dict[str, Any]
    ) -> None:
        self._main = self._here = place
        self._part = part
        self._under = under
        self._named = named
        self._names: dict[tuple[str, str], str] = {}
        self._followed: list[tuple[str, str]] = []
        self.parts: dict[str, dict[str, Any]] = {}

    def with_reference(self, kind: str, node: Any, rewrite: Callable[[Any], Any]) -> Any:
        """Return a node whose reference, if it has one, names what is in the document then."""
        if not isinstance(node, dict) or not isinstance(reference := node.get("$ref"), str):
            return node
        where, fragment = self._place(reference)
        if where == self._main:
            return {**node, "$ref": f"#{fragment}"}
        try:
            return {**node, "$ref": f"#{self._under}{kind}/{self._name(kind, where, fragment, rewrite)}"}
        except LookupError:
            return node

    def is_elsewhere(self, reference: Any) -> bool:
        """Tell whether a reference leads out of the document."""
        return isinstance(reference, str) and self._place(reference)[0] != self._main

    def followed(self, node: dict[str, Any], rewrite: Callable[[Any], Any]) -> Any:
        """Return what a node refers to, in its place."""
        place = self._place(node["$ref"])
        if place in self._followed:
            return node
        self._followed.append(place)
        try:
            return self._rewritten(*place, rewrite)
        except LookupError:
            return node
        finally:
            self._followed.pop()

    def _place(self, reference: str) -> tuple[str, str]:
        file, fragment = urldefrag(reference)
        return joined(self._here, file) if file else self._here, fragment

    def _name(self, kind: str, where: str, fragment: str, rewrite: Callable[[Any], Any]) -> str:
        key = f"{where}#{fragment}", kind
        if key not in self._names:
            self._part(where, fragment)  # or a LookupError, before it has a name
            parts, named = self.parts.setdefault(kind, {}), self._named.get(kind) or {}
            wanted = _NO_NAME.sub("_", (fragment or PurePath(where).stem).rpartition("/")[2]) or kind
            numbered = (f"{wanted}_{number}" for number in count(2))
            name = next(name for name in chain([wanted], numbered) if name not in parts and name not in named)
            self._names[key], parts[name] = name, None  # first the name: it may refer to itself
            parts[name] = self._rewritten(where, fragment, rewrite)
        return self._names[key]

    def _rewritten(self, where: str, fragment: str, rewrite: Callable[[Any], Any]) -> Any:
        part = self._part(where, fragment)
        before, self._here = self._here, where
        try:
            return rewrite(part)
        finally:
            self._here = before
