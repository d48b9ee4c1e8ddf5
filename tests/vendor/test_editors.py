"""What a user of the vendor's SDKs sees of the editors: pictures, credits, jobs that fail."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest
from PIL import Image, ImageChops

from .sdks import PYTHON, WITH_BOTH_EDITORS, ApiError, Client, Sdk, only

SMILE = {"mouth_smile": 60}
HAT = {
    "image_description": "A photo of a person",
    "prompt": "A photo portrait of a person wearing a hat",
    "likeness_strength": 5.2,
    "prompt_strength": 3.75,
}


def picture(path: str | Path) -> Image.Image:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.convert("RGB")


def differ(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other.resize(one.size)).getbbox() is not None


def edit_face(client: Client, photo: Path, folder: Path, style: dict[str, Any]) -> Any:
    folder.mkdir()
    return client.call(
        "ai_face_editor.generate",
        assets={"image_file_path": str(photo)},
        style=style,
        download_directory=str(folder),
    )


def edit_photo(client: Client, photo: Path, folder: Path, resolution: int, style: dict[str, Any]) -> Any:
    folder.mkdir()
    return client.call(
        "ai_photo_editor.generate",
        assets={"image_file_path": str(photo)},
        resolution=resolution,
        style=style,
        download_directory=str(folder),
    )


def create(client: Client, asset: str) -> Any:
    return client.call("ai_face_editor.create", assets={"image_file_path": asset}, style=SMILE)


def finished(client: Client, project_id: str) -> Any:
    """Read a project until it has ended, as a user without `generate` does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        project = client.call("image_projects.get", id=project_id)
        if project["status"] in {"complete", "error", "canceled"}:
            return project
        assert project["status"] in {"queued", "rendering"}
        time.sleep(0.02)
    raise TimeoutError(project_id)


def test_a_face_edit_is_a_picture_for_one_credit(client: Client, portrait: Path, tmp_path: Path) -> None:
    smile = edit_face(client, portrait, tmp_path / "smile", SMILE)

    assert (smile["status"], smile["type"], smile["error"]) == ("complete", "FACE_EDITOR", None)
    assert smile["credits_charged"] == 1
    assert smile["downloaded_paths"] == [str(tmp_path / "smile" / "output.png")]
    assert picture(smile["downloaded_paths"][0]).size == (512, 512)
    assert differ(picture(smile["downloaded_paths"][0]), picture(portrait))

    frown = edit_face(client, portrait, tmp_path / "frown", {"mouth_smile": -60})

    assert (frown["status"], frown["credits_charged"]) == ("complete", 1)
    assert frown["id"] != smile["id"]
    assert differ(picture(frown["downloaded_paths"][0]), picture(smile["downloaded_paths"][0]))


@only(WITH_BOTH_EDITORS)
def test_a_photo_edit_is_a_picture_twice_the_resolution_for_ten_credits(
    client: Client, portrait: Path, tmp_path: Path
) -> None:
    hat = edit_photo(client, portrait, tmp_path / "hat", 768, HAT)

    assert (hat["status"], hat["type"], hat["error"]) == ("complete", "PHOTO_EDITOR", None)
    assert hat["credits_charged"] == 10
    assert hat["downloaded_paths"] == [str(tmp_path / "hat" / "output.png")]
    assert picture(hat["downloaded_paths"][0]).size == (1536, 1536)
    assert differ(picture(hat["downloaded_paths"][0]), picture(portrait))

    plain = edit_photo(client, portrait, tmp_path / "plain", 768, {**HAT, "upscale_factor": 1})

    assert (plain["status"], plain["credits_charged"]) == ("complete", 10)
    assert picture(plain["downloaded_paths"][0]).size == (768, 768)


def test_upload_create_poll_and_download_work_one_by_one(
    client: Client, portrait: Path, tmp_path: Path
) -> None:
    asset = client.call("files.upload_file", file=str(portrait))
    created = create(client, asset)
    project = finished(client, created["id"])

    assert created["credits_charged"] == created["frame_cost"] == 1
    assert (project["status"], project["image_count"], project["enabled"]) == ("complete", 1, True)
    with urlopen(project["downloads"][0]["url"]) as answer:
        (tmp_path / "output.png").write_bytes(answer.read())
    assert picture(tmp_path / "output.png").size == (512, 512)


@only(WITH_BOTH_EDITORS)
def test_eleven_credits_pay_a_photo_edit_and_a_face_edit_and_no_more(
    sdk: Sdk, served: str, portrait: Path, tmp_path: Path
) -> None:
    client = sdk.client(served, f"mhk_test_creator_11_{uuid4().hex}")

    assert edit_photo(client, portrait, tmp_path / "hat", 512, HAT)["credits_charged"] == 10
    assert edit_face(client, portrait, tmp_path / "smile", SMILE)["credits_charged"] == 1
    with pytest.raises(ApiError) as refused:
        edit_face(client, portrait, tmp_path / "frown", SMILE)
    assert refused.value.status == 402
    assert refused.value.body == {
        "code": "insufficient_credits",
        "message": "Insufficient credits: this costs 1 credit, and your account has 0 credits",
    }
    assert not list((tmp_path / "frown").iterdir())


def test_a_job_that_fails_tells_why_and_gives_its_credit_back(sdk: Sdk, served: str) -> None:
    client = sdk.client(served, f"mhk_test_creator_1_{uuid4().hex}")

    for _ in range(2):  # the second is paid with what the first gave back
        created = create(client, "api-assets/test/no_source_face.png")
        project = finished(client, created["id"])
        assert created["credits_charged"] == 1
        assert (project["status"], project["downloads"]) == ("error", [])
        assert project["error"]["code"] == "no_source_face"
        assert project["credits_charged"] == project["total_frame_cost"] == 0


@only(PYTHON)  # in Node 0.43.1 takes no path but that of a local file
def test_generate_returns_a_failed_job_and_raises_nothing(client: Client, tmp_path: Path) -> None:
    project = edit_face(client, Path("api-assets/test/no_source_face.png"), tmp_path / "none", SMILE)

    assert (project["status"], project["credits_charged"]) == ("error", 0)
    assert project["error"]["code"] == "no_source_face"
    assert project["downloaded_paths"] is None


def test_a_picture_named_by_its_url_is_taken_without_a_network(client: Client) -> None:
    created = create(client, "https://example.com/photo.jpg")

    assert finished(client, created["id"])["status"] == "complete"


@only(PYTHON)  # as above
def test_generate_takes_a_picture_by_its_url(client: Client, tmp_path: Path) -> None:
    project = client.call(
        "ai_face_editor.generate",
        assets={"image_file_path": "https://example.com/photo.jpg"},
        style=SMILE,
        download_directory=str(tmp_path),
    )

    assert project["status"] == "complete"
    assert picture(project["downloaded_paths"][0]).size == (1024, 1024)


def test_a_deleted_project_has_no_picture(client: Client, portrait: Path) -> None:
    asset = client.call("files.upload_file", file=str(portrait))
    project = finished(client, create(client, asset)["id"])
    client.call("image_projects.delete", id=project["id"])

    deleted = client.call("image_projects.get", id=project["id"])
    assert (deleted["status"], deleted["enabled"], deleted["downloads"]) == ("complete", False, [])
