"""State: what is sent to any file's operations comes back from the others, whatever the store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from werkzeug.test import TestResponse

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from tests.profiles import examples

SPECS = Path(__file__).parents[2] / "openapi" / "specs"
SHOP, SCRIBE = SPECS / "pet-shop-3.0.yaml", SPECS / "scribe-3.1.yaml"
OWNER = {"Authorization": "Bearer any-token"}
KEY = {"X-Scribe-Key": "any-key"}
JOB_SECONDS = 3.0
ORDER = {"audio_url": "http://a.example/talk.mp3", "language": "de"}

names = st.text("abcß/%? ", min_size=1, max_size=6)
statuses = st.sampled_from(["available", "pending", "sold"])
pets = st.fixed_dictionaries(
    {"name": names, "photoUrls": st.lists(names, max_size=2)},
    optional={"status": statuses, "tags": st.lists(st.fixed_dictionaries({"name": names}), max_size=2)},
)


class ShopMachine(RuleBasedStateMachine):
    """Does to a mock what it does to a dict, and compares; one of memory, one of a file."""

    ids = Bundle("ids")

    @initialize(store=st.sampled_from(["memory://", "sqlite"]))
    def open(self, store: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        url = store if store == "memory://" else f"sqlite:///{self.folder.name}/shop.db"
        self.mock = Mock(load(SHOP), Settings(store=url))
        self.client = create_app(self.mock).test_client()
        self.pets: dict[int, Any] = {}

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        return self.client.open(f"/api/v3{path}", method=method, headers=OWNER, **options)

    @rule(target=ids, pet=pets)
    def add(self, pet: dict[str, Any]) -> int:
        answer = self.call("POST", "/pet", json=pet)
        assert answer.status_code == 200
        made: Any = answer.json
        assert made["id"] not in self.pets
        assert {**pet, "id": made["id"]} == made
        self.pets[made["id"]] = made
        return int(made["id"])

    @rule(target=ids, pet=pets, wanted=st.integers(1, 3))
    def add_by_an_id_of_ones_own(self, pet: dict[str, Any], wanted: int) -> int:
        self.pets[wanted] = {**pet, "id": wanted}
        assert self.call("POST", "/pet", json=self.pets[wanted]).json == self.pets[wanted]
        return wanted

    @rule(pet_id=ids)
    def get(self, pet_id: int) -> None:
        answer = self.call("GET", f"/pet/{pet_id}")
        assert (answer.status_code, answer.json) == self.expected(pet_id)

    @rule(pet_id=ids, pet=pets)
    def replace(self, pet_id: int, pet: dict[str, Any]) -> None:
        if pet_id in self.pets:
            self.pets[pet_id] = {**pet, "id": pet_id}
        answer = self.call("PUT", "/pet", json={**pet, "id": pet_id})
        assert (answer.status_code, answer.json) == self.expected(pet_id)

    @rule(pet_id=ids, status=statuses)
    def update(self, pet_id: int, status: str) -> None:
        if pet_id in self.pets:
            self.pets[pet_id] = {**self.pets[pet_id], "status": status}
        answer = self.call("POST", f"/pet/{pet_id}", query_string={"status": status})
        assert (answer.status_code, answer.json) == self.expected(pet_id)

    @rule(pet_id=ids)
    def delete(self, pet_id: int) -> None:
        status = 200 if self.pets.pop(pet_id, None) else 404
        assert self.call("DELETE", f"/pet/{pet_id}").status_code == status

    @rule(status=statuses)
    def find(self, status: str) -> None:
        if self.pets:
            found: Any = self.call("GET", f"/pet/findByStatus?status={status}").json
            expected = [pet for pet in self.pets.values() if pet.get("status") == status]
            assert sorted(found, key=itemgetter("id")) == sorted(expected, key=itemgetter("id"))

    @rule(target=ids, pet=pets)
    def reset(self, pet: dict[str, Any]) -> Any:
        self.mock.world.reset()
        self.pets.clear()
        assert self.call("GET", "/pet/77").status_code == 200, "the example, as nothing is known yet"
        return self.add(pet)

    def expected(self, pet_id: int) -> tuple[int, Any]:
        return (200, self.pets[pet_id]) if pet_id in self.pets else (404, None)

    def teardown(self) -> None:
        if hasattr(self, "mock"):
            self.mock.close()
            self.folder.cleanup()


TestShop = ShopMachine.TestCase
TestShop.settings = examples(12, stateful_step_count=20)


# --- jobs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze()
    return clock


@pytest.fixture
def mock(clock: Clock) -> Iterator[Mock]:
    with closing(Mock(load(SCRIBE), clock=clock)) as mock:
        yield mock


@pytest.fixture
def scribe(mock: Mock) -> FlaskClient:
    client = create_app(mock).test_client()
    client.environ_base["HTTP_X_SCRIBE_KEY"] = "any-key"
    return client


def begun(scribe: FlaskClient, **order: Any) -> str:
    answer: Any = scribe.post("/v2/transcriptions", json={**ORDER, **order})
    assert answer.status_code == 202
    return f"/v2/transcriptions/{answer.json['transcription_id']}"


def test_a_job_advances_by_the_clock(scribe: FlaskClient, clock: Clock) -> None:
    path = begun(scribe, title="Talk")
    seen = []
    for pause in (0, JOB_SECONDS / 4, JOB_SECONDS * 3 / 4):
        clock.advance(pause)
        job: Any = scribe.get(path).json
        seen.append((job["state"], job["text"] is None, "result_url" in job, job["error"]))
        assert (job["language"], job["title"]) == ("de", "Talk")
    assert seen == [
        ("QUEUED", True, False, None),
        ("WORKING", True, False, None),
        ("DONE", False, True, None),
    ]


def test_the_answer_says_where_the_job_is(scribe: FlaskClient) -> None:
    answer = scribe.post("/v2/transcriptions", json=ORDER)
    assert scribe.get(answer.headers["Location"]).status_code == 200
    assert answer.headers["Location"].startswith("http://localhost/v2/transcriptions/")


def test_a_rule_ends_a_job_otherwise(scribe: FlaskClient, mock: Mock, clock: Clock) -> None:
    mock.scenarios.add({"match": {"operation": "startTranscription"}, "job": "no_speech"})
    path = begun(scribe)
    clock.advance(JOB_SECONDS)
    job: Any = scribe.get(path).json
    assert (job["state"], job["text"]) == ("FAILED", None)
    assert job["error"]


def test_a_stuck_job_is_never_done(scribe: FlaskClient, mock: Mock, clock: Clock) -> None:
    mock.scenarios.add({"match": {"operation": "startTranscription"}, "job": "stuck"})
    path = begun(scribe)
    clock.advance(1e6)
    job: Any = scribe.get(path).json
    assert job["state"] == "QUEUED"


def test_a_job_can_be_cancelled_until_it_is_done(scribe: FlaskClient, clock: Clock) -> None:
    first, second = begun(scribe), begun(scribe)
    cancelled: Any = scribe.post(f"{first}/cancel").json
    assert cancelled["state"] == "CANCELLED"
    clock.advance(JOB_SECONDS)
    states: list[Any] = [scribe.get(first).json, scribe.post(f"{second}/cancel").json]
    assert [each["state"] for each in states] == ["CANCELLED", "DONE"]


def test_a_list_is_filtered_and_limited(scribe: FlaskClient, clock: Clock) -> None:
    paths = [begun(scribe, language=language) for language in ("de", "en", "de")]
    scribe.post(f"{paths[2]}/cancel")
    clock.advance(JOB_SECONDS)

    def listed(query: str) -> tuple[int, list[str]]:
        body: Any = scribe.get(f"/v2/transcriptions?{query}").json
        ids = [f"/v2/transcriptions/{each['transcription_id']}" for each in body["transcriptions"]]
        return body["total"], ids

    assert listed("") == (3, paths)
    assert listed("language=de") == (2, [paths[0], paths[2]])
    assert listed("language=de&state=DONE") == (1, [paths[0]])
    assert listed("limit=1&offset=1") == (3, [paths[1]])
    assert listed("language=fr") == (0, [])


def test_a_patch_changes_what_it_names(scribe: FlaskClient) -> None:
    path = begun(scribe, title="Old", speakers=2)
    before: Any = scribe.get(path).json
    assert scribe.patch(path, json={"title": "New"}).json == {**before, "title": "New"}
    assert scribe.get(path).json == {**before, "title": "New"}


def test_what_is_refused_changes_nothing(scribe: FlaskClient) -> None:
    path = begun(scribe, title="Old")
    assert scribe.patch(path, json={"title": ""}).status_code == 422
    assert scribe.post("/v2/transcriptions", json={}).status_code == 422
    body: Any = scribe.get("/v2/transcriptions").json
    assert [each["title"] for each in body["transcriptions"]] == ["Old"]


def test_one_thing_is_what_was_put(scribe: FlaskClient) -> None:
    assert scribe.get("/v2/preferences").status_code == 200
    scribe.put("/v2/preferences", json={"language": "fr", "punctuation": False})
    assert scribe.get("/v2/preferences").json == {"language": "fr", "punctuation": False}
    scribe.put("/v2/preferences", json={"language": "it"})
    assert scribe.get("/v2/preferences").json == {"language": "it", "punctuation": True}


def test_what_was_never_made_is_not_found_once_something_was(scribe: FlaskClient) -> None:
    unknown = "/v2/transcriptions/00000000-0000-4000-8000-000000000000"
    assert scribe.get(unknown).status_code == 200, "the example, as long as nothing is known"
    begun(scribe)
    for answer in (scribe.get(unknown), scribe.delete(unknown), scribe.patch(unknown, json={"title": "x"})):
        assert answer.status_code == 404
        assert answer.json == {"title": "text", "status": 404, "detail": "Not Found"}


def test_stateless_answers_by_the_examples_alone() -> None:
    with closing(Mock(load(SHOP), Settings(stateless=True))) as mock:
        client = create_app(mock).test_client()
        made: Any = client.post("/api/v3/pet", json={"name": "Tom", "photoUrls": []}, headers=OWNER).json
        assert made["name"] == "Rex"
        assert client.delete("/api/v3/pet/10", headers=OWNER).status_code == 200
        assert client.get("/api/v3/pet/10", headers=OWNER).json == made
        assert "state:" not in client.get("/docs").get_data(as_text=True)


def test_the_reference_tells_what_keeps_state(scribe: FlaskClient) -> None:
    html = scribe.get("/docs").get_data(as_text=True)
    for told in ("adds to", "lists", "reads from", "changes in", "deletes from"):
        assert f"state: {told} /transcriptions" in html
    assert "state: reads /preferences" in html


def test_state_survives_a_restart(tmp_path: Path) -> None:
    settings = Settings(store=f"sqlite:///{tmp_path}/scribe.db")
    with closing(Mock(load(SCRIBE), settings)) as mock:
        answer = create_app(mock).test_client().post("/v2/transcriptions", json=ORDER, headers=KEY)
    with closing(Mock(load(SCRIBE), settings)) as mock:
        again = create_app(mock).test_client().get(answer.headers["Location"], headers=KEY)
    body: Any = again.json
    assert (again.status_code, body["language"]) == (200, "de")


def test_items_are_shown_by_the_control_api(scribe: FlaskClient, mock: Mock, clock: Clock) -> None:
    first, second = begun(scribe, title="One"), begun(scribe, title="Two")
    scribe.post(f"{first}/cancel")
    scribe.delete(second)
    scribe.put("/v2/preferences", json={"language": "fr"})
    shown: Any = scribe.get("/_mock/items").json
    assert [(each["collection"], each["status"], each["operation"]) for each in shown["items"]] == [
        ("/transcriptions", "CANCELLED", "startTranscription"),
        ("/preferences", None, "setPreferences"),
    ]
    assert shown["items"][0]["item"]["title"] == "One"
    state: Any = scribe.get("/_mock/state").json
    assert state["items"] == 2
    scribe.post("/_mock/reset", json={})
    assert scribe.get("/_mock/items").json == {"items": []}
