"""An OpenAPI document as plain data: read from a file, checked for what can't be served, brought to 3.1."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import yaml

from . import data
from .errors import BluehourError
from .upgrade import upgraded
from .validators import Validators

_FILE = "magic_hour.yaml"
_PACKED = Path(__file__).with_name(_FILE)

MAGIC_HOUR = _PACKED if _PACKED.exists() else Path(__file__).parents[2] / _FILE
"""The vendor's contract: a wheel has it beside this module, a checkout in sight at `openapi/`."""

LARGEST_FILE = 32 * 2**20
"""Bytes of a file that are read: the largest published contracts have ten million."""


class Document(dict[str, Any]):
    """An OpenAPI document, and what its schemas are judged by."""

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


def read(path: Path) -> Document:
    """Read an OpenAPI 3.0 or 3.1 document, JSON or YAML, and return it as 3.1.

    Raises:
        SpecError: it can't be read or parsed, or it is no OpenAPI 3 document with paths.
    """
    document = parse_file(path)
    if not isinstance(document, dict):
        raise SpecError(f"{path}: not an OpenAPI document: expected an object at the top")
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith(("3.0", "3.1")):
        found = f"swagger {document['swagger']}" if "swagger" in document else repr(version)
        raise SpecError(f"{path}: expected OpenAPI 3.0 or 3.1 in the field 'openapi', found {found}")
    if not isinstance(document.get("paths", {}), dict):
        raise SpecError(f"{path}: 'paths' must be an object")
    document = Document(upgraded(document))
    try:
        data.refuse_deep(document)  # written as 3.1, what may be null takes two levels more
    except data.DataError as error:
        raise SpecError(f"{path}: as OpenAPI 3.1 it is {error}") from error
    return document


def parse_file(path: Path) -> Any:
    """Return what a JSON or YAML file holds, as JSON's own types.

    Raises:
        SpecError: it can't be read or parsed; the message says where and why, in one line.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    if len(text) > LARGEST_FILE:
        raise SpecError(f"{path}: larger than {LARGEST_FILE // 2**20} MiB")
    try:
        return data.from_json(text) if text.lstrip()[:1] == b"{" else data.from_yaml(text)
    except data.DataError as error:
        raise SpecError(f"{path}: {error}") from error
    except orjson.JSONDecodeError as error:
        raise SpecError(f"{path}: not valid JSON: {error}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecError(f"{path}: not valid YAML: {_one_line(error)}") from error


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
    if isinstance(properties, dict):
        concealed = {name for name, item in properties.items() if _is(document, item, hidden)}
        if isinstance(required, list):
            copy["required"] = [name for name in required if name not in concealed]
        if hidden == "writeOnly":
            copy["properties"] |= {name: {"writeOnly": True, "not": {}} for name in concealed}
    return copy


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


def at_pointer(document: dict[str, Any], reference: str) -> Any:
    """Return the node that a reference `#/a/b` names.

    Raises:
        SpecError: there is none, or it is in another file.
    """
    if not reference.startswith("#/"):
        raise SpecError(f"the reference {reference} leaves the file; only #/… can be served")
    node: Any = document
    for token in reference[2:].split("/"):
        key = unquote(token).replace("~1", "/").replace("~0", "~")
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise SpecError(f"the reference {reference} names nothing in the file") from None
    return node
