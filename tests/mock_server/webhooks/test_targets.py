"""Webhooks at targets that the policy denies: refused when they are registered, and with each delivery."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.outbound.policy import TargetPolicy

from ..conftest import Caller, face
from .conftest import JOB_SECONDS, Watcher
from .receiver import SECRET, Receiver


@pytest.fixture
def mock(clock: Clock, store_url: str) -> Iterator[Mock]:
    """A mock that other machines can reach, and that may call one of the names of this one."""
    settings = Settings(store=store_url, time_scale=1, allow_targets=("hooks.internal",))
    with closing(Mock(settings=settings, clock=clock)) as mock:
        mock.targets = mock.targets.served_at("0.0.0.0")
        yield mock


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Where names lead to; a test changes it."""
    known, real = {"hooks.internal": "127.0.0.1"}, socket.getaddrinfo

    def look_up(host: str, *rest: Any, **options: Any) -> Any:
        return real(known.get(host, host), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def test_a_private_webhook_is_refused_with_400(watcher: Watcher, receiver: Receiver) -> None:
    refused = watcher.client.post("/_mock/webhooks", json={"url": receiver.url})
    assert refused.status_code == 400
    assert "127.0.0.1 is a private address" in refused.text
    assert "--allow-target" in refused.text
    assert watcher.mock.webhooks.endpoints() == []


def test_one_that_is_allowed_by_its_name_gets_its_events(
    watcher: Watcher, receiver: Receiver, caller: Caller, addresses: dict[str, str]
) -> None:
    assert addresses
    url = receiver.url.replace("127.0.0.1", "hooks.internal")
    watcher.mock.webhooks.register(url, SECRET, ["image.completed"])
    caller.create(face())
    watcher.wait(JOB_SECONDS)
    assert receiver.events == ["image.completed"]


def test_a_name_that_leads_to_a_denied_address_later_gets_nothing_and_the_delivery_says_why(
    watcher: Watcher, receiver: Receiver, caller: Caller, addresses: dict[str, str]
) -> None:
    url = receiver.url.replace("127.0.0.1", "public.example")
    addresses["public.example"] = "93.184.215.14"
    watcher.mock.webhooks.register(url, SECRET, ["image.completed"])
    addresses["public.example"] = "127.0.0.1"

    caller.create(face())
    watcher.wait(JOB_SECONDS)

    assert receiver.arrived == []
    (attempt,) = watcher.only_delivery.attempts
    assert attempt.status is None
    assert "public.example leads to a private address" in (attempt.problem or "")


def test_a_name_that_is_not_there_yet_may_be_registered(watcher: Watcher, addresses: dict[str, str]) -> None:
    addresses["later.example"] = "no such name"
    assert watcher.mock.webhooks.register("http://later.example/hook")


def test_a_denied_name_is_refused_whether_or_not_it_is_there(clock: Clock, addresses: dict[str, str]) -> None:
    addresses["evil.example"] = "no such name"
    with closing(Mock(settings=Settings(deny_targets=("evil.example",)), clock=clock)) as mock:
        refused = create_app(mock).test_client().post("/_mock/webhooks", json={"url": "http://evil.example/"})
    assert refused.status_code == 400
    assert "denied by --deny-target evil.example" in refused.text


def test_where_nothing_is_denied_no_name_is_looked_up(mock: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a name was looked up")

    mock.targets = TargetPolicy()
    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert mock.webhooks.register("http://anywhere.example/")
