"""Events of projects of every kind: what comes, and that it is signed and shows what GET shows."""

from __future__ import annotations

from typing import Any

import pytest

from bluehour.mock_server.webhooks.signature import verify

from ..api.test_kinds_of_projects import AUDIO, FACES, IMAGE, VIDEO, Kind, made
from ..clips import clip
from ..conftest import Caller
from .conftest import Watcher
from .receiver import SECRET, Receiver

kinds = pytest.mark.parametrize("kind", [IMAGE, VIDEO, AUDIO], ids=lambda kind: kind.name)


@pytest.fixture
def store_url() -> str:
    return "memory://"


@pytest.fixture
def caller(caller: Caller) -> Caller:
    return Caller(caller.client, "mhk_test_pro_1000")


def without_links(project: dict[str, Any]) -> dict[str, Any]:
    """A project with how many files it has, whose links are signed anew for each reader."""
    return {**project, "downloads": len(project["downloads"]), "download": bool(project.get("download"))}


@kinds
def test_a_job_is_told_of_as_it_starts_and_completes_and_as_get_shows_it(
    kind: Kind, watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    project_id = made(kind, caller)
    for share, event in [(0.25, "started"), (0.75, "completed")]:
        watcher.wait(kind.seconds * share)
        arrived = receiver.arrived[-1]
        told = verify(arrived.body, arrived.headers, SECRET, now=watcher.mock.world.clock.now())
        assert told["type"] == f"{kind.name}.{event}"
        assert without_links(told["payload"]) == without_links(caller.project(project_id, kind.name))
    assert receiver.events == [f"{kind.name}.started", f"{kind.name}.completed"]
    (link,) = told["payload"]["downloads"]
    assert caller.fetch(link["url"]).content_type == kind.media_type


@kinds
def test_a_job_that_fails_is_told_of_with_its_error(
    kind: Kind, watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.mock.scenarios.replace([{"job": "content_policy_violation"}])
    watcher.register(receiver, f"{kind.name}.errored")
    kind.made(caller)
    watcher.wait(kind.seconds)
    assert receiver.events == [f"{kind.name}.errored"]
    payload = receiver.arrived[-1].event["payload"]
    assert (payload["status"], payload["credits_charged"], payload["downloads"]) == ("error", 0, [])
    assert payload["error"]["code"] == "content_policy_violation"


def test_a_receiver_hears_of_the_kinds_that_it_wants(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver, "video.completed", "audio.started")
    for kind in (IMAGE, VIDEO, AUDIO, FACES):
        kind.made(caller)
    watcher.wait(1000)
    assert sorted(receiver.events) == ["audio.started", "video.completed"]


def test_neither_a_canceled_video_nor_a_face_detection_is_told_of(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.register(receiver)
    watcher.end(VIDEO.made(caller), "canceled")
    FACES.made(caller)
    watcher.wait(1000)
    assert receiver.events == []


def test_a_completed_video_is_told_of_with_its_settled_price(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    pytest.importorskip("av", reason="the length of uploaded videos is read by PyAV, of the extra `video`")
    watcher.register(receiver)
    VIDEO.made(caller, **{"assets.video_file_path": caller.upload(clip(0.5), "video", "mp4")})
    watcher.wait(1000)
    assert [each.event["payload"]["credits_charged"] for each in receiver.arrived] == [120, 12]
