"""Server-sent events, as the console gets them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running

from ..conftest import FACE, face


class Served:
    def __init__(self, mock: Mock, url: str) -> None:
        self.mock = mock
        self.netloc = urlsplit(url).netloc

    def create(self) -> None:
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        connection.request("POST", FACE, json.dumps(face()), headers)
        assert connection.getresponse().status == 200
        connection.close()

    @contextmanager
    def events(self) -> Iterator[Iterator[tuple[str, object]]]:
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        connection.request("GET", "/_mock/events")
        answer = connection.getresponse()
        assert answer.getheader("Content-Type", "").startswith("text/event-stream")
        assert answer.readline() == b"retry: 1000\n"
        yield self._parsed(answer)
        connection.close()

    @staticmethod
    def _parsed(answer: http.client.HTTPResponse) -> Iterator[tuple[str, object]]:
        name = ""
        while raw := answer.readline():
            line = raw.decode().strip("\n")
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                yield name, json.loads(value)


@pytest.fixture
def served() -> Iterator[Served]:
    mock = Mock()
    with running(mock) as url:
        yield Served(mock, url)
    mock.close()


def test_every_request_is_told_as_it_comes(served: Served) -> None:
    with served.events() as events:
        for number in (1, 2, 3):
            served.create()
            name, entry = next(events)
            assert isinstance(entry, dict)
            assert (name, entry["id"], entry["operation"]) == ("entry", number, "aiFaceEditor.editImage")
            assert entry["response"]["status"] == 200


def test_every_change_is_told_to_all_who_listen(served: Served) -> None:
    with served.events() as one, served.events() as other:
        served.mock.world.clock.advance(5)
        assert next(one) == next(other) == ("changed", "clock")


def test_listeners_take_no_thread_each(served: Served) -> None:
    connections = []
    for _ in range(40):  # more than there are threads
        connection = http.client.HTTPConnection(served.netloc, timeout=60)
        connection.request("GET", "/_mock/events")
        assert connection.getresponse().status == 200
        connections.append(connection)
    served.create()
    with served.events() as events:
        served.create()
        assert next(events)[0] == "entry"
    for connection in connections:
        connection.close()
