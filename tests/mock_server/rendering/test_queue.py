"""The render queue, with a stage that only says that it edits: order, batches, ends, money, restarts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.rendering import Job, JobFailed
from bluehour.mock_server.rendering.encoding import encoded, extension_like
from bluehour.openapi.contract import Contract, load

from ..conftest import FACE, PHOTO, Caller, face, photo

SECONDS = 60.0  # that a thread may take before a test gives up on it


MOST = 4  # pictures in a batch


class Stage:
    """Edits nothing, when it is let; a job's name says how it ends."""

    def __init__(self) -> None:
        self.editing, self.may_edit = Event(), Event()
        self.may_edit.set()
        self.batches: list[list[str]] = []
        self.loaded = self.encoded = self.most_in_memory = 0
        self._lock = Lock()

    def edits(self, project_type: str) -> bool:
        return True

    def most_at_once(self, project_type: str) -> int:
        return MOST

    def described(self) -> str:
        return "by nobody"

    def extension_for(self, source: Path | None) -> str:
        return extension_like(source)

    def load(self, job: Job) -> Job:
        if _name(job) == "unreadable":
            raise JobFailed("invalid_file_format")
        if _name(job) == "load throws":
            raise OSError("the disk is gone")
        with self._lock:
            self.loaded += 1
            self.most_in_memory = max(self.most_in_memory, self.loaded - self.encoded)
        return job

    def edit(self, loaded: Sequence[Job]) -> list[Job | JobFailed]:
        self.batches.append([_name(job) for job in loaded])
        self.editing.set()
        assert self.may_edit.wait(SECONDS)
        if any(_name(job) == "edit throws" for job in loaded):
            raise RuntimeError("out of memory")
        return [JobFailed("no_source_face") if _name(job) == "faceless" else job for job in loaded]

    def encode(self, edited: Job) -> bytes:
        if _name(edited) == "encode throws":
            raise ValueError("no such format")
        with self._lock:
            self.encoded += 1
        return encoded(Image.new("RGB", (8, 6), "teal"), edited.extension)

    def remark_on(self, project_type: str, request: Mapping[str, Any]) -> str | None:
        return "no hats here" if "hat" in str(request.get("style", {}).get("prompt")) else None


ENDS = {
    "fine": "complete",
    "unreadable": "invalid_file_format",
    "faceless": "no_source_face",
    "load throws": "unknown_error",
    "edit throws": "unknown_error",
    "encode throws": "unknown_error",
}
"""How a job ends, by its name."""


def _name(job: Job) -> str:
    return str(job.request.get("name"))


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def mock(clock: Clock, store_url: str, stage: Stage) -> Iterator[Mock]:
    mock = Mock(settings=Settings(store=store_url), clock=clock, stage=stage)
    yield mock
    stage.may_edit.set()
    mock.close()


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Mock]]:
    """Make mocks of one store and one folder, as processes do that follow one another."""
    settings = Settings(store=f"sqlite:///{tmp_path / 'mock.db'}")
    with ExitStack() as mocks:

        def made(contract: Contract | None = None, *, stage: Stage | None = None) -> Mock:
            mock = Mock(contract, settings, clock=clock, assets=tmp_path / "assets", stage=stage)
            return mocks.enter_context(closing(mock))

        yield made


def of(mock: Mock) -> Caller:
    """A caller with 100 credits at first."""
    return Caller(create_app(mock).test_client(), "mhk_test_creator_100")


def settle(mock: Mock) -> None:
    assert mock.rendering.queue is not None
    assert mock.rendering.queue.settle(SECONDS)


def create(caller: Caller, name: str = "fine", path: str = FACE) -> str:
    body = {**(face() if path == FACE else photo()), "name": name}
    return caller.create(body, path)


def held(stage: Stage, caller: Caller) -> str:
    """Create a project whose editing has begun, and does not end until it is let."""
    stage.may_edit.clear()
    stage.editing.clear()
    project_id = create(caller)
    assert stage.editing.wait(SECONDS)
    return project_id


def balance(mock: Mock, caller: Caller) -> int:
    account = mock.world.open_account(caller.headers["Authorization"].removeprefix("Bearer "))
    return mock.world.store.balance(account.id, mock.world.clock.now())


def test_a_project_renders_while_it_is_edited_and_is_complete_afterwards(
    mock: Mock, caller: Caller, stage: Stage
) -> None:
    project_id = held(stage, caller)
    assert caller.project(project_id)["status"] == "rendering"
    waiting = create(caller)
    assert caller.project(waiting)["status"] == "queued"
    assert caller.project(waiting)["downloads"] == []
    stage.may_edit.set()
    settle(mock)
    for each in (project_id, waiting):
        project = caller.project(each)
        assert (project["status"], project["credits_charged"]) == ("complete", 1)
        assert caller.fetch(project["downloads"][0]["url"]).status_code == 200
    assert balance(mock, caller) == 98


@pytest.mark.parametrize(
    ("extension", "output", "media_type"),
    [("jpg", "jpg", "image/jpeg"), ("webp", "webp", "image/webp"), ("heic", "png", "image/png")],
)
def test_the_picture_is_in_the_format_of_the_upload(
    mock: Mock, caller: Caller, extension: str, output: str, media_type: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    project_id = caller.create(face(caller.upload(file.getvalue(), extension=extension)))
    settle(mock)
    (download,) = caller.project(project_id)["downloads"]
    answer = caller.fetch(download["url"])
    assert f"/output.{output}?" in download["url"]
    assert answer.content_type == media_type
    assert Image.MIME[str(Image.open(io.BytesIO(answer.data)).format)] == media_type


def test_jobs_that_wait_for_one_operation_are_edited_at_once(
    mock: Mock, caller: Caller, stage: Stage
) -> None:
    caller.headers = {"Authorization": "Bearer rich"}
    held(stage, caller)
    for number in range(3):
        create(caller, f"face {number}")
        create(caller, f"photo {number}", PHOTO)
    for _ in range(1000):  # until all are loaded, which no event tells
        if stage.loaded == 7:
            break
        Event().wait(0.01)
    stage.may_edit.set()
    settle(mock)
    first, *others = stage.batches
    assert first == ["fine"]
    assert sorted(map(sorted, others)) == [
        ["face 0", "face 1", "face 2"],
        ["photo 0", "photo 1", "photo 2"],
    ]


def test_however_many_wait_few_pictures_are_in_memory(mock: Mock, caller: Caller, stage: Stage) -> None:
    held(stage, caller)
    for _ in range(50):
        create(caller)
    stage.may_edit.set()
    settle(mock)
    assert stage.encoded == 51
    assert stage.most_in_memory <= 2 * MOST
    assert max(map(len, stage.batches)) <= MOST


@pytest.mark.parametrize(("name", "end"), ENDS.items())
def test_a_job_ends_as_the_renderer_tells_and_only_a_picture_costs(
    mock: Mock, caller: Caller, name: str, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    project_id = create(caller, name)
    settle(mock)
    project = caller.project(project_id)
    if end == "complete":
        assert (project["status"], balance(mock, caller)) == ("complete", 99)
    else:
        assert (project["status"], project["error"]["code"]) == ("error", end)
        assert (project["credits_charged"], balance(mock, caller)) == (0, 100)
    assert ("failed at" in caplog.text) == (end == "unknown_error"), "a fault of ours is logged, no other"


def test_one_job_that_throws_takes_none_of_its_batch_along(mock: Mock, caller: Caller, stage: Stage) -> None:
    held(stage, caller)
    projects = {name: create(caller, name) for name in ("fine", "edit throws", "faceless")}
    stage.may_edit.set()
    settle(mock)
    ends = {name: caller.project(project_id) for name, project_id in projects.items()}
    assert ends["fine"]["status"] == "complete"
    assert ends["edit throws"]["error"]["code"] == "unknown_error"
    assert ends["faceless"]["error"]["code"] == "no_source_face"


def test_webhooks_tell_of_the_rendering_and_of_its_end(mock: Mock, caller: Caller, stage: Stage) -> None:
    mock.webhooks.register("http://127.0.0.1:9/nobody")
    mock.world.clock.run()
    project_id = held(stage, caller)
    stage.may_edit.set()
    failing = create(caller, "faceless")
    settle(mock)
    assert mock.webhooks.settle(SECONDS)
    told = [(each.project_id, each.event) for each in reversed(mock.webhooks.deliveries())]
    assert [event for of, event in told if of == project_id] == ["image.started", "image.completed"]
    assert [event for of, event in told if of == failing][-1] == "image.errored"


def test_a_project_that_was_deleted_while_it_waited_is_not_edited_and_keeps_its_charge(
    mock: Mock, caller: Caller, stage: Stage
) -> None:
    held(stage, caller)
    deleted = create(caller, "faceless")
    caller.delete(deleted)
    create(caller, "wanted")
    stage.may_edit.set()
    settle(mock)
    assert stage.batches == [["fine"], ["wanted"]]
    project = mock.world.store.project(deleted)
    assert project is not None
    assert project.outcome == "complete"
    assert balance(mock, caller) == 97


def test_beyond_the_most_that_may_wait_a_create_is_refused_and_neither_stored_nor_charged(
    clock: Clock, store_url: str, stage: Stage
) -> None:
    with closing(Mock(settings=Settings(store=store_url, most_waiting=2), clock=clock, stage=stage)) as mock:
        caller = of(mock)
        held(stage, caller)
        create(caller)
        for other in ("mhk_test_creator_100", "mhk_test_creator_50"):
            refused = Caller(caller.client, other).post(FACE, face())
            assert refused.status_code == 429
            assert refused.json["code"] == "too_many_requests"
            assert int(refused.headers["Retry-After"]) > 0
        assert (mock.world.store.count_projects(), balance(mock, caller)) == (2, 98)
        stage.may_edit.set()
        settle(mock)
        create(caller)
        settle(mock)
        assert balance(mock, caller) == 97


def test_what_does_not_wait_for_the_renderer_is_never_too_much(stage: Stage) -> None:
    with closing(Mock(settings=Settings(most_waiting=1), stage=stage)) as mock:
        caller = of(mock)
        held(stage, caller)
        stuck = caller.post(FACE, face("api-assets/test/no_source_face.png"))
        assert stuck.status_code == 200
        mock.world.reset()
        create(caller)
        stage.may_edit.set()


def test_a_project_that_was_deleted_meanwhile_leaves_no_picture(
    mock: Mock, caller: Caller, stage: Stage
) -> None:
    project_id = held(stage, caller)
    caller.delete(project_id)
    stage.may_edit.set()
    settle(mock)
    assert not mock.world.files.output(project_id, "output.png").exists()
    assert balance(mock, caller) == 99


def test_a_project_that_somebody_ended_meanwhile_stays_as_it_ended(
    mock: Mock, caller: Caller, stage: Stage
) -> None:
    project_id = held(stage, caller)
    mock.world.store.end_project(project_id, "canceled", mock.world.clock.now())
    stage.may_edit.set()
    settle(mock)
    assert caller.project(project_id)["status"] == "canceled"
    assert balance(mock, caller) == 100
    assert not mock.world.files.output(project_id, "output.png").exists()


@pytest.mark.parametrize("change", ["begin_project", "end_project"])
def test_a_store_that_is_locked_for_a_while_loses_no_job(
    mock: Mock, caller: Caller, stage: Stage, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bluehour.mock_server.rendering.queue._PAUSE", 0)
    held(stage, caller)
    carried_out, refusals = getattr(mock.world.store, change), iter(range(3 * MOST))

    def locked(*arguments: Any) -> Any:
        if next(refusals, None) is not None:
            raise OSError("the database is locked")
        return carried_out(*arguments)

    monkeypatch.setattr(mock.world.store, change, locked)
    created = [create(caller, name) for name in ("fine", "faceless", "fine", "fine", "faceless", "fine")]
    stage.may_edit.set()
    settle(mock)
    assert next(refusals, None) is None
    expected = ["complete", "error", "complete", "complete", "error", "complete"]
    assert [caller.project(each)["status"] for each in created] == expected


def test_to_settle_is_to_wait_for_pictures_too(mock: Mock, caller: Caller, stage: Stage) -> None:
    project_id = held(stage, caller)
    settle_path = "/_mock/deliveries/settle"
    assert caller.post(settle_path, {"timeout": 0}).status_code == 409
    stage.may_edit.set()
    assert caller.post(settle_path, {"timeout": SECONDS}).status_code == 200
    assert caller.project(project_id)["status"] == "complete"


def test_after_a_reset_the_queue_goes_on_as_new(mock: Mock, caller: Caller, stage: Stage) -> None:
    held(stage, caller)
    for _ in range(20):
        create(caller)
    mock.world.reset()
    stage.may_edit.set()
    settle(mock)
    projects = [create(caller) for _ in range(20)]
    settle(mock)
    assert {caller.project(each)["status"] for each in projects} == {"complete"}
    assert len(list(mock.world.files.output("x", "output.png").parent.iterdir())) == 20


def test_what_a_scenario_decides_is_not_rendered(mock: Mock, caller: Caller, stage: Stage) -> None:
    for job in ("stuck", "no_source_face", "complete"):
        mock.scenarios.replace([{"job": job}])
        project_id = create(caller)
        mock.world.clock.advance(3600)
        settle(mock)
        status = caller.project(project_id)["status"]
        assert status == {"stuck": "queued", "complete": "complete"}.get(job, "error")
    assert stage.batches == []
    (download,) = caller.project(project_id)["downloads"]
    assert caller.fetch(download["url"]).status_code == 200, "it is rendered when it is asked for"


def test_an_asset_named_for_an_error_ends_in_it(mock: Mock, caller: Caller, stage: Stage) -> None:
    project_id = caller.create(face("api-assets/test/file_too_large.png"))
    mock.world.clock.advance(3600)
    assert caller.project(project_id)["error"]["code"] == "file_too_large"
    assert stage.batches == []


def test_what_another_process_left_is_rendered_and_charged_once(
    kept: Callable[..., Mock], stage: Stage
) -> None:
    killed = kept(stage=stage)
    caller = of(killed)
    projects = [held(stage, caller), create(caller), create(caller, "faceless")]

    heir = kept(stage=Stage())
    heir.world.resume()
    settle(heir)
    caller = of(heir)
    found = [caller.project(each) for each in projects]
    assert [each["status"] for each in found] == ["complete", "complete", "error"]
    assert balance(heir, caller) == 98
    stage.may_edit.set()  # the first one was not dead after all
    settle(killed)
    assert balance(heir, caller) == 98
    assert [caller.project(each)["status"] for each in projects] == ["complete", "complete", "error"]


def test_a_job_of_an_operation_that_is_gone_waits_and_keeps_none_from_being_rendered(
    kept: Callable[..., Mock], stage: Stage
) -> None:
    caller = of(kept(stage=stage))
    held(stage, caller)
    left = create(caller, path=PHOTO)

    document = load().document
    paths = {path: item for path, item in document["paths"].items() if path != PHOTO}
    without = Contract({**document, "paths": paths})
    heir = kept(without, stage=Stage())
    heir.world.resume()
    caller = of(heir)
    created = create(caller)
    settle(heir)
    assert caller.project(created)["status"] == "complete"
    unended = heir.world.store.project(left)
    assert unended is not None
    assert unended.is_pending
    stage.may_edit.set()


def test_a_reset_that_fails_leaves_the_jobs_on_their_way(
    mock: Mock, caller: Caller, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = held(stage, caller)

    def locked() -> None:
        raise OSError("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(mock.world.store, "reset", locked)
        with pytest.raises(OSError, match="locked"):
            mock.world.reset()
    stage.may_edit.set()
    settle(mock)
    assert caller.project(project_id)["status"] == "complete"


def test_what_a_renderer_left_is_complete_where_none_takes_its_time(
    kept: Callable[..., Mock], stage: Stage
) -> None:
    project_id = held(stage, of(kept(stage=stage)))

    simulating = kept()
    simulating.world.resume()
    caller = of(simulating)
    assert caller.project(project_id)["status"] == "complete"
    assert balance(simulating, caller) == 99
    stage.may_edit.set()


def test_what_the_renderer_cannot_do_is_said_in_the_journal(mock: Mock, caller: Caller) -> None:
    caller.headers = {"Authorization": "Bearer rich"}
    body = photo()
    body["style"]["prompt"] = "a red hat"
    caller.create(body, PHOTO)
    settle(mock)
    assert mock.journal is not None
    assert mock.journal.all()[-1].remarks == ("no hats here",)


names = st.sampled_from([*ENDS, "fine", "fine"])
deeds: st.SearchStrategy[Callable[[Mock, str], object]] = st.sampled_from(
    [
        lambda mock, project_id: None,
        lambda mock, project_id: None,
        lambda mock, project_id: mock.world.store.delete_project(project_id, mock.world.clock.now()),
    ]
)


@given(jobs=st.lists(st.tuples(names, deeds), max_size=12), opening=st.integers(0, 14))
def test_whatever_becomes_of_jobs_the_account_pays_for_the_complete_ones(
    jobs: list[tuple[str, Callable[[Mock, str], object]]], opening: int
) -> None:
    mock = Mock(stage=Stage())
    caller = Caller(create_app(mock).test_client(), f"mhk_test_creator_{opening}")
    projects = {}
    for name, deed in jobs:
        answer = caller.post(FACE, {**face(), "name": name})
        if answer.status_code == 200:
            projects[answer.json["id"]] = name
            deed(mock, answer.json["id"])
    settle(mock)
    ends = {each: mock.world.store.project(each) for each in projects}
    for project_id, name in projects.items():
        end = ends[project_id]
        assert end is not None
        assert end.outcome == ENDS[name] or (end.deleted_at is not None and end.outcome == "complete")
    complete = sum(1 for each in ends.values() if each and each.outcome == "complete")
    assert balance(mock, caller) == opening - complete
    mock.close()
