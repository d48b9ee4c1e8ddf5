"""An OpenAPI document as plain data: read from a file, checked for what can't be served, brought to 3.1."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import yaml

from . import data
from .bundling import bundled, bundled_swagger, refers_elsewhere
from .errors import BluehourError
from .mending import Defect, mended
from .overlay import OverlayError, overlaid
from .swagger import converted
from .upgrade import upgraded
from .validators import Validators

_FILE = "magic_hour.yaml"
_PACKED = Path(__file__).with_name(_FILE)

MAGIC_HOUR = _PACKED if _PACKED.exists() else Path(__file__).parents[2] / _FILE
"""The vendor's contract: a wheel has it beside this module, a checkout in sight at `openapi/`."""

LARGEST_FILE = 32 * 2**20
"""Bytes of a file that are read: the largest published contracts have ten million."""

_MOST_FILES = 1000
"""Other files that a file may refer to."""

_DEEPEST_PART = 20
"""Schemas in each other's `allOf` that are looked into."""

_SECONDS = 30.0
"""In which something has to come of a file that is fetched."""


class Document(dict[str, Any]):
    """An OpenAPI document, and what its schemas are judged by.

    Attributes:
        defects: what is wrong in its file, and was left out.
        shapes: what was found out of its schemas, by what that is, a schema's identity, and a depth.
    """

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        super().__init__(document or {})
        self.defects: list[Defect] = []
        self.shapes: dict[tuple[str, int, int], tuple[Any, Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied without the validators, which are compiled anew when they are needed."""
        return Document, (dict(self),), {"defects": self.defects}

    @cached_property
    def validators(self) -> Validators:
        """Its schemas, compiled when they are needed."""
        return Validators(self, partial(at_pointer, self))

    @classmethod
    def of(cls, document: dict[str, Any]) -> Document:
        """Return a document itself, or plain data as one."""
        return document if isinstance(document, cls) else cls(document)


class SpecError(BluehourError):
    """The file can't be served; the message says which file, why, and where in it, in one line."""


class CircularReference(SpecError):
    """A reference comes back to itself, and names nothing."""


def read(place: Path | str, overlays: Sequence[Path | str] = ()) -> Document:
    """Read an OpenAPI 3 or Swagger 2.0 document, JSON or YAML, and return it as OpenAPI 3.1.

    What can't be used in it is left out, and is among its `defects`.

    Args:
        place: a file, or an address that begins with http:// or https://.
        overlays: files of changes to it, in their order, likewise.

    Raises:
        SpecError: it can't be read or parsed, or it is no OpenAPI document with paths.
    """
    files = _Files()
    document = files.whole(f"{place}")
    if not isinstance(document, dict):
        raise SpecError(f"{place}: not an OpenAPI document: expected an object at the top")
    is_swagger = document.get("swagger") == "2.0"
    bundle = bundled_swagger if is_swagger else bundled
    if files.refers_elsewhere:
        document = bundle(document, f"{place}", files.part)
    if overlays:
        files.refers_elsewhere = False
        for overlay in overlays:
            files.overlay(document, f"{overlay}")
        if files.refers_elsewhere:
            document = bundle(document, f"{place}", files.part)
    if is_swagger:
        document = converted(document)
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith(("3.0", "3.1", "3.2")):
        found = f"swagger {document['swagger']}" if "swagger" in document else repr(version)
        raise SpecError(
            f"{place}: expected OpenAPI 3.0, 3.1 or 3.2 in the field 'openapi', or Swagger 2.0, found {found}"
        )
    if not isinstance(document.get("paths", {}), dict | None):
        raise SpecError(f"{place}: 'paths' must be an object")
    plain, defects = mended(document, _References(document).wrong)
    made = Document(upgraded(plain))
    made.defects = [*files.defects, *defects]
    try:
        data.refuse_deep(made)  # written as 3.1, what may be null takes two levels more
    except data.DataError as error:
        raise SpecError(f"{place}: as OpenAPI 3.1 it is {error}") from error
    return made


class _Files:
    """The file that is read, and the others that it refers to."""

    def __init__(self) -> None:
        self.refers_elsewhere = False
        self.defects: list[Defect] = []
        self._read: dict[str, Any] = {}

    def whole(self, place: str) -> Any:
        """Return what is in a file.

        Raises:
            SpecError: it can't be read or parsed.
        """
        text = _text_at(place)
        self.refers_elsewhere |= refers_elsewhere(text)
        return _parsed(text, place)

    def overlay(self, document: dict[str, Any], place: str) -> None:
        """Change a document as an overlay says.

        Raises:
            SpecError: it can't be read or parsed, or it is no overlay.
        """
        try:
            for target in overlaid(document, self.whole(place)):
                self.defects.append(Defect((), f"{place}: there is nothing at {target}"))
        except OverlayError as error:
            raise SpecError(f"{place}: {error}") from error

    def part(self, place: str, fragment: str) -> Any:
        """Return what a reference to another file names.

        Raises:
            LookupError: there is nothing, or nothing that can be read; which is among the defects then.
        """
        try:
            whole = self._read_once(place)
            return at_pointer(whole, f"#{fragment}") if fragment else whole
        except SpecError as error:
            defect = Defect((), f"{error}")
            if defect not in self.defects:
                self.defects.append(defect)
            raise LookupError(place) from None

    def _read_once(self, place: str) -> Any:
        if place not in self._read:
            if len(self._read) == _MOST_FILES:
                raise SpecError(f"{place}: only {_MOST_FILES} files are read")
            self._read[place] = self.whole(place)
        return self._read[place]


class _References:
    """Why references can't be followed. Each is looked at once, however long the chains of them are."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._known: dict[str, str] = {}

    def wrong(self, reference: str) -> str:
        """Return why a reference can't be followed; nothing where it can."""
        chain: dict[str, None] = {}
        reason = ""
        while reference not in self._known:
            if reference in chain:
                reason = f"the reference {reference} leads in a circle"
                break
            chain[reference] = None
            try:
                node = at_pointer(self._document, reference)
            except SpecError as error:
                reason = f"{error}"
                break
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                break
            reference = node["$ref"]
        reason = self._known.get(reference, reason)
        self._known.update(dict.fromkeys(chain, reason))
        return reason


def parse_file(path: Path) -> Any:
    """Return what a JSON or YAML file holds, as JSON's own types.

    Raises:
        SpecError: it can't be read or parsed; the message says where and why, in one line.
    """
    return _parsed(_text_at(f"{path}"), f"{path}")


def _text_at(place: str) -> bytes:
    if place.startswith(("http://", "https://")):
        text = _fetched(place)
    else:
        try:
            with Path(place).open("rb") as file:
                text = file.read(LARGEST_FILE + 1)
        except (OSError, ValueError) as error:
            raise SpecError(f"{place}: {getattr(error, 'strerror', None) or error}") from error
    if len(text) > LARGEST_FILE:
        raise SpecError(f"{place}: larger than {LARGEST_FILE // 2**20} MiB")
    return text


def _fetched(address: str) -> bytes:
    from http.client import HTTPException  # here: most contracts are files
    from urllib.request import urlopen

    try:
        with urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - it begins with http
            text: bytes = answer.read(LARGEST_FILE + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise SpecError(f"{address}: {getattr(error, 'reason', None) or error}") from error
    return text


def _parsed(text: bytes, place: str) -> Any:
    text = text.removeprefix(codecs.BOM_UTF8)
    try:
        return data.from_json(text) if text.lstrip()[:1] == b"{" else data.from_yaml(text)
    except data.DataError as error:
        raise SpecError(f"{place}: {error}") from error
    except orjson.JSONDecodeError as error:
        raise SpecError(f"{place}: not valid JSON: {error}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecError(f"{place}: not valid YAML: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} at line {mark.line + 1}, column {mark.column + 1}"
    return " ".join(str(error).split()) or type(error).__name__


def in_direction(document: Document, hidden: str) -> Document:
    """Return a document as one direction reads it: what is hidden there is no longer required.

    In a response it is not allowed either, as nobody wants to see a password in one.

    Args:
        document: left as it is, and returned itself where nothing changes.
        hidden: `readOnly` for requests, `writeOnly` for responses.
    """
    return Document(_without_hidden(document, document, hidden)) if _mentions(document, hidden) else document


def _mentions(node: Any, key: str) -> bool:
    if isinstance(node, dict):
        return node.get(key) is True or any(_mentions(item, key) for item in node.values())
    return isinstance(node, list) and any(_mentions(item, key) for item in node)


def _without_hidden(document: Document, node: Any, hidden: str) -> Any:
    if isinstance(node, list):
        return [_without_hidden(document, item, hidden) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _without_hidden(document, item, hidden) for key, item in node.items()}
    properties, required = node.get("properties"), node.get("required")
    if isinstance(required, list):
        concealed = {name for name in required if _is_hidden_field(document, node, name, hidden)}
        copy["required"] = [name for name in required if name not in concealed]
    if isinstance(properties, dict):
        concealed = {name for name, item in properties.items() if _is(document, item, hidden)}
        if hidden == "writeOnly":
            copy["properties"] |= {name: {"writeOnly": True, "not": {}} for name in concealed}
    return copy


def _is_hidden_field(document: Document, node: Any, name: str, hidden: str, depth: int = 0) -> bool:
    """Tell whether a schema, or a part of its `allOf`, says of a field that it is hidden."""
    node = resolve(document, node) if isinstance(node, dict) else None
    if not isinstance(node, dict) or depth > _DEEPEST_PART:
        return False
    properties, parts = node.get("properties"), node.get("allOf")
    if isinstance(properties, dict) and name in properties and _is(document, properties[name], hidden):
        return True
    return isinstance(parts, list) and any(
        _is_hidden_field(document, part, name, hidden, depth + 1) for part in parts
    )


def _is(document: Document, node: Any, hidden: str) -> bool:
    return isinstance(node, dict) and (
        node.get(hidden) is True or resolve(document, node).get(hidden) is True
    )


def resolve(document: dict[str, Any], node: Any) -> Any:
    """Follow a node's `$ref`, and theirs, to what they name; a node without one is returned as it is.

    Raises:
        SpecError: the reference leads nowhere, in a circle, or out of the file.
    """
    seen = set()
    while isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
        if reference in seen:
            raise CircularReference(f"the reference {reference} leads in a circle")
        seen.add(reference)
        node = at_pointer(document, reference)
    return node


def steps_of(reference: str) -> tuple[str, ...]:
    """Return the keys of a reference `#/a/b`, which lead to what it names."""
    steps = reference.removeprefix("#/").split("/")
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in steps)


def at_pointer(document: dict[str, Any], reference: str) -> Any:
    """Return the node that a reference `#/a/b` names.

    Raises:
        SpecError: there is none, or it is in another file.
    """
    if not reference.startswith("#/"):
        raise SpecError(f"the reference {reference} leaves the file; only #/… can be served")
    node: Any = document
    for key in steps_of(reference):
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise SpecError(f"the reference {reference} names nothing in the file") from None
    return node
