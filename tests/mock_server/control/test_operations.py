"""The control API, operation by operation, as a test or a script uses it."""

from __future__ import annotations

import io
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from bluehour.mock_server.app import create_console
from bluehour.mock_server.control.contract import control_contract
from bluehour.mock_server.control.feature import ControlFeature
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.rendering.media.video import write_video

from ..conftest import FACE, PHOTO, UPLOADS, Caller, data, example, face, photo


class Control:
    """Calls the control API."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.answer(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json if answer.data and answer.is_json else answer.data

    def answer(self, method: str, path: str, body: Any = None) -> TestResponse:
        options = {} if body is None else {"json": body}
        return self._client.open(f"/_mock{path}", method=method, buffered=True, **options)


@pytest.fixture
def control(client: FlaskClient) -> Control:
    return Control(client)


def png(colour: str = "red", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video of two seconds."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    still = Image.new("RGB", (64, 48), "red")
    write_video(path, lambda _: still, size=still.size, seconds=2, fps=24, has_sound=False)
    return path.read_bytes()


@pytest.mark.parametrize("levels", [190, 250, 300, 900, 50_000])
@pytest.mark.parametrize(
    "where", ['{"answer": {"status": 200, "body": %s}}', '{"delay": 1, "match": {"body": {"a": %s}}}']
)
def test_what_is_accepted_as_a_rule_can_be_shown(client: FlaskClient, where: str, levels: int) -> None:
    rule = where % ("[" * levels + "]" * levels)
    for method, path, body in (
        ("POST", "/_mock/rules", rule),
        ("PUT", "/_mock/rules", f'{{"rules": [{rule}]}}'),
    ):
        answer = client.open(path, method=method, data=body, content_type="application/json")
        assert answer.status_code in ((200, 201) if levels < 200 else (400,))
        assert client.get("/_mock/rules").status_code == 200


def test_every_operation_of_the_contract_is_there_and_no_other() -> None:
    with closing(Mock()) as mock:
        handlers = mock.feature(ControlFeature).handlers
    assert handlers.keys() == {operation.id for operation in control_contract().operations}


def test_every_published_example_is_legal() -> None:
    for operation in control_contract().operations:
        for media in operation.body.content.values() if operation.body else ():
            for published in media.examples:
                assert media.schema.accepts(published), (operation.id, published)


def test_a_proxy_has_the_journal_alone() -> None:
    with closing(Mock(upstream="https://api.example.com")) as mock:
        control = Control(create_console(mock).test_client())
        state = control("GET", "/state")
        assert (state["mode"], state["settings"]["upstream"]) == ("proxy", "https://api.example.com")
        assert control("GET", "/journal")["entries"] == []
        control("DELETE", "/journal", status=204)
        assert control.answer("GET", "").status_code == 200
        for operation in control_contract().operations:
            if not operation.node.get("x-proxy"):
                path = operation.path.replace("{which}", "before").replace("{id}", "1")
                body = next(iter(operation.body.content.values())).example if operation.body else None
                refusal = control(operation.method, path.removeprefix("/_mock"), body, status=404)
                assert "This is a proxy before https://api.example.com" in refusal["message"]
        assert control("GET", "/nothing", status=404)["code"] == "not_found"


def test_the_state_tells_what_runs(control: Control, caller: Caller) -> None:
    caller.create(face())
    state = control("GET", "/state")
    assert (state["accounts"], state["projects"], state["rules"], state["journal"]) == (1, 1, 0, 1)
    assert state["clock"]["frozen"] is True
    assert "no_source_face" in state["contract"]["job_errors"]
    assert {"image.started", "video.completed", "audio.errored"} < set(state["contract"]["events"])


def test_the_state_tells_what_can_be_made_by_group_and_its_price(control: Control) -> None:
    operations = {each["id"]: each for each in control("GET", "/state")["contract"]["operations"]}
    assert len(operations) == 43
    prices = {
        "aiFaceEditor.editImage": ("Image Projects", "1 credit"),
        "aiQrCodeGenerator.createImage": ("Image Projects", "free"),
        "faceDetection.detectFaces": ("Files", "free"),
        "aiMusicGenerator.createAudio": ("Audio Projects", "from 15 credits"),
        "lipSync.createVideo": ("Video Projects", "from 60 credits, settled when it is done"),
    }
    for name, (group, price) in prices.items():
        known = operations[name]
        assert (known["creates"], known["group"], known["price"]) == (True, group, price)
    assert not operations["videoProjects.getDetails"]["creates"]


class TestClock:
    def test_it_is_frozen_advanced_and_set(self, control: Control, mock: Mock) -> None:
        before = mock.world.clock.now()
        assert control("POST", "/clock", {"advance": 90.5})["epoch"] == before + 90.5
        later = control("POST", "/clock", {"set": "2030-01-01T00:00:00Z"})
        assert (later["now"], later["frozen"]) == ("2030-01-01T00:00:00.000Z", True)
        assert control("POST", "/clock", {"set": later["epoch"] + 1})["now"] == "2030-01-01T00:00:01.000Z"
        assert control("POST", "/clock", {"frozen": False})["frozen"] is False
        assert control("GET", "/clock")["ahead"] > 86400

    def test_all_three_in_one_call_act_in_their_order(self, control: Control) -> None:
        clock = control("POST", "/clock", {"advance": 1, "set": "2031-01-01T02:00:00+02:00", "frozen": True})
        assert (clock["now"], clock["frozen"]) == ("2031-01-01T00:00:01.000Z", True)

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({"set": "2001-01-01T00:00:00Z", "frozen": False}, "only goes forward"),
            ({"set": "tomorrow"}, "set"),
            ({"advance": -1}, "advance must be at least 0"),
            ({"set": 9e10, "advance": 1e9}, None),
            ({"set": 1e11, "advance": 1}, "can't go beyond 5138"),
            ({"set": "2030-12-31T23:59:60Z"}, "is no time that the clock can show"),
            ({"set": "9999-12-31T23:59:59-14:00"}, "is no time that the clock can show"),
            ({}, "must have at least 1 field"),
            ({"freeze": True}, "'freeze' was unexpected"),
        ],
    )
    def test_what_it_can_not_do_changes_nothing(
        self, control: Control, mock: Mock, body: dict[str, Any], wrong: str | None
    ) -> None:
        before = mock.world.clock.now()
        if wrong is None:
            control("POST", "/clock", body)
            return
        assert wrong in control("POST", "/clock", body, status=400)["message"]
        assert (mock.world.clock.now(), mock.world.clock.frozen) == (before, True)

    def test_statuses_refunds_and_links_follow_it(self, control: Control, caller: Caller) -> None:
        failing = caller.create(face("api-assets/test/no_source_face.png"))
        done = caller.create(photo(), PHOTO)
        assert [caller.project(one)["status"] for one in (failing, done)] == ["queued", "queued"]
        control("POST", "/clock", {"advance": 60})
        assert [caller.project(one)["status"] for one in (failing, done)] == ["error", "complete"]
        assert control("GET", "/accounts")["accounts"][0]["credits"] == 90
        url = caller.project(done)["downloads"][0]["url"]
        assert caller.fetch(url).status_code == 200
        control("POST", "/clock", {"advance": 86401})
        assert caller.fetch(url).status_code == 403


class TestReset:
    def test_everything_that_happened_is_forgotten(
        self, control: Control, caller: Caller, mock: Mock
    ) -> None:
        project_id = caller.create(face(caller.upload(png())))
        control("POST", "/rules", {"delay": 0}, status=201)
        control("POST", "/webhooks", {"url": "http://127.0.0.1:9/"}, status=201)
        control("POST", "/clock", {"advance": 60})
        state = control("POST", "/reset")
        assert [state[what] for what in ("accounts", "projects", "rules", "webhooks", "journal")] == [0] * 5
        assert abs(state["clock"]["ahead"]) < 60
        assert state["clock"]["frozen"] is False
        assert (
            caller.client.get(f"/v1/image-projects/{project_id}", headers=caller.headers).status_code == 404
        )
        assert [
            path
            for path in mock.world.files.upload("x").parents[1].rglob("*.*")
            if path.is_file() and path.name != ".lock"
        ] == []
        caller.create(face())

    def test_only_then_may_the_clock_stand_in_the_past(self, control: Control, caller: Caller) -> None:
        control("POST", "/clock", {"advance": 10_000_000})
        clock = control("POST", "/reset", {"clock": "2024-02-29T12:00:00Z"})["clock"]
        assert (clock["now"], clock["frozen"]) == ("2024-02-29T12:00:00.000Z", True)
        assert caller.project(caller.create(face()))["created_at"] == "2024-02-29T12:00:00.000Z"

    @pytest.mark.parametrize(
        "time",
        ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", -1, 1e12, "soon"],
    )
    def test_a_time_that_no_clock_shows_resets_nothing(
        self, control: Control, caller: Caller, time: object
    ) -> None:
        caller.create(face())
        control("POST", "/reset", {"clock": time}, status=400)
        assert control("GET", "/state")["projects"] == 1

    def test_times_are_read_in_lower_case_too(self, control: Control) -> None:
        clock = control("POST", "/reset", {"clock": "2026-01-24t09:00:00z"})["clock"]
        assert clock["now"] == "2026-01-24T09:00:00.000Z"

    def test_what_is_no_file_of_ours_stays(self, control: Control, caller: Caller, mock: Mock) -> None:
        caller.upload(b"x")
        folder = mock.world.files.upload("x").parent / "somebody's"
        folder.mkdir()
        control("POST", "/reset")
        assert [path.name for path in folder.parent.iterdir()] == ["somebody's"]


class TestAccounts:
    def test_one_is_opened_by_its_token_with_credits_and_plan(self, control: Control, caller: Caller) -> None:
        account = control("POST", "/accounts", {"token": "rich-and-pro", "credits": 12345, "plan": "pro"})
        assert (account["plan"], account["credits"], account["token"]) == ("pro", 12345, "rich-a…")
        caller = Caller(caller.client, "rich-and-pro")
        caller.create(face())
        assert control("GET", "/accounts")["accounts"] == [{**account, "credits": 12344}]

    def test_credits_are_what_they_are_set_to_and_run_out(
        self, control: Control, caller: Caller, mock: Mock
    ) -> None:
        caller.create(face())
        account = control("GET", "/accounts")["accounts"][0]
        mock.world.clock.advance(1)
        changed = control("PATCH", f"/accounts/{account['id']}", {"credits": 1})
        mock.world.clock.advance(1)
        assert changed["credits"] == 1
        assert [caller.post(FACE, face()).status_code for _ in range(2)] == [200, 402]
        ledger = control("GET", f"/accounts/{account['id']}")["ledger"]
        assert [(each["amount"], each["balance"]) for each in ledger] == [
            (100, 100),
            (-1, 99),
            (-98, 1),
            (-1, 0),
        ]
        assert [each["project"] is None for each in ledger] == [True, False, True, False]
        assert [each["reason"] for each in ledger] == ["given", "charge", "given", "charge"]

    def test_a_refund_and_a_settlement_are_lines_of_their_own(
        self, control: Control, mock: Mock, client: FlaskClient, video: bytes
    ) -> None:
        caller = Caller(client, "mhk_test_creator_1000")
        caller.create(face("api-assets/test/no_source_face.png"))
        mock.world.clock.advance(60)
        body = example("faceSwap.createVideo")
        body["assets"]["video_file_path"] = caller.upload(video, "video", "mp4")
        caller.create(body, "/v1/face-swap")
        mock.world.clock.advance(1000)
        (account,) = control("GET", "/accounts")["accounts"]
        ledger = control("GET", f"/accounts/{account['id']}")["ledger"]
        assert [(each["amount"], each["reason"]) for each in ledger] == [
            (1000, "given"),
            (-1, "charge"),
            (1, "refund"),
            (-120, "charge"),  # of 5 seconds, of which the upload has 2
            (72, "settlement"),
        ]

    def test_a_plan_gates_from_then_on(self, control: Control, caller: Caller) -> None:
        control("POST", "/accounts", {"token": "mhk_test_creator_100", "plan": "free"})
        answer = caller.post(PHOTO, photo(resolution=1024))
        assert (answer.status_code, answer.json["code"]) == (402, "plan_upgrade_required")
        control("POST", "/accounts", {"token": "mhk_test_creator_100", "plan": "business"})
        assert caller.post(PHOTO, photo(resolution=1024)).status_code == 200

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({"token": "a", "plan": "gold"}, "there is no plan 'gold'; there are free, creator"),
            ({"token": "a", "credits": -1}, "credits must be at least 0"),
            ({"token": "a", "credits": 1.5}, "expected integer, got float"),
            ({"token": ""}, "token must have at least 1 character"),
            ({"token": "mhk_test_invalid"}, "the mock refuses it"),
            ({"credits": 1}, "Missing required field: token"),
        ],
    )
    def test_a_slip_is_told_and_opens_nothing(
        self, control: Control, body: dict[str, Any], wrong: str
    ) -> None:
        assert wrong in control("POST", "/accounts", body, status=400)["message"]
        assert control("GET", "/accounts")["accounts"] == []

    def test_one_that_there_is_not_is_not_found(self, control: Control) -> None:
        assert control("GET", "/accounts/acc_none", status=404)["message"] == "There is no account acc_none"
        control("PATCH", "/accounts/acc_none", {"credits": 1}, status=404)


class TestProjects:
    def test_they_are_listed_newest_first_with_their_requests(
        self, control: Control, caller: Caller, mock: Mock
    ) -> None:
        first = caller.create(face(mouth_smile=60))
        mock.world.clock.advance(1)
        second = caller.create(photo(), PHOTO)
        projects = control("GET", "/projects")["projects"]
        assert [each["project"]["id"] for each in projects] == [second, first]
        assert projects[1]["request"] == face(mouth_smile=60)
        assert projects[1]["outcome"] == "complete"
        assert projects[1]["finished_at"] > projects[1]["project"]["created_at"]
        assert projects[1]["pictures"] == {"before": [], "after": []}
        assert control("GET", "/projects?limit=1")["projects"] == projects[:1]
        assert control("GET", "/projects?account=nobody")["projects"] == []

    @pytest.mark.parametrize("seconds", [0, 1.5])
    @pytest.mark.parametrize("outcome", ["complete", "canceled", "no_source_face", "gpu_on_fire"])
    def test_an_unfinished_one_is_ended_as_told_and_at_once(
        self, control: Control, caller: Caller, mock: Mock, outcome: str, seconds: float
    ) -> None:
        project_id = caller.create(face("api-assets/test/unknown_error.png"))
        mock.world.clock.advance(seconds)
        control("POST", f"/projects/{project_id}/outcome", {"outcome": outcome})
        project = caller.project(project_id)
        expected = outcome if outcome in ("complete", "canceled") else "error"
        assert project["status"] == expected
        assert (project["error"] or {}).get("code") == (outcome if expected == "error" else None)
        assert project["credits_charged"] == (1 if outcome == "complete" else 0)
        balance = 99 if outcome == "complete" else 100
        assert control("GET", "/accounts")["accounts"][0]["credits"] == balance
        mock.world.clock.advance(1000)
        assert caller.project(project_id)["status"] == expected
        assert control("GET", "/accounts")["accounts"][0]["credits"] == balance

    def test_a_finished_one_keeps_its_outcome(self, control: Control, caller: Caller, mock: Mock) -> None:
        project_id = caller.create(face())
        mock.world.clock.advance(60)
        refused = control("POST", f"/projects/{project_id}/outcome", {"outcome": "canceled"}, status=409)
        assert "has ended already: complete" in refused["message"]
        assert caller.project(project_id)["status"] == "complete"

    def test_one_that_there_is_not_is_not_found(self, control: Control) -> None:
        control("GET", "/projects/none", status=404)
        control("POST", "/projects/none/outcome", {"outcome": "complete"}, status=404)
        control("GET", "/projects/none/pictures/before", status=404)

    def test_an_outcome_that_can_not_be_is_told(self, control: Control, caller: Caller) -> None:
        project_id = caller.create(face())
        for wrong in ("", "No Face", "9", 5, None):
            control("POST", f"/projects/{project_id}/outcome", {"outcome": wrong}, status=400)

    def test_its_pictures_are_shown_before_and_after(
        self, control: Control, caller: Caller, mock: Mock
    ) -> None:
        project_id = caller.create(face(caller.upload(png("red"))))
        pictures = control("GET", f"/projects/{project_id}")["pictures"]
        assert pictures["after"] == []
        control("GET", f"/projects/{project_id}/pictures/after", status=404)
        (upload,) = pictures["before"]
        before = caller.fetch(upload["path"])
        assert (before.mimetype, before.data) == ("image/png", png("red"))
        mock.world.clock.advance(60)
        (made,) = control("GET", f"/projects/{project_id}")["pictures"]["after"]
        assert (made["name"], made["media_type"]) == ("output.png", "image/png")
        after = caller.fetch(made["path"])
        assert after.mimetype == "image/png"
        assert after.data != before.data
        caller.delete(project_id)
        assert control("GET", f"/projects/{project_id}")["pictures"]["after"] == []
        control("GET", f"/projects/{project_id}/pictures/before", status=404)

    def test_all_of_its_files_are_there(self, control: Control, caller: Caller, mock: Mock) -> None:
        body = {**example("aiImageGenerator.createImage"), "image_count": 3}
        project_id = caller.create(body, "/v1/ai-image-generator")
        mock.world.clock.advance(60)
        made = control("GET", f"/projects/{project_id}")["pictures"]["after"]
        assert [each["name"] for each in made] == ["output.png", "output-2.png", "output-3.png"]
        assert len({caller.fetch(each["path"]).data for each in made}) == 3
        control("GET", f"/projects/{project_id}/pictures/after?number=4", status=404)
        control("GET", f"/projects/{project_id}/pictures/after?number=0", status=400)

    def test_videos_and_sounds_are_named_by_what_they_are(
        self, control: Control, client: FlaskClient, mock: Mock, video: bytes
    ) -> None:
        caller = Caller(client, "mhk_test_creator_1000")
        body = example("lipSync.createVideo")
        body["assets"]["video_file_path"] = caller.upload(video, "video", "mp4")
        body["assets"]["audio_file_path"] = caller.upload(b"a song", "audio", "mp3")
        project_id = caller.create(body, "/v1/lip-sync")
        mock.world.clock.advance(1000)
        pictures = control("GET", f"/projects/{project_id}")["pictures"]
        assert {each["name"]: each["media_type"] for each in pictures["before"]} == {
            "assets.video_file_path": "video/mp4",
            "assets.audio_file_path": "audio/mpeg",
        }
        assert {caller.fetch(each["path"]).data for each in pictures["before"]} == {video, b"a song"}
        assert [(each["name"], each["media_type"]) for each in pictures["after"]] == [
            ("output.mp4", "video/mp4")
        ]

    def test_a_player_gets_the_part_of_a_video_that_it_asks_for(
        self, control: Control, client: FlaskClient, mock: Mock
    ) -> None:
        caller = Caller(client, "mhk_test_creator_1000")
        project_id = caller.create(example("textToVideo.createVideo"), "/v1/text-to-video")
        mock.world.clock.advance(1000)
        (made,) = control("GET", f"/projects/{project_id}")["pictures"]["after"]
        whole = caller.fetch(made["path"])
        part = client.get(made["path"], headers={"Range": "bytes=100-199"}, buffered=True)
        assert (part.status_code, part.mimetype) == (206, "video/mp4")
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.data)}"
        assert part.data == whole.data[100:200]

    def test_a_kind_of_picture_that_browsers_do_not_show_is_turned_into_one(
        self, control: Control, caller: Caller
    ) -> None:
        tiff = io.BytesIO()
        Image.new("RGB", (8, 8), "blue").save(tiff, "TIFF")
        project_id = caller.create(face(caller.upload(tiff.getvalue(), extension="tiff")))
        picture = control.answer("GET", f"/projects/{project_id}/pictures/before")
        assert picture.mimetype == "image/png"
        assert Image.open(io.BytesIO(picture.data)).getpixel((1, 1)) == (0, 0, 255)


class TestRules:
    def test_one_is_added_listed_switched_and_removed(self, control: Control, caller: Caller) -> None:
        given = {"match": {"operation": "aiFaceEditor.editImage"}, "answer": {"status": 503}}
        rule = control("POST", "/rules", given, status=201)
        assert rule == {"id": "rule-1", "rule": given, "enabled": True, "fitted": 0, "acted": 0}
        assert caller.post(FACE, face()).status_code == 503
        assert control("GET", "/rules")["rules"] == [{**rule, "fitted": 1, "acted": 1}]
        assert control("PATCH", "/rules/rule-1", {"enabled": False})["enabled"] is False
        assert caller.post(FACE, face()).status_code == 200
        control("DELETE", "/rules/rule-1", status=204)
        assert control("GET", "/rules")["rules"] == []
        for method, body in (("DELETE", None), ("PATCH", {"enabled": True})):
            assert control(method, "/rules/rule-1", body, status=404)["message"] == "There is no rule rule-1"

    def test_all_are_replaced_or_none(self, control: Control) -> None:
        control("PUT", "/rules", {"rules": [{"delay": 0}, {"delay": 1}]})
        wrong = control("PUT", "/rules", {"rules": [{"delay": 2}, {}]}, status=400)
        assert wrong["message"].startswith("rules[1]: the rule does nothing")
        assert [each["rule"] for each in control("GET", "/rules")["rules"]] == [{"delay": 0}, {"delay": 1}]
        control("DELETE", "/rules", status=204)
        assert control("GET", "/rules")["rules"] == []

    @pytest.mark.parametrize(
        ("given", "wrong"),
        [
            ({"fault": "explode"}, "fault: expected one of 'drop', 'cut'"),
            ({"delay": "long"}, "Invalid type for delay: expected number, got string"),
            ({"answer": {"status": 100}}, "answer.status must be at least 200"),
            ({"match": {"operaton": "x"}, "delay": 1}, "'operaton' was unexpected"),
            ({"match": {"nth": 0}, "delay": 1}, "match.nth"),
            ({"match": {"probability": 2}, "delay": 1}, "match.probability must be at most 1"),
            ({"match": {"operation": "nope"}, "delay": 1}, "there is no operation 'nope'"),
            ({"name": "idle"}, "the rule does nothing"),
            ({"answer": {"status": 200, "headers": {"X-A": "a\r\nX-B: b"}}}, "answer.headers.X-A"),
            ({"answer": {"status": 200, "headers": {"bad name": "a"}}}, "answer.headers"),
            ({"answer": {"status": 200, "headers": {"": "a"}}}, "answer.headers"),
            ({"answer": {"status": 200, "headers": {"content-length": "1"}}}, "written by the server itself"),
        ],
    )
    def test_a_slip_is_told_where_it_is(self, control: Control, given: Any, wrong: str) -> None:
        assert wrong in control("POST", "/rules", given, status=400)["message"]
        assert control("GET", "/rules")["rules"] == []


class TestJournal:
    def test_it_is_read_by_filters(self, control: Control, caller: Caller, mock: Mock) -> None:
        project_id = caller.create(face())
        caller.post(FACE, face(mouth_smile=7))
        caller.post(PHOTO, {**photo(), "colour": 1})
        Caller(caller.client, "other").post(FACE, face())
        caller.client.get("/v2")
        caller.project(project_id)

        def found(query: str) -> list[int]:
            return [each["id"] for each in control("GET", f"/journal?{query}")["entries"]]

        assert found("") == [1, 2, 3, 4, 5, 6]
        assert found("operation=aiFaceEditor.editImage") == [1, 2, 4]
        assert found("status=400") == [2]
        assert found("status=4xx") == [2, 5]
        assert found("method=get") == [5, 6]
        assert found("path=/v1/image-*") == [6]
        assert found("token=other") == [4]
        assert found(f"account={mock.world.account_id_of('other')}") == [4]
        assert found(f"project={project_id}") == [1, 6]
        assert found("faulty=true") == [2, 5]
        assert found("faulty=false&status=200") == [1, 3, 4, 6]
        assert found("warned=true") == [3]
        assert found("after=4") == [5, 6]
        assert found("limit=2") == [5, 6]
        assert control("GET", "/journal?limit=1")["recorded"] == 6
        assert control("GET", "/journal/3")["warnings"] == ["unknown key colour: it is ignored"]
        control("GET", "/journal/7", status=404)

    @pytest.mark.parametrize("query", ["status=9xx", "faulty=perhaps", "after=-1", "limit=0", "limit=99999"])
    def test_a_filter_that_can_not_be_is_told(self, control: Control, query: str) -> None:
        assert query.partition("=")[0] in control("GET", f"/journal?{query}", status=400)["message"]

    def test_it_is_emptied(self, control: Control, caller: Caller) -> None:
        caller.create(face())
        control("DELETE", "/journal", status=204)
        assert control("GET", "/journal") == {"entries": [], "recorded": 0, "kept": 0}

    def test_it_is_exported_as_an_archive_with_the_same_filters(
        self, control: Control, caller: Caller
    ) -> None:
        caller.create(face())
        caller.client.get("/v2")
        answer = control.answer("GET", "/journal.har?status=404")
        assert "journal.har" in answer.headers["Content-Disposition"]
        (entry,) = data(answer)["log"]["entries"]
        assert entry["request"]["url"] == "http://localhost/v2"
        datetime.fromisoformat(entry["startedDateTime"])


def test_what_there_is_not_is_404_and_405_with_what_there_is(control: Control) -> None:
    assert control.answer("GET", "/none").status_code == 404
    wrong = control.answer("PUT", "/state")
    assert (wrong.status_code, data(wrong)["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b'"x"'])
def test_a_body_that_is_none_is_a_400(control: Control, client: FlaskClient, body: bytes) -> None:
    for path in ("/clock", "/rules", "/accounts", "/webhooks", "/reset"):
        answer = client.post(f"/_mock{path}", data=body, content_type="application/json")
        assert (answer.status_code, data(answer)["code"]) == (400, "invalid_request")


def test_a_form_from_somebody_elses_page_changes_nothing(client: FlaskClient) -> None:
    answer = client.post("/_mock/clock", data='{"advance": 60}', content_type="text/plain")
    assert answer.status_code == 400


def test_the_control_api_shows_its_own_contract(control: Control) -> None:
    assert control("GET", "/openapi.json")["info"]["title"] == "Bluehour control API"


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/journal?limit=1e3", 200),
        ("/journal?limit=1.0", 200),
        ("/journal.har?limit=1e0", 200),
        ("/deliveries?limit=1e3", 200),
        ("/projects?limit=1.0", 200),
        ("/journal?after=1e300", 200),
        ("/journal?limit=1.5", 400),
        ("/journal?limit=1e5000", 400),
        (f"/journal?limit={DIGITS}", 400),
        (f"/journal?after={DIGITS}", 400),
        (f"/journal?after=-{DIGITS}", 400),
        ("/journal/1.0", 200),
        ("/journal/1e0", 200),
        ("/journal/1e300", 404),
        (f"/journal/{'9' * 300}", 404),
        (f"/journal/{DIGITS}", 400),
        ("/journal//1", 404),
    ],
)
def test_a_number_may_be_written_in_any_way(control: Control, caller: Caller, path: str, status: int) -> None:
    caller.client.get("/v1/nothing")
    control("GET", path, status=status)


def test_a_number_of_thousands_of_digits_is_no_failure_anywhere(control: Control, caller: Caller) -> None:
    control("POST", "/rules", {"match": {"body": {f"items.{DIGITS}": 1}}, "delay": 0}, 201)
    body = b'{"items": [' + DIGITS.encode() + b"]}"
    answer = caller.post(UPLOADS, data=body, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    caller.post(UPLOADS, {"items": [{"type": "image", "extension": "png"}]})
    link = caller.post(UPLOADS, {"items": [{"type": "image", "extension": "png"}]}).json["items"][0]
    forged = link["upload_url"].replace("expires=", f"expires={DIGITS}")
    assert caller.client.put(forged, data=b"x").status_code == 403
    for header in ("code", "delay"):
        refused = caller.post(UPLOADS, {}, headers={"Prefer": f"{header}={DIGITS}"})
        assert refused.status_code == 400
    assert control("GET", "/journal")["recorded"] == 6


def test_an_answer_that_no_rule_can_show_is_refused(control: Control) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    refused = control("POST", "/rules", {"answer": {"status": 200, "body": deep}}, 400)
    assert refused["message"].startswith(
        "Invalid value for body: nested more than 200 levels deep, at answer/"
    )
    assert control("GET", "/rules") == {"rules": []}
