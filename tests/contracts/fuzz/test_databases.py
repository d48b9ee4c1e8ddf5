"""What one machine's fuzz has found, another one's tries first, by a Redis server that both have."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluehour.contracts.fuzz.databases import database_at
from bluehour.mock_server.cli import Problem

from .test_jobs import facts, folder

__all__ = ["folder"]


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Of a server of this test alone."""
    redis = pytest.importorskip("redis", reason="needs the extra redis")
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server (apt install redis-server)")
    url = f"unix://{tmp_path / 'redis.sock'}"
    command = ["redis-server", "--port", "0", "--unixsocket", f"{tmp_path / 'redis.sock'}", "--save", ""]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            with redis.Redis.from_url(
                url, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 300)
            ) as ours:
                ours.ping()
            yield url
        finally:
            server.terminate()


def test_what_failed_is_there_for_other_machines(folder: Path, redis_url: str) -> None:
    import redis

    assert facts(folder, "--database", redis_url)["findings"]
    with redis.Redis.from_url(redis_url) as server:
        kept = server.keys()
        assert kept
        assert all(server.ttl(key) > 0 for key in kept)  # and not for ever


@pytest.mark.parametrize(
    "where", ["redis://user:secret@127.0.0.1:1/0", "unix:///nowhere.sock", "redis://a:b"]
)
def test_a_server_that_can_not_be_used_is_one_line(where: str) -> None:
    pytest.importorskip("redis", reason="needs the extra redis")
    with pytest.raises(Problem) as refused:
        database_at(where)
    assert refused.value.message.startswith("--database: ")
    assert "secret" not in refused.value.message
    assert "\n" not in refused.value.message
