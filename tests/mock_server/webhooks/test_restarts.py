"""Webhooks on a kept store: what is owed to a receiver is sent after a restart, and nothing twice."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.control.client import Control
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.deliveries import Endpoint
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.greeting import greeting
from bluehour.mock_server.webhooks import scheduler, senders

from ..conftest import FACE, Caller, face
from ..server.test_serving import serving
from .conftest import JOB_SECONDS
from .receiver import SECRET, Receiver, receiving

Starting = Callable[..., AbstractContextManager[tuple[Mock, Caller]]]


@pytest.fixture
def receiver(clock: Clock) -> Iterator[Receiver]:
    with receiving(clock.now) as receiver:
        yield receiver


@pytest.fixture
def start(clock: Clock, tmp_path: Path) -> Starting:
    """Starts a mock on one kept store, as `bluehour serve --webhook` does."""

    @contextmanager
    def started(*urls: str, secret: str | None = SECRET) -> Iterator[tuple[Mock, Caller]]:
        settings = Settings(store=f"sqlite:///{tmp_path / 'kept.db'}", time_scale=1)
        with closing(Mock(settings=settings, clock=clock)) as mock:
            mock.webhooks.resume(urls, secret)
            yield mock, Caller(create_app(mock).test_client(), "any-token")

    return started


def settle(mock: Mock) -> None:
    assert mock.webhooks.settle(60), "something is still due"


def test_what_happened_while_nothing_ran_is_told_afterwards(
    start: Starting, clock: Clock, receiver: Receiver
) -> None:
    with start(receiver.url) as (_, caller):
        project_id = caller.create(face())
    clock.advance(JOB_SECONDS)

    with start(receiver.url) as (mock, _):
        settle(mock)

    assert receiver.events == ["image.started", "image.completed"]
    assert {each.event["payload"]["id"] for each in receiver.arrived} == {project_id}
    with start(receiver.url) as (mock, _):
        settle(mock)
    assert len(receiver.arrived) == 2


def test_what_was_told_before_is_not_told_again(start: Starting, clock: Clock, receiver: Receiver) -> None:
    with start(receiver.url) as (mock, caller):
        caller.create(face())
        clock.advance(JOB_SECONDS / 2)
        settle(mock)
    assert receiver.events == ["image.started"]

    with start(receiver.url) as (mock, _):
        clock.advance(JOB_SECONDS)
        settle(mock)

    assert receiver.events == ["image.started", "image.completed"]


def test_a_delivery_under_retry_goes_on_where_it_was(
    start: Starting, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [204, 503, 503]
    with start(receiver.url) as (mock, caller):
        project_id = caller.create(face())
        clock.advance(JOB_SECONDS)
        settle(mock)
        clock.advance(1)
        settle(mock)
        assert receiver.answered == [204, 503, 503]
        caller.delete(project_id)  # the event is what it was

    with start(receiver.url) as (mock, _):
        settle(mock)
        waiting, taken = mock.webhooks.deliveries()
        assert (taken.state, [each.status for each in taken.attempts]) == ("delivered", [204])
        assert [each.status for each in waiting.attempts] == [503, 503]
        assert (waiting.state, waiting.tries) == ("pending", 2)
        clock.advance(1.75)
        settle(mock)
        assert len(receiver.arrived) == 3
        clock.advance(0.25)
        settle(mock)
        assert receiver.answered == [204, 503, 503, 204]
        assert len({each.body for each in receiver.arrived[1:]}) == 1

    with start(receiver.url) as (mock, _):
        clock.advance(86_400)
        settle(mock)
    assert len(receiver.arrived) == 4


def test_a_clock_that_was_ahead_before_the_restart_does_not_hold_up_what_waits(
    start: Starting, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [204, *[503] * 6]
    now = clock.now()
    with start(receiver.url) as (mock, caller):
        caller.create(face())
        for seconds in (JOB_SECONDS, 1, 2, 4, 8, 16):
            clock.advance(seconds)
            settle(mock)
    assert len(receiver.arrived) == 7
    clock.reset(now)

    with start(receiver.url) as (mock, _):
        clock.advance(32)
        settle(mock)

    assert receiver.answered[-1] == 204


def test_a_webhook_of_the_control_api_survives(start: Starting, clock: Clock, receiver: Receiver) -> None:
    with start() as (mock, caller):
        mock.webhooks.register(receiver.url, SECRET, ["image.completed"])
        off = mock.webhooks.register("http://127.0.0.1:9/", "another")
        mock.webhooks.switch(off.id, False)
        mock.webhooks.remove(mock.webhooks.register("http://127.0.0.1:9/gone").id)
        before = mock.webhooks.endpoints()
        caller.create(face())

    with start() as (mock, _):
        assert mock.webhooks.endpoints() == before
        clock.advance(JOB_SECONDS)
        settle(mock)

    assert receiver.events == ["image.completed"]


def test_the_greeting_tells_no_secret_of_a_webhook_that_was_added_before(start: Starting) -> None:
    with start() as (mock, _):
        mock.webhooks.register("http://127.0.0.1:9/added", "whsec_of_the_api")
    with start("http://127.0.0.1:9/given", secret=None) as (mock, _):
        said = greeting(mock, mock.world.base_url, "1", shows_secret=True)
    assert "Webhook http://127.0.0.1:9/added\n" in said
    assert "Webhook http://127.0.0.1:9/given, secret whsec_" in said
    assert "whsec_of_the_api" not in said


def test_a_secret_that_was_made_up_stays_and_one_that_is_given_is_new(
    start: Starting, receiver: Receiver
) -> None:
    def started_with(secret: str | None) -> Endpoint:
        with start(receiver.url, secret=secret) as (mock, _):
            endpoints: list[Endpoint] = mock.webhooks.endpoints()
        return endpoints[0]

    made_up = started_with(None)
    assert started_with(None) == made_up
    assert started_with("whsec_given").secret == "whsec_given"
    assert started_with(None) == Endpoint(
        made_up.id, receiver.url, "whsec_given", made_up.events, is_initial=True, since=made_up.since
    )


def test_a_webhook_that_is_not_given_again_is_dropped_and_that_is_told(
    start: Starting, clock: Clock, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with start("http://127.0.0.1:9/hook") as (mock, caller):
        caller.create(face())
        clock.advance(JOB_SECONDS)
        settle(mock)
        assert [each.state for each in mock.webhooks.deliveries()] == ["pending"] * 2

    with caplog.at_level(logging.WARNING), start(receiver.url) as (mock, _):
        settle(mock)
        assert [each.url for each in mock.webhooks.endpoints()] == [receiver.url]
        assert (mock.webhooks.deliveries(), mock.webhooks.dropped) == ([], 2)
    assert "2 events for http://127.0.0.1:9/hook dropped" in caplog.text
    assert receiver.arrived == []


def test_a_webhook_of_the_command_line_that_was_off_is_on_after_a_restart(
    start: Starting, receiver: Receiver
) -> None:
    with start(receiver.url) as (mock, _):
        mock.webhooks.switch(mock.webhooks.endpoints()[0].id, False)
    with start(receiver.url) as (mock, _):
        assert mock.webhooks.endpoints()[0].enabled


def test_two_processes_on_one_store_tell_of_each_event_once(
    start: Starting, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [503] * 4
    with start() as (one, caller), start() as (other, _):
        one.webhooks.register(receiver.url, SECRET)
        other.webhooks.resume()
        caller.create(face())
        for seconds in (JOB_SECONDS, 1, 2, 4):
            clock.advance(seconds)
            settle(one)
            settle(other)
    assert sorted(receiver.events) == ["image.completed", "image.started"]


def test_a_reset_forgets_what_waits(start: Starting, clock: Clock, receiver: Receiver) -> None:
    receiver.answers = [503] * 100
    with start(receiver.url) as (mock, caller):
        mock.webhooks.register(receiver.url, SECRET)
        caller.create(face())
        clock.advance(JOB_SECONDS)
        settle(mock)
        caller.create(face())
        mock.world.reset(clock.now())
    tried = len(receiver.arrived)

    with start(receiver.url) as (mock, _):
        assert len(mock.webhooks.endpoints()) == 1
        clock.advance(86_400)
        settle(mock)
    assert len(receiver.arrived) == tried


def test_a_file_from_before_there_were_webhooks_in_it_gets_them(
    start: Starting, clock: Clock, receiver: Receiver, tmp_path: Path
) -> None:
    with start() as (_, caller):
        caller.create(face())
    with closing(sqlite3.connect(tmp_path / "kept.db")) as file:
        for table in ("webhooks", "outbox", "deliveries"):
            file.execute(f"DROP TABLE {table}")
        file.commit()

    with start(receiver.url) as (mock, _):
        clock.advance(JOB_SECONDS)
        settle(mock)

    assert receiver.events == ["image.started", "image.completed"]


@pytest.mark.parametrize("call", ["take", "swap"])
def test_a_store_that_is_locked_for_a_while_delays_events_and_loses_none(
    start: Starting,
    clock: Clock,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
) -> None:
    for module in (scheduler, senders):
        monkeypatch.setattr(module, "_PAUSE", 0.01)
    with start(receiver.url) as (mock, caller), caplog.at_level(logging.WARNING):
        kept = mock.world.store.deliveries
        working, failures = getattr(kept, call), iter([OSError("database is locked")] * 2)

        def failing(*given: Any) -> Any:
            for error in failures:
                raise error
            return working(*given)

        monkeypatch.setattr(kept, call, failing)
        caller.create(face())
        clock.advance(JOB_SECONDS)
        settle(mock)
    assert receiver.events == ["image.started", "image.completed"]
    assert caplog.text.count("database is locked") == 2


def test_kill_9_loses_no_event_and_repeats_none_that_was_taken(tmp_path: Path) -> None:
    """Killed three times: with all taken, under retry, and right after creates."""
    with receiving(time.time) as receiver:
        options = (
            *("--store", f"sqlite:///{tmp_path / 'kept.db'}", "--assets", f"{tmp_path}"),
            *("--time-scale", "0.1", "--webhook", receiver.url, "--webhook-secret", SECRET),
        )
        ids = set()
        with serving(*options) as served:
            ids |= {served.post(FACE, face())["id"] for _ in range(3)}
            receiver.wait(6)
            Control(served.url).webhooks.settle()
            os.killpg(served.process.pid, signal.SIGKILL)
        receiver.answers = [503] * 4
        with serving(*options) as served:
            ids |= {served.post(FACE, face())["id"] for _ in range(2)}
            receiver.wait(6 + 4)
            ids |= {served.post(FACE, face())["id"] for _ in range(3)}
            os.killpg(served.process.pid, signal.SIGKILL)
        receiver.answers = []
        with serving(*options) as served:
            ids.add(served.post(FACE, face())["id"])
            os.killpg(served.process.pid, signal.SIGKILL)
        taken = len(receiver.events)
        with serving(*options):
            # What was under way may come twice; what a killed process was sending, once its lease ends.
            while len({each.body for each in receiver.arrived if each.answered == 204}) < 2 * len(ids):
                receiver.wait(len(receiver.arrived) + 1)
        told = Counter(
            (each.event["type"], each.event["payload"]["id"])
            for each in receiver.arrived
            if each.answered == 204
        )
    assert taken < 18
    assert told.keys() == {(name, each) for name in ("image.started", "image.completed") for each in ids}
    first_three = [number for (_, each), number in told.items() if each in sorted(ids)[:3]]
    assert first_three == [1] * 6, "what was taken and settled is not sent again"
