"""What is billed by the frame: an estimate at create, and at the end the frames that were made."""

from __future__ import annotations

from typing import Any

import pytest

from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from tests.openapi.pricing import changed

from ..clips import clip
from ..conftest import Caller
from .test_kinds_of_projects import VIDEO

pytest.importorskip("av", reason="the length of uploaded videos is read by PyAV, of the extra `video`")

OPENING = 1000


@pytest.fixture
def caller(caller: Caller) -> Caller:
    return Caller(caller.client, f"mhk_test_pro_{OPENING}")


def ledger(mock: Mock, caller: Caller) -> list[int]:
    """The amounts of an account's lines that count by now, without its opening."""
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    entries = mock.world.store.ledger(mock.world.open_account(token).id).entries
    return [entry.amount for entry in entries if entry.project_id and entry.at <= mock.world.clock.now()]


TWO_SECONDS = (2.0, 24.0)


@pytest.mark.parametrize(
    ("create", "fields", "source", "charged", "settled"),
    [
        ("face-swap", {}, TWO_SECONDS, 120, 48),
        ("face-swap", {}, (2.0, 12.0), 120, 24),
        ("face-swap", {}, (2.0, 30.0), 120, 48),
        ("face-swap", {"start_seconds": 1.5}, TWO_SECONDS, 84, 12),
        ("face-swap", {"start_seconds": 3}, TWO_SECONDS, 48, 0),
        ("face-swap", {"end_seconds": 1}, TWO_SECONDS, 24, 24),
        ("face-swap", {}, None, 120, 120),
        ("auto-subtitle-generator", {}, TWO_SECONDS, 24, 10),
        ("lip-sync", {"style.generation_mode": "pro"}, TWO_SECONDS, 240, 96),
        ("lip-sync", {"max_fps_limit": 6}, TWO_SECONDS, 30, 12),
        ("video-to-video", {}, TWO_SECONDS, 120, 48),
        ("ai-video-editor", {}, TWO_SECONDS, 240, 240),
    ],
)
def test_an_estimate_is_settled_to_the_frames_that_were_made(
    caller: Caller,
    clock: Clock,
    mock: Mock,
    create: str,
    fields: dict[str, Any],
    source: tuple[float, float] | None,
    charged: int,
    settled: int,
) -> None:
    if source:
        fields = {**fields, "assets.video_file_path": caller.upload(clip(*source), "video", "mp4")}
    answer = caller.post(f"/v1/{create}", changed(create, **fields)).json
    assert answer["credits_charged"] == answer["estimated_frame_cost"] == charged
    assert caller.project(answer["id"], "video")["credits_charged"] == charged
    assert (caller.credits, ledger(mock, caller)) == (OPENING - charged, [-charged])

    clock.advance(1000)
    project = caller.project(answer["id"], "video")
    assert project["credits_charged"] == project["total_frame_cost"] == settled
    assert caller.credits == OPENING - settled
    assert ledger(mock, caller) == [-charged, *([charged - settled] if settled != charged else [])]


@pytest.mark.parametrize("job", ["no_source_face", "canceled"])
def test_what_failed_is_given_back_whole(caller: Caller, clock: Clock, mock: Mock, job: str) -> None:
    mock.scenarios.replace([{"job": job}])
    VIDEO.made(caller, **{"assets.video_file_path": caller.upload(clip(*TWO_SECONDS), "video", "mp4")})
    clock.advance(1000)
    assert (caller.credits, ledger(mock, caller)) == (OPENING, [-120, 120])


def test_what_somebody_ends_early_is_settled_then(caller: Caller, mock: Mock) -> None:
    upload = caller.upload(clip(*TWO_SECONDS), "video", "mp4")
    ids = [VIDEO.made(caller, **{"assets.video_file_path": upload}) for _ in range(2)]
    for project_id, outcome in zip(ids, ["complete", "unknown_error"], strict=True):
        caller.post(f"/_mock/projects/{project_id}/outcome", {"outcome": outcome})
    assert [caller.project(each, "video")["credits_charged"] for each in ids] == [48, 0]
    assert caller.credits == OPENING - 48
    assert sorted(ledger(mock, caller)) == [-120, -120, 72, 120]


def test_a_deleted_one_is_settled_all_the_same(caller: Caller, clock: Clock) -> None:
    upload = caller.upload(clip(*TWO_SECONDS), "video", "mp4")
    project_id = VIDEO.made(caller, **{"assets.video_file_path": upload})
    caller.delete(project_id, "video")
    clock.advance(1000)
    assert caller.project(project_id, "video")["credits_charged"] == 48
    assert caller.credits == OPENING - 48


def test_only_what_is_billed_by_the_frame_is_settled() -> None:
    tables = {each.id: each.node.get("x-credits") for each in load().operations}
    settled = {name for name, table in tables.items() if isinstance(table, dict) and table.get("settles")}
    by_frame = {
        name for name, table in tables.items() if isinstance(table, dict) and table.get("per") == "frame"
    }
    assert settled == by_frame
