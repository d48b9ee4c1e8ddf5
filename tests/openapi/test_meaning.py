"""Discriminators and number formats are judged."""

from __future__ import annotations

from typing import Any

import pytest

from bluehour.openapi.document import Document
from bluehour.openapi.samples import sample
from bluehour.openapi.schema import Schema
from bluehour.openapi.wording import sentence


def to(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def pets(**mapping: str) -> Document:
    kind: dict[str, Any] = {"propertyName": "kind", **({"mapping": mapping} if mapping else {})}
    common = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    schemas = {
        "Pet": {"oneOf": [to("Cat"), to("Dog")], "discriminator": kind},
        "Cat": {"allOf": [common, {"required": ["miaow"], "properties": {"miaow": {"type": "boolean"}}}]},
        "Dog": {"allOf": [common, {"required": ["barks"], "properties": {"barks": {"type": "integer"}}}]},
        "Home": {"type": "object", "properties": {"pets": {"type": "array", "items": to("Pet")}}},
    }
    return Document({"components": {"schemas": schemas}})


@pytest.mark.parametrize("mapping", [{}, {"Cat": "#/components/schemas/Cat", "Dog": "Dog"}])
@pytest.mark.parametrize(
    ("pet", "is_legal"),
    [
        ({"kind": "Cat", "miaow": True}, True),
        ({"kind": "Dog", "barks": 3}, True),
        ({"kind": "Cat", "barks": 3}, False),
        ({"kind": "Cow", "barks": 3}, False),
        ({"barks": 3}, False),
    ],
)
def test_a_discriminator_decides(mapping: dict[str, str], pet: dict[str, Any], is_legal: bool) -> None:
    document = pets(**mapping)
    for node, value in ((to("Pet"), pet), (to("Home"), {"pets": [pet]})):
        schema = Schema(document, node)
        assert schema.accepts(value) is is_legal
        assert bool(schema.faults(value)) is not is_legal
    assert document["components"]["schemas"]["Pet"].keys() == {"oneOf", "discriminator"}, (
        "and is shown as it was"
    )


def test_a_sample_is_of_one_of_its_kinds() -> None:
    document = pets(tom="#/components/schemas/Cat", rex="#/components/schemas/Dog")
    assert sample(to("Pet"), document)["kind"] in ("tom", "rex")


def test_branches_without_a_name_leave_a_discriminator_without_effect() -> None:
    document = Document({})
    branches = [{"properties": {"kind": {"const": "a"}}}, {"properties": {"kind": {"const": "b"}}}]
    schema = Schema(document, {"oneOf": branches, "discriminator": {"propertyName": "kind"}})
    assert schema.accepts({"kind": "a"})
    assert not schema.accepts({"kind": "c"})


@pytest.mark.parametrize(
    ("schema", "value", "is_legal"),
    [
        ({"type": "integer", "format": "int32"}, 2**31 - 1, True),
        ({"type": "integer", "format": "int32"}, 2**31, False),
        ({"type": ["integer", "null"], "format": "int32"}, None, True),
        ({"type": "integer", "format": "int64"}, 2**63, False),
        ({"type": "string", "format": "byte"}, "aGk=", True),
        ({"type": "string", "format": "byte"}, "***", False),
        ({"properties": {"format": {"type": "string"}, "type": {}}}, {"format": "int32"}, True),
    ],
)
def test_a_format_is_a_limit(schema: dict[str, Any], value: Any, is_legal: bool) -> None:
    assert Schema(Document({"components": {"schemas": {"It": schema}}}), to("It")).accepts(value) is is_legal
    assert Schema({}, schema).accepts(value) is is_legal


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (
            to("Pet"),
            {"kind": "Cow", "barks": 3},
            "Invalid value for kind: expected one of 'Cat', 'Dog'",
        ),
        (to("Pet"), {"kind": "Cat", "barks": 3}, "Missing required field: miaow (expected boolean)"),
        ({"type": "integer", "format": "int32"}, 2**31, "body must be at most 2147483647"),
    ],
)
def test_what_is_wrong_is_told_in_words(schema: dict[str, Any], value: Any, message: str) -> None:
    told = sentence(Schema(pets(), schema).faults(value))
    assert message in told
    assert "None" not in told
