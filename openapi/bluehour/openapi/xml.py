"""Bodies in XML, written and read by their schema: its `xml` objects name what JSON has no word for.

https://spec.openapis.org/oas/v3.1.0#xml-object
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Tree

import orjson

from .errors import BluehourError
from .schema import Schema
from .texts import field_of, from_text, items_of

_DEEPEST = 100


class XmlError(BluehourError, ValueError):
    """A body is no XML that can be read; the message says why, in half a line."""


def to_xml(value: Any, schema: Schema) -> str:
    """Return data as XML.

    Args:
        value: JSON's types.
        schema: of the whole of it.
    """
    element = _elements(_name(schema, schema.reference_name or "root"), value, schema)
    return '<?xml version="1.0" encoding="UTF-8"?>' + "".join(
        Tree.tostring(each, encoding="unicode") for each in element
    )


def from_xml(body: bytes, schema: Schema) -> Any:
    """Return what XML says, as data under a schema: texts become numbers where those are due.

    Raises:
        XmlError: it is not well-formed, deeper than anything that is meant, or has a document type.
    """
    if b"<!DOCTYPE" in body or b"\0" in body:
        raise XmlError("a document type is not taken")
    try:
        return _data(Tree.fromstring(body), schema)  # noqa: S314 - see above
    except Tree.ParseError as error:
        raise XmlError(f"{error}") from error


def _name(schema: Schema, usual: str) -> str:
    said = _said(schema)
    name = str(said.get("name", usual))
    return f"{said['prefix']}:{name}" if said.get("prefix") else name


def _said(schema: Schema) -> dict[str, Any]:
    said = schema.resolved.get("xml")
    return said if isinstance(said, dict) else {}


def _elements(name: str, value: Any, schema: Schema) -> Iterator[Tree.Element]:
    """Yield what stands for a value: an element, or of a list that is not wrapped, one for each item."""
    if isinstance(value, list):
        items = items_of(schema)
        inner = [each for item in value for each in _elements(_name(items, name), item, items)]
        if not _said(schema).get("wrapped"):
            yield from inner
            return
        wrapper = _element(name, schema)
        wrapper.extend(inner)
        yield wrapper
        return
    element = _element(name, schema)
    if isinstance(value, dict):
        for key, part in value.items():
            _add(element, key, part, field_of(schema, key))
    elif value is not None:
        element.text = _text(value)
    yield element


def _element(name: str, schema: Schema) -> Tree.Element:
    said = _said(schema)
    prefix, namespace = said.get("prefix"), said.get("namespace")
    return Tree.Element(name, {f"xmlns:{prefix}" if prefix else "xmlns": str(namespace)} if namespace else {})


def _add(element: Tree.Element, key: str, value: Any, schema: Schema) -> None:
    if _said(schema).get("attribute"):
        element.set(_name(schema, key), _text(value))
    else:
        element.extend(_elements(_name(schema, key), value, schema))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _data(element: Tree.Element, schema: Schema, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise XmlError(f"it is deeper than {_DEEPEST} elements")
    properties = schema.properties
    if not properties and not len(element):
        return from_text([element.text or ""], schema) if "object" not in schema.types else {}
    data: dict[str, Any] = {}
    left = list(element)
    for key in properties:
        field = field_of(schema, key)
        name = str(_said(field).get("name", key))
        if _said(field).get("attribute"):
            if name in element.attrib:
                data[key] = from_text([element.attrib[name]], field)
            continue
        if "array" in field.types:
            name = name if _said(field).get("wrapped") else str(_said(items_of(field)).get("name", name))
        found = [each for each in left if _local(each) == name]
        left = [each for each in left if _local(each) != name]
        if found:
            data[key] = _of_field(found, field, depth)
    for each in left:
        data[_local(each)] = _data(each, field_of(schema, _local(each)), depth + 1)
    return data


def _of_field(found: list[Tree.Element], field: Schema, depth: int) -> Any:
    if "array" not in field.types:
        return _data(found[-1], field, depth + 1)
    inner = list(found[-1]) if _said(field).get("wrapped") else found
    return [_data(each, items_of(field), depth + 1) for each in inner]


def _local(element: Tree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
