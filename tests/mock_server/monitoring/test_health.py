"""Whether a mock is ready, as balancers and containers ask it."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.control.client import Control
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.core.stores import StoreUnavailable
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.openapi.contract import load
from tests.postgresql import Cluster

from ..conftest import data
from ..rendering.test_queue import Stage, create, held, of, settle

TOKEN = "mhk_live_0123456789abcdef0123456789abcdef"


def lose_store(mock: Mock, monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def fail(_: str) -> Any:
        raise StoreUnavailable(message)

    monkeypatch.setattr(mock.world.store, "account", fail)


def test_a_mock_that_can_work_tells_its_store_contract_and_process(
    mock: Mock, client: FlaskClient, store_url: str
) -> None:
    answer = client.get("/_mock/health")
    health = data(answer)
    assert (answer.status_code, health["ready"]) == (200, True)
    assert health["store"] == {"kind": store_url.partition("://")[0], "problem": None}
    assert health["contract"] == {"title": load().title, "version": load().version}
    assert health["process"] == {"pid": os.getpid(), "host": socket.gethostname()}
    assert health["waiting"] == {"jobs": 0, "deliveries": 0}
    assert health["workers"] == {
        "renderer": "simulated",
        "threads": 0,
        "stage": None,
        "processes": [],
    }


def test_a_store_that_cannot_be_read_makes_it_unready_and_its_reason_is_one_line(
    mock: Mock, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_store(mock, monkeypatch, "the store is away\nDETAIL: more")
    answer = client.get("/_mock/health")
    assert answer.status_code == 503
    assert data(answer)["ready"] is False
    assert data(answer)["store"]["problem"] == "the store is away"


def test_a_broken_file_of_a_store_is_found(tmp_path: Path) -> None:
    path = tmp_path / "mock.db"
    with closing(Mock(settings=Settings(store=f"sqlite:///{path}"))) as mock:
        mock.world.store.close()
        for each in tmp_path.iterdir():
            each.unlink()
        path.write_bytes(b"no database" * 1000)
        answer = create_app(mock).test_client().get("/_mock/health")
        assert answer.status_code == 503
        assert "not a database" in data(answer)["store"]["problem"]


def test_no_credential_is_in_it(mock: Mock, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/v1/account", headers={"Authorization": f"Bearer {TOKEN}"})
    lose_store(mock, monkeypatch, f"no server at postgresql://ada:secret@db, {TOKEN}")
    said = client.get("/_mock/health").text
    assert TOKEN not in said
    assert "secret@" not in said


def test_a_database_without_its_tables_makes_it_unready_and_its_password_is_not_told(
    postgresql: Cluster,
) -> None:
    postgresql.run("CREATE ROLE watched LOGIN", "CREATE SCHEMA watched AUTHORIZATION watched")
    store = postgresql.url("watched", user="watched", password="hunter2")
    with closing(Mock(settings=Settings(store=store))) as mock:
        client = create_app(mock).test_client()
        assert data(client.get("/_mock/health"))["store"] == {"kind": "postgresql", "problem": None}
        postgresql.run("DROP SCHEMA watched CASCADE")
        answer = client.get("/_mock/health")
        assert answer.status_code == 503
        assert '"accounts" does not exist' in data(answer)["store"]["problem"]
        assert "hunter2" not in answer.text


def test_what_waits_for_the_stage_and_who_works_are_told() -> None:
    stage = Stage()
    with closing(Mock(stage=stage)) as mock:
        caller = of(mock)
        held(stage, caller)
        for _ in range(2):
            create(caller)
        health = data(caller.client.get("/_mock/health"))
        assert health["waiting"]["jobs"] == 2
        assert health["workers"]["threads"] > 0
        assert health["workers"]["stage"] == "by nobody"
        stage.may_edit.set()
        settle(mock)
        assert data(caller.client.get("/_mock/health"))["waiting"]["jobs"] == 0


def test_the_client_has_it_ready_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Mock()) as mock, running(mock) as url:
        control = Control(url)
        assert control.health().ready
        lose_store(mock, monkeypatch, "away")
        health = control.health()
        assert not health.ready
        assert health.store == {"kind": "memory", "problem": "away"}
        assert health.process.pid == os.getpid()
