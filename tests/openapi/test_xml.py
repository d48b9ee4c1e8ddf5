"""XML by a schema: what is written is what its `xml` objects name, and reads as the same data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.openapi.schema import Schema
from bluehour.openapi.xml import XmlError, from_xml, to_xml
from tests.profiles import examples

PET: dict[str, Any] = {
    "type": "object",
    "xml": {"name": "pet"},
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "name": {"type": "string"},
        "weight": {"type": "number"},
        "sold": {"type": "boolean"},
        "tags": {
            "type": "array",
            "xml": {"name": "tags", "wrapped": True},
            "items": {"type": "string", "xml": {"name": "tag"}},
        },
        "visits": {"type": "array", "items": {"type": "object", "properties": {"day": {"type": "integer"}}}},
        "owner": {"type": "object", "xml": {"name": "keeper"}, "properties": {"name": {"type": "string"}}},
    },
}
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def test_it_is_written_as_the_xml_objects_say() -> None:
    pet = {"id": 1, "name": "a<b", "tags": ["x", "y"], "visits": [{"day": 1}], "owner": {"name": "Ann"}}
    assert to_xml(pet, Schema({}, PET)) == (
        HEAD + '<pet id="1"><name>a&lt;b</name><tags><tag>x</tag><tag>y</tag></tags>'
        "<visits><day>1</day></visits><keeper><name>Ann</name></keeper></pet>"
    )


def test_names_and_prefixes_of_their_own() -> None:
    space = {"name": "it", "prefix": "p", "namespace": "urn:x"}
    schema = {"type": "object", "xml": space, "properties": {"a": {"xml": {"prefix": "p"}}}}
    written = to_xml({"a": "1"}, Schema({}, schema))
    assert written == HEAD + '<p:it xmlns:p="urn:x"><p:a>1</p:a></p:it>'
    assert from_xml(written.encode(), Schema({}, schema)) == {"a": "1"}


def test_an_element_is_called_like_the_schema_that_is_referred_to() -> None:
    document = {"components": {"schemas": {"Pet": {"type": "object"}}}}
    assert to_xml({}, Schema(document, {"$ref": "#/components/schemas/Pet"})) == HEAD + "<Pet />"


_TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1)
_PETS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(0, 99),
        "name": _TEXTS,
        "weight": st.floats(0.5, 9, width=16),
        "sold": st.booleans(),
        "tags": st.lists(_TEXTS, min_size=1),
        "visits": st.lists(st.fixed_dictionaries({"day": st.integers(0, 9)}), min_size=1),
        "owner": st.fixed_dictionaries({"name": _TEXTS}),
    },
)


@examples(200)
@given(pet=_PETS)
def test_what_was_written_reads_as_it_was(pet: dict[str, Any]) -> None:
    schema = Schema({}, PET)
    assert from_xml(to_xml(pet, schema).encode(), schema) == pet


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<pet>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><pet>&a;</pet>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><pet/>'.encode("utf-16"),
        b"<a>" * 500 + b"</a>" * 500,
    ],
)
def test_what_is_no_xml_or_dangerous_is_refused(body: bytes) -> None:
    with pytest.raises(XmlError):
        from_xml(body, Schema({}, PET))
