"""The calls of the vendor's own test suites, unchanged: on the mock itself, and on its fixed answers.

The vendor's suites run against the vendor's own mock, which answers with the published examples.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .calls import AS_PUBLISHED, all_made
from .sdks import PYTHON, Client, Sdk, only

EXAMPLES = "/v1/mock/magichour/magic-hour/0.90.0"

UPLOADS = [{"extension": "mp4", "type": "video"}, {"extension": "mp3", "type": "audio"}]


@pytest.fixture
def examples(sdk: Sdk, served: str) -> Client:
    """A client of the fixed answers, with the token of the vendor's suites."""
    return sdk.client(served + EXAMPLES, "API_TOKEN")


def test_the_fixed_answers_are_the_published_ones(sdk: Sdk, examples: Client) -> None:
    asked = {
        resource: made.asked_by(sdk, AS_PUBLISHED)
        for resource, made in all_made().items()
        if resource in sdk.generators
    }
    answered = {resource: examples.call(f"{resource}.create", **body) for resource, body in asked.items()}
    assert answered == {resource: all_made()[resource].answer for resource in asked}


def test_upload_urls_are_issued_for_a_video_and_an_audio(
    client: Client, examples: Client, served: str
) -> None:
    video, audio = client.call("files.upload_urls.create", items=UPLOADS)["items"]
    assert video["file_path"].endswith("/video.mp4")
    assert audio["file_path"].endswith("/audio.mp3")
    assert video["upload_url"].startswith(f"{served}/{video['file_path']}?")

    published = examples.call("files.upload_urls.create", items=UPLOADS)["items"]
    assert [item["file_path"] for item in published] == ["api-assets/id/video.mp4", "api-assets/id/audio.mp3"]


@pytest.mark.parametrize(
    ("kind", "charged"), [("image", 5), ("video", 450), ("audio", 2)], ids=["image", "video", "audio"]
)
@pytest.mark.parametrize("prefix", ["", EXAMPLES], ids=["mock", "fixed-answers"])
def test_the_published_project_can_be_read_and_be_deleted_any_number_of_times(
    sdk: Sdk, served: str, prefix: str, kind: str, charged: int
) -> None:
    client = sdk.client(served + prefix, "API_TOKEN")
    read, delete = f"{kind}_projects.get", f"{kind}_projects.delete"
    published = {"id": "cuid-example"}

    before = client.call(read, **published)
    one_by_one = [client.call(delete, **published) for _ in range(2)]
    at_once = client.call_at_once([(delete, published), (read, published)] * 8)
    after = client.call(read, **published)

    assert one_by_one == [None, None]
    assert at_once[::2] == [None] * 8
    for project in (before, *at_once[1::2], after):
        assert (project["id"], project["name"]) == ("cuid-example", "Example Name")
        assert (project["status"], project["enabled"], project["credits_charged"]) == (
            "complete",
            True,
            charged,
        )
        assert len(project["downloads"]) == 1


@pytest.mark.parametrize("prefix", ["", EXAMPLES], ids=["mock", "fixed-answers"])
def test_the_published_faces_can_be_read(sdk: Sdk, served: str, prefix: str) -> None:
    found = sdk.client(served + prefix, "API_TOKEN").call("face_detection.get", id="uuid-example")
    assert (found["status"], found["faces"][0]["path"]) == ("complete", "api-assets/id/0-0.png")


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
