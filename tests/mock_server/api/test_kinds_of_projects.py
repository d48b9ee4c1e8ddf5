"""Projects of every kind live alike: images, videos, sounds and face detections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from tests.openapi.pricing import changed

from ..clips import clip
from ..conftest import Caller, data, place_of


class Kind(NamedTuple):
    """A kind of project, a create of it, what that costs, and what its file is."""

    name: str
    create: str
    credits: int
    media_type: str

    @property
    def path(self) -> str:
        return f"/v1/{self.create}"

    @property
    def seconds(self) -> float:
        """How long its job takes."""
        return next(each.render_seconds for each in load().operations if each.path == self.path)

    def made(self, caller: Caller, **fields: Any) -> str:
        """Create one and return its id."""
        return caller.create(changed(self.create, **fields), self.path)


IMAGE = Kind("image", "photo-colorizer", 10, "image/png")
VIDEO = Kind("video", "face-swap", 24, "video/mp4")
AUDIO = Kind("audio", "ai-voice-generator", 1, "audio/mpeg")
FACES = Kind("face-detection", "face-detection", 0, "image/png")
ALL = [IMAGE, VIDEO, AUDIO, FACES]
DELETED = [IMAGE, VIDEO, AUDIO]
kinds = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
OPENING = 100


@pytest.fixture
def store_url() -> str:
    return "memory://"


def made(kind: Kind, caller: Caller) -> str:
    return kind.made(caller, **({"end_seconds": 1} if kind is VIDEO else {}))


def fields_of(kind: Kind) -> set[str]:
    """What the contract says a project of a kind shows."""
    path = place_of("{id}", kind.name)
    (operation,) = (each for each in load().operations if (each.method, each.path) == ("GET", path))
    media = operation.success[1].json
    assert media is not None
    return set(media.schema.properties)


@kinds
def test_it_is_queued_then_rendered_then_complete_and_shows_what_the_contract_says(
    kind: Kind, caller: Caller, clock: Clock
) -> None:
    project_id = made(kind, caller)
    seen = []
    for _ in range(5):
        project = caller.project(project_id, kind.name)
        assert set(project) == fields_of(kind)
        assert project["credits_charged"] == kind.credits
        seen.append(project["status"])
        clock.advance(kind.seconds / 4)
    assert seen == ["queued", *["rendering"] * 3, "complete"]
    assert caller.credits == OPENING - kind.credits


@kinds
def test_a_complete_one_has_a_file_and_others_have_none(kind: Kind, caller: Caller, clock: Clock) -> None:
    project_id = made(kind, caller)
    assert links_of(caller.project(project_id, kind.name)) == []
    clock.advance(kind.seconds)
    (link,) = links_of(caller.project(project_id, kind.name))
    file = caller.fetch(link)
    assert (file.status_code, file.content_type) == (200, kind.media_type)


def links_of(project: dict[str, Any]) -> list[str]:
    links = [each["url"] for each in project.get("downloads") or project.get("faces") or ()]
    if "download" in project:
        assert (project["download"] or {}).get("url") == next(iter(links), None)
    return links


@kinds
@pytest.mark.parametrize("outcome", ["no_source_face", "canceled"])
def test_one_that_does_not_succeed_costs_nothing(
    kind: Kind, outcome: str, caller: Caller, clock: Clock, mock: Mock
) -> None:
    mock.scenarios.replace([{"job": outcome}])
    project_id = made(kind, caller)
    assert caller.credits == OPENING - kind.credits
    clock.advance(kind.seconds)
    project = caller.project(project_id, kind.name)
    assert set(project) == fields_of(kind)
    assert project["status"] == ("canceled" if outcome == "canceled" and kind is not FACES else "error")
    assert project["credits_charged"] == 0
    assert links_of(project) == []
    if kind is not FACES:
        assert (project["error"] or {}).get("code") == (None if outcome == "canceled" else outcome)
    assert caller.credits == OPENING


@pytest.mark.parametrize(
    ("kind", "field", "extension"),
    [
        (IMAGE, "assets.image_file_path", "png"),
        (VIDEO, "assets.video_file_path", "mp4"),
        (VIDEO, "assets.image_file_path", "jpg"),
        (Kind("audio", "ai-voice-cloner", 1, ""), "assets.audio_file_path", "wav"),
        (FACES, "assets.target_file_path", "mov"),
    ],
)
def test_an_asset_that_is_named_for_an_error_ends_it_in_that(
    kind: Kind, field: str, extension: str, caller: Caller, clock: Clock
) -> None:
    project_id = kind.made(caller, **{"end_seconds": 1, field: f"api-assets/test/file_too_large.{extension}"})
    clock.advance(kind.seconds)
    project = caller.project(project_id, kind.name)
    assert project["status"] == "error"
    if kind is not FACES:
        assert project["error"]["code"] == "file_too_large"


@kinds
def test_it_is_nothing_to_those_who_ask_for_another_kind_or_with_another_key(
    kind: Kind, caller: Caller, client: FlaskClient
) -> None:
    project_id = made(kind, caller)
    for other in ALL:
        methods = ["GET"] if other is FACES else ["GET", "DELETE"]
        for method in methods if other is not kind else []:
            path = place_of(project_id, other.name)
            assert client.open(path, method=method, headers=caller.headers).status_code == 404
    stranger = Caller(client, "somebody-else")
    assert client.get(place_of(project_id, kind.name), headers=stranger.headers).status_code == 404
    assert "status" in caller.project(project_id, kind.name)


@pytest.mark.parametrize("kind", DELETED, ids=lambda kind: kind.name)
def test_a_deleted_one_is_shown_as_disabled_and_has_no_file(kind: Kind, caller: Caller, clock: Clock) -> None:
    project_id = made(kind, caller)
    clock.advance(kind.seconds)
    (link,) = links_of(caller.project(project_id, kind.name))
    assert [caller.delete(project_id, kind.name).status_code for _ in range(2)] == [204, 204]
    project = caller.project(project_id, kind.name)
    assert (project["enabled"], project["status"], links_of(project)) == (False, "complete", [])
    assert caller.fetch(link).status_code == 404
    assert caller.credits == OPENING - kind.credits


def test_a_face_detection_can_not_be_deleted(caller: Caller) -> None:
    assert caller.delete(made(FACES, caller), "face-detection").status_code == 405


@kinds
def test_the_published_project_of_each_kind_can_be_read_and_its_file_fetched(
    kind: Kind, caller: Caller
) -> None:
    published = "uuid-example" if kind is FACES else "cuid-example"
    project = caller.project(published, kind.name)
    assert (project["id"], project["status"], set(project)) == (published, "complete", fields_of(kind))
    (link,) = links_of(project)
    file = caller.fetch(link)
    assert file.status_code == 200
    assert file.content_type.split("/")[0] == kind.media_type.split("/")[0]
    if kind is not FACES:
        assert caller.delete(published, kind.name).status_code == 204


@kinds
def test_ids_have_the_vendor_s_form(kind: Kind, caller: Caller) -> None:
    form = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}" if kind is FACES else "c[0-9a-z]{24}"
    assert re.fullmatch(form, made(kind, caller))


def names() -> Iterator[Any]:
    for create, default in [
        ("photo-colorizer", "Photo Colorizer - dateTime"),
        ("face-swap", "Face Swap - dateTime"),
        ("ai-music-generator", "Music Generator - dateTime"),
        ("ai-meme-generator", None),
        ("ai-ugc-ad", None),
    ]:
        yield create, {}, default
        yield create, {"name": "Mine"}, "Mine" if create != "ai-ugc-ad" else None


@pytest.mark.parametrize(("create", "fields", "expected"), list(names()))
def test_a_name_is_the_given_one_else_one_with_the_date_else_none(
    create: str, fields: dict[str, Any], expected: str | None, client: FlaskClient, clock: Clock
) -> None:
    caller = Caller(client, "mhk_test_pro_5000")
    kind = next(each.project_kind for each in load().operations if each.path == f"/v1/{create}")
    project = caller.project(caller.create(changed(create, **fields), f"/v1/{create}"), kind)
    dated = None if expected is None else expected.replace("dateTime", project["created_at"])
    assert project["name"] == dated


def test_a_video_says_its_size_its_frames_and_its_part_of_the_source(client: FlaskClient) -> None:
    caller = Caller(client, "mhk_test_pro_5000")
    slow = {"name": "slow", "file_path": caller.upload(clip(0.5, fps=12), "video", "mp4")}
    body = changed("text-to-video", aspect_ratio="9:16", resolution="1080p", references=[slow])
    project = caller.project(caller.create(body, "/v1/text-to-video"), "video")
    assert (project["width"], project["height"], project["fps"]) == (1080, 1920, 24)
    assert (project["start_seconds"], project["end_seconds"]) == (0, 5)
    body = changed("face-swap", start_seconds=2.5, end_seconds=4)
    project = caller.project(caller.create(body, "/v1/face-swap"), "video")
    assert (project["start_seconds"], project["end_seconds"]) == (2.5, 4)
    assert data(client.get("/_mock/state"))["projects"] == 2
