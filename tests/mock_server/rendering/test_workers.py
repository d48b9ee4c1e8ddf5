"""`bluehour work`: what servers leave to it is rendered by whichever worker lives, and paid once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bluehour.mock_server.core.settings import WORKERS, Settings
from bluehour.mock_server.core.stores import StoreError
from bluehour.mock_server.core.stores.jobs import Worker
from bluehour.mock_server.core.stores.opening import open_store
from bluehour.mock_server.core.world import World
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.rendering.feature import Rendering
from bluehour.openapi.contract import load
from tests.postgresql import Cluster, running

from ..conftest import FACE, Caller, data, face
from ..server.test_serving import serving
from .test_queue import SECONDS, Stage, balance, create, of

pytest.importorskip("procrastinate", reason="needs the extra work")

from bluehour.mock_server.rendering.engine import MOST_ATTEMPTS, Engine

BLUEHOUR = [sys.executable, "-m", "bluehour"]
SLOW = [sys.executable, "-m", "tests.mock_server.rendering.slow_worker"]


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return postgresql.url()


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "assets"
    folder.mkdir()
    return folder


Server = Callable[[], Mock]


@pytest.fixture
def server(url: str, assets: Path) -> Iterator[Server]:
    """Make servers that leave their jobs to workers, on one store."""
    made: list[Mock] = []

    def make() -> Mock:
        made.append(Mock(settings=Settings(store=url, renderer=WORKERS), assets=assets))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def mock(server: Server) -> Mock:
    return server()


@contextmanager
def working(
    url: str, assets: Path, stage: Stage, at_once: int = 16, lost_after: float = 5
) -> Iterator[World]:
    """Work in this process, until the end of the context; then the stage is let."""
    world = World(load(), Settings(store=url, renderer=WORKERS), assets=assets)
    rendering = Rendering(world, stage)
    world.listen(rendering)
    assert rendering.queue is not None
    engine = Engine(world, rendering.queue, at_once, lost_after)
    is_up, stops = threading.Event(), list[Callable[[], object]]()

    async def run() -> None:
        task, loop = asyncio.create_task(engine.run()), asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(task.cancel))
        is_up.set()
        with suppress(asyncio.CancelledError):
            await task

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert is_up.wait(SECONDS)
    with closing(world):
        try:
            yield world
        finally:
            stops[0]()
            thread.join(SECONDS)
            stage.may_edit.set()


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process, and kill it at the end if it still lives."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def says(started: subprocess.Popen[str], line: str) -> None:
    """Wait until a process says something."""
    assert started.stdout is not None
    for said in started.stdout:
        if line in said:
            return
    assert started.stderr is not None
    raise AssertionError(started.stderr.read())


def until(what: Callable[[], Any]) -> None:
    give_up_at = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def lines_of(mock: Mock, project_id: str) -> list[int]:
    """The amounts that a project has in its account's ledger."""
    project = mock.world.store.project(project_id)
    assert project is not None
    entries = mock.world.store.ledger(project.account_id).entries
    return [each.amount for each in entries if each.project_id == project_id]


def order(stage: Stage) -> list[str]:
    """The names of the jobs that a stage has edited, in that order."""
    return [name for batch in stage.batches for name in batch]


def jobs(mock: Mock) -> int:
    assert mock.world.store.jobs is not None
    return mock.world.store.jobs.count()


def workers(mock: Mock) -> Sequence[Worker]:
    assert mock.world.store.jobs is not None
    return mock.world.store.jobs.workers()


def test_what_a_server_creates_a_worker_on_the_same_store_and_folder_renders(url: str, assets: Path) -> None:
    folder = ("--store", url, "--assets", f"{assets}")
    with (
        serving("--renderer", "workers", *folder) as served,
        process(*BLUEHOUR, "work", *folder, "--renderer", "simulated") as worker,
    ):
        project_id = served.post(FACE, face())["id"]
        with closing(Mock(settings=Settings(store=url, renderer=WORKERS), assets=assets)) as mock:
            assert mock.world.settle(SECONDS)
            caller = Caller(of(mock).client, "any")
            project = caller.project(project_id)
            assert project["status"] == "complete"
            assert caller.fetch(project["downloads"][0]["url"]).status_code == 200
            ended = 'bluehour_jobs_finished_total{kind="image",process="workers",status="complete"} 1.0'
            until(lambda: ended in caller.client.get("/_mock/metrics").text)
        with urllib.request.urlopen(f"{served.url}/_mock/metrics", timeout=SECONDS) as answer:
            figures = answer.read().decode()
        assert ended in figures
        assert "bluehour_jobs_unfinished{" not in figures
        worker.send_signal(signal.SIGTERM)
        said, complaints = worker.communicate(timeout=SECONDS)
        assert (worker.returncode, complaints) == (0, "")
        assert "renders what waits in postgresql" in said


def test_until_a_worker_comes_a_project_is_queued_and_its_job_is_made_with_it(mock: Mock) -> None:
    caller = of(mock)
    project_id = create(caller)
    assert caller.project(project_id)["status"] == "queued"
    health = data(caller.client.get("/_mock/health"))
    assert (health["waiting"]["jobs"], health["workers"]["processes"]) == (1, [])
    assert not mock.world.settle(0)


def test_a_create_that_is_refused_leaves_no_job(mock: Mock) -> None:
    poor = Caller(of(mock).client, "mhk_test_creator_0")
    assert poor.post(FACE, face()).status_code == 402
    assert jobs(mock) == 0


def test_a_worker_is_seen_while_it_works_and_its_jobs_leave_nothing(
    mock: Mock, url: str, assets: Path, postgresql: Cluster
) -> None:
    caller, stage = of(mock), Stage()
    stage.may_edit.clear()
    project_id = create(caller)
    with working(url, assets, stage):
        assert stage.editing.wait(SECONDS)
        assert caller.project(project_id)["status"] == "rendering"
        ((worker),) = data(caller.client.get("/_mock/health"))["workers"]["processes"]
        assert worker["jobs"] == 1
        metrics = caller.client.get("/_mock/metrics").text
        assert "bluehour_workers 1.0" in metrics
        stage.may_edit.set()
        assert mock.world.settle(SECONDS)
        assert caller.project(project_id)["status"] == "complete"
    schema = url.rpartition("=")[2]
    for table in ("jobs", "events", "workers"):
        assert postgresql.run(f"SELECT count(*) FROM {schema}.procrastinate_{table}") == [(0,)]


def test_the_job_of_a_killed_worker_is_done_by_another_and_charged_once(
    mock: Mock, url: str, assets: Path, tmp_path: Path
) -> None:
    caller = of(mock)
    project_id = create(caller)
    with process(*SLOW, url, f"{assets}", f"{tmp_path / 'never'}") as killed:
        says(killed, "editing")
        killed.kill()
        with working(url, assets, Stage(), lost_after=1):
            assert mock.world.settle(SECONDS)
            until(lambda: len(workers(mock)) == 1)  # the dead one is not shown for ever
    assert caller.project(project_id)["status"] == "complete"
    assert (balance(mock, caller), lines_of(mock, project_id)) == (99, [-1])


def test_a_worker_that_was_stopped_and_comes_back_changes_nothing(
    mock: Mock, url: str, assets: Path, tmp_path: Path
) -> None:
    caller, go_on = of(mock), tmp_path / "go on"
    project_id = create(caller, "faceless")
    with process(*SLOW, url, f"{assets}", f"{go_on}") as late:
        says(late, "editing")
        late.send_signal(signal.SIGSTOP)
        with working(url, assets, Stage(), lost_after=1):
            assert mock.world.settle(SECONDS)
        ended = mock.world.store.project(project_id)
        go_on.touch()
        late.send_signal(signal.SIGCONT)
        says(late, "edited")  # and would have it complete, but for the end that it has
        late.send_signal(signal.SIGTERM)
        _, complaints = late.communicate(timeout=SECONDS)
        assert "Traceback" not in complaints
    assert ended is not None
    assert ended.outcome == "no_source_face"
    assert mock.world.store.project(project_id) == ended
    assert (balance(mock, caller), lines_of(mock, project_id)) == (100, [-1, 1])
    assert list(assets.rglob("*.png")) == []
    assert list(assets.rglob("*.part*")) == []


def test_what_a_worker_does_not_finish_in_time_when_it_is_asked_to_stop_others_do_at_once(
    mock: Mock, url: str, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bluehour.mock_server.rendering.engine._PATIENCE", 0.1)
    caller, stage = of(mock), Stage()
    stage.may_edit.clear()
    project_id = create(caller)
    with working(url, assets, stage, lost_after=3600):
        assert stage.editing.wait(SECONDS)
    with working(url, assets, Stage(), lost_after=3600):
        assert mock.world.settle(SECONDS)
    assert caller.project(project_id)["status"] == "complete"
    assert lines_of(mock, project_id) == [-1]


def test_two_workers_share_what_waits(mock: Mock, url: str, assets: Path) -> None:
    caller, stages = of(mock), (Stage(), Stage())
    for each in stages:
        each.may_edit.clear()
    with working(url, assets, stages[0], at_once=1), working(url, assets, stages[1], at_once=1):
        for _ in range(2):
            create(caller)
        for each in stages:
            assert each.editing.wait(SECONDS)
        for each in stages:
            each.may_edit.set()
        assert mock.world.settle(SECONDS)
    assert [len(each.batches) for each in stages] == [1, 1]


def test_jobs_of_several_servers_are_batched(server: Server, url: str, assets: Path) -> None:
    here, there, stage = of(server()), of(server()), Stage()
    create(here, "here")
    create(there, "there")
    create(here, "here as well")
    mock = server()
    stage.may_edit.clear()
    with working(url, assets, stage):
        assert stage.editing.wait(SECONDS)
        until(lambda: stage.loaded == 3)
        stage.may_edit.set()
        assert mock.world.settle(SECONDS)
    assert sorted(order(stage)) == ["here", "here as well", "there"]
    assert len(stage.batches) < 3


def test_an_account_with_one_job_does_not_wait_for_another_with_fifty(
    mock: Mock, url: str, assets: Path
) -> None:
    many, stage = of(mock), Stage()
    one = Caller(many.client, "mhk_test_creator_50")
    for number in range(50):
        create(many, f"{number}")
    create(one, "only")
    with working(url, assets, stage, at_once=1):
        assert mock.world.settle(SECONDS)
    names = order(stage)
    assert names.index("only") <= 2  # after one job, or two: a minute may have ended meanwhile
    names.remove("only")
    assert names == [f"{number}" for number in range(50)]


def test_who_has_many_jobs_is_not_overtaken_for_ever(mock: Mock, url: str, assets: Path) -> None:
    many, stage = of(mock), Stage()
    stage.may_edit.clear()
    for number in range(3):
        create(many, f"{number}")
    with working(url, assets, stage, at_once=1):
        assert stage.editing.wait(SECONDS)
        create(Caller(many.client, "mhk_test_creator_50"), "late")
        stage.may_edit.set()
        assert mock.world.settle(SECONDS)
    assert order(stage) == ["0", "1", "late", "2"]


def test_a_reset_drops_what_waits(mock: Mock, url: str, assets: Path) -> None:
    caller, stage = of(mock), Stage()
    for _ in range(3):
        create(caller)
    mock.world.reset()
    assert jobs(mock) == 0
    create(caller, "after")
    with working(url, assets, stage):
        assert mock.world.settle(SECONDS)
    assert stage.batches == [["after"]]


def test_a_reset_amid_a_job_ends_it_and_the_worker_goes_on(mock: Mock, url: str, assets: Path) -> None:
    caller, stage = of(mock), Stage()
    stage.may_edit.clear()
    with working(url, assets, stage):
        create(caller)
        assert stage.editing.wait(SECONDS)
        mock.world.reset()
        stage.may_edit.set()
        project_id = create(caller, "after")
        assert mock.world.settle(SECONDS)
        assert caller.project(project_id)["status"] == "complete"


def test_what_a_server_has_left_that_rendered_by_itself_workers_do(
    url: str, assets: Path, server: Server
) -> None:
    stage = Stage()
    stage.may_edit.clear()
    with closing(Mock(settings=Settings(store=url), assets=assets, stage=stage)) as alone:
        create(of(alone))
        assert stage.editing.wait(SECONDS)
        left = create(of(alone))
        assert alone.rendering.queue is not None
        alone.rendering.queue.drop(left)
        stage.may_edit.set()
        assert alone.world.settle(SECONDS)
    mock = server()
    server()  # has nothing more to add
    assert jobs(mock) == 1
    with working(url, assets, Stage()):
        assert mock.world.settle(SECONDS)
    assert of(mock).project(left)["status"] == "complete"


def test_a_job_that_many_workers_have_died_of_ends_in_an_error_and_is_refunded(
    mock: Mock, url: str, assets: Path, postgresql: Cluster
) -> None:
    caller = of(mock)
    project_id = create(caller)
    postgresql.run(f"UPDATE {url.rpartition('=')[2]}.procrastinate_jobs SET attempts = {MOST_ATTEMPTS}")
    with working(url, assets, Stage()):
        assert mock.world.settle(SECONDS)
    assert caller.project(project_id)["error"]["code"] == "unknown_error"
    assert balance(mock, caller) == 100


def test_a_worker_outlives_a_restart_of_its_database(tmp_path: Path) -> None:
    with running() as cluster:
        url = cluster.url()
        settings = Settings(store=url, renderer=WORKERS)
        with closing(Mock(settings=settings, assets=tmp_path)) as mock, working(url, tmp_path, Stage()):
            caller = of(mock)
            create(caller)
            assert mock.world.settle(SECONDS)
            cluster.stop()
            cluster.start()
            project_id = create(caller)
            assert mock.world.settle(SECONDS)
            assert caller.project(project_id)["status"] == "complete"


def test_tables_of_another_version_of_procrastinate_are_refused_in_a_line(
    mock: Mock, url: str, postgresql: Cluster
) -> None:
    schema = url.rpartition("=")[2]
    postgresql.run(f"UPDATE {schema}.settings SET value = '99.1' WHERE name = 'procrastinate'")
    with pytest.raises(StoreError, match=r"made by a Procrastinate of 99\.1") as refused:
        open_store(url, by_workers=True)
    assert "\n" not in f"{refused.value}"
    open_store(url).close()  # which has nothing to do with them


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["work", "--store", "sqlite:///mock.db", "--assets", "."], "need a --store postgresql"),
        (["work", "--store", "memory://", "--assets", "nowhere"], "there is no folder nowhere"),
        (["serve", "--port", "0", "--renderer", "workers", "--assets", "files"], "need a --store postgresql"),
        (["serve", "--renderer", "workers", "--store", "postgresql://x"], "give --assets DIR"),
        (
            ["work", "--store", "postgresql:///x?host=/nowhere", "--assets", ".", "--renderer", "simulated"],
            "can't be used",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_a_line(arguments: list[str], line: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*BLUEHOUR, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 2
    assert line in done.stderr
    assert "Traceback" not in done.stderr
