"""Webhooks of several processes on one store: known in all of them, and sent as if there were one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.deliveries import Delivery
from bluehour.mock_server.core.process import Process
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.webhooks.senders import MOST_AT_ONCE
from tests.postgresql import Cluster

from ..conftest import Caller, face
from .conftest import JOB_SECONDS
from .receiver import SECRET, Receiver, receiving

Joining = Callable[[], AbstractContextManager[tuple[Mock, Caller]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that several processes may open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bluehour.db"
    return cast("Cluster", request.getfixturevalue("postgresql")).url()


@pytest.fixture
def receiver(clock: Clock) -> Iterator[Receiver]:
    with receiving(clock.now) as receiver:
        yield receiver


@pytest.fixture
def join(clock: Clock, shared_url: str) -> Joining:
    """Opens one more mock on the store, which goes by the same clock."""

    @contextmanager
    def joined() -> Iterator[tuple[Mock, Caller]]:
        settings = Settings(store=shared_url, time_scale=1)
        with closing(Mock(settings=settings, clock=clock)) as mock:
            yield mock, Caller(create_app(mock).test_client(), "mhk_test_pro_1000")

    return joined


def test_what_is_registered_switched_or_removed_in_one_is_so_in_all(join: Joining) -> None:
    with join() as (one, _), join() as (other, _):
        added = one.webhooks.register("http://127.0.0.1:9/", SECRET)
        assert other.webhooks.endpoints() == [added]
        other.webhooks.switch(added.id, False)
        assert not one.webhooks.endpoints()[0].enabled
        one.webhooks.remove(added.id)
        assert other.webhooks.endpoints() == []


def test_those_of_the_command_line_are_there_once_and_with_one_secret(join: Joining) -> None:
    url = "http://127.0.0.1:9/"
    with join() as (one, _), join() as (other, _):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda each: each.webhooks.resume([url]), [one, other]))
        (endpoint,) = one.webhooks.endpoints()
        assert other.webhooks.endpoints() == [endpoint]
        one.webhooks.switch(endpoint.id, False)
        other.webhooks.resume([url])  # such as one that takes the place of a process that ended
        assert not one.webhooks.endpoints()[0].enabled
        other.world.reset()
        assert [each.enabled for each in one.webhooks.endpoints()] == [True]


def test_a_delivery_is_shown_alike_and_settled_for_all(
    join: Joining, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [503]
    with join() as (one, caller), join() as (other, _):
        one.webhooks.register(receiver.url, SECRET)
        caller.create(face())
        clock.advance(JOB_SECONDS)
        receiver.hang()
        receiver.wait()
        assert not one.webhooks.settle(0)
        assert not other.webhooks.settle(0)
        receiver.go_on()
        assert other.webhooks.settle(60)
        clock.advance(1)
        assert other.webhooks.settle(60)
        assert one.webhooks.deliveries() == other.webhooks.deliveries()
        assert sorted(receiver.answered) == [204, 204, 503]

        newest = one.webhooks.deliveries()[0]
        assert len(other.webhooks.resend(newest.id, 20).attempts) == len(newest.attempts) + 1
        assert len(one.webhooks.deliveries()[0].attempts) == len(newest.attempts) + 1

        other.world.reset(clock.now())
        assert (one.webhooks.deliveries(), one.webhooks.endpoints()) == ([], [])


def test_a_projects_events_are_in_order_though_two_processes_send_them(
    join: Joining, clock: Clock, receiver: Receiver
) -> None:
    with join() as (one, caller), join() as (other, _):
        one.webhooks.register(receiver.url, SECRET)
        ids = [caller.create(face()) for _ in range(30)]
        clock.advance(JOB_SECONDS)
        assert one.webhooks.settle(60)
        assert other.webhooks.settle(60)
        told = [(each.event["payload"]["id"], each.event["type"]) for each in receiver.arrived]
        assert Counter(told).most_common(1)[0][1] == 1
        for project_id in ids:
            assert [name for id_, name in told if id_ == project_id] == ["image.started", "image.completed"]


def test_a_slow_receiver_gets_a_few_at_a_time_and_a_quick_one_all(
    mock: Mock, caller: Caller, clock: Clock, receiver: Receiver
) -> None:
    with receiving(clock.now) as slow:
        slow.hang()
        mock.webhooks.register(slow.url, SECRET, ["image.completed"])
        mock.webhooks.register(receiver.url, SECRET, ["image.completed"])
        count = 3 * MOST_AT_ONCE
        for _ in range(count):
            caller.create(face())
        clock.advance(JOB_SECONDS)
        receiver.wait(count)
        slow.wait(MOST_AT_ONCE)
        assert len(slow.arrived) == MOST_AT_ONCE
        slow.go_on()
        assert mock.webhooks.settle(60)
        assert len(slow.events) == len(receiver.events) == count


SENDING = """
import sys, time
from contextlib import closing
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.mock_server.conftest import Caller, face

mock = Mock(settings=Settings(store=sys.argv[1], time_scale=0))
mock.webhooks.resume([sys.argv[2]], sys.argv[3])
print(Caller(create_app(mock).test_client(), "any-token").create(face()), flush=True)
time.sleep(600)
"""


def test_what_a_process_was_sending_that_is_killed_another_sends_with_the_same_id(shared_url: str) -> None:
    with receiving(time.time) as receiver:
        receiver.hang()
        sending = subprocess.Popen(
            [sys.executable, "-c", SENDING, shared_url, receiver.url, SECRET],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert sending.stdout is not None
            project_id = sending.stdout.readline().strip()
            receiver.wait()
            with closing(Mock(settings=Settings(store=shared_url, time_scale=0))) as other:
                other.webhooks.resume([receiver.url], SECRET)
                assert not other.webhooks.settle(0), "the other one sends it"
                (before,) = other.webhooks.deliveries()
                os.kill(sending.pid, signal.SIGKILL)
                sending.wait()
                receiver.wait(2)
                receiver.go_on()
                assert other.webhooks.settle(60)
                (after,) = other.webhooks.deliveries()
                assert (after.id, after.project_id) == (before.id, project_id)
                assert (after.state, after.tries, after.sender) == ("delivered", 2, None)
                assert other.world.store.count_projects() == 1
        finally:
            sending.kill()
            sending.wait()
            assert sending.stdout is not None
            sending.stdout.close()
    assert len({each.body for each in receiver.arrived}) == 1


def test_a_sender_that_still_lives_keeps_what_it_sends(
    join: Joining, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with join() as (mock, _):
        mock.webhooks.register(receiver.url, SECRET)
        (endpoint,) = mock.webhooks.endpoints()
        store = mock.world.store
        taken = Delivery("d", endpoint.id, "image.started", "7", b"{}", clock.now(), 0, inf, sender="another")
        store.hand_out(None, [taken])
        store.deliveries.swap(Delivery(*_fields(taken)[:8]), taken)
        here = {"another": Process(1, "here"), mock.world.board.member: Process(2, "here")}
        monkeypatch.setattr(store.notes, "members", lambda: here)
        mock.webhooks.wake()
        assert not mock.webhooks.settle(0.05)
        assert receiver.arrived == []
        del here["another"]
        mock.webhooks.wake()
        assert mock.webhooks.settle(60)
        assert len(receiver.arrived) == 1


def _fields(delivery: Delivery) -> list[Any]:
    return [getattr(delivery, name) for name in delivery.__slots__]


def test_20_000_wait_and_none_is_lost(mock: Mock, clock: Clock, receiver: Receiver) -> None:
    endpoint = mock.webhooks.register(receiver.url, SECRET)
    mock.webhooks.switch(endpoint.id, False)
    store, now = mock.world.store, clock.now()
    store.hand_out(
        None,
        [Delivery(f"{n}", endpoint.id, "image.started", f"{n}", b"{}", now, 0, now) for n in range(20_000)],
    )
    mock.webhooks.wake()
    assert mock.webhooks.settle(60)
    assert (mock.webhooks.waiting, receiver.arrived) == (20_000, [])

    mock.webhooks.switch(endpoint.id, True)
    receiver.wait(50)
    mock.webhooks.switch(endpoint.id, False)
    assert mock.webhooks.settle(60)
    taken = len(receiver.arrived)
    assert mock.webhooks.waiting == 20_000 - taken
    assert mock.webhooks.senders.ended == {"delivered": taken, "failed": 0}
    clock.advance(86_400)
    assert mock.webhooks.settle(60)
    assert mock.webhooks.senders.ended == {"delivered": taken, "failed": 20_000 - taken}
    assert mock.webhooks.forgotten == 19_000
