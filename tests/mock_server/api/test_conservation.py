"""Credits are conserved: whatever happens in whatever order, balance = start - charges + refunds."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.openapi.pricing import changed
from tests.profiles import examples

from ..clips import clip
from ..conftest import FACE, PHOTO, Caller, face, photo

_ENDS = ("complete", "error", "canceled")
_STEPS = {"queued": 0, "rendering": 1, **dict.fromkeys(_ENDS, 2)}
_OPENING = 75


@dataclass(frozen=True)
class Kind:
    """A create, what it charges, what is left of that at its end, and where its request names a file."""

    create: str
    kind: str
    price: int
    settled: int
    asset: str
    fields: tuple[tuple[str, Any], ...] = ()

    def body(self, asset: str) -> dict[str, Any]:
        return changed(self.create, **{**dict(self.fields), self.asset: asset})


_KINDS = [
    Kind("ai-face-editor", "image", 1, 1, "assets.image_file_path"),
    Kind("ai-photo-editor", "image", 10, 10, "assets.image_file_path"),
    Kind("ai-voice-cloner", "audio", 4, 4, "assets.audio_file_path", (("style.prompt", "a" * 80),)),
    Kind("face-swap", "video", 24, 12, "assets.video_file_path", (("end_seconds", 1),)),
    Kind("face-detection", "face-detection", 0, 0, "assets.target_file_path"),
]
_EXTENSIONS = {"image": "png", "audio": "mp3", "video": "mp4", "face-detection": "jpg"}


@dataclass
class Seen:
    """What the machine knows of a project that it made."""

    of: Kind
    end: str
    settled: int
    step: int = 0
    deleted: bool = False


class Conservation(RuleBasedStateMachine):
    """Creates of all kinds, refused ones too, polls, ends, deletes and clock steps, in any order."""

    store = "memory://"
    projects = Bundle("projects")

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        url = self.store.format(folder=Path(self.folder.name))
        self.clock = Clock()
        self.clock.freeze()
        self.mock = Mock(settings=Settings(store=url, time_scale=1), clock=self.clock)
        self.token = f"mhk_test_creator_{_OPENING}"
        self.caller = Caller(create_app(self.mock).test_client(), self.token)
        self.upload = self.caller.upload(clip(0.5), "video", "mp4")
        self.seen: dict[str, Seen] = {}

    def teardown(self) -> None:
        self.mock.close()
        self.folder.cleanup()

    @rule(target=projects, kind=st.sampled_from(_KINDS), fails=st.booleans())
    def create(self, kind: Kind, fails: bool) -> str:
        folder, name = ("test", "unknown_error") if fails else ("id", "1234")
        asset = f"api-assets/{folder}/{name}.{_EXTENSIONS[kind.kind]}"
        if kind.kind == "video" and not fails:
            asset = self.upload
        before = self.caller.credits
        answer = self.caller.post(f"/v1/{kind.create}", kind.body(asset))
        if before < kind.price:
            assert (answer.status_code, answer.json["code"]) == (402, "insufficient_credits")
            return "nothing-was-made"
        assert answer.json["credits_charged"] == kind.price
        project_id: str = answer.json["id"]
        assert project_id not in self.seen
        settled = kind.price if fails else kind.settled  # a scenario may have it complete without a clip
        self.seen[project_id] = Seen(kind, "error" if fails else "complete", settled)
        return project_id

    @rule(body=st.sampled_from([face(mouth_smile=7), face("api-assets/never/issued.png"), face(""), {}]))
    def create_in_vain(self, body: dict[str, object]) -> None:
        before = self.caller.credits
        assert self.caller.post(FACE, body).status_code in (400, 422)
        assert self.caller.credits == before

    @rule(project_id=projects)
    def poll(self, project_id: str) -> None:
        known = self.seen.get(project_id)
        if known is None:
            return
        project = self.caller.project(project_id, known.of.kind)
        step = _STEPS[project["status"]]
        assert step >= known.step, "a status went back"
        known.step = step
        assert project["status"] in (["queued"], ["rendering"], [known.end])[step]
        by_end = {"complete": known.settled, "error": 0, "canceled": 0}
        assert project["credits_charged"] == by_end.get(project["status"], known.of.price)
        assert project.get("enabled", True) is not known.deleted
        files = project["downloads"] if "downloads" in project else project["faces"]
        assert bool(files) == (project["status"] == "complete" and not known.deleted)

    @rule(project_id=projects, outcome=st.sampled_from(["complete", "unknown_error", "canceled"]))
    def end(self, project_id: str, outcome: str) -> None:
        known = self.seen.get(project_id)
        if known is None:
            return
        answer = self.caller.post(f"/_mock/projects/{project_id}/outcome", {"outcome": outcome})
        if answer.status_code == 200:
            assert known.step < 2, "what is over ended once more"
            is_canceled = outcome == "canceled" and known.of.kind != "face-detection"
            known.end = "complete" if outcome == "complete" else "canceled" if is_canceled else "error"
        else:
            assert answer.status_code == 409
            assert _STEPS[self.caller.project(project_id, known.of.kind)["status"]] == 2

    @rule(project_id=projects)
    def delete(self, project_id: str) -> None:
        known = self.seen.get(project_id)
        if known is not None and known.of.kind != "face-detection":
            assert self.caller.delete(project_id, known.of.kind).status_code == 204
            known.deleted = True

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.0, 30.0, 100.0]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def credits_are_conserved(self) -> None:
        shown = (self.caller.project(one, known.of.kind) for one, known in self.seen.items())
        credits = self.caller.credits
        assert credits == _OPENING - sum(each["credits_charged"] for each in shown)
        assert credits >= 0
        account = self.mock.world.open_account(self.token)
        entries = self.mock.world.store.ledger(account.id).entries
        assert credits == sum(entry.amount for entry in entries if entry.at <= self.clock.now())


pytest.importorskip("av", reason="what is billed by the frame is settled by PyAV, of the extra `video`")


class ConservationInSqlite(Conservation):
    store = "sqlite:///{folder}/mock.db"


TestInMemory = Conservation.TestCase
TestInMemory.settings = examples(30, stateful_step_count=20)
TestInSqlite = ConservationInSqlite.TestCase
TestInSqlite.settings = examples(8, stateful_step_count=20)


@pytest.mark.parametrize("path", [FACE, PHOTO])
def test_two_hundred_threads_at_once_never_overdraw(store_url: str, path: str) -> None:
    credits, price = (120, 10) if path == PHOTO else (120, 1)
    mock = Mock(settings=Settings(store=store_url))
    app, token = create_app(mock), f"mhk_test_creator_{credits}"
    body = photo() if path == PHOTO else face()

    def create(_: int) -> tuple[int, str]:
        answer = Caller(app.test_client(), token).post(path, body)
        return answer.status_code, answer.json.get("id", "")

    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(create, range(200)))
    created = [project_id for status, project_id in answers if status == 200]
    assert len(created) == len(set(created)) == credits // price
    assert {status for status, _ in answers} == {200, 402}
    assert mock.world.store.balance(mock.world.open_account(token).id, mock.world.clock.now()) == 0
    mock.close()
