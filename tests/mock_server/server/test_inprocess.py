"""A mock served from a thread of this process."""

from __future__ import annotations

import gc
import http.client
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.mock_server.server.listening import HostError, reserved


def status(url: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("GET", "/v1/image-projects/cuid-example", headers={"Authorization": "Bearer x"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_answers_until_it_is_left_and_leaves_no_thread() -> None:
    before = threading.active_count()
    mock = Mock()
    with running(mock) as url:
        assert (status(url), mock.world.base_url) == (200, url)
    with pytest.raises(OSError, match="refused"):
        status(url)
    mock.close()
    assert threading.active_count() <= before + 1


def test_it_can_be_started_again_with_the_same_state() -> None:
    mock = Mock()
    mock.world.open_account("mhk_test_pro_5")
    for _ in range(3):
        with running(mock) as url:
            assert status(url) == 200
    assert len(mock.world.store.accounts()) == 2
    mock.close()


def test_each_of_many_that_start_at_once_has_a_port_of_its_own() -> None:
    with ExitStack() as stack:
        mocks = [Mock() for _ in range(12)]
        with ThreadPoolExecutor(12) as threads:
            urls = list(threads.map(lambda mock: stack.enter_context(running(mock)), mocks))
        assert len(set(urls)) == 12
        for mock, url in zip(mocks, urls, strict=True):
            assert status(url) == 200
            assert mock.journal is not None
            assert mock.journal.recorded == 1
            mock.close()


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Garbage is collected often, and each time another thread may go on: CPython 3.11 can't parse so."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()

    def give_way(_phase: str, _found: dict[str, int]) -> None:
        list(range(50))

    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    gc.callbacks.append(give_way)
    yield
    gc.callbacks.remove(give_way)
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


def test_applications_may_be_made_in_many_threads_at_once(restless_threads: None) -> None:
    mocks = [Mock() for _ in range(24)]
    with ThreadPoolExecutor(12) as threads:
        assert len(list(threads.map(create_app, mocks))) == 24
    for mock in mocks:
        mock.close()


def test_a_port_that_is_taken_is_told() -> None:
    mock = Mock()
    with running(mock) as url:
        port = urlsplit(url).port or 0
        with (
            pytest.raises(HostError, match=f"port {port} on 127.0.0.1 is taken"),
            reserved("127.0.0.1", port),
        ):
            pass
    mock.close()


def test_a_host_that_there_is_not_is_told() -> None:
    with pytest.raises(HostError, match="can't be used"), reserved("no.such.host.invalid", 0):
        pass
