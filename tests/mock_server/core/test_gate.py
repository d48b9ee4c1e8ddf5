"""A reset and requests at the same time: nothing is half forgotten."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.gate import Gate
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock

from ..conftest import FACE, Caller, face

SECONDS = 60


def test_who_closes_it_is_alone_and_waits_for_those_inside() -> None:
    gate, entered, leave, order = Gate(), Event(), Event(), []

    def pass_slowly() -> None:
        with gate:
            entered.set()
            assert leave.wait(SECONDS)
            order.append("out")

    def close() -> None:
        with gate.closed():
            order.append("alone")

    def pass_later() -> None:
        with gate:
            order.append("in")

    with ThreadPoolExecutor(3) as threads:
        threads.submit(pass_slowly)
        assert entered.wait(SECONDS)
        closing = threads.submit(close)
        deadline = time.monotonic() + SECONDS
        while not gate._is_closed:
            assert time.monotonic() < deadline
        later = threads.submit(pass_later)
        leave.set()
        closing.result(SECONDS)
        later.result(SECONDS)
    assert order == ["out", "alone", "in"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_creates_during_resets_are_all_answered_and_paid_for(kind: str, tmp_path: object) -> None:
    store = "memory://" if kind == "memory" else f"sqlite:///{tmp_path}/mock.db"
    mock = Mock(settings=Settings(store=store))
    app = create_app(mock)
    done = Event()

    def create() -> set[int]:
        caller = Caller(app.test_client(), "mhk_test_creator_100000")
        return {caller.post(FACE, face()).status_code for _ in iter(done.is_set, True)}

    with ThreadPoolExecutor(4) as threads:
        creating = [threads.submit(create) for _ in range(4)]
        for _ in range(15):
            mock.world.reset(clock_at=1_000_000.0)
            mock.world.reset()
        done.set()
        assert set().union(*(each.result(SECONDS) for each in creating)) <= {200}
    mock.world.reset()
    assert Caller(app.test_client(), "any").post(FACE, face()).status_code == 200
    mock.close()
