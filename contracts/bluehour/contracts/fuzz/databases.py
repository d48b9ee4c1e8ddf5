"""Where what has failed is kept, for the next run and for those of other machines."""

from __future__ import annotations

from datetime import timedelta

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from bluehour.mock_server.cli import Problem
from bluehour.mock_server.core.installing import command_for

_REDIS = ("redis://", "rediss://", "unix://")
_KEPT_FOR = timedelta(days=30)
"""In Redis; what fails again is kept anew."""


def database_at(where: str) -> ExampleDatabase:
    """Return the database that is a folder, or a Redis server.

    Raises:
        Problem: there is no such server, or what reaches it is not installed.
    """
    if not where.startswith(_REDIS):
        return DirectoryBasedExampleDatabase(where)
    try:
        import redis
        from hypothesis.extra.redis import RedisExampleDatabase
    except ImportError:
        raise Problem(f"--database: to reach Redis, more is needed: {command_for('redis')}") from None
    shown = where.rpartition("@")[2]  # without a password
    try:
        server = redis.Redis.from_url(where, socket_connect_timeout=5, socket_timeout=5)
        server.ping()
    except (redis.RedisError, ValueError) as error:
        raise Problem(f"--database: {shown} can't be used: {f'{error}'.splitlines()[0]}") from None
    return RedisExampleDatabase(server, expire_after=_KEPT_FOR)
