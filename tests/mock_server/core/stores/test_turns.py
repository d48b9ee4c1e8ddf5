"""Whose job is next, where `bluehour work` renders: accounts take turns, and none waits for ever."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from bluehour.mock_server.core.accounts import Account
from bluehour.mock_server.core.projects import PENDING, Project, new_id
from bluehour.mock_server.core.stores import Store
from bluehour.mock_server.core.stores.opening import open_store
from tests.postgresql import Cluster

pytest.importorskip("procrastinate", reason="needs the extra work")

NOW = 1_700_000_000.0


class Line:
    """The jobs of a store, taken as Procrastinate's worker takes them."""

    def __init__(self, store: Store, database: psycopg.Connection[Any]) -> None:
        self._store = store
        self._database = database
        self._worker = self._one("SELECT worker_id FROM procrastinate_register_worker_v1()")[0]

    def add(self, account_id: str) -> None:
        self._store.open_account(Account(account_id, "creator", 1000), NOW)
        self._store.add_project(
            Project(new_id(), account_id, "op", "creator", "Face", 1, b"{}", NOW, math.inf, math.inf, PENDING)
        )

    def take(self) -> str:
        """Take the next job, end it, and return whose it is."""
        job, project_id = self._one(
            "SELECT id, args ->> 'project' FROM procrastinate_fetch_job_v2(NULL, %s)", self._worker
        )
        self._database.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", [job])
        return self._store.end_project(project_id, "complete", NOW).account_id

    def pass_minutes(self, minutes: int) -> None:
        """Have all that waits have come so much earlier, by the database's clock."""
        self._database.execute("UPDATE procrastinate_jobs SET priority = priority + %s", [minutes])

    def _one(self, text: str, *values: Any) -> Any:
        return self._database.execute(text, values or None).fetchone()


@pytest.fixture
def line(postgresql: Cluster) -> Iterator[Line]:
    url = postgresql.url()
    place, _, schema = url.rpartition("&schema=")
    with (
        closing(open_store(url, by_workers=True)) as store,
        psycopg.connect(place, options=f"-c search_path={schema}", autocommit=True) as database,
    ):
        yield Line(store, database)


def test_the_job_of_one_account_does_not_wait_for_the_fifty_of_another(line: Line) -> None:
    for _ in range(50):
        line.add("many")
    line.add("one")

    assert "one" in [line.take() for _ in range(3)]  # a minute may have ended meanwhile


def test_new_accounts_do_not_keep_the_second_job_of_one_waiting_for_ever(line: Line) -> None:
    line.add("old")
    line.add("old")
    line.add("new0")

    line.pass_minutes(2)
    line.add("new1")
    assert [line.take() for _ in range(4)] == ["old", "new0", "old", "new1"]
