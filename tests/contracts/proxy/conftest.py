"""A raw server, and a proxy before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .running import Proxied, RawServer, proxied


@pytest.fixture
def server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()
    assert server.problems == []


@pytest.fixture
def proxy(server: RawServer) -> Iterator[Proxied]:
    with proxied(server.url) as proxy:
        yield proxy
