"""An operation that is wrong as a whole: one finding, and what follows from it under it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree

import pytest

from bluehour.contracts.check.findings import Findings
from bluehour.contracts.check.offered import calls_that_tell, judge_as_a_whole
from bluehour.contracts.exchange import ANYWHERE, Answer, Exchange, Request
from bluehour.contracts.judge import Violation
from bluehour.contracts.report import as_json, html, junit, terminal
from bluehour.contracts.results import Report, State
from bluehour.contracts.rules import RULES, rule
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from tests.deviants.altering import Answered, Asked, Forward, Handler, Where, around, error, handling, only
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.checking import checked
from tests.deviants.deviant import Deviant
from tests.deviants.names import DELETE_PROJECT, FACE, GET_PROJECT, POSTS, UPLOAD, UPLOAD_URLS
from tests.deviants.witnesses import posting

if TYPE_CHECKING:
    from bluehour.contracts.check.checker import Check

LABEL = "POST /v1/ai-photo-editor"
PATHS = ("ai-face-editor", "ai-photo-editor", "files/upload-urls")

_ANY = {"200": {"description": "All is well"}}
_OR_NONE = {**_ANY, "404": {"description": "There is none"}}
_BODY = {"content": {"application/json": {"schema": {"type": "object"}}}}
_ID = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
NOTES = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "Notes", "version": "1"},
        "paths": {
            "/notes": {"get": {"responses": _ANY}, "post": {"requestBody": _BODY, "responses": _OR_NONE}},
            "/settings": {"get": {"responses": _OR_NONE}},
            "/notes/{id}": {"get": {"parameters": _ID, "responses": _OR_NONE}},
            "/notes/{id}/cover": {"get": {"parameters": _ID, "responses": _OR_NONE}},
        },
    }
)


def lacking(operation: Where, answer: Answered) -> Deviant:
    return Deviant(
        "lacking", "An operation is not there.", "paths", None,
        handling(operation, lambda _asked, _forward: answer), posting(FACE, {}), "methods",
    )  # fmt: skip


@pytest.fixture(scope="module")
def without_photos() -> Report:
    return checked(next(each for each in DEVIANTS if each.name == "no-photo-editor"))


def test_it_is_one_finding_and_the_others_of_the_operation_are_folded_under_it(
    without_photos: Report,
) -> None:
    (found,) = (each for each in without_photos.findings if each.operation == LABEL)
    assert found.rule.id == "answer.offered"
    assert found.message.startswith(f"The deployment has no {LABEL}: ")
    assert found.times > 50
    assert found.exchange is not None
    media = found.exchange.operation.json_body if found.exchange.operation else None
    assert media is not None
    assert media.schema.accepts(json.loads(found.exchange.request.body))
    rules = Counter(each.rule.id for each in found.folded)
    assert {"accept.examples", "refuse.status"} <= rules.keys()


def test_what_is_folded_is_told_as_not_judged_and_other_operations_are(without_photos: Report) -> None:
    states = {(each.rule.id, each.operation): each for each in without_photos.verdicts}
    assert states["refuse.missing", LABEL].state is State.UNJUDGED
    assert states["refuse.missing", LABEL].reason == f"the deployment has no {LABEL}"
    assert states["refuse.missing", "POST /v1/ai-face-editor"].state is State.KEPT
    assert states["answer.offered", "POST /v1/ai-face-editor"].state is State.KEPT


def test_every_report_tells_the_cause_and_what_follows(without_photos: Report) -> None:
    (found,) = (each for each in without_photos.findings if each.operation == LABEL)
    words = found.consequences
    assert words.startswith(f"{len(found.folded)} findings more follow from it: ")
    assert words in " ".join(terminal(without_photos, colour=False, width=110).split())
    assert words in html(without_photos)
    root = ElementTree.fromstring(junit(without_photos).encode())
    (failure,) = root.findall(f".//testcase[@classname='{LABEL}']/failure")
    assert words in (failure.text or "")
    told = [each for each in json.loads(as_json(without_photos))["findings"] if each["operation"] == LABEL]
    assert [len(each["folded"]) for each in told] == [len(found.folded)]


@pytest.mark.parametrize("status", [405, 501])
def test_it_may_be_answered_by_another_status(status: int) -> None:
    report = checked(lacking(FACE, error(status, "method_not_allowed", "No")))
    found = [each.rule.id for each in report.findings if each.operation == "POST /v1/ai-face-editor"]
    assert found == ["answer.offered"]


def test_a_path_with_an_id_is_there_where_only_ids_are_unknown() -> None:
    """Where no project can be made, none can be found, and that is right."""
    report = checked(lacking(FACE, error(422, "unprocessable_entity", "No")), max_credits=0)
    assert "answer.offered" not in {each.rule.id for each in report.findings}


@pytest.mark.parametrize("operation", [GET_PROJECT, DELETE_PROJECT])
def test_a_path_with_an_id_is_not_there_where_ids_that_are_known_are_not_found(operation: str) -> None:
    report = checked(lacking(operation, error(404, "not_found", "Not Found")))
    (found,) = (each for each in report.findings if each.rule.id == "answer.offered")
    assert found.operation.endswith("/v1/image-projects/{id}")


def test_a_missing_operation_is_not_said_where_nobody_asks() -> None:
    wrong = next(each for each in DEVIANTS if each.name == "no-photo-editor")
    report = checked(wrong, rules=(rule("accept.examples"),))
    assert {each.rule.id for each in report.findings} == {"accept.examples"}
    assert not any(each.folded for each in report.findings)


@pytest.mark.parametrize(
    ("method", "path", "statuses", "telling"),
    [
        ("POST", "/notes", (404, 400, 200), (404, 400, 200)),
        ("POST", "/notes", (401, 403, 404, 413, 415, 429), (404,)),
        ("GET", "/notes", (404, 405), (404, 405)),
        ("GET", "/settings", (404, 405), (405,)),
        ("GET", "/notes/{id}", (404, 200), (404, 200)),
        ("GET", "/notes/{id}/cover", (404, 501), (501,)),
    ],
)
def test_an_answer_that_a_right_server_may_give_tells_nothing(
    method: str, path: str, statuses: tuple[int, ...], telling: tuple[int, ...]
) -> None:
    operation = next(each for each in NOTES.operations if (each.method, each.path) == (method, path))
    calls = [called(operation, number, status) for number, status in enumerate(statuses, 1)]
    told = calls_that_tell(calls, {"n1"}).get(f"{method} {path}", [])
    assert tuple(each.answer.status for each in told if each.answer) == telling


def called(operation: Operation, number: int, status: int) -> Exchange:
    """A call that names a note which was made."""
    body = b"{}" if operation.method == "POST" else b""
    url = f"http://127.0.0.1:9{operation.path.replace('{id}', 'n1')}"
    return Exchange(number, 0.0, Request(operation.method, url, (), body), Answer(status), operation)


FAILING = error(500, "internal_server_error", "Internal Server Error")
UNAUTHORIZED = error(401, "unauthorized", "Unauthorized")


@pytest.mark.parametrize(
    ("where", "answer", "causes"),
    [
        (GET_PROJECT, FAILING, ["GET /v1/image-projects/{id} fails at whatever is asked of it"]),
        (UPLOAD_URLS, FAILING, ["POST /v1/files/upload-urls fails at whatever is asked of it"]),
        (UPLOAD, FAILING, ["No upload is accepted"]),
        (UPLOAD, error(403, "forbidden", "Forbidden"), ["No upload is accepted"]),
        (
            POSTS,
            UNAUTHORIZED,
            [f"POST /v1/{name} is refused to the account of --token" for name in PATHS],
        ),
    ],
    ids=[
        "projects can't be read",
        "no upload links",
        "uploads fail",
        "uploads are refused",
        "no token is taken",
    ],
)
def test_what_one_fault_leads_to_is_told_as_that_fault(
    where: Where, answer: Answered, causes: list[str]
) -> None:
    """Nothing is said of tokens, balances, refunds and sizes, which can't be known by then."""
    report = checked(lacking(where, answer), max_credits=60)
    at_paths = [each for each in report.findings if each.operation != ANYWHERE]
    assert sorted(each.message.partition(":")[0] for each in at_paths) == sorted(causes)
    assert report.findings[0] in at_paths
    assert {each.rule.id for each in report.findings if each not in at_paths} <= {"answer.server-error"}


def test_a_job_that_can_not_be_read_to_its_end_is_not_said_to_be_unpaid_for() -> None:
    def failing(_mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            return FAILING if answered.status == 200 else answered

        return only(GET_PROJECT, handler)

    wrong = replace(lacking(GET_PROJECT, FAILING), wrap=around(failing))
    groups = {each.rule.group for each in checked(wrong, max_credits=60).findings}
    assert "answer" in groups
    assert "credits" not in groups


@pytest.mark.parametrize("is_broken", [False, True])
def test_what_is_forbidden_is_a_fault_where_it_breaks_something(is_broken: bool) -> None:
    """Another API's key may not be good for everything, and a 403 that is declared says so."""
    operation = next(each for each in NOTES.operations if each.path == "/settings")
    exchanges = [replace(called(operation, number, 403), account="main") for number in (1, 2)]
    findings = Findings(RULES)
    if is_broken:
        findings.add(
            Violation(rule("answer.status"), "GET /settings", "403", "It is not declared"), exchanges[0]
        )
    judge_as_a_whole(
        cast(
            "Check",
            SimpleNamespace(
                sender=SimpleNamespace(exchanges=exchanges),
                items=SimpleNamespace(ids={}),
                accounts=SimpleNamespace(main=SimpleNamespace(label="main")),
                findings=findings,
            ),
        )
    )
    assert [each.rule.id for each in findings.findings()] == (["answer.offered"] if is_broken else [])
