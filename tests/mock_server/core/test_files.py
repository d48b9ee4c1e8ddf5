"""The bytes on disk: how many there may be, names that can't be made, and what a killed server left."""

from __future__ import annotations

import copy
import errno
import os
import resource
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.assets.files import Files, NoRoom, _bytes_in
from bluehour.mock_server.core.assets.folders import PrivateFolder, remove_left
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.core.stores import sqlite
from bluehour.mock_server.core.stores.sql import SqlStore
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import resolve
from tests.profiles import examples

from ..api.test_lifecycle import picture, png
from ..api.test_uploads import issue
from ..conftest import FACE, UPLOADS, Caller, data, face
from ..server.test_serving import serving

PICTURE = png(60, 40)


# Room


@pytest.fixture
def small(clock: Clock) -> Iterator[Mock]:
    """A mock with room for two pictures and a half."""
    mock = Mock(settings=Settings(time_scale=0, upload_space=len(PICTURE) * 5 // 2), clock=clock)
    yield mock
    mock.close()


@pytest.fixture
def saver(small: Mock) -> Caller:
    return Caller(create_app(small).test_client(), "any")


def test_an_upload_for_which_there_is_no_room_is_refused_and_told_why(saver: Caller, small: Mock) -> None:
    kept = [saver.upload(PICTURE) for _ in range(2)]
    link = issue(saver)["upload_url"]
    answer = saver.client.put(link, data=PICTURE)
    assert (answer.status_code, data(answer)["code"]) == (413, "payload_too_large")
    assert "--upload-space" in data(answer)["message"]
    assert f"{small.world.files.room} bytes" in data(answer)["message"]
    for each in kept:
        saver.create(face(each))
    small.world.reset()
    assert small.world.files.room == small.world.settings.upload_space
    assert saver.client.put(issue(saver)["upload_url"], data=PICTURE).status_code == 200


def test_an_upload_that_takes_another_ones_place_takes_its_room(saver: Caller) -> None:
    link = issue(saver)["upload_url"]
    for _ in range(5):
        assert saver.client.put(link, data=PICTURE).status_code == 200


def test_uploads_that_have_expired_make_room(saver: Caller, clock: Clock, small: Mock) -> None:
    for _ in range(2):
        saver.upload(PICTURE)
    clock.advance(small.world.lifetimes["upload"] + 1)
    saver.upload(PICTURE)
    assert small.world.files.room == small.world.settings.upload_space - len(PICTURE)


def test_a_deleted_project_gives_its_room_back(saver: Caller, small: Mock, clock: Clock) -> None:
    item = issue(saver)
    for _ in range(3):  # each project keeps the bytes that the next upload replaces
        assert saver.client.put(item["upload_url"], data=PICTURE).status_code == 200
        project_id = saver.create(face(item["file_path"]))
        clock.advance(1)
        assert saver.delete(project_id).status_code == 204
    assert small.world.files.room == small.world.settings.upload_space - len(PICTURE)


class FilesMachine(RuleBasedStateMachine):
    """What is counted is what is there, whatever is kept, replaced, linked, copied and removed."""

    paths = st.sampled_from(["api-assets/a/image.png", "api-assets/b/image.png"])
    projects = st.sampled_from(["p", "q", "r"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.files = Files(Path(self.folder.name), 1000)
        self.now = 0.0

    def teardown(self) -> None:
        self.files.close()
        self.folder.cleanup()

    @rule(path=paths, size=st.integers(0, 600))
    def upload(self, path: str, size: int) -> None:
        self.now += 1
        with self.files.incoming(".png") as part:
            part.write_bytes(b"x" * size)
            try:
                self.files.keep_upload(part, path, self.now, expired_before=self.now - 5)
            except NoRoom:
                assert self.files.room < size
                before = self.files.upload(path)
                replaced = before.stat() if before.exists() else None
                assert replaced is None or replaced.st_size < size or replaced.st_nlink > 1

    @rule(path=paths, project=projects, linkable=st.booleans())
    def create(self, path: str, project: str, linkable: bool) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if not linkable:
                patch.setattr(Path, "hardlink_to", _no_link)
            source = self.files.source(project, "x", "png")
            try:
                self.files.link_upload(path, source)
            except FileNotFoundError:
                assert not self.files.upload(path).exists()

    @rule(project=projects)
    def delete(self, project: str) -> None:
        self.files.remove_source(self.files.source(project, "x", "png"))

    @precondition(lambda self: self.now > 3)
    @rule()
    def clear(self) -> None:
        self.files.clear()

    @invariant()
    def what_is_counted_is_there(self) -> None:
        folder = Path(self.folder.name)
        assert self.files._bytes == _bytes_in(folder / "uploads", folder / "sources")
        assert [path.name for path in self.files._incoming.path.iterdir()] == [".lock"]


def _no_link(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


TestFiles = FilesMachine.TestCase
TestFiles.settings = examples(40, stateful_step_count=20)


# Names that can't be made


def test_one_upload_can_be_used_any_number_of_times(
    caller: Caller, clock: Clock, mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Path.hardlink_to

    def few(name: Path, target: Path) -> None:
        if target.stat().st_nlink >= 3:  # 65,000 on ext4
            raise OSError(errno.EMLINK, "Too many links")
        link(name, target)

    monkeypatch.setattr(Path, "hardlink_to", few)
    uploaded = caller.upload(PICTURE)
    projects = [caller.create(face(uploaded)) for _ in range(8)]
    clock.advance(60)
    assert {picture(caller, caller.project(each)).size for each in projects} == {(60, 40)}
    copies = {path.stat().st_ino for path in mock.world.files.upload("x").parents[1].rglob("*.png")}
    outputs = 8
    assert len(copies) == outputs + 4  # a copy for every two projects, not for every one


def test_a_disk_without_links_gets_copies(
    caller: Caller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", _no_link)
    item = issue(caller)
    caller.client.put(item["upload_url"], data=PICTURE)
    project_id = caller.create(face(item["file_path"]))
    caller.client.put(item["upload_url"], data=png(20, 20))
    clock.advance(60)
    assert picture(caller, caller.project(project_id)).size == (60, 40)


def two_pictures() -> Contract:
    """The contract with a face editor that takes two pictures."""
    document = load().document
    changed = copy.deepcopy(document)
    assets = resolve(changed, changed["components"]["schemas"]["FaceEditorRequest"]["properties"]["assets"])
    assets["properties"]["second_file_path"] = assets["properties"]["image_file_path"]
    return Contract(changed)


@pytest.mark.parametrize("same", [False, True])
def test_one_create_can_name_two_uploads_of_one_extension(same: bool) -> None:
    with closing(Mock(two_pictures(), Settings(time_scale=0))) as mock:
        caller = Caller(create_app(mock).test_client(), "any")
        first = caller.upload(PICTURE)
        second = first if same else caller.upload(png(20, 20))
        body: dict[str, Any] = face(first)
        body["assets"]["second_file_path"] = second
        project = caller.project(caller.create(body))
        assert picture(caller, project).size == (60, 40)
        kept = list(mock.world.files.source("x", "y", "z").parent.iterdir())
        assert len(kept) == (1 if same else 2)


def test_a_create_that_is_refused_keeps_no_picture(mock: Mock, client: FlaskClient) -> None:
    caller = Caller(client, "mhk_test_creator_0")
    assert caller.post(FACE, face(caller.upload(PICTURE))).status_code == 402
    assert list(mock.world.files.source("x", "y", "z").parent.iterdir()) == []


# What a killed server left


def test_what_a_killed_server_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    options = ("--assets", str(tmp_path / "assets"))
    with serving(TMPDIR=str(tmp_path)) as served, serving(*options, TMPDIR=str(tmp_path)) as other:
        served.upload(PICTURE)
        other.upload(PICTURE)
        left = [*tmp_path.glob("bluehour-*"), *(tmp_path / "assets" / "incoming").iterdir()]
        assert len(left) == 2
        with serving(*options, TMPDIR=str(tmp_path)) as third:  # the others live, and so do theirs
            third.upload(PICTURE)
            assert all(folder.is_dir() for folder in left)
        for each in (served, other):
            os.kill(each.process.pid, signal.SIGKILL)
            each.process.wait()
    assert all(folder.is_dir() for folder in left)
    with serving(*options, TMPDIR=str(tmp_path)):
        assert not any(folder.exists() for folder in left)
    assert len(list((tmp_path / "assets" / "uploads").iterdir())) == 2


def test_a_folder_that_is_nobodys_of_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bluehour-notes").mkdir()
    (tmp_path / "bluehour-file").write_text("mine")
    own = PrivateFolder(tmp_path)
    assert remove_left(tmp_path) == 0
    own.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bluehour-file", "bluehour-notes"]


# What the machine lacks


def refused(answer: Any) -> str:
    """The message of a 503 in the envelope."""
    assert (answer.status_code, answer.json["code"]) == (503, "service_unavailable"), answer.json
    assert int(answer.headers["Retry-After"]) >= 1
    message: str = answer.json["message"]
    return message


def test_a_store_that_is_locked_is_a_503_and_readers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.2)
    file = tmp_path / "mock.db"
    with closing(Mock(settings=Settings(store=f"sqlite:///{file}"))) as mock:
        caller = Caller(create_app(mock).test_client(), "mhk_test_creator_5")
        project_id = caller.create(face())
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert "database is locked" in refused(caller.post(FACE, face()))
            assert "database is locked" in refused(caller.post(UPLOADS, {"items": []} | _one_item()))
            assert "database is locked" in refused(caller.delete(project_id))
            assert caller.project(project_id)["id"] == project_id
            assert caller.client.post("/_mock/reset").status_code == 503
            other.execute("ROLLBACK")
        assert mock.world.store.count_projects() == 1
        caller.create(face())
        (account,) = mock.world.store.accounts()
        assert mock.world.store.balance(account.id, mock.world.clock.now()) == 3
    answered = [message for message in caplog.messages if message.startswith("answered 503: ")]
    assert len(answered) == 4
    assert len(caplog.messages) <= 4 + 2  # the journal, and the word to other processes, are told of once


def _one_item() -> dict[str, Any]:
    return {"items": [{"type": "image", "extension": "png"}]}


def test_a_writer_that_never_ends_holds_up_no_other_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_QUEUED_SECONDS", 0.1)
    with closing(Mock(settings=Settings(store=f"sqlite:///{tmp_path / 'mock.db'}"))) as mock:
        caller = Caller(create_app(mock).test_client(), "any")
        project_id = caller.create(face())
        assert isinstance(mock.world.store, SqlStore)
        ends, database = threading.Event(), mock.world.store._database
        assert isinstance(database, sqlite.SQLite)
        database._writer.submit(lambda _: ends.wait())
        try:
            assert "locked" in refused(caller.post(FACE, face()))
            assert caller.project(project_id)["id"] == project_id
        finally:
            ends.set()


@pytest.mark.parametrize("kind", ["store", "assets"])
def test_a_full_disk_is_a_503_a_line_and_no_charge(tmp_path: Path, kind: str) -> None:
    most = 300_000 if kind == "store" else 100_000

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    store = f"sqlite:///{tmp_path / 'mock.db'}" if kind == "store" else "memory://"
    options = ("--store", store, "--assets", str(tmp_path / "assets"), "--time-scale", "0")
    with serving(*options, before=limit) as served:
        statuses = set()
        for _ in range(400):
            status, body = served.try_post(FACE, {**face(), "name": "x" * 3000})
            statuses.add(status)
            if status == 503:
                break
        if kind == "store":
            assert statuses == {200, 503}
        else:
            assert statuses == {200}
            status, body = served.try_upload(b"x" * 200_000)
        assert (status, body["code"]) == (503, "service_unavailable")
        _, _, log = served.stop()
    assert "WARNING answered 503: " in log
    assert "a bug of the mock" not in log
    assert "Traceback" not in log


def test_threads_that_count_files_agree(tmp_path: Path) -> None:
    files = Files(tmp_path, 10**9)

    def work(number: int) -> None:
        for turn in range(20):
            with files.incoming(".png") as part:
                part.write_bytes(b"x" * (turn + number))
                files.keep_upload(part, f"api-assets/{turn % 3}/image.png", 1.0, 0.0)
            source = files.source(f"{number}{turn}", "x", "png")
            files.link_upload(f"api-assets/{turn % 3}/image.png", source)
            if turn % 2:
                files.remove_source(source)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files._bytes == _bytes_in(tmp_path / "uploads", tmp_path / "sources")
    files.close()
