"""What a request names as its files, wherever it does: in fields, in lists, and in the objects of lists."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from bluehour.mock_server.core.clock import Clock
from tests.openapi.pricing import changed

from ..conftest import Caller
from .test_lifecycle import picture, png

SWAP = "/v1/face-swap-photo"
EXAMPLE = "api-assets/id/1234.png"
NOBODY_S = "api-assets/nobody/image.png"


@pytest.fixture
def store_url() -> str:
    return "memory://"


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    return Caller(client, "mhk_test_pro_10000")


def mappings(*faces: tuple[str, str], create: str = "face-swap-photo") -> dict[str, Any]:
    """A request to swap faces one by one: new ones in the place of others."""
    return changed(
        create,
        **{
            "assets.face_swap_mode": "individual-faces",
            "assets.face_mappings": [{"new_face": new, "original_face": old} for new, old in faces],
        },
    )


def references(*paths: str) -> dict[str, Any]:
    named = [{"name": f"it{number}", "file_path": path} for number, path in enumerate(paths)]
    return changed("text-to-video", references=named)


def pictures(*paths: str) -> dict[str, Any]:
    return changed("ai-image-editor", **{"assets.image_file_paths": list(paths)})


PLACES = [
    ("face-swap-photo", mappings((NOBODY_S, EXAMPLE)),
     "assets.face_mappings[0].new_face"),
    ("face-swap-photo", mappings((EXAMPLE, EXAMPLE), (EXAMPLE, NOBODY_S)),
     "assets.face_mappings[1].original_face"),
    ("face-swap", mappings((EXAMPLE, NOBODY_S), create="face-swap"),
     "assets.face_mappings[0].original_face"),
    ("ai-image-editor", pictures(EXAMPLE, NOBODY_S),
     "assets.image_file_paths[1]"),
    ("text-to-video", references(EXAMPLE, NOBODY_S),
     "references[1].file_path"),
    ("head-swap", changed("head-swap", **{"assets.head_file_path": NOBODY_S}),
     "assets.head_file_path"),
    ("lip-sync", changed("lip-sync", **{"assets.audio_file_path": "api-assets/a/b.mp3"}),
     "assets.audio_file_path"),
    ("face-detection", changed("face-detection", **{"assets.target_file_path": NOBODY_S}),
     "assets.target_file_path"),
]  # fmt: skip


@pytest.mark.parametrize(("create", "body", "field"), PLACES, ids=[row[2] for row in PLACES])
def test_what_was_never_issued_is_422_and_names_the_field(
    caller: Caller, create: str, body: dict[str, Any], field: str
) -> None:
    answer = caller.post(f"/v1/{create}", body)
    assert answer.status_code == 422
    assert answer.json["message"].startswith(f"{field}: The asset was never issued")
    assert caller.credits == 10_000


def test_somebody_else_s_upload_is_422_and_names_the_field(caller: Caller, client: FlaskClient) -> None:
    theirs = Caller(client, "somebody-else").upload(png())
    answer = caller.post(SWAP, mappings((EXAMPLE, EXAMPLE), (theirs, EXAMPLE)))
    assert answer.status_code == 422
    assert answer.json["message"].startswith("assets.face_mappings[1].new_face: The asset was never issued")


@pytest.mark.parametrize(
    ("create", "fields", "message"),
    [
        ("face-swap", {"assets.image_file_path": "api-assets/id/1234.mp4"},
         "assets.image_file_path: 'mp4' is an invalid image extension"),
        ("face-swap", {"assets.video_file_path": EXAMPLE},
         "assets.video_file_path: 'png' is an invalid video extension"),
        ("lip-sync", {"assets.audio_file_path": "https://example.com/a.png"},
         "assets.audio_file_path: 'png' is an invalid audio extension"),
        ("face-detection", {"assets.target_file_path": "api-assets/id/1234.mp3"},
         "assets.target_file_path: 'mp3' is an invalid image or video extension"),
        ("photo-colorizer", {"assets.image_file_path": "https://magichour.ai/my-library?videoId=c1"},
         "assets.image_file_path: '' is an invalid image extension"),
        ("photo-colorizer", {"assets.image_file_path": "saved-items/user-id/item-autumn/video.mp4"},
         "assets.image_file_path: 'mp4' is an invalid image extension"),
    ],
)  # fmt: skip
def test_an_asset_of_another_type_is_422_and_names_the_field(
    caller: Caller, create: str, fields: dict[str, Any], message: str
) -> None:
    answer = caller.post(f"/v1/{create}", changed(create, **fields))
    assert answer.status_code == 422
    assert answer.json["message"].startswith(message)


@pytest.mark.parametrize(
    ("create", "field", "asset"),
    [
        ("photo-colorizer", "assets.image_file_path", "https://magichour.ai/my-library?imageId=c1"),
        ("ai-video-editor", "assets.video_file_path", "https://magichour.ai/my-library?videoId=c1"),
        ("ai-voice-cloner", "assets.audio_file_path", "https://magichour.ai/my-library?audioId=c1"),
        ("face-detection", "assets.target_file_path", "https://magichour.ai/my-library?videoId=c1"),
        ("photo-colorizer", "assets.image_file_path", "image/c1/output.png"),
        ("ai-video-editor", "assets.video_file_path", "video/c1/output.mp4"),
        ("ai-voice-cloner", "assets.audio_file_path", "audio/c1/output.mp3"),
        ("ai-voice-cloner", "assets.audio_file_path", "saved-items/user-id/item-narrator/audio.mp3"),
    ],
)
def test_what_is_in_the_callers_library_can_be_named(
    caller: Caller, create: str, field: str, asset: str
) -> None:
    assert caller.post(f"/v1/{create}", changed(create, **{field: asset})).status_code == 200


def test_every_saved_item_can_be_named(caller: Caller) -> None:
    for item in caller.get("/v1/saved-items")["items"]:
        for asset in item["assets"]:
            body = references(asset["file_path"])
            assert caller.post("/v1/text-to-video", body).status_code == 200, asset


def test_one_upload_can_be_named_twice_and_two_of_one_extension_are_two(caller: Caller, clock: Clock) -> None:
    wide, high = caller.upload(png(90, 30)), caller.upload(png(30, 90))
    bodies = [
        changed("face-swap-photo", **{"assets.target_file_path": one, "assets.source_file_path": other})
        for one, other in [(wide, wide), (wide, high), (high, wide)]
    ]
    ids = [caller.create(body, SWAP) for body in bodies]
    clock.advance(60)
    assert [picture(caller, caller.project(each)).size for each in ids] == [(90, 30), (90, 30), (30, 90)]


def test_a_found_face_can_be_named_by_who_looked_for_it_once_it_is_found(
    caller: Caller, clock: Clock, client: FlaskClient
) -> None:
    upload = caller.upload(png(200, 100))
    body = changed("face-detection", **{"assets.target_file_path": upload})
    project_id = caller.create(body, "/v1/face-detection")
    expected = f"api-assets/{project_id}/0-0.png"
    assert caller.post(SWAP, mappings((EXAMPLE, expected))).status_code == 422
    clock.advance(60)
    (face,) = caller.project(project_id, "face-detection")["faces"]
    assert face["path"] == expected
    assert Image.open(io.BytesIO(caller.fetch(face["url"]).data)).format == "PNG"
    assert caller.post(SWAP, mappings((EXAMPLE, face["path"]))).status_code == 200
    assert (
        caller.post("/v1/face-swap", mappings((EXAMPLE, face["path"]), create="face-swap")).status_code == 200
    )
    other = caller.post(SWAP, mappings((EXAMPLE, expected.replace("0-0", "0-1"))))
    stranger = Caller(client, "somebody-else").post(SWAP, mappings((EXAMPLE, face["path"])))
    assert (other.status_code, stranger.status_code) == (422, 422)
