"""What a file refers to in other files is brought into it, so that all other code knows a single file."""

from __future__ import annotations

import re
from collections.abc import Callable
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
    return str(PurePath(base).parent / unquote(reference))


def bundled(document: dict[str, Any], place: str, part: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return a document with what it refers to elsewhere among its components.

    References that can't be followed stay, for whoever needs them to complain about.

    Args:
        document: not changed.
        place: of its file: a path, or an address.
        part: returns what is at a JSON pointer (such as `/Pet`; empty for all of it) of another file, or
            raises a LookupError.
    """
    bundle = _Bundle(place, part)
    new = bundle.document(document)
    components = new.get("components") or {}
    for kind, parts in bundle.parts.items():
        components = {**components, kind: {**(components.get(kind) or {}), **parts}}
    return {**new, "components": components} if bundle.parts else new


class _Bundle(Structure):
    """Walks through a file, and through whatever it refers to."""

    def __init__(self, place: str, part: Callable[[str, str], Any]) -> None:
        super().__init__(self._any_schema, None)
        self._main = self._here = place
        self._part = part
        self._names: dict[tuple[str, str], str] = {}
        self.parts: dict[str, dict[str, Any]] = {}

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
        if not isinstance(node, dict) or not isinstance(reference := node.get("$ref"), str):
            return node
        file, fragment = urldefrag(reference)
        where = joined(self._here, file) if file else self._here
        if where == self._main:
            return {**node, "$ref": f"#{fragment}"}
        try:
            return {**node, "$ref": f"#/components/{kind}/{self._name(kind, where, fragment, rewrite)}"}
        except LookupError:
            return node

    def _name(self, kind: str, where: str, fragment: str, rewrite: Callable[[Any, Place], Any]) -> str:
        key = f"{where}#{fragment}", kind
        if key not in self._names:
            part = self._part(where, fragment)
            parts = self.parts.setdefault(kind, {})
            name = wanted = _NO_NAME.sub("_", (fragment or PurePath(where).stem).rpartition("/")[2]) or kind
            while name in parts:
                name = f"{wanted}_{len(parts)}"
            self._names[key], parts[name] = name, None  # first the name: it may refer to itself
            before, self._here = self._here, where
            parts[name] = rewrite(part, ())
            self._here = before
        return self._names[key]
