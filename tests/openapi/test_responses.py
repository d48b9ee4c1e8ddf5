"""Responses judged by a contract: each part of one, right in every way that it may be, and wrong in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.openapi.contract import load
from bluehour.openapi.messages import Headers, Response
from bluehour.openapi.model import JSON
from bluehour.openapi.responses import ResponseFault, judge, judge_data

CONTRACT = load(Path(__file__).parent / "specs" / "responses.yaml")
PETS, PET, ODD, OPEN, HEAD, GONE, FALLBACK = (
    CONTRACT.operation(each)
    for each in ("pets", "pet", "odd", "open", "head", "gone", "fallback")
)  # fmt: skip
TYPE = ("Content-Type", JSON)
WELL = {"X-Total": "3"}
DOG = {"id": 1, "name": "Rex"}


def answered(
    operation: Any, status: Any = 200, body: Any = DOG, content_type: Any = JSON, **headers: str
) -> list[ResponseFault]:
    pairs = [] if content_type is None else [("Content-Type", content_type)]
    pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return judge(Response(status, Headers(pairs), content), operation, CONTRACT)


def kinds(faults: list[ResponseFault]) -> list[tuple[str, str]]:
    return [(fault.kind, fault.field) for fault in faults]


# --- the status ---------------------------------------------------------------------------------------------


def test_a_status_that_is_not_declared_is_told_with_those_that_are() -> None:
    (fault,) = answered(PET, 299)
    assert (fault.kind, fault.field) == ("status", "299")
    assert fault.message == "The status 299 is not declared: 200, 204, 4XX are"
    assert fault.declared == {"responses": ["200", "204", "4XX"]}


@pytest.mark.parametrize("status", [400, 404, 418, 499])
def test_a_range_declares_all_of_its_statuses(status: int) -> None:
    assert answered(PET, status, {"message": "No"}) == []
    assert kinds(answered(PET, status, {"message": 1})) == [("body", "message")]


@pytest.mark.parametrize("status", [300, 399, 500])
def test_a_range_declares_no_others(status: int) -> None:
    assert kinds(answered(PET, status, {"message": "No"})) == [("status", f"{status}")]


@pytest.mark.parametrize("status", [201, 302, 404, 500])
def test_a_default_declares_every_status(status: int) -> None:
    assert answered(FALLBACK, status, "any text") == []
    assert kinds(answered(FALLBACK, status, 1)) == [("body", "")]


def test_a_response_of_the_server_comes_before_an_operations_default() -> None:
    assert answered(FALLBACK, 429, {"code": "slow_down"}, Retry_After="7") == []
    assert kinds(answered(FALLBACK, 429, "any text", Retry_After="7")) == [("body", "")]


def test_a_response_of_the_server_may_be_given_by_every_operation_and_outside_of_any() -> None:
    for operation in (PETS, None):
        assert answered(operation, 429, {"code": "slow_down"}, Retry_After="7") == []
        assert kinds(answered(operation, 429, {"code": "no"}, Retry_After="soon")) == [
            ("headers", "Retry-After"),
            ("body", "code"),
        ]
    (fault,) = answered(None, 404)
    assert fault.message == "The status 404 is not declared: 429 are"


def test_an_operation_that_declares_nothing_answers_as_it_likes() -> None:
    assert answered(OPEN, 200) == answered(OPEN, 599, b"\x00", "a/b") == answered(OPEN, 204, b"", None) == []


# --- the media type -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json;charset=utf-8",
        "Application/JSON",
        " application/json ; a=b",
        "application/json; charset=nonsense",
    ],
)
def test_a_media_type_may_have_parameters_and_any_case(content_type: str) -> None:
    assert answered(PET, content_type=content_type) == []
    assert kinds(answered(PET, body=b"{", content_type=content_type)) == [("body", "")]


@pytest.mark.parametrize(
    "content_type", [None, "", "nonsense", "text/html", "application/json5", "application/*", "json"]
)
def test_another_media_type_is_wrong_and_its_body_is_not_judged(content_type: str | None) -> None:
    (fault,) = answered(PET, body=b"<html>", content_type=content_type)
    assert (fault.kind, fault.field) == ("content-type", "Content-Type")
    got = content_type or "none"
    assert fault.message == f"Invalid Content-Type of a 200: expected application/json, got {got}"
    assert fault.declared == {"content": ["application/json"]}


@pytest.mark.parametrize("content_type", ["image/png", "image/svg+xml", "IMAGE/webp; q=1"])
def test_a_wildcard_stands_for_its_subtypes(content_type: str) -> None:
    assert answered(ODD, 200, b"\x89PNG", content_type) == []


def test_a_wildcard_stands_for_no_others() -> None:
    assert kinds(answered(ODD, 200, b"\x89PNG", "video/mp4")) == [("content-type", "Content-Type")]


def test_json_under_a_wildcard_is_judged_as_json() -> None:
    assert answered(ODD, 201, {"a": 1}, "application/vnd.pets+json") == []
    assert kinds(answered(ODD, 201, {"a": "1"}, "application/vnd.pets+json")) == [("body", "a")]
    assert answered(ODD, 201, b"a text", "text/plain") == []


# --- the headers --------------------------------------------------------------------------------------------


def test_a_missing_header_is_named() -> None:
    (fault,) = answered(PETS, body=[])
    assert fault == ResponseFault(
        "headers", "X-Total", "A 200 lacks its header X-Total", {"X-Total": {"required": True}}
    )
    assert answered(PETS, body=[], x_total="0") == []


RIGHT = {
    "X-Total": ("0", "12", "1e2"),
    "X-Page": ("0.5", "-3"),
    "X-More": ("true", "false"),
    "X-Ids": ("1", "1,2", " 1 , 2 ", ""),
    "X-Point": ("x,1,y,2", "x, 1, y, 2"),
    "X-Spread": ("x=1,y=2", "x=1"),
    "X-Filter": ('{"a": [1]}',),
    "X-Word": ("yes", "no"),
    "X-When": ("2024-10-19T05:16:19Z",),
}
WRONG = {
    "X-Total": ("", "-1", "1.5", "many", "1,2", "\udcff"),
    "X-Page": ("1/2", "NaN"),
    "X-More": ("True", "1", "yes"),
    "X-Ids": ("a", "1,b", "1,2,3,4"),
    "X-Point": ("x,1,y", "x,a,y,2", "1"),
    "X-Spread": ("x=a", "y=1"),
    "X-Filter": ("{", '{"a": 1}', "[" * 1000),
    "X-Word": ("maybe", "Yes", "é"),
    "X-When": ("soon", "2024-10-19"),
}


@pytest.mark.parametrize(("name", "value"), [(name, each) for name in RIGHT for each in RIGHT[name]])
def test_a_headers_text_means_what_its_schema_makes_of_it(name: str, value: str) -> None:
    assert answered(PETS, body=[], **{**WELL, name: value}) == []


@pytest.mark.parametrize(("name", "value"), [(name, each) for name in WRONG for each in WRONG[name]])
def test_a_header_that_its_schema_does_not_allow_is_wrong(name: str, value: str) -> None:
    faults = answered(PETS, body=[], **{**WELL, name: value})
    assert set(kinds(faults)) == {("headers", name)}
    assert faults[0].message.startswith("A header of a 200: ")


def test_several_headers_of_a_name_are_one_list() -> None:
    def said(*values: str) -> list[ResponseFault]:
        pairs = [TYPE, ("X-Total", "3"), *(("x-ids", value) for value in values)]
        return judge(Response(200, Headers(pairs), b"[]"), PETS, CONTRACT)

    assert said("1", "2,3") == []
    assert kinds(said("1", "b")) == [("headers", "X-Ids")]


def test_each_header_of_a_name_is_judged_where_it_is_no_list() -> None:
    pairs = [TYPE, ("X-Total", "3"), ("X-Total", "four")]
    (fault,) = judge(Response(200, Headers(pairs), b"[]"), PETS, CONTRACT)
    assert fault.message == "A header of a 200: Invalid type for X-Total: expected integer, got string"
    assert fault.declared == {"X-Total": {"type": "integer"}}


def test_headers_are_judged_beside_a_body_that_is_wrong() -> None:
    assert kinds(answered(PETS, body={}, content_type="text/html")) == [
        ("headers", "X-Total"),
        ("content-type", "Content-Type"),
    ]


def test_a_declared_content_type_header_is_ignored() -> None:
    assert answered(FALLBACK, 200, "text", "application/json; charset=utf-8") == []


# --- the body -----------------------------------------------------------------------------------------------

UNREADABLE = {
    "nothing": b"",
    "cut off": b'{"id": 1',
    "no text": b'{"id": 1, "name": "\xff"}',
    "half a character": b'{"id": 1, "name": "\\ud800"}',
    "a mark of its order": b"\xef\xbb\xbf{}",
    "NaN": b'{"id": NaN}',
    "UTF-16": '{"id": 1}'.encode("utf-16"),
    "Latin-1": '{"id": 1, "name": "é"}'.encode("latin-1"),
    "two values": b"{}{}",
    "arrays without end": b"[" * 100_000,
    "too deep to be judged": b"[" * 300 + b"]" * 300,
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_json_can_not_be_read(what: str) -> None:
    (fault,) = answered(PET, body=UNREADABLE[what])
    assert (fault.kind, fault.field, fault.declared) == ("body", "", {})
    assert fault.message.startswith("The body of a 200 can't be read: ")


def test_an_empty_body_is_told_as_such() -> None:
    (fault,) = answered(PET, body=b"")
    assert fault.message == "The body of a 200 can't be read: it is empty"


def test_a_charset_has_no_effect_on_json() -> None:
    latin = "application/json; charset=iso-8859-1"
    assert answered(PET, body={**DOG, "name": "é"}, content_type=latin) == []
    assert kinds(answered(PET, body=UNREADABLE["Latin-1"], content_type=latin)) == [("body", "")]


def test_each_fault_of_a_body_is_named_with_the_contracts_words() -> None:
    faults = answered(PET, body={"id": "1", "tags": ["a", 2], "owner": {}, "name": None})
    assert {fault.field: (fault.message, fault.declared) for fault in faults} == {
        "owner.id": (
            "The body of a 200: Missing required field: owner.id (expected integer)",
            {"owner": {"required": ["id"]}},
        ),
        "id": (
            "The body of a 200: Invalid type for id: expected integer, got string",
            {"id": {"type": "integer"}},
        ),
        "tags[1]": (
            "The body of a 200: Invalid type for tags[1]: expected string, got integer",
            {"tags[]": {"type": "string"}},
        ),
    }


def test_a_fault_of_the_whole_is_the_bodys() -> None:
    (fault,) = answered(PET, body=[])
    assert fault.message == "The body of a 200: Invalid type for body: expected object, got array"
    assert (fault.field, fault.declared) == ("", {"body": {"type": "object"}})


def test_nullable_allows_null_and_nothing_else_does() -> None:
    assert answered(PET, body={**DOG, "name": None}) == []
    assert kinds(answered(PET, body={**DOG, "tags": None})) == [("body", "tags")]


def test_what_is_write_only_need_not_and_must_not_be_shown() -> None:
    (fault,) = answered(PET, body={**DOG, "secret": "hunter2"})
    assert fault.message == "The body of a 200: secret is write-only: no response may have it"
    assert fault.declared == {"secret": {"writeOnly": True}}


def test_what_is_read_only_has_to_be_shown() -> None:
    assert kinds(answered(PET, body={"name": "Rex"})) == [("body", "id")]


def test_a_204_has_no_body_and_needs_no_content_type() -> None:
    assert answered(PET, 204, b"", None) == answered(GONE, 204, b"", None) == []
    for operation in (PET, GONE):
        (fault,) = answered(operation, 204, b"{}")
        assert fault.message == "The body of a 204 can't be read: a 204 has none, and 2 bytes came"


def test_where_no_content_is_declared_any_will_do() -> None:
    assert answered(GONE, 200, b"<html>", "text/html") == answered(GONE, 200, b"", None) == []


def test_the_answer_to_head_has_the_headers_and_no_body() -> None:
    assert answered(HEAD, body=b"", x_total="3") == answered(HEAD, 200, b"", None, x_total="3") == []
    assert kinds(answered(HEAD, body=b"")) == [("headers", "X-Total")]
    assert kinds(answered(HEAD, 418, b"")) == [("status", "418")]


# --- before it is encoded -----------------------------------------------------------------------------------


def given_data(status: int, media_type: str | None, body: Any, **headers: str) -> list[ResponseFault]:
    return judge_data(PETS.response(status), status, Headers(headers.items()), media_type, body)


def test_data_is_judged_as_its_encoding_would_be() -> None:
    assert given_data(200, JSON, [DOG], **WELL) == []
    assert given_data(200, JSON, [DOG]) == answered(PETS, body=[DOG])
    assert given_data(200, JSON, [{}], **WELL) == answered(PETS, body=[{}], **WELL)
    assert given_data(200, "text/html", [DOG], **WELL) == answered(PETS, 200, [DOG], "text/html", **WELL)
    assert given_data(200, None, None, **WELL) == answered(PETS, 200, b"", None, **WELL)
    (fault,) = given_data(299, JSON, [])
    assert fault.message == "The status 299 is not declared"


def test_data_with_no_media_type_is_right_where_none_is_declared() -> None:
    assert judge_data(GONE.response(204), 204, Headers(), None, None) == []
    (fault,) = judge_data(GONE.response(200), 200, Headers(), JSON, {})
    assert fault.message == "Invalid Content-Type of a 200: expected none, got application/json"


def test_text_and_bytes_are_taken_as_they_are() -> None:
    assert judge_data(ODD.response(200), 200, Headers(), "image/png", b"\x89PNG") == []


# --- whatever comes -----------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*DOG, "tags"]), inner),
    max_leaves=6,
)
bodies = st.binary(max_size=30) | values.map(lambda value: json.dumps(value).encode())
names = st.sampled_from(["Content-Type", *RIGHT])
texts = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    [JSON, "image/*", "{", "9" * 5000, *(each for group in RIGHT.values() for each in group)]
)


@given(
    st.sampled_from([*CONTRACT.operations, None]),
    st.integers(100, 999) | st.sampled_from([200, 204, 304, 429]),
    st.lists(st.tuples(names, texts), max_size=4),
    bodies,
)
def test_nothing_that_comes_makes_it_raise(
    operation: Any, status: int, pairs: list[tuple[str, str]], body: bytes
) -> None:
    for fault in judge(Response(status, Headers(pairs), body), operation, CONTRACT):
        assert fault.message.strip()
        assert len(fault.message) < 600


PARTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "status": lambda right: {**right, "status": 299},
    "content-type": lambda right: {**right, "content_type": "text/html"},
    "body": lambda right: {**right, "body": {}},
    "headers": lambda right: {key: each for key, each in right.items() if key != "x_total"},
}


@pytest.mark.parametrize("kind", PARTS)
def test_one_wrong_part_is_one_fault_of_its_kind(kind: str) -> None:
    right: dict[str, Any] = {"status": 200, "body": [DOG], "content_type": JSON, "x_total": "1"}
    assert answered(PETS, **right) == []
    assert [fault.kind for fault in answered(PETS, **PARTS[kind](right))] == [kind]
