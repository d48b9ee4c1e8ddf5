"""Answers alone: each rule broken by the least that breaks it, and kept by all that the contract allows."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.exchange import ANYWHERE, Answer, Exchange, Headers, label_of
from bluehour.contracts.judge import Judge, Violation
from bluehour.contracts.rules import RULES
from bluehour.contracts.selection import matching
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import JSON, DeclaredResponse, Operation
from tests.profiles import examples

from ..bodies.schemas import JSON_VALUES, values
from .stories import (
    CONTRACT,
    DELETE,
    FACE,
    READ,
    answer,
    broken,
    exchange,
    kept,
    rulings,
    violations,
)

JSON_TYPE: Headers = (("Content-Type", JSON),)
EXAMPLE = READ.responses["200"].content[JSON].example
NOT_FOUND = {"code": "not_found", "message": "Not Found"}
NOT_ALLOWED = {"code": "method_not_allowed", "message": "Method Not Allowed"}
BAD_REQUEST = {"code": "invalid_request", "message": "Missing required field: style (expected object)"}


def declared() -> list[Any]:
    """Parameters for a test: every answer that an operation declares, or the server as a whole for it."""
    found = []
    for operation in CONTRACT.operations:
        everywhere = {str(status): each for status, each in CONTRACT.server_responses.items()}
        for status, response in (everywhere | dict(operation.responses)).items():
            found.append(pytest.param(operation, int(status), response, id=f"{operation.id} {status}"))
    return found


def alone(story: Exchange) -> list[Violation]:
    """What is wrong with an answer by itself."""
    return [each for each in violations(story) if each.rule.group == "answer"]


def headers_of(response: DeclaredResponse) -> Headers:
    return tuple((each.name, str(each.example)) for each in response.headers)


# --- what is kept -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operation", "status", "response"), declared())
def test_every_published_example_keeps_every_rule(
    operation: Operation, status: int, response: DeclaredResponse
) -> None:
    media = response.json
    headers = (*(JSON_TYPE if media else ()), *headers_of(response))
    expected = {"answer.server-error"} if status >= 500 else set()
    for example in media.examples if media else (b"",):
        found = alone(exchange(operation, Answer(status, headers, answer(body=example).body)))
        assert {each.rule.id for each in found} == expected


@pytest.mark.parametrize("status", sorted(CONTRACT.server_responses))
def test_what_the_server_answers_outside_of_any_operation_keeps_them_too(status: int) -> None:
    response = CONTRACT.server_responses[status]
    assert response.json
    given_answer = answer(status, response.json.example, JSON_TYPE + headers_of(response))
    story = exchange(None, given_answer)
    assert story.label == ANYWHERE
    assert broken(story) == ({"answer.server-error"} if status >= 500 else set())


@examples(80)
@given(st.data())
def test_whatever_a_response_schema_allows_keeps_every_rule(data: st.DataObject) -> None:
    operation, status, response = data.draw(
        st.sampled_from([each.values for each in declared() if each.values[1] < 500 and each.values[2].json])
    )
    body = data.draw(values(response.json.schema))
    given_answer = answer(status, body, JSON_TYPE + headers_of(response))
    assert alone(exchange(operation, given_answer)) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/json ; a=b",
    ],
)
def test_a_content_type_may_have_parameters_and_any_case(content_type: str) -> None:
    assert broken(exchange(READ, answer(200, EXAMPLE, (("content-type", content_type),)))) == set()


def test_an_answer_without_a_body_needs_no_content_type() -> None:
    assert broken(exchange(DELETE, answer(204))) == set()


def test_unknown_fields_of_an_answer_are_allowed() -> None:
    assert broken(exchange(READ, answer(200, {**EXAMPLE, "x": {"y": [1]}}))) == set()


def test_what_is_looked_at_is_said() -> None:
    assert kept(exchange(READ, answer(200, EXAMPLE))) == {
        "answer.arrives",
        "answer.server-error",
        "answer.status",
        "answer.content-type",
        "answer.headers",
        "answer.schema",
        "answer.leak",
    }
    assert "answer.envelope" in kept(exchange(READ, answer(404, NOT_FOUND)))
    assert "answer.schema" not in kept(exchange(READ, answer(404, NOT_FOUND)))


# --- what is broken -----------------------------------------------------------------------------------------

BROKEN: dict[str, tuple[str, Operation | None, Answer | None]] = {
    "silence": ("answer.arrives", READ, None),
    "a 500 as declared": (
        "answer.server-error",
        READ,
        answer(500, {"code": "internal_server_error", "message": "Internal Server Error"}),
    ),
    "a 503 of a proxy": (
        "answer.server-error",
        READ,
        answer(503, b"<html>", (("Content-Type", "text/html"),)),
    ),
    "an undeclared success": ("answer.status", READ, answer(202, EXAMPLE)),
    "an undeclared refusal": ("answer.status", READ, answer(409, NOT_FOUND)),
    "a redirect": ("answer.status", READ, Answer(302, (("Location", "/v1/x"),))),
    "an undeclared refusal of nothing known": ("answer.status", None, answer(418, NOT_FOUND)),
    "a page": ("answer.content-type", READ, answer(200, b"<html>", (("Content-Type", "text/html"),))),
    "JSON that is said to be text": (
        "answer.content-type",
        READ,
        answer(200, EXAMPLE, (("Content-Type", "text/plain"),)),
    ),
    "no Content-Type": ("answer.content-type", READ, answer(200, EXAMPLE, (("X", "y"),))),
    "a Content-Type that is none": (
        "answer.content-type",
        READ,
        answer(200, EXAMPLE, (("Content-Type", "nonsense"),)),
    ),
    "an empty Content-Type": ("answer.content-type", READ, answer(200, EXAMPLE, (("Content-Type", ""),))),
    "a refusal with an odd Content-Type": (
        "answer.content-type",
        READ,
        answer(404, NOT_FOUND, (("Content-Type", "nonsense"),)),
    ),
    "a page in place of a refusal": (
        "answer.content-type",
        None,
        answer(404, b"<html>", (("Content-Type", "text/html"),)),
    ),
    "a list": ("answer.schema", READ, answer(200, [EXAMPLE])),
    "null": ("answer.schema", READ, answer(200, b"null")),
    "nothing": ("answer.schema", READ, Answer(200, JSON_TYPE)),
    "JSON cut off": ("answer.schema", READ, answer(200, b'{"id": "p1"')),
    "bytes that are no text": ("answer.schema", READ, answer(200, b'{"id": "\xff"}')),
    "NaN": ("answer.schema", READ, answer(200, {**EXAMPLE, "error": float("nan")})),
    "a code that does not fit": ("answer.envelope", READ, answer(404, {**NOT_FOUND, "code": "unauthorized"})),
    "a message that does not fit": ("answer.envelope", READ, answer(404, {**NOT_FOUND, "message": "Gone"})),
    "no message": ("answer.envelope", FACE, answer(400, {"code": "invalid_request"})),
    "a message that is no text": ("answer.envelope", FACE, answer(400, {**BAD_REQUEST, "message": [1]})),
    "no code": ("answer.envelope", None, answer(404, {"message": "Not Found"})),
    "a refusal cut off": ("answer.envelope", FACE, answer(400, b'{"code": ')),
    "a 405 without Allow": ("answer.headers", None, answer(405, NOT_ALLOWED)),
    "a 405 without Allow at an operation": ("answer.headers", READ, answer(405, NOT_ALLOWED)),
    "a stack trace": (
        "answer.leak",
        FACE,
        answer(400, {**BAD_REQUEST, "message": "Traceback (most recent call last)"}),
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_one_fault_of_an_answer_breaks_one_rule(what: str) -> None:
    rule_id, operation, given_answer = BROKEN[what]
    found = violations(exchange(operation, given_answer))
    assert [each.rule.id for each in found] == [rule_id]
    assert found[0].operation == (label_of(operation) if operation else ANYWHERE)
    assert found[0].message.strip()
    assert "\n" not in found[0].message


def test_every_rule_of_answers_is_broken_by_one_of_them() -> None:
    of_one_answer = {each.id for each in matching("answer", RULES)} - {
        "answer.offered"
    }  # which takes several
    assert {rule_id for rule_id, _, _ in BROKEN.values()} == of_one_answer


@pytest.mark.parametrize(
    "operation", [each for each in CONTRACT.operations if each.success[1].json], ids=lambda each: each.id
)
def test_every_field_that_an_answer_needs_is_missed(operation: Operation) -> None:
    status, response = operation.success
    assert response.json
    example = response.json.example
    for name in response.json.schema.resolved["required"]:
        lacking = {key: value for key, value in example.items() if key != name}
        (found,) = alone(exchange(operation, answer(status, lacking)))
        assert found.rule.id == "answer.schema"
        assert found.field == name
        assert found.message.startswith(f"The body of a {status}: Missing required field: {name} (expected ")


WRONG: list[tuple[str, Any, str]] = [
    ("status", "done", "enum"),
    ("status", None, "type"),
    ("credits_charged", -1, "minimum"),
    ("credits_charged", "1", "type"),
    ("credits_charged", 1.5, "type"),
    ("enabled", "true", "type"),
    ("error", "", "type"),
    ("error", {"code": "x"}, "required"),
    ("downloads", None, "type"),
    *(
        ("created_at", wrong, "format")
        for wrong in ("", "soon", "2024-10-19", "2024-10-19T05:16:19", "1729314984", "2024-13-01T05:16:19Z")
    ),
]


@pytest.mark.parametrize(("name", "wrong", "keyword"), WRONG)
def test_a_wrong_field_is_named_with_the_contracts_words_on_it(name: str, wrong: Any, keyword: str) -> None:
    found = violations(exchange(READ, answer(200, {**EXAMPLE, name: wrong})))
    assert {each.rule.id for each in found} == {"answer.schema"}
    assert found[0].field.partition(".")[0] == name
    assert any(keyword in each.words for each in found)


@pytest.mark.parametrize(
    ("name", "wrong"), [("url", "output.png"), ("url", "a b"), ("url", "https://a/é"), ("expires_at", "soon")]
)
def test_formats_are_kept_inside_of_lists(name: str, wrong: str) -> None:
    shown = copy.deepcopy(EXAMPLE)
    shown["downloads"][0][name] = wrong
    (found,) = violations(exchange(READ, answer(200, shown)))
    assert (found.rule.id, found.field) == ("answer.schema", f"downloads[0].{name}")
    assert found.words.startswith(f"downloads[].{name}: {{format: ")


@pytest.mark.parametrize("right", ["2024-10-19T05:16:19Z", "2024-10-19T05:16:19.027123+02:00"])
def test_a_date_time_may_have_any_precision_and_zone(right: str) -> None:
    assert broken(exchange(READ, answer(200, {**EXAMPLE, "created_at": right}))) == set()


def test_more_than_one_fault_is_told_of() -> None:
    shown = {**EXAMPLE, "status": "done", "enabled": 1, "created_at": "soon"}
    assert {each.field for each in violations(exchange(READ, answer(200, shown)))} == {
        "status",
        "enabled",
        "created_at",
    }


def test_an_undeclared_status_is_told_with_those_that_are_declared() -> None:
    (found,) = violations(exchange(READ, answer(409, NOT_FOUND)))
    assert found.field == "409"
    assert found.message == "The status 409 is not declared: 200, 400, 401, 402, 404, 500 are"


def test_outside_of_any_operation_those_of_the_server_are_told() -> None:
    (found,) = violations(exchange(None, answer(418, NOT_FOUND)))
    assert found.message == "The status 418 is not declared: 400, 401, 403, 404, 405, 413, 429, 500 are"


def test_a_missing_header_is_named() -> None:
    (found,) = violations(exchange(READ, answer(405, NOT_ALLOWED)))
    assert (found.field, found.message) == ("Allow", "A 405 lacks its header Allow")
    assert broken(exchange(READ, answer(405, NOT_ALLOWED, (*JSON_TYPE, ("allow", "GET, DELETE"))))) == set()


# --- what is not judged by the contract ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("operation", [READ, None])
def test_other_methods_than_the_contracts_are_only_looked_at_for_failures(
    method: str, operation: Operation | None
) -> None:
    assert broken(exchange(operation, Answer(200), method=method)) == set()
    assert broken(exchange(operation, Answer(418), method=method)) == set()
    assert broken(exchange(operation, Answer(500), method=method)) == {"answer.server-error"}


@pytest.mark.parametrize("transfer", ["upload", "download"])
@pytest.mark.parametrize("status", [200, 204, 403, 404, 418])
def test_the_ends_of_links_answer_as_they_like(transfer: str, status: int) -> None:
    given_answer = answer(status, b"\x89PNG", (("Content-Type", "image/png"),))
    assert broken(exchange(None, given_answer, transfer=transfer)) == set()


@pytest.mark.parametrize("transfer", ["upload", "download"])
def test_the_ends_of_links_may_not_fail_either(transfer: str) -> None:
    assert broken(exchange(None, answer(500), transfer=transfer)) == {"answer.server-error"}
    (found,) = violations(exchange(None, None, transfer=transfer))
    assert (found.rule.id, found.operation) == ("answer.arrives", transfer)


@pytest.mark.parametrize("status", [200, 204, 302])
def test_of_what_the_contract_does_not_have_a_success_may_look_like_anything(status: int) -> None:
    page = answer(status, b"<html>", (("Content-Type", "text/html"),))
    assert broken(exchange(None, page, path="/docs")) == set()


def test_silence_is_told_with_its_reason() -> None:
    (found,) = violations(exchange(READ, None, failure="it did not answer within 10 s"))
    assert found.message == "No answer came: it did not answer within 10 s"
    assert len(rulings(exchange(READ, None))) == 1


# --- any answer at all --------------------------------------------------------------------------------------

odd_headers = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "content-type", "Allow", "Date", "X-Y"]),
        st.sampled_from([JSON, "application/json; charset=nonsense", "text/html", "a/b, c/d", ""])
        | st.text(max_size=20),
    ),
    max_size=3,
).map(tuple)


@examples(100)
@given(
    st.sampled_from([*CONTRACT.operations, None]),
    st.integers(100, 999),
    odd_headers,
    st.binary(max_size=30) | JSON_VALUES.map(lambda value: answer(body=value).body),
)
def test_any_answer_can_be_judged(
    operation: Operation | None, status: int, headers: Headers, body: bytes
) -> None:
    found = rulings(exchange(operation, Answer(status, headers, body)))
    assert {ruling.rule.id for ruling in found} >= {"answer.arrives", "answer.server-error"}


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b'"\\ud800"', b"\xef\xbb\xbf{}"],
    ids=["arrays", "objects", "digits", "half a character", "a mark"],
)
def test_a_body_that_breaks_parsers_breaks_the_schema(body: bytes) -> None:
    assert broken(exchange(READ, answer(200, body))) == {"answer.schema"}


# --- other contracts ----------------------------------------------------------------------------------------


def test_a_contract_without_responses_for_the_whole_server_lets_them_be_anything() -> None:
    contract = Contract({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}})
    (operation,) = contract.operations
    judge = Judge(contract)
    assert judge.observe(exchange(None, answer(418, b"short and stout", (("Content-Type", "a/b"),)))) == []
    assert judge.observe(exchange(operation, answer(200))) == []
    assert [each.rule.id for each in judge.observe(exchange(operation, answer(404)))] == ["answer.status"]
