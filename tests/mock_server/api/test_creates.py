"""Every create, as it is served: what it charges, and what it refuses, charging and keeping nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.openapi.pricing import PRICED, Priced, changed

from ..conftest import Caller
from .test_lifecycle import png

OPENING = 1_000_000
PICTURE = "api-assets/id/1234.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assets")


@pytest.fixture(scope="module")
def anybody(folder: Path) -> Iterator[FlaskClient]:
    with closing(Mock(settings=Settings(time_scale=1), assets=folder)) as mock:
        yield create_app(mock).test_client()


@pytest.mark.parametrize("case", PRICED)
def test_a_create_is_charged_as_the_tables_say(anybody: FlaskClient, case: Priced) -> None:
    caller = Caller(anybody, f"mhk_test_{case.plan}_{OPENING}_{id(case)}")
    answer = caller.post(case.path, case.body)
    if case.credits is None:
        assert answer.status_code in (402, 422)
    else:
        assert (answer.status_code, answer.json.get("credits_charged")) == (200, case.credits)
    assert caller.credits == OPENING - (case.credits or 0)


FREE = "mhk_test_free_100000"
PAID = "mhk_test_pro_100000"
POOR = "mhk_test_pro_9"
UPGRADE = "needs the creator plan or a higher one; this account has the free plan"
HERO = [{"name": "hero", "file_path": PICTURE}]
NOT_OFFERED = [
    (FREE, "ai-image-generator", {"resolution": "2k"},
     f"resolution 2k {UPGRADE}"),
    (FREE, "ai-image-generator", {"model": "nano-banana"},
     f"model nano-banana {UPGRADE}"),
    (FREE, "ai-image-editor", {"style.model": "Seedream"},
     f"model seedream-v4 {UPGRADE}"),
    (FREE, "ai-image-upscaler", {"scale_factor": 4.0},
     f"scale_factor 4 {UPGRADE}"),
    (FREE, "text-to-video", {"resolution": "720p"},
     f"resolution 720p {UPGRADE}"),
    (FREE, "ai-video-upscaler", {},
     f"resolution 1080p {UPGRADE}"),
    (FREE, "ai-ugc-ad", {"end_seconds": 6},
     f"end_seconds 6 {UPGRADE}"),
    (FREE, "lip-sync", {"style.generation_mode": "pro"},
     f"style.generation_mode pro {UPGRADE}"),
    (FREE, "animation", {"width": 640},
     "width must be at most 576 on the free plan. Please upgrade your plan for 640"),
    (POOR, "photo-colorizer", {},
     "Insufficient credits: this costs 10 credits, and your account has 9 credits"),
    (PAID, "ai-image-generator", {"image_count": 5},
     "image_count can't be 5 with model z-image-turbo; allowed: 1 to 4"),
    (PAID, "ai-image-generator", {"model": "krea-2", "resolution": "4k"},
     "resolution can't be 4k with model krea-2; allowed: 640px, 1k"),
    (PAID, "ai-image-editor", {"model": "krea-2", "assets.image_file_paths": [PICTURE] * 3},
     "assets.image_file_paths may have at most 2 items with model krea-2"),
    (PAID, "text-to-video", {"end_seconds": 16},
     "end_seconds can't be 16 with model kling-3.0; allowed: 3 to 15"),
    (PAID, "text-to-video", {"end_seconds": 4.5},
     "end_seconds can't be 4.5 with model kling-3.0; allowed: 3 to 15"),
    (PAID, "text-to-video", {"model": "kling-2.6", "audio": True},
     "audio can't be true with model kling-2.6; allowed: false"),
    (PAID, "text-to-video", {"model": "sora-2", "end_seconds": 4, "aspect_ratio": "1:1"},
     "aspect_ratio can't be 1:1 with model sora-2; allowed: 16:9, 9:16"),
    (PAID, "text-to-video", {"model": "ltx-2.5", "references": HERO},
     "references can't be given with model ltx-2.5"),
    (PAID, "text-to-video", {"model": "veo3.1", "end_seconds": 6, "references": HERO},
     "references can't be given with model veo3.1 and end_seconds 6"),
    (PAID, "image-to-video", {"model": "kling-2.6", "assets.end_image_file_path": PICTURE},
     "assets.end_image_file_path can't be given with model kling-2.6 and resolution 720p"),
    (PAID, "ai-talking-photo", {"end_seconds": 300.5},
     "It may last at most 300 seconds, not 300.5"),
    (PAID, "face-swap", {"start_seconds": 5},
     "The end must be later than the start: nothing is left between them"),
    (PAID, "face-swap-photo", {"assets.face_swap_mode": "individual-faces"},
     "Missing assets.face_mappings: it is needed where assets.face_swap_mode is individual-faces"),
    (PAID, "lip-sync", {"assets.video_source": "youtube"},
     "Missing assets.youtube_url: it is needed where assets.video_source is youtube"),
    (PAID, "video-to-video", {"style.prompt_type": "custom"},
     "Missing style.prompt: it is needed where style.prompt_type is custom"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "create", "fields", "message"),
    NOT_OFFERED,
    ids=[f"{row[1]}-{row[3][:40]}" for row in NOT_OFFERED],
)
def test_what_is_not_offered_is_told_in_plain_words_and_leaves_nothing(
    folder: Path, anybody: FlaskClient, token: str, create: str, fields: dict[str, Any], message: str
) -> None:
    caller = Caller(anybody, token)
    body = changed(create, **fields)
    if "image_file_path" in body.get("assets", {}):
        body["assets"]["image_file_path"] = caller.upload(png())

    def left() -> tuple[int, int, int]:
        projects = anybody.get("/_mock/state").json["projects"]  # type: ignore[index] # JSON
        return caller.credits, projects, sum(each.is_file() for each in folder.rglob("*"))

    before = left()
    answer = caller.post(f"/v1/{create}", body)
    code = {POOR: "insufficient_credits", FREE: "plan_upgrade_required", PAID: "unprocessable_entity"}[token]
    assert answer.json == {"code": code, "message": message}
    assert answer.status_code == (422 if token == PAID else 402)
    assert left() == before
