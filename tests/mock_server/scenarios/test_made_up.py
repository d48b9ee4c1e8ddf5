"""`Prefer: dynamic=true`, `--seed` and `--validate`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings, Validation
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load

from ..conftest import FACE

SPECS = Path(__file__).parents[2] / "openapi" / "specs"
SHOP, SCRIBE = SPECS / "pet-shop-3.0.yaml", SPECS / "scribe-3.1.yaml"
OWNER = {"Authorization": "Bearer any-token"}
DYNAMIC = {**OWNER, "Prefer": "dynamic=true"}
KEY = {"X-Scribe-Key": "any-key"}


def client_of(spec: Path, **settings: Any) -> FlaskClient:
    return create_app(Mock(load(spec), Settings(**settings))).test_client()


def made_up(seed: int | None) -> list[Any]:
    client = client_of(SHOP, seed=seed)
    return [client.get("/api/v3/pet/1", headers=DYNAMIC).json for _ in range(5)]


def test_what_is_made_up_is_another_each_time_and_legal() -> None:
    media = load(SHOP).operation("getPetById").success[1].json
    assert media is not None
    pets = made_up(None)
    assert all(map(media.schema.accepts, pets))
    assert len({f"{pet}" for pet in pets}) > 1
    assert media.example not in pets


def test_the_same_seed_makes_up_the_same() -> None:
    assert made_up(7) == made_up(7)
    assert made_up(7) != made_up(8)


def test_ids_are_the_seeds_too_and_a_reset_begins_again() -> None:
    def ids(client: FlaskClient) -> list[Any]:
        order = {"audio_url": "http://a/b", "language": "de"}
        path = "/v2/transcriptions"
        answers: list[Any] = [client.post(path, json=order, headers=KEY).json for _ in range(2)]
        return [answer["transcription_id"] for answer in answers]

    client = client_of(SCRIBE, seed=1)
    first = ids(client)
    assert first == ids(client_of(SCRIBE, seed=1))
    client.post("/_mock/reset", json={})
    assert ids(client) == first
    assert ids(client_of(SCRIBE)) != first


def test_a_status_can_be_made_up_as_well() -> None:
    client = client_of(SCRIBE)
    answer = client.get("/v2/preferences", headers={**KEY, "Prefer": "code=401, dynamic=true"})
    assert answer.status_code == 401
    assert answer.json != {"title": "text", "status": 1, "detail": "text"}


@pytest.mark.parametrize(
    ("validate", "status", "faults"),
    [
        ("on", 422, None),
        ("warn", 202, "Missing required field: language (expected string)"),
        ("off", 202, None),
    ],
)
def test_requests_are_judged_as_was_wished(validate: Validation, status: int, faults: str | None) -> None:
    client = client_of(SCRIBE, validate=validate)
    answer = client.post("/v2/transcriptions", json={"audio_url": "http://a/b"}, headers=KEY)
    assert (answer.status_code, answer.headers.get("Bluehour-Faults")) == (status, faults)
    if status == 202:
        job: Any = client.get(answer.headers["Location"], headers=KEY).json
        assert job["language"]


def test_magic_hours_own_operations_always_refuse() -> None:
    with closing(Mock(settings=Settings(validate="off"))) as mock:
        answer = create_app(mock).test_client().post(FACE, json={}, headers=OWNER)
    assert answer.status_code == 400
