"""What a person is shown of requests that break the contract."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bluehour.contracts.legality import correction, diff, report
from bluehour.mock_server.control.client import Entry
from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON
from bluehour.openapi.schema import Schema

from .entries import FACE, entry

PHOTO = "aiPhotoEditor.createImage"
UPLOAD = "videoAssets.generatePresignedUrl"
ASSETS = {"image_file_path": "api-assets/id/1234.png"}


def schema_of(operation_id: str) -> Schema:
    body = load().operation(operation_id).body
    assert body
    return body.content[JSON].schema


def foreign(node: dict[str, Any]) -> Schema:
    """A schema of another contract."""
    return Schema({"openapi": "3.1.0"}, node)


def test_a_wrong_value_is_shown_beside_the_nearest_legal_one() -> None:
    body = {"assets": ASSETS, "style": {"mouth_smile": 7, "head_yaw": -400}}
    assert diff(body, schema_of(FACE)).splitlines() == [
        "  {",
        '    "assets": {',
        '      "image_file_path": "api-assets/id/1234.png"',
        "    },",
        '    "style": {',
        '-     "mouth_smile": 7,',
        '+     "mouth_smile": 5  (a multiple of 5, from -100 to 100)',
        '-     "head_yaw": -400',
        '+     "head_yaw": -100  (a multiple of 5, from -100 to 100)',
        "    }",
        "  }",
    ]


def test_a_missing_field_is_shown_where_it_belongs() -> None:
    lines = diff({"resolution": 768, "style": {}}, schema_of(PHOTO)).splitlines()
    assert lines == [
        "  {",
        '    "resolution": 768,',
        '    "style": {',
        '+     "image_description": <string>  (required)',
        '+     "likeness_strength": <number>  (required)',
        '+     "prompt": <string>  (required)',
        '+     "prompt_strength": <number>  (required)',
        "    }",
        '+   "assets": {…}  (required)',
        "  }",
    ]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"style": {"enhance_face": "true"}}, '"enhance_face": true  (a boolean)'),
        ({"style": {"head_roll": "15"}}, '"head_roll": 15  (a number, a multiple of 5, from -100 to 100)'),
        ({"name": 3}, '"name": "3"  (a string)'),
        ({"style": None}, '"style": {}  (an object)'),
        (
            {"assets": {"image_file_path": ""}},
            '"image_file_path": "api-assets/id/1234.png"  (at least 1 character)',
        ),
    ],
)
def test_what_is_wanted_is_told_in_words(wrong: dict[str, Any], line: str) -> None:
    assert f"+ {line}" in squeezed(diff({"assets": ASSETS, "style": {}, **wrong}, schema_of(FACE)))


def test_of_choices_the_one_that_was_meant_is_shown() -> None:
    shown = diff({"items": [{"type": "Vidoe", "extension": "mp4"}]}, schema_of(UPLOAD))
    assert '+ "type": "video"  (one of "video", "audio", "image")' in squeezed(shown)


def test_a_field_that_must_not_be_is_struck_out() -> None:
    schema = foreign({"type": "object", "properties": {"a": {}}, "additionalProperties": False})
    assert diff({"a": 1, "b": 2}, schema).splitlines() == ["  {", '    "a": 1,', '-   "b": 2', "  }"]


def test_a_rule_without_words_of_its_own_is_told_as_the_server_tells_it() -> None:
    schema = foreign({"properties": {"a": {"contains": {"const": 1}}}})
    assert '+ "a": <value>  (Invalid value for a: ' in squeezed(diff({"a": [2]}, schema))


def test_a_long_body_is_shown_only_near_what_is_wrong() -> None:
    items = [{"type": "image", "extension": "png"}] * 500 + [{"type": "image", "extension": ".png"}]
    shown = diff({"items": items}, schema_of(UPLOAD)).splitlines()
    assert len(shown) < 10
    assert shown[0] == "  …"
    assert '-       "extension": ".png"' in shown


def test_a_long_text_is_cut() -> None:
    shown = diff({"assets": "n" * 9999, "style": {}}, schema_of(FACE)).splitlines()
    assert max(map(len, shown)) < 150


def test_a_report_names_the_request_its_answer_and_every_fault() -> None:
    body = {"assets": ASSETS, "style": {"mouth_smile": 7}}
    told = report([entry(body, "style.mouth_smile must be a multiple of 5")], load())
    assert told.startswith(
        "A request breaks the contract: style.mouth_smile must be a multiple of 5\n\n"
        "POST /v1/ai-face-editor, answered 400\n"
        "  style.mouth_smile must be a multiple of 5\n\n"
    )
    assert '  -     "mouth_smile": 7\n' in told


def test_legal_requests_are_not_reported() -> None:
    assert report([entry({"assets": ASSETS, "style": {}})], load()) == ""


def test_of_many_faulty_requests_the_first_ones_are_shown() -> None:
    told = report([entry({}, "Missing required field: assets (expected object)")] * 30, load())
    assert told.startswith("30 requests break the contract, the first one: Missing required field: assets")
    assert told.count("answered 400") == 5
    assert told.endswith("… and 25 more requests")


@pytest.mark.parametrize(
    ("faulty", "ending"),
    [
        (entry("{not json", "The body is not JSON"), "The body is not JSON\n\n  - {not json"),
        (entry(None, "The body is missing"), "The body is missing"),
        (entry("[" * 100_000, "The body is nested too deeply"), "[…"),
        (entry({}, "There is no such path", operation=None, path="/v2"), "There is no such path"),
        (entry("x", "The link was changed", operation="upload"), "The link was changed"),
        (entry({"assets": ASSETS, "style": {}}, "The asset was never uploaded"), "was never uploaded"),
    ],
)
def test_what_is_wrong_outside_of_the_fields_is_told_without_a_diff(faulty: Entry, ending: str) -> None:
    assert report([faulty], load()).endswith(ending)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
field_names = st.sampled_from(
    ["assets", "style", "image_file_path", "resolution", "steps", "prompt", "items", "type", "extension"]
)
bodies = st.recursive(
    json_values,
    lambda inner: st.dictionaries(field_names, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=10,
)


@given(bodies, st.sampled_from([FACE, PHOTO, UPLOAD]))
def test_exactly_the_illegal_bodies_have_a_mark(body: Any, operation_id: str) -> None:
    schema = schema_of(operation_id)
    marked = [line for line in diff(body, schema).splitlines() if line.startswith(("+", "-"))]
    assert bool(marked) is not schema.accepts(body)


sliders: st.SearchStrategy[Any] = st.one_of(
    st.integers(), st.floats(), st.integers(-300, 300).map(str), st.sampled_from(["", "many", None, []])
)


@given(st.dictionaries(st.sampled_from(["mouth_smile", "head_yaw", "head_roll", "enhance_face"]), sliders))
@example({"mouth_smile": 10**400})
@example({"mouth_smile": math.inf})
@example({"mouth_smile": 97.5, "head_yaw": -102.4})
def test_a_body_that_is_corrected_as_shown_is_legal(style: dict[str, Any]) -> None:
    schema = schema_of(FACE)
    body: dict[str, Any] = {"assets": ASSETS, "style": dict(style)}
    for fault in schema.faults(body):
        body["style"][fault.path[-1]] = correction(body, fault, schema)
    assert schema.accepts(body)


@given(st.floats(-100, 100))
def test_a_corrected_slider_is_the_nearest_step(value: float) -> None:
    schema = schema_of(FACE)
    body = {"assets": ASSETS, "style": {"mouth_smile": value}}
    for fault in schema.faults(body):
        assert abs(correction(body, fault, schema) - value) <= 2.5


def squeezed(text: str) -> str:
    """The text with the margins between sign and field taken out."""
    return "\n".join(f"{line[0]} {line[1:].lstrip()}" for line in text.splitlines())
