"""Several mocks on one store, as several processes have them: what one changes, all answer by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core import board as boards
from bluehour.mock_server.core.board import Board
from bluehour.mock_server.core.process import this_process
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.core.stores import Store, StoreUnavailable
from bluehour.mock_server.core.stores.opening import open_store
from bluehour.mock_server.mock import Mock
from tests.postgresql import Cluster

from ..conftest import Caller, data, face

TOKEN = "mhk_test_creator_1000"
SOMEBODY = {"Authorization": "Bearer a"}


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mock.db'}"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.url()


@pytest.fixture
def stores(shared_url: str) -> Iterator[Callable[[], Store]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_store(shared_url)))


@pytest.fixture
def mocks(shared_url: str, tmp_path: Path) -> Iterator[Callable[[], Mock]]:
    with ExitStack() as stack:

        def start() -> Mock:
            return stack.enter_context(closing(Mock(settings=Settings(store=shared_url), assets=tmp_path)))

        yield start


class Stopped(Board):
    """Of a process that is not running: nothing looks for it."""

    def _begin(self) -> None:
        pass


def append(board: Board, what: Any) -> None:
    board.change("list", lambda old: orjson.dumps([*(orjson.loads(old) if old else []), what]))


def followed(board: Board) -> list[Any]:
    """What the process goes by, always up to date."""
    kept: list[Any] = []

    def take(note: bytes | None) -> None:
        kept[:] = orjson.loads(note) if note else []

    board.follow("list", take)
    return kept


def test_of_changes_at_once_none_is_lost(stores: Callable[[], Store]) -> None:
    several = [Board(stores().notes) for _ in range(3)]
    try:
        kept = [followed(board) for board in several]
        with ThreadPoolExecutor(6) as pool:
            for made in [pool.submit(append, several[number % 3], number) for number in range(30)]:
                made.result()
        for board, known in zip(several, kept, strict=True):
            board.ensure_fresh()
            assert sorted(known) == list(range(30))
    finally:
        for board in several:
            board.close()


def test_who_was_stopped_looks_before_it_answers(
    stores: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "LEASE", 0.3)
    with closing(Board(stores().notes)) as one, closing(Stopped(stores().notes)) as stopped:
        known = followed(stopped)
        stopped.refresh()  # it has a lease, and is not heard of again
        append(one, "a")
        assert known == []
        stopped.ensure_fresh()
        assert known == ["a"]


def test_nobody_is_waited_for_who_has_left_or_knows_already(stores: Callable[[], Store]) -> None:
    notes = stores().notes
    notes.check_in("gone", this_process(), 0, 100)
    notes.leave("gone")
    with closing(Board(stores().notes)) as one:
        append(one, "a")  # else it would take 100 seconds
        assert notes.laggards(notes.revision(), "me") == 0


def test_who_joins_amid_a_change_knows_of_it(
    stores: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read what was before, and checks in when the other one has looked for laggards already."""
    with closing(Board(stores().notes)) as one:
        joining = Stopped(stores().notes)
        known = followed(joining)
        check_in = joining._notes.check_in

        def late(*arguments: Any) -> None:
            if not known:
                append(one, "a")
            check_in(*arguments)

        monkeypatch.setattr(joining._notes, "check_in", late)
        joining.refresh()
        assert known == ["a"]
        joining.close()


def test_where_the_store_can_not_be_read_it_is_not_answered_by_what_is_old(
    stores: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "LEASE", 0.0)
    board = Stopped(stores().notes)
    board.refresh()

    def fail() -> int:
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr(board._notes, "revision", fail)
    with pytest.raises(StoreUnavailable):
        board.ensure_fresh()


def test_the_clock_is_one(mocks: Callable[[], Mock]) -> None:
    one, other = mocks(), mocks()
    first = Caller(create_app(one).test_client(), TOKEN)
    second = Caller(create_app(other).test_client(), TOKEN)
    project_id = first.create(face())
    before = one.world.clock.now()
    assert before <= other.world.clock.now() <= one.world.clock.now()  # exactly the same on one machine
    assert first.client.post("/_mock/clock", json={"advance": 86_400, "frozen": True}).status_code == 200
    assert second.project(project_id)["status"] == "complete"
    assert one.world.clock.now() == other.world.clock.now()
    assert mocks().world.clock.now() == one.world.clock.now()


def test_times_is_counted_over_all(mocks: Callable[[], Mock]) -> None:
    callers = [Caller(create_app(mocks()).test_client(), TOKEN) for _ in range(2)]
    rule = {"times": 3, "answer": {"status": 503}}
    rule_id = (callers[0].client.post("/_mock/rules", json=rule).json or {})["id"]

    def call(number: int) -> int:
        return (
            callers[number % 2].client.get("/v1/account", headers={"Authorization": "Bearer a"}).status_code
        )

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(call, range(40)))
    assert sorted(statuses) == [200] * 37 + [503] * 3
    (shown,) = data(callers[1].client.get("/_mock/rules"))["rules"]
    assert (shown["fitted"], shown["acted"]) == (40, 3)
    assert callers[1].client.delete(f"/_mock/rules/{rule_id}").status_code == 204
    assert data(callers[0].client.get("/_mock/rules")) == {"rules": []}


def test_the_nth_and_the_drawn_are_the_same_as_in_one_process(mocks: Callable[[], Mock]) -> None:
    one, other = mocks(), mocks()
    rules = [{"match": {"nth": [2, 5]}, "answer": {"status": 500}}]
    rules.append({"match": {"probability": 0.4, "seed": 7}, "answer": {"status": 503}})
    alone = Mock()
    told = {}
    for name, several in {"two": [one, other], "one": [alone]}.items():
        several[0].scenarios.replace(rules)
        callers = [create_app(each).test_client() for each in several]
        told[name] = [
            callers[number % len(callers)]
            .get("/v1/account", headers={"Authorization": "Bearer a"})
            .status_code
            for number in range(30)
        ]
    alone.close()
    assert told["one"] == told["two"]
    assert {200, 500, 503} == set(told["one"])


def test_what_one_resets_is_forgotten_by_all(mocks: Callable[[], Mock]) -> None:
    one, other = mocks(), mocks()
    other.scenarios.start_with([{"match": {"nth": 1}, "answer": {"status": 503}}])
    first, second = (Caller(create_app(each).test_client(), TOKEN) for each in (one, other))
    assert second.post("/v1/ai-face-editor", face()).status_code == 503
    project_id = second.create(face())
    one.scenarios.add({"answer": {"status": 500}})
    assert first.client.post("/_mock/reset").status_code == 200
    assert data(second.client.get("/_mock/journal"))["entries"] == []
    assert second.client.get(f"/_mock/projects/{project_id}").status_code == 404
    (rule,) = other.scenarios.all()
    assert other.scenarios.counts_of(rule) == {"fitted": 0, "acted": 0}
    assert second.post("/v1/ai-face-editor", face()).status_code == 503
    assert len(data(first.client.get("/_mock/journal"))["entries"]) == 1


def test_the_journal_is_one(mocks: Callable[[], Mock]) -> None:
    one, other = mocks(), mocks()
    first, second = (Caller(create_app(each).test_client(), TOKEN) for each in (one, other))
    first.create(face(mouth_smile=5))
    second.create(face(mouth_smile=10))
    for caller in (first, second):
        kept = data(caller.client.get("/_mock/journal"))
        assert (kept["recorded"], kept["kept"]) == (2, 2)
        assert [each["id"] for each in kept["entries"]] == [1, 2]
        smiles = {orjson.loads(each["request"]["body"])["style"]["mouth_smile"] for each in kept["entries"]}
        assert smiles == {5, 10}
        assert data(caller.client.get("/_mock/journal/2")) == kept["entries"][1]
    assert second.client.delete("/_mock/journal").status_code == 204
    assert data(first.client.get("/_mock/journal"))["entries"] == []
    first.create(face())
    assert [each["id"] for each in data(second.client.get("/_mock/journal"))["entries"]] == [1]


def test_a_retry_that_another_process_gets_is_warned_of(mocks: Callable[[], Mock]) -> None:
    one, other = mocks(), mocks()
    first, second = (Caller(create_app(each).test_client(), TOKEN) for each in (one, other))
    project_id = first.create(face())
    data(first.client.get("/_mock/journal"))
    second.create(face())
    (warning,) = data(second.client.get("/_mock/journal"))["entries"][1]["warnings"]
    assert f"the same create as {project_id}" in warning


def test_no_more_of_the_journal_is_kept_than_was_asked_for(shared_url: str) -> None:
    settings = Settings(store=shared_url, journal=5)
    with closing(Mock(settings=settings)) as one, closing(Mock(settings=settings)) as other:
        callers = [Caller(create_app(each).test_client(), TOKEN) for each in (one, other)]
        for number in range(12):
            callers[number % 2].create(face(mouth_smile=5 * number))
            if number % 5 == 0:
                callers[0].client.get("/_mock/journal")
        kept = data(callers[0].client.get("/_mock/journal"))
        assert (kept["recorded"], kept["kept"]) == (12, 5)
        assert [each["id"] for each in kept["entries"]] == [8, 9, 10, 11, 12]


def test_an_account_is_shown_alike_by_all(mocks: Callable[[], Mock]) -> None:
    one, other = mocks(), mocks()
    Caller(create_app(one).test_client(), TOKEN).create(face())
    (account,) = data(create_app(other).test_client().get("/_mock/accounts"))["accounts"]
    assert account["token"].startswith("mhk_test")


def test_health_names_all_processes(shared_url: str) -> None:
    store = open_store(shared_url)
    elsewhere = this_process()._replace(pid=1, host="another")
    with closing(store), closing(Mock(settings=Settings(store=shared_url))) as mock:
        store.notes.check_in("another", elsewhere, 0, 100)
        health = data(create_app(mock).test_client().get("/_mock/health"))
        assert health["processes"] == sorted(
            [this_process()._asdict(), elsewhere._asdict()], key=lambda each: (each["pid"], each["host"])
        )


def test_the_time_of_a_restart_is_never_earlier(shared_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's time was set back meanwhile."""
    with closing(Mock(settings=Settings(store=shared_url))) as mock:
        before = mock.world.clock.now()
        backwards = mock.world.store.notes.seconds_ahead() - 3600
    monkeypatch.setattr(type(mock.world.store.notes), "seconds_ahead", lambda _: backwards)
    with closing(Mock(settings=Settings(store=shared_url))) as again:
        assert before <= again.world.clock.now() < before + 60


def test_a_machine_that_has_slept_shows_the_right_time(
    shared_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Mock(settings=Settings(store=shared_url))) as one:
        ahead = one.world.store.notes.seconds_ahead() + 3600
        monkeypatch.setattr(type(one.world.store.notes), "seconds_ahead", lambda _: ahead)
        with closing(Mock(settings=Settings(store=shared_url))) as other:
            assert other.world.clock.now() == pytest.approx(time.monotonic() + ahead, abs=60)
            one.world.board.ensure_fresh()
            assert one.world.clock.now() == pytest.approx(other.world.clock.now(), abs=1)
