"""What goes wrong with one event, or happens at a bad moment, is no matter of the others."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from bluehour.mock_server.api.representation import project_as_shown
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.world import World
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.outbound.policy import TargetPolicy
from bluehour.mock_server.webhooks import registry, scheduler, senders
from bluehour.mock_server.webhooks.sending import post
from bluehour.openapi.contract import Contract

from ..conftest import FACE, Caller, data, face
from .conftest import JOB_SECONDS, Watcher
from .receiver import Receiver


def test_an_event_that_can_not_be_read_does_not_stop_those_after_it(
    watcher: Watcher,
    receiver: Receiver,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher.register(receiver, "image.completed")
    lost, told = caller.create(face()), caller.create(face())
    shown = project_as_shown

    def failing(world: World, project: Project, now: float, base_url: str) -> Any:
        if project.id == lost:
            raise OSError("the disk is full")
        return shown(world, project, now, base_url)

    monkeypatch.setattr(scheduler, "project_as_shown", failing)
    with caplog.at_level(logging.ERROR):
        watcher.wait(JOB_SECONDS)
    assert [each.project_id for each in watcher.deliveries()] == [told]
    assert "the disk is full" in caplog.text


def test_a_create_during_the_first_registration_is_told_once(
    watcher: Watcher, receiver: Receiver, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = watcher.mock.world.store.announce_unfinished

    def creating(at: float, base_url: str) -> None:
        caller.create(face())  # the webhook is there already, and so this is announced
        announce(at, base_url)

    monkeypatch.setattr(watcher.mock.world.store, "announce_unfinished", creating)
    watcher.register(receiver, "image.completed")
    watcher.wait(JOB_SECONDS)
    assert receiver.events == ["image.completed"]


def test_what_is_over_is_bounded_and_what_is_forgotten_is_counted(
    watcher: Watcher, receiver: Receiver, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "_REMEMBERED", 8)
    receiver.answers = [503] * 5
    watcher.register(receiver, "image.completed")
    for _ in range(20):
        caller.create(face())
    watcher.wait(JOB_SECONDS)
    states = [each.state for each in watcher.deliveries()]
    assert (states.count("pending"), states.count("delivered")) == (5, 8)
    assert watcher.mock.webhooks.waiting == 5
    watcher.wait(1)
    states = [each.state for each in watcher.deliveries()]
    assert states == ["delivered"] * 8
    assert data(watcher.client.get("/_mock/webhooks"))["forgotten"] == 12

    watcher.mock.world.reset(watcher.mock.world.clock.now())
    assert data(watcher.client.get("/_mock/webhooks"))["forgotten"] == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://localhost/",
        "http://",
        "http:///hook",
        "http://127.0.0.1:abc",
        "http://[::1",
        "http://a b/",
        "http://a/\n",
        "http://a:0/",
    ],
)
def test_what_is_no_url_is_not_registered(mock: Mock, url: str) -> None:
    with pytest.raises(ValueError, match="is no URL that events can be sent to"):
        mock.webhooks.register(url)
    assert mock.webhooks.endpoints() == []


def test_a_contract_without_webhooks_has_none_to_send() -> None:
    mock = Mock(Contract({"openapi": "3.1.0", "paths": {}}))
    with pytest.raises(ValueError, match="the contract has no webhooks"):
        mock.webhooks.register("http://127.0.0.1:9/")
    mock.close()


def test_a_path_in_any_script_is_sent_as_urls_have_it(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    watcher.mock.webhooks.register(f"{receiver.url}&naïve=ü%20", "s", ["image.completed"])
    caller.create(face())
    watcher.wait(JOB_SECONDS)
    (attempt,) = watcher.only_delivery.attempts
    assert attempt.status is not None


@pytest.fixture
def trickling() -> Iterator[str]:
    """The URL of a receiver whose answer comes byte by byte, and never ends."""
    done = Event()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not done.wait(0.01):
                    connection.sendall(b"X: y\r\n")
            except OSError:  # it was hung up
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done.set()
        thread.join()


def test_the_limit_is_on_the_whole_answer_not_on_each_byte(trickling: str) -> None:
    _, problem, _ = post(trickling, b"{}", {}, answer_within=0.1, policy=TargetPolicy())
    assert problem is not None
    assert "0.1 s" in problem


def test_resets_amid_deliveries_leave_nothing_behind(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    for _ in range(10):
        watcher.register(receiver)
        assert caller.post(FACE, face()).status_code == 200
        watcher.mock.world.clock.advance(JOB_SECONDS)
        watcher.mock.world.reset()
        watcher.settle()
        assert watcher.deliveries() == []
        watcher.mock.world.clock.freeze()


def test_a_delivery_that_is_given_up_says_so(watcher: Watcher, receiver: Receiver, caller: Caller) -> None:
    receiver.answers = [503] * 100
    watcher.register(receiver, "image.completed")
    caller.create(face())
    watcher.wait(JOB_SECONDS)
    assert watcher.only_delivery.problem is None
    watcher.wait(86_400)
    assert watcher.only_delivery.problem == "given up: nobody has taken it within 24 h"


def test_webhooks_beyond_the_most_are_refused(
    watcher: Watcher, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_MOST_ENDPOINTS", 2)
    first = watcher.register(receiver)
    watcher.register(receiver)
    refused = watcher.client.post("/_mock/webhooks", json={"url": receiver.url})
    assert refused.status_code == 400
    assert "there are 2 webhooks already" in refused.text
    watcher.mock.webhooks.remove(first.id)
    watcher.register(receiver)


def test_of_a_delivery_that_is_sent_again_and_again_the_last_attempts_are_kept(
    watcher: Watcher, receiver: Receiver, caller: Caller
) -> None:
    receiver.answers = [503] * 200
    endpoint = watcher.register(receiver, "image.completed")
    caller.create(face())
    watcher.wait(JOB_SECONDS)
    watcher.mock.webhooks.switch(endpoint.id, False)
    for _ in range(120):
        watcher.mock.webhooks.resend(watcher.only_delivery.id, 20)
    assert len(receiver.arrived) == 121
    assert len(watcher.only_delivery.attempts) == 100


def test_without_a_webhook_a_create_stores_no_events(watcher: Watcher, caller: Caller) -> None:
    caller.create(face())
    assert watcher.mock.world.store.next_event() is None
