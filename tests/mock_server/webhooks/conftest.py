"""A mock with a receiver: time passes when a test says so, and whatever is due then has arrived."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.core.deliveries import Delivery, Endpoint
from bluehour.mock_server.mock import Mock

from ..conftest import Caller, face
from .receiver import SECRET, Receiver, receiving

JOB_SECONDS = 3.0
"""How long a face edit takes at a time scale of 1; its rendering begins after a quarter."""


class Watcher:
    """One mock whose clock only this moves, and what it sends."""

    def __init__(self, mock: Mock, client: FlaskClient) -> None:
        self.mock = mock
        self.client = client

    def register(self, receiver: Receiver, *events: str) -> Endpoint:
        return self.mock.webhooks.register(receiver.url, SECRET, events or None)

    def settle(self) -> None:
        """Have everything sent and answered that is due."""
        assert self.mock.webhooks.settle(60), "something is still due"

    def wait(self, seconds: float) -> None:
        self.mock.world.clock.advance(seconds)
        self.settle()

    def deliveries(self) -> list[Delivery]:
        """Return the deliveries, oldest first."""
        return self.mock.webhooks.deliveries()[::-1]

    @property
    def only_delivery(self) -> Delivery:
        (delivery,) = self.mock.webhooks.deliveries()
        return delivery

    @property
    def state(self) -> str:
        """The only delivery's."""
        return self.only_delivery.state

    def end(self, project_id: str, outcome: str) -> int:
        """End a project by the control API; return the status."""
        answer = self.client.post(f"/_mock/projects/{project_id}/outcome", json={"outcome": outcome})
        return answer.status_code

    def attempts(self) -> list[tuple[float, int | None]]:
        """Return when the one delivery was tried, in seconds since it was due, and the answers' statuses."""
        delivery = self.only_delivery
        return [(round(each.at - delivery.at, 3), each.status) for each in delivery.attempts]


@pytest.fixture
def watcher(mock: Mock, client: FlaskClient) -> Watcher:
    return Watcher(mock, client)


@pytest.fixture
def receiver(mock: Mock) -> Iterator[Receiver]:
    with receiving(mock.world.clock.now) as receiver:
        yield receiver


@pytest.fixture
def job(watcher: Watcher, receiver: Receiver, caller: Caller) -> str:
    """A face edit that has been created just now, and a receiver of how it ends."""
    watcher.register(receiver, "image.completed", "image.errored")
    return caller.create(face())
