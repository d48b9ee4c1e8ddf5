"""The calls of the vendor's own test suites, unchanged: on the mock itself, and on its fixed answers.

The vendor's suites run against the vendor's own mock, which answers with the published examples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .sdks import PYTHON, WITH_BOTH_EDITORS, Client, Sdk, only

EXAMPLES = "/v1/mock/magichour/magic-hour/0.90.0"

PHOTO: dict[str, Any] = {
    "assets": {"image_file_path": "api-assets/id/1234.png"},
    "resolution": 768,
    "style": {
        "image_description": "A photo of a person",
        "likeness_strength": 5.2,
        "negative_prompt": "painting, cartoon, sketch",
        "prompt": "A photo portrait of a person wearing a hat",
        "prompt_strength": 3.75,
        "steps": 4,
        "upscale_factor": 2,
        "upscale_fidelity": 0.5,
    },
    "name": "Photo Editor image",
    "steps": 123,
}
FACE: dict[str, Any] = {
    "assets": {"image_file_path": "api-assets/id/1234.png"},
    "style": {
        "enhance_face": False,
        "eye_gaze_horizontal": 0.0,
        "eye_gaze_vertical": 0.0,
        "eye_open_ratio": 0.0,
        "eyebrow_direction": 0.0,
        "head_pitch": 0.0,
        "head_roll": 0.0,
        "head_yaw": 0.0,
        "lip_open_ratio": 0.0,
        "mouth_grim": 0.0,
        "mouth_position_horizontal": 0.0,
        "mouth_position_vertical": 0.0,
        "mouth_pout": 0.0,
        "mouth_purse": 0.0,
        "mouth_smile": 0.0,
    },
    "name": "Face Editor image",
}
UPLOADS = [{"extension": "mp4", "type": "video"}, {"extension": "mp3", "type": "audio"}]


@pytest.fixture
def examples(sdk: Sdk, served: str) -> Client:
    """A client of the fixed answers, with the token of the vendor's suites."""
    return sdk.client(served + EXAMPLES, "API_TOKEN")


@only(WITH_BOTH_EDITORS)
def test_the_photo_editor_is_created_though_its_deprecated_steps_are_123(
    client: Client, examples: Client
) -> None:
    created = client.call("ai_photo_editor.create", **PHOTO)
    assert created == {"credits_charged": 10, "frame_cost": 10, "id": created["id"]}
    assert created["id"] != "cuid-example"
    assert examples.call("ai_photo_editor.create", **PHOTO) == created | {"id": "cuid-example"}


def test_the_face_editor_is_created_with_all_fifteen_fields_at_zero(client: Client, examples: Client) -> None:
    created = client.call("ai_face_editor.create", **FACE)
    assert created == {"credits_charged": 1, "frame_cost": 1, "id": created["id"]}
    assert created["id"] != "cuid-example"
    assert examples.call("ai_face_editor.create", **FACE) == created | {"id": "cuid-example"}


def test_upload_urls_are_issued_for_a_video_and_an_audio(
    client: Client, examples: Client, served: str
) -> None:
    video, audio = client.call("files.upload_urls.create", items=UPLOADS)["items"]
    assert video["file_path"].endswith("/video.mp4")
    assert audio["file_path"].endswith("/audio.mp3")
    assert video["upload_url"].startswith(f"{served}/{video['file_path']}?")

    published = examples.call("files.upload_urls.create", items=UPLOADS)["items"]
    assert [item["file_path"] for item in published] == ["api-assets/id/video.mp4", "api-assets/id/audio.mp3"]


@pytest.mark.parametrize("prefix", ["", EXAMPLES], ids=["mock", "fixed-answers"])
def test_the_published_project_can_be_read_and_be_deleted_any_number_of_times(
    sdk: Sdk, served: str, prefix: str
) -> None:
    client = sdk.client(served + prefix, "API_TOKEN")
    read, delete = "image_projects.get", "image_projects.delete"
    published = {"id": "cuid-example"}

    before = client.call(read, **published)
    one_by_one = [client.call(delete, **published) for _ in range(2)]
    at_once = client.call_at_once([(delete, published), (read, published)] * 8)
    after = client.call(read, **published)

    assert one_by_one == [None, None]
    assert at_once[::2] == [None] * 8
    for project in (before, *at_once[1::2], after):
        assert project["id"] == "cuid-example"
        assert (project["name"], project["type"]) == ("Example Name", "AI_IMAGE")
        assert (project["status"], project["enabled"], project["credits_charged"]) == ("complete", True, 5)
        assert len(project["downloads"]) == 1


def test_the_fixed_project_is_the_published_one(examples: Client) -> None:
    project = examples.call("image_projects.get", id="cuid-example")

    assert project["created_at"] == "2024-10-19T05:16:19.027Z"
    assert project["downloads"] == [
        {"expires_at": "2024-10-19T05:16:19.027Z", "url": "https://videos.magichour.ai/id/output.png"}
    ]
    assert examples.call("image_projects.get", id="any-other") == project


@only(PYTHON)
def test_any_upload_to_the_fixed_answers_gets_the_first_published_path(
    examples: Client, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("video.mp4", "audio.mp3", "image.png", "image.jpg")]
    for file in files:
        file.write_bytes(b"test content")

    paths = examples.call_at_once(
        [("files.upload_file", {"file": str(file)}) for file in files], upload=False
    )
    assert paths == ["api-assets/id/video.mp4"] * 4
