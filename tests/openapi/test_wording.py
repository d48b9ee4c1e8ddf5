"""Faults in the vendor's words."""

from __future__ import annotations

from typing import Any

import pytest

from bluehour.openapi.schema import Schema
from bluehour.openapi.wording import joined, sentence

STYLE = {
    "type": "object",
    "required": ["resolution", "style"],
    "properties": {
        "resolution": {"type": "integer", "minimum": 512, "maximum": 1024},
        "style": {
            "type": "object",
            "required": ["prompt"],
            "properties": {
                "prompt": {"type": "string", "minLength": 1},
                "smile": {"type": "number", "multipleOf": 5},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True},
                "name": {"type": ["string", "null"]},
                "code": {"pattern": "^[a-z]+$"},
                "form": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["url"]}]},
            },
        },
    },
}


def said(body: Any) -> str:
    return sentence(Schema({}, STYLE).faults(body))


def style(**fields: Any) -> dict[str, Any]:
    return {"resolution": 512, "style": {"prompt": "x", **fields}}


def test_a_missing_field_names_the_type_that_was_expected() -> None:
    assert said({"resolution": 768, "style": {}}) == "Missing required field: style.prompt (expected string)"


def test_all_faults_are_in_one_message_missing_fields_first() -> None:
    assert said({"resolution": "768", "style": {}}) == (
        "Missing required field: style.prompt (expected string); "
        "Invalid type for resolution: expected integer, got string"
    )


@pytest.mark.parametrize(
    ("value", "name"),
    [("x", "string"), (1.5, "float"), (None, "null"), (True, "boolean"), ([], "array"), ({}, "object")],
)
def test_a_wrong_type_names_both(value: Any, name: str) -> None:
    assert said({**style(), "resolution": value}) == (
        f"Invalid type for resolution: expected integer, got {name}"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "Invalid type for body: expected object, got array"),
        ({**style(), "resolution": 511}, "resolution must be at least 512"),
        ({**style(), "resolution": 1025}, "resolution must be at most 1024"),
        (style(smile=7), "style.smile must be a multiple of 5"),
        (style(prompt=""), "style.prompt must have at least 1 character"),
        (style(tags=["a"]), "style.tags must have at least 2 items"),
        (style(tags=["a", "a"]), "style.tags must not have the same item twice"),
        (style(tags=["a", "c"]), "Invalid value for style.tags[1]: expected one of 'a', 'b', got 'c'"),
        (style(name=1), "Invalid type for style.name: expected string or null, got integer"),
        (style(code="A"), "Invalid value for style.code: 'A' does not match the pattern ^[a-z]+$"),
        (style(form={}), "Missing required field: style.form.url (expected value)"),
        (style(form=1), "Invalid value for style.form: it must fit exactly one of the allowed forms"),
    ],
)
def test_each_rule_has_its_sentence(body: Any, message: str) -> None:
    assert said(body) == message


def test_a_long_value_is_cut() -> None:
    assert len(said(style(code="A" * 10_000))) < 200


def test_a_long_name_is_cut() -> None:
    schema = {"additionalProperties": {"type": "integer"}, "propertyNames": {"maxLength": 100}}
    message = sentence(Schema({}, schema).faults({"A" * 10_000: "x"}))
    assert len(message) < 300
    closed = {"additionalProperties": False}
    assert len(sentence(Schema({}, closed).faults({"A" * 10_000: 1}))) < 200


def test_of_many_faults_the_first_are_named_and_the_others_counted() -> None:
    messages = [f"fault {number}" for number in range(57)]
    assert joined(messages[:20]) == "; ".join(messages[:20])
    assert joined(messages).endswith("fault 19; … and 37 more")
    assert joined(messages, complete=False).endswith("; … and 37 or more others")
    assert joined(["twice", "twice"]) == "twice"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("Elvis Pressley", "'Elvis Presley', … and 59 more, got 'Elvis Pressley'"),
        ("?" * 9_000, "'Voice 0', 'Voice 1', 'Voice 2', 'Voice 3', 'Voice 4', … and 55 more, got '????"),
    ],
)
def test_of_many_choices_those_are_named_that_come_near(sent: str, expected: str) -> None:
    voices = [*(f"Voice {number}" for number in range(59)), "Elvis Presley"]
    message = sentence(Schema({}, {"enum": voices}).faults(sent))
    assert message.startswith(f"Invalid value for body: expected one of {expected}")
    assert len(message) < 200
