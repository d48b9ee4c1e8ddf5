"""A project's life: what a poller sees, what it costs, and what is left of it."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from bluehour.mock_server.api import journey
from bluehour.mock_server.api.call import Answer
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load

from ..conftest import FACE, PHOTO, Caller, data, face, photo

RENDER_SECONDS = load().operation("aiFaceEditor.editImage").render_seconds


def balance(mock: Mock, caller: Caller) -> int:
    account = mock.world.open_account(caller.headers["Authorization"].removeprefix("Bearer "))
    return mock.world.store.balance(account.id, mock.world.clock.now())


def png(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "PNG")
    return file.getvalue()


def picture(caller: Caller, project: dict[str, Any]) -> Image.Image:
    answer = caller.fetch(project["downloads"][0]["url"])
    assert answer.status_code == 200
    assert answer.content_type == "image/png"
    return Image.open(io.BytesIO(answer.data))


def test_a_create_charges_and_answers_with_a_fresh_id(caller: Caller, mock: Mock) -> None:
    answer = caller.post(PHOTO, photo()).json
    assert answer["credits_charged"] == answer["frame_cost"] == 10
    assert re.fullmatch("c[0-9a-z]{24}", answer["id"])
    assert balance(mock, caller) == 90


def test_a_project_is_queued_then_rendered_then_complete(caller: Caller, clock: Clock) -> None:
    project_id = caller.create(face())
    seen = []
    for _ in range(9):
        seen.append(caller.project(project_id)["status"])
        clock.advance(RENDER_SECONDS / 8)
    assert seen == ["queued"] * 2 + ["rendering"] * 6 + ["complete"]


def test_a_complete_project_says_all_that_the_sdks_read(caller: Caller, clock: Clock) -> None:
    started = clock.now()
    project_id = caller.create({**face(), "name": "Smile"})
    clock.advance(RENDER_SECONDS)
    project = caller.project(project_id)
    created_at = datetime.fromisoformat(project.pop("created_at")).timestamp()
    (download,) = project.pop("downloads")
    assert project == {
        "id": project_id,
        "name": "Smile",
        "status": "complete",
        "image_count": 1,
        "type": "FACE_EDITOR",
        "enabled": True,
        "total_frame_cost": 1,
        "credits_charged": 1,
        "error": None,
    }
    assert created_at == pytest.approx(started, abs=0.002)
    assert re.search(r"/output\.png\?", download["url"])
    assert datetime.fromisoformat(download["expires_at"]).timestamp() == pytest.approx(
        clock.now() + 86400, abs=1
    )


def test_a_project_without_a_name_gets_one_with_the_date(caller: Caller) -> None:
    name = caller.project(caller.create(face()))["name"]
    assert re.fullmatch(r"Face Editor - \d{4}-\d\d-\d\dT.*Z", name)


def test_time_scale_zero_finishes_at_once() -> None:
    mock = Mock(settings=Settings(time_scale=0))
    caller = Caller(create_app(mock).test_client(), "any")
    assert caller.project(caller.create(face()))["status"] == "complete"
    failed = caller.project(caller.create(face("api-assets/test/no_source_face.png")))
    assert (failed["status"], failed["credits_charged"]) == ("error", 0)
    assert balance(mock, caller) == mock.world.settings.credits - 1
    mock.close()


@pytest.mark.parametrize("code", load().extension("x-job-errors"))
def test_an_asset_named_for_an_error_ends_in_it_and_is_refunded(
    caller: Caller, clock: Clock, mock: Mock, code: str
) -> None:
    project_id = caller.create(photo(f"api-assets/test/{code}.png"), PHOTO)
    assert balance(mock, caller) == 90
    assert caller.project(project_id)["credits_charged"] == 10
    clock.advance(3600)
    project = caller.project(project_id)
    assert project["status"] == "error"
    assert project["error"] == {"code": code, "message": load().extension("x-job-errors")[code]}
    assert project["credits_charged"] == project["total_frame_cost"] == 0
    assert project["downloads"] == []
    assert balance(mock, caller) == 100


def test_an_upload_that_is_no_picture_ends_in_invalid_file_format(caller: Caller, clock: Clock) -> None:
    project_id = caller.create(face(caller.upload(b"This is a letter, not a photo.")))
    clock.advance(3600)
    assert caller.project(project_id)["error"]["code"] == "invalid_file_format"


def test_a_deleted_project_is_shown_as_disabled_and_has_no_picture(caller: Caller, clock: Clock) -> None:
    project_id = caller.create(face())
    clock.advance(RENDER_SECONDS)
    link = caller.project(project_id)["downloads"][0]["url"]
    assert [caller.delete(project_id).status_code for _ in range(2)] == [204, 204]
    project = caller.project(project_id)
    assert (project["enabled"], project["downloads"], project["status"]) == (False, [], "complete")
    assert caller.fetch(link).status_code == 404


def test_a_deleted_picture_is_gone_from_the_disk(caller: Caller, clock: Clock, mock: Mock) -> None:
    project_id = caller.create(face())
    clock.advance(RENDER_SECONDS)
    caller.fetch(caller.project(project_id)["downloads"][0]["url"])
    assert mock.world.files.output(project_id, "output.png").exists()
    caller.delete(project_id)
    assert not mock.world.files.output(project_id, "output.png").exists()


def test_no_picture_is_served_before_the_project_is_complete(caller: Caller, mock: Mock) -> None:
    project_id = caller.create(face())
    link = mock.world.links.sign(f"/outputs/{project_id}/output.png", mock.world.clock.now() + 60)
    assert caller.fetch(link).status_code == 404


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            {"id": 7, "frame_cost": 1, "credits_charged": 1},
            "Invalid type for id: expected string, got integer",
        ),
        ({"id": "c1"}, "Missing required field: frame_cost"),
    ],
)
def test_an_answer_of_our_own_that_breaks_the_contract_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], fault: str
) -> None:
    monkeypatch.setattr(journey, "behaviour_of", lambda _: lambda _: Answer(200, body))
    broken = Caller(create_app(Mock()).test_client(), "any")
    answer = broken.post(FACE, face())
    assert answer.status_code == 500
    assert answer.json["code"] == "internal_server_error"
    assert fault in answer.json["message"]


def test_a_project_deleted_while_it_runs_still_costs(caller: Caller, clock: Clock, mock: Mock) -> None:
    project_id = caller.create(face())
    caller.delete(project_id)
    clock.advance(RENDER_SECONDS)
    assert caller.project(project_id)["downloads"] == []
    assert balance(mock, caller) == 99


@pytest.mark.parametrize("published", ["cuid-example", "id"])
def test_a_published_project_can_always_be_read_and_deleted(
    caller: Caller, client: FlaskClient, published: str
) -> None:
    for _ in range(2):
        assert caller.delete(published).status_code == 204
        project = caller.project(published)
        assert project["id"] == "cuid-example"
        assert (project["name"], project["status"], project["enabled"]) == ("Example Name", "complete", True)
    assert picture(caller, project).format == "PNG"

    def delete(_: int) -> int:
        return Caller(client.application.test_client(), "another").delete(published).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(delete, range(16))) == {204}


@pytest.mark.parametrize(
    "operation",
    [operation for operation in load().operations if operation.body],
    ids=lambda operation: operation.id,
)
def test_every_published_request_works_with_no_set_up(client: FlaskClient, operation: Any) -> None:
    caller = Caller(client, "any")
    for request in operation.body.content["application/json"].examples:
        assert caller.post(operation.path, request).status_code == 200


@pytest.mark.parametrize(
    ("body", "path", "size"),
    [
        (face(), FACE, (1024, 512)),
        (photo(resolution=512), PHOTO, (1024, 512)),
        (photo(resolution=512, style={**photo()["style"], "upscale_factor": 1}), PHOTO, (512, 256)),
    ],
)
def test_the_picture_has_the_size_that_was_asked_for(
    caller: Caller, clock: Clock, body: dict[str, Any], path: str, size: tuple[int, int]
) -> None:
    uploaded = caller.upload(png(2000, 1000))
    project_id = caller.create({**body, "assets": {"image_file_path": uploaded}}, path)
    clock.advance(60)
    image = picture(caller, caller.project(project_id))
    image.load()
    assert image.size == size


def test_the_plan_caps_the_face_editors_picture(client: FlaskClient, clock: Clock) -> None:
    caller = Caller(client, "mhk_test_free_5")
    project_id = caller.create(face(caller.upload(png(2000, 1000))))
    clock.advance(60)
    assert picture(caller, caller.project(project_id)).size == (576, 288)


def test_two_requests_that_differ_show_in_their_pictures(caller: Caller, clock: Clock) -> None:
    uploaded = caller.upload(png(400, 400))
    ids = [caller.create(face(uploaded, mouth_smile=smile)) for smile in (60, 60, -60)]
    clock.advance(60)
    first, same, other = (picture(caller, caller.project(one)).tobytes() for one in ids)
    assert first == same != other


def test_the_vendors_stateless_examples_are_under_its_own_prefix(caller: Caller, mock: Mock) -> None:
    prefix = "/v1/mock/magichour/magic-hour/0.90.0"
    assert caller.post(prefix + PHOTO, photo()).json["id"] == "cuid-example"
    items = caller.post(
        prefix + "/v1/files/upload-urls", {"items": [{"type": "image", "extension": "png"}]}
    ).json
    assert items["items"][0]["file_path"] == "api-assets/id/video.mp4"
    assert (
        data(caller.client.get(prefix + "/v1/image-projects/any", headers=caller.headers))["status"]
        == "complete"
    )
    assert caller.client.delete(prefix + "/v1/image-projects/any", headers=caller.headers).status_code == 204
    assert caller.post(prefix + FACE, {}).status_code == 400
    assert balance(mock, caller) == 100


def test_the_contract_is_served(client: FlaskClient) -> None:
    assert client.get("/openapi.json").json == load().document
