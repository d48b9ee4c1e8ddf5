"""Every operation of the API, called by the vendor's SDKs: what a user of theirs gets of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from bluehour.mock_server.rendering.media.packed import packed_audio, packed_video

from ..profiles import few
from .calls import AS_PUBLISHED, all_made
from .conftest import serving
from .sdks import ALL, NODE_43, PY_50, PY_90, ApiError, Client, Kind, Sdk, only

LATEST, LATEST_ASYNC = Kind(PY_90), Kind(PY_90, "AsyncClient")
OLDER = Kind(PY_50)
NODE = Kind(NODE_43)

ROWS = [
    (kind, resource, example)
    for kind in ALL
    for resource, made in all_made().items()
    for example in list(made.media.named)[: None if kind.package == PY_90 else 1]
]
"""An SDK, what it calls and with which of the published examples: older ones can't send all of them."""

BROKEN = {(NODE, "ai_voice_generator"): "up to 0.71.1, Node's looks for the voice among the images"}
"""Calls of generate() that can't end well, and why."""

SIGNATURES: dict[str, tuple[int, bytes | tuple[bytes, ...]]] = {
    "png": (0, b"\x89PNG\r\n"),
    "gif": (0, b"GIF89a"),
    "mp4": (4, b"ftyp"),
    "webm": (0, b"\x1a\x45\xdf\xa3"),
    "mp3": (0, (b"ID3", b"\xff\xfb")),
}
"""How a file of an extension begins: at which byte, and with which."""


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """The base URL of a mock whose jobs take no time."""
    with serving("--time-scale", "0") as address:
        yield address


@pytest.fixture
def client(sdk: Sdk, mock: str) -> Client:
    return sdk.client(mock, f"any-token-{uuid4().hex}")


@pytest.fixture(scope="module")
def files(portrait: Path) -> dict[str, Path]:
    """A file of the user's of each type of asset."""
    return {"image": portrait, "video": packed_video("mp4"), "audio": packed_audio()}


def skip_what_it_has_not(sdk: Sdk, resource: str) -> None:
    if resource not in sdk.generators:
        pytest.skip(f"magic-hour {sdk.kind.package.version} of {sdk.kind.package.language} has no {resource}")


def is_what_its_name_says(path: Path) -> bool:
    at, signature = SIGNATURES[path.suffix[1:]]
    return path.read_bytes()[at:].startswith(signature)


@only(ALL)
def test_no_resource_of_an_sdk_lacks_its_operation(sdk: Sdk) -> None:
    assert sdk.generators.keys() <= all_made().keys()


@pytest.mark.parametrize(
    ("sdk", "resource", "example"),
    few(
        ROWS,
        (LATEST, "face_swap", "individual-faces"),
        (LATEST, "ai_gif_generator", AS_PUBLISHED),
        (LATEST, "ai_music_generator", AS_PUBLISHED),
        (LATEST_ASYNC, "text_to_video", "shortest"),
        (LATEST_ASYNC, "face_detection", AS_PUBLISHED),
        (OLDER, "ai_talking_photo", AS_PUBLISHED),
        (NODE, "ai_image_generator", AS_PUBLISHED),
        (NODE, "lip_sync", AS_PUBLISHED),
    ),
    ids=str,
    indirect=["sdk"],
)
def test_generate_ends_with_the_files_that_were_asked_for(
    request: pytest.FixtureRequest,
    client: Client,
    resource: str,
    example: str,
    files: dict[str, Path],
    tmp_path: Path,
) -> None:
    skip_what_it_has_not(client.sdk, resource)
    if reason := BROKEN.get((client.sdk.kind, resource)):
        request.applymarker(pytest.mark.xfail(reason=reason, raises=ApiError, strict=True))
    made = all_made()[resource]
    body = made.with_files(client.sdk, made.asked_by(client.sdk, example), files)

    ended = client.call(f"{resource}.generate", **body, download_directory=str(tmp_path))

    assert ended["status"] == "complete"
    downloaded = [Path(path) for path in ended["downloaded_paths"]]
    assert [path.name for path in downloaded] == made.names(body)
    assert all(map(is_what_its_name_says, downloaded))


@pytest.mark.parametrize(
    ("sdk", "resource", "example"),
    few(
        ROWS,
        *((LATEST, resource, AS_PUBLISHED) for resource in ("head_swap", "ai_ugc_ad", "ai_voice_cloner")),
        *(
            (OLDER, resource, AS_PUBLISHED)
            for resource in ("ai_talking_photo", "ai_image_generator", "lip_sync")
        ),
        *(
            (NODE, resource, AS_PUBLISHED)
            for resource in ("text_to_video", "ai_voice_generator", "animation")
        ),
    ),
    ids=str,
    indirect=["sdk"],
)
def test_what_create_has_made_is_charged_shown_and_deleted(
    client: Client, resource: str, example: str
) -> None:
    skip_what_it_has_not(client.sdk, resource)
    made = all_made()[resource]
    body = made.asked_by(client.sdk, example)

    created = client.call(f"{resource}.create", **body)
    assert created.keys() == made.answer.keys()
    shown = client.call(f"{made.reader}.get", id=created["id"])
    assert (shown["id"], shown["status"]) == (created["id"], "complete")
    assert shown["credits_charged"] == created["credits_charged"]

    if made.reader == "face_detection":
        assert [Path(face["path"]).name for face in shown["faces"]] == made.names(body)
        return
    assert (shown["type"], shown["enabled"], shown["error"]) == (made.operation.project_type, True, None)
    assert len(shown["downloads"]) == len(made.names(body))
    assert client.call(f"{made.reader}.delete", id=created["id"]) is None
    gone = client.call(f"{made.reader}.get", id=created["id"])
    assert (gone["status"], gone["enabled"], gone["downloads"]) == ("complete", False, [])


@pytest.mark.parametrize("kind", ["image", "video", "audio"])
def test_a_project_is_not_there_for_whoever_looks_among_another_kind(client: Client, kind: str) -> None:
    made = {"image": "ai_meme_generator", "video": "text_to_video", "audio": "ai_voice_generator"}[kind]
    created = client.call(f"{made}.create", **all_made()[made].asked_by(client.sdk, AS_PUBLISHED))
    for other in {"image", "video", "audio"} - {kind}:
        with pytest.raises(ApiError) as refused:
            client.call(f"{other}_projects.get", id=created["id"])
        assert refused.value.status == 404


def test_a_face_that_was_found_can_be_swapped(client: Client, files: dict[str, Path], tmp_path: Path) -> None:
    found = client.call(
        "face_detection.generate",
        assets={"target_file_path": str(files["image"])},
        download_directory=str(tmp_path),
    )
    (face,) = found["faces"]
    swapped = client.call(
        "face_swap_photo.generate",
        assets={
            "target_file_path": str(files["image"]),
            "face_swap_mode": "individual-faces",
            "face_mappings": [{"original_face": face["path"], "new_face": str(files["image"])}],
        },
        download_directory=str(tmp_path),
    )
    assert (swapped["status"], swapped["credits_charged"]) == ("complete", 10)
    assert is_what_its_name_says(tmp_path / "output.png")


@only([LATEST, LATEST_ASYNC])
def test_the_account_tells_its_plan_and_what_is_left(sdk: Sdk, mock: str) -> None:
    client = sdk.client(mock, f"mhk_test_pro_100_{uuid4().hex}")
    before = client.call("account.list")
    client.call("ai_meme_generator.create", **all_made()["ai_meme_generator"].asked_by(sdk, AS_PUBLISHED))
    after = client.call("account.list")

    assert (before["tier"], before["credits"], before["subscription"]["status"]) == ("pro", 100, "active")
    assert after == {**before, "credits": 90}
    assert sdk.client(mock, "mhk_test_free_25").call("account.list")["subscription"] is None


@only([LATEST, LATEST_ASYNC])
def test_saved_items_are_listed_by_pages_and_their_files_are_assets(client: Client) -> None:
    every = client.call("saved_items.list")
    first = client.call("saved_items.list", limit=2)
    others = client.call("saved_items.list", cursor=first["next_cursor"])
    ids = [[item["id"] for item in page["items"]] for page in (first, others, every)]
    assert ids[0] + ids[1] == ids[2]
    assert others["next_cursor"] is every["next_cursor"] is None

    (character,) = client.call("saved_items.list", type_="character")["items"]
    (picture,) = [asset for asset in character["assets"] if asset["is_primary"]]
    created = client.call("ai_face_editor.create", assets={"image_file_path": picture["file_path"]}, style={})
    assert client.call("image_projects.get", id=created["id"])["status"] == "complete"
