"""Rules: which requests they fit, how often they act, and what they force."""

from __future__ import annotations

import copy
from contextlib import closing
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bluehour.mock_server.api.faults import Fault
from bluehour.mock_server.app import create_app
from bluehour.mock_server.control.contract import control_contract
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.core.stores.notes import MemoryNotes
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.scenarios.rules import Facts, Rule, RuleError
from bluehour.openapi.contract import Contract, load

from ..api.test_lifecycle import png
from ..conftest import FACE, PHOTO, UPLOADS, Caller, face, photo

FAILS = {"answer": {"status": 503}}


def statuses(caller: Caller, times: int, path: str = FACE, body: Any = None) -> list[int]:
    return [caller.post(path, body or face()).status_code for _ in range(times)]


def rule(**given: Any) -> Rule:
    return Rule("rule-1", given, load())


def asked(one: Rule, times: int, **facts: Any) -> list[bool]:
    """Which of so many equal requests the rule acts on."""
    request: dict[str, Any] = {"operation": "aiFaceEditor.editImage", "token": "any", "raw_body": b""}
    counts = MemoryNotes()
    return [one.effect_on(Facts(**{**request, **facts}), counts) is not None for _ in range(times)]


def test_a_rule_without_a_match_fits_every_operation(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add(FAILS)
    assert statuses(caller, 1) == [503]
    assert statuses(caller, 1, UPLOADS, {"items": [{"type": "image", "extension": "png"}]}) == [503]
    assert caller.client.get("/v1/image-projects/cuid-example", headers=caller.headers).status_code == 503


@pytest.mark.parametrize("name", ["aiFaceEditor.editImage", "POST /v1/ai-face-editor"])
def test_an_operation_is_named_by_its_id_or_by_method_and_path(caller: Caller, mock: Mock, name: str) -> None:
    mock.scenarios.add({"match": {"operation": name}, **FAILS})
    assert statuses(caller, 1) == [503]
    assert statuses(caller, 1, PHOTO, photo()) == [200]


def test_a_token_may_have_a_star_in_it(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"match": {"token": "mhk_*_7"}, **FAILS})
    assert statuses(caller, 1) == [200]
    assert statuses(Caller(caller.client, "mhk_test_creator_7"), 1) == [503]
    assert statuses(Caller(caller.client, "mhk_test_creator_70"), 1) == [200]


@pytest.mark.parametrize(
    ("wanted", "sent", "fits"),
    [
        ({"style.mouth_smile": 60}, face(mouth_smile=60), True),
        ({"style.mouth_smile": 60}, face(mouth_smile=60.0), True),
        ({"style.mouth_smile": 60}, face(mouth_smile=55), False),
        ({"style.enhance_face": True}, face(enhance_face=True), True),
        ({"style.mouth_smile": 1}, face(mouth_smile=True), False),
        ({"style": {}}, face(), True),
        ({"name": None}, face(), True),
        ({"style.mouth_smile": 60, "name": "x"}, face(mouth_smile=60), False),
        ({"items.0.extension": "png"}, {"items": [{"extension": "png"}]}, True),
        ({"items.1.extension": "png"}, {"items": [{"extension": "png"}]}, False),
    ],
)
def test_fields_of_the_body_must_have_their_values(
    wanted: dict[str, Any], sent: dict[str, Any], fits: bool
) -> None:
    one = rule(match={"body": wanted}, delay=1)
    assert asked(one, 1, raw_body=orjson.dumps(sent)) == [fits]


def test_a_body_that_is_no_json_fits_no_field() -> None:
    assert asked(rule(match={"body": {"a": 1}}, delay=1), 1, raw_body=b"{oops") == [False]


def test_the_nth_call_counts_only_those_that_fit(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"match": {"operation": "aiFaceEditor.editImage", "nth": 3}, **FAILS})
    assert statuses(caller, 2, PHOTO, photo()) == [200, 200]
    assert statuses(caller, 5) == [200, 200, 503, 200, 200]


@given(st.lists(st.integers(1, 20), min_size=1, unique=True), st.integers(1, 5) | st.none())
def test_nth_and_times_choose_exactly_those_calls(nth: list[int], times: int | None) -> None:
    given: dict[str, Any] = {"match": {"nth": nth}, "delay": 1}
    if times is not None:
        given["times"] = times
    acted = [index + 1 for index, did in enumerate(asked(rule(**given), 20)) if did]
    assert acted == sorted(nth)[:times]


@given(st.integers(), st.floats(0, 1))
def test_the_same_seed_draws_the_same(seed: int, probability: float) -> None:
    match = {"probability": probability, "seed": seed}
    assert asked(rule(match=match, delay=1), 50) == asked(rule(match=match, delay=1), 50)


def test_a_probability_is_about_kept() -> None:
    assert asked(rule(match={"probability": 0}, delay=1), 100) == [False] * 100
    assert asked(rule(match={"probability": 1}, delay=1), 100) == [True] * 100
    assert 400 < sum(asked(rule(match={"probability": 0.5, "seed": 3}, delay=1), 1000)) < 600


def test_the_first_rule_that_acts_acts_alone(caller: Caller, mock: Mock) -> None:
    mock.scenarios.replace([{"times": 1, "answer": {"status": 500}}, {"answer": {"status": 503}}])
    assert statuses(caller, 3) == [500, 503, 503]


def test_switched_on_again_a_rule_counts_from_the_start(caller: Caller, mock: Mock) -> None:
    one = mock.scenarios.add({"match": {"nth": 1}, **FAILS})
    assert statuses(caller, 2) == [503, 200]
    mock.scenarios.switch(one.id, False)
    assert statuses(caller, 1) == [200]
    mock.scenarios.switch(one.id, True)
    assert statuses(caller, 2) == [503, 200]


def test_a_forced_answer_has_the_body_and_headers_that_were_given(caller: Caller, mock: Mock) -> None:
    def answer(**fields: Any) -> TestResponse:
        mock.scenarios.replace([{"answer": fields}])
        response: TestResponse = caller.post(FACE, face())
        return response

    slow_down = answer(status=429, retry_after=7)
    assert (slow_down.status_code, slow_down.headers["Retry-After"]) == (429, "7")
    assert slow_down.json == {"code": "too_many_requests", "message": "Too Many Requests"}
    assert answer(status=500, body={"oops": [1, None]}).json == {"oops": [1, None]}
    assert answer(status=200, body=None).data == b"null"
    text = answer(status=503, body="down", headers={"X-Why": "tea"})
    assert (text.text, text.mimetype, text.headers["X-Why"]) == ("down", "text/plain", "tea")
    page = answer(status=502, body="<p>", headers={"content-type": "text/html"})
    assert (page.text, page.headers["Content-Type"]) == ("<p>", "text/html")


def test_a_job_can_be_made_to_end_in_anything(caller: Caller, mock: Mock) -> None:
    def end_of(job: str, asset: str = "api-assets/id/1234.png") -> dict[str, Any]:
        mock.scenarios.replace([{"job": job}])
        project_id = caller.create(face(asset))
        mock.world.clock.advance(3600)
        return caller.project(project_id)

    assert end_of("complete", "api-assets/test/no_source_face.png")["status"] == "complete"
    canceled = end_of("canceled")
    assert (canceled["status"], canceled["credits_charged"], canceled["error"]) == ("canceled", 0, None)
    failed = end_of("content_policy_violation")
    assert failed["error"]["code"] == "content_policy_violation"
    assert failed["error"]["message"] == "The request violates the content policy"
    assert end_of("gpu_on_fire")["error"]["code"] == "gpu_on_fire"
    stuck = end_of("stuck")
    assert (stuck["status"], stuck["credits_charged"], stuck["downloads"]) == ("queued", 1, [])


def test_a_poll_does_not_use_up_a_rule_for_jobs(caller: Caller, mock: Mock) -> None:
    mock.scenarios.replace([{"job": "no_source_face", "times": 1}, {"times": 1, "answer": {"status": 503}}])
    assert caller.client.get("/v1/image-projects/cuid-example", headers=caller.headers).status_code == 503
    project_id = caller.create(face())
    mock.world.clock.advance(60)
    assert caller.project(project_id)["error"]["code"] == "no_source_face"


def test_a_picture_that_can_not_be_read_and_is_to_complete_can_be_downloaded(
    caller: Caller, mock: Mock
) -> None:
    mock.scenarios.add({"job": "complete"})
    project_id = caller.create(face(caller.upload(b"no picture")))
    mock.world.clock.advance(60)
    picture = caller.fetch(caller.project(project_id)["downloads"][0]["url"])
    assert (picture.status_code, picture.mimetype) == (200, "image/png")


def test_uploads_and_downloads_can_be_made_to_fail(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"match": {"operation": "upload", "nth": 1}, "answer": {"status": 500}})
    mock.scenarios.add({"match": {"operation": "download", "nth": 1}, "answer": {"status": 404}})
    item = caller.post(UPLOADS, {"items": [{"type": "image", "extension": "png"}]}).json["items"][0]
    assert [caller.client.put(item["upload_url"], data=b"x").status_code for _ in range(2)] == [500, 200]
    project_id = caller.create(face())
    mock.world.clock.advance(60)
    url = caller.project(project_id)["downloads"][0]["url"]
    assert [caller.fetch(url).status_code for _ in range(2)] == [404, 200]


def test_an_answer_may_be_another_one_though_the_request_was_carried_out(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"answer": {"status": 503}, "carry_out": True, "times": 1})
    answer = caller.post(FACE, face())
    assert (answer.status_code, answer.json["code"]) == (503, "service_unavailable")
    (project,) = mock.world.store.projects()
    (entry,) = caller.client.get("/_mock/journal").json["entries"]  # type: ignore[index]  # it has a body
    assert (entry["credits"], entry["project"], entry["response"]["status"]) == (-1, project.id, 503)
    assert entry["forced"] == "rule-1: status 503 after it was carried out"
    assert caller.project(project.id)["status"] == "queued"


def test_what_is_carried_out_may_end_as_a_rule_says(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"answer": {"status": 500}, "carry_out": True, "job": "canceled"})
    assert caller.post(FACE, face()).status_code == 500
    mock.world.clock.advance(60)
    (project,) = mock.world.store.projects()
    assert caller.project(project.id)["status"] == "canceled"


def test_a_refused_request_gets_the_rules_answer_as_well(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"answer": {"status": 500}, "carry_out": True})
    assert caller.post(FACE, {}).status_code == 500
    assert mock.world.store.projects() == []


def test_an_upload_that_arrived_may_be_answered_as_if_it_had_not(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"match": {"operation": "upload"}, "answer": {"status": 500}, "carry_out": True})
    item = caller.post(UPLOADS, {"items": [{"type": "image", "extension": "png"}]}).json["items"][0]
    for link in (item["upload_url"], item["upload_url"] + "0"):
        assert caller.client.put(link, data=png()).status_code == 500
    project_id = caller.create(face(item["file_path"]))
    mock.world.clock.advance(60)
    assert caller.project(project_id)["status"] == "complete"


def test_a_download_may_be_answered_by_something_else_once_it_is_ready(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"match": {"operation": "download"}, "answer": {"status": 500}, "carry_out": True})
    project_id = caller.create(face())
    mock.world.clock.advance(60)
    answer = caller.fetch(caller.project(project_id)["downloads"][0]["url"])
    assert (answer.status_code, answer.mimetype) == (500, "application/json")


@pytest.mark.parametrize("fault", ["html"])
def test_a_bad_gateway_carries_nothing_out(caller: Caller, mock: Mock, fault: str) -> None:
    mock.scenarios.add({"fault": fault})
    answer = caller.post(FACE, face())
    assert (answer.status_code, answer.mimetype) == (502, "text/html")
    assert mock.world.store.projects() == []


def test_a_spoiled_answer_is_one_whose_request_was_carried_out(caller: Caller, mock: Mock) -> None:
    def spoiled(fault: str) -> TestResponse:
        mock.scenarios.replace([{"fault": fault}])
        response: TestResponse = caller.post(FACE, face())
        return response

    assert spoiled("wrong_content_type").mimetype == "text/html"
    assert "Content-Type" not in spoiled("no_content_type").headers
    assert spoiled("empty_body").data == b""
    half = spoiled("malformed_json")
    assert half.data.startswith(b'{"id":"')
    assert not half.data.endswith(b"}")
    assert half.headers["Content-Length"] == str(len(half.data))
    assert len(mock.world.store.projects()) == 4


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, "the rule does nothing: give it one of answer, delay, fault, job"),
        ({"match": {"operation": "nope"}, "delay": 1}, "there is no operation 'nope'; there are"),
        ({"answer": {"status": 500}, "job": "complete"}, "answer and job exclude each other"),
        ({"fault": "html", "answer": {"status": 500}}, "the fault html is an answer of its own"),
        ({"fault": "cut", "carry_out": False}, "carry_out: false goes with the fault drop"),
        ({"job": "complete", "carry_out": False}, "carry_out: false goes with the fault drop"),
        (
            {"answer": {"status": 500}, "job": "complete", "carry_out": False},
            "answer and job exclude each other",
        ),
        (
            {"match": {"operation": "imageProjects.delete"}, "job": "canceled"},
            "the operation imageProjects.delete creates no project",
        ),
        ({"match": {"operation": "upload"}, "job": "canceled"}, "the operation upload creates no project"),
    ],
)
def test_a_rule_that_can_not_be_says_why(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(RuleError, match=wrong):
        Rule("rule-1", given, load())


def test_every_fault_of_the_control_api_is_known_by_name_and_no_other() -> None:
    rule = control_contract().document["components"]["schemas"]["Rule"]
    assert list(get_args(Fault)) == rule["properties"]["fault"]["enum"]


def test_a_refused_list_of_rules_leaves_the_old_ones(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add(FAILS)
    with pytest.raises(RuleError, match=r"rules\[1\]: the rule does nothing"):
        mock.scenarios.replace([{"delay": 1}, {}])
    assert statuses(caller, 1) == [503]


def test_reset_comes_back_to_the_rules_of_the_start(caller: Caller, mock: Mock) -> None:
    mock.scenarios.start_with([{"match": {"nth": 1}, **FAILS}])
    mock.scenarios.add({"answer": {"status": 500}})
    assert statuses(caller, 2) == [503, 500]
    mock.world.reset()
    assert statuses(caller, 2) == [503, 200]


def test_new_rules_of_the_start_leave_the_added_ones(caller: Caller, mock: Mock) -> None:
    mock.scenarios.start_with([{"times": 1, "answer": {"status": 500}}])
    mock.scenarios.add({"times": 1, "answer": {"status": 503}})
    mock.scenarios.start_with([{"times": 1, "answer": {"status": 501}}])
    assert statuses(caller, 3) == [501, 503, 200]


def test_a_rule_of_the_start_that_stays_as_it_was_goes_on_counting(caller: Caller, mock: Mock) -> None:
    second = {"match": {"nth": 2}, "answer": {"status": 503}}
    mock.scenarios.start_with([second])
    assert statuses(caller, 1) == [200]
    mock.scenarios.start_with([dict(second), {"name": "another", "delay": 0}])
    assert statuses(caller, 2) == [503, 200]


def test_under_another_contract_rules_go_by_what_they_name(caller: Caller, mock: Mock) -> None:
    document = copy.deepcopy(load().document)
    document["paths"][FACE]["post"]["operationId"] = "renamed"
    mock.scenarios.start_with([{"match": {"operation": f"POST {FACE}", "nth": 2}, "answer": {"status": 503}}])
    assert statuses(caller, 1) == [200]
    mock.scenarios.adopt(Contract(document))
    (rule,) = mock.scenarios.all()
    assert rule.effect_on(Facts("renamed", None, b""), mock.world.store.notes) is not None
    mock.scenarios.replace([])
    document["paths"].pop(FACE)
    with pytest.raises(RuleError, match="there is no operation"):  # what a reset would bring back
        mock.scenarios.adopt(Contract(document))


def test_concurrency_is_limited_only_where_it_is_asked_for(caller: Caller, mock: Mock) -> None:
    free = Caller(caller.client, "mhk_test_free_10")
    assert statuses(free, 3) == [200, 200, 200]


def test_with_concurrency_a_plan_runs_so_many_jobs_at_a_time(store_url: str) -> None:
    with closing(Mock(settings=Settings(store=store_url, time_scale=1, concurrency=True))) as mock:
        mock.world.clock.freeze()
        client = create_app(mock).test_client()
        creator = Caller(client, "mhk_test_creator_10")
        assert statuses(creator, 4) == [200, 200, 200, 429]
        refused = creator.post(FACE, face())
        assert refused.json["code"] == "too_many_requests"
        assert "the creator plan allows 3 jobs" in refused.json["message"]
        mock.world.clock.advance(60)
        assert statuses(creator, 1) == [200]
        assert statuses(Caller(client, "mhk_test_business_100"), 20) == [200] * 20
        assert creator.client.get("/_mock/accounts").json["accounts"][0]["credits"] == 6  # type: ignore[index]  # it has a body
