"""A mock in this process, its clock frozen, and a client that speaks to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON
from tests.postgresql import Cluster
from tests.profiles import few

FACE = "/v1/ai-face-editor"
PHOTO = "/v1/ai-photo-editor"
UPLOADS = "/v1/files/upload-urls"


def example(operation_id: str) -> dict[str, Any]:
    """The published request of an operation."""
    body = load().operation(operation_id).body
    assert body is not None
    published: dict[str, Any] = copy.deepcopy(body.content[JSON].examples[0])
    return published


def face(asset: str = "api-assets/id/1234.png", **style: Any) -> dict[str, Any]:
    return {"assets": {"image_file_path": asset}, "style": style}


def photo(asset: str = "api-assets/id/1234.png", **fields: Any) -> dict[str, Any]:
    return {**example("aiPhotoEditor.createImage"), "assets": {"image_file_path": asset}, **fields}


def data(answer: TestResponse) -> Any:
    """Return an answer's JSON, as Any: its type says that there may be none."""
    return answer.json


def place_of(project_id: str, kind: str) -> str:
    """Return the path of a project."""
    return f"/v1/{kind}/{project_id}" if kind == "face-detection" else f"/v1/{kind}-projects/{project_id}"


class Caller:
    """One account's view of a mock."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """Send JSON and return the TestResponse, as Any since its own json may be None."""
        if body is not None:
            options["json"] = body
        return self.client.post(path, headers={**self.headers, **options.pop("headers", {})}, **options)

    def create(self, body: dict[str, Any], path: str = FACE) -> str:
        """Create a project and return its id."""
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.json
        project_id: str = answer.json["id"]
        return project_id

    def get(self, path: str) -> Any:
        """Return the JSON of what is there."""
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.json
        return answer.json

    def project(self, project_id: str, kind: str = "image") -> dict[str, Any]:
        project: dict[str, Any] = self.get(place_of(project_id, kind))
        return project

    def delete(self, project_id: str, kind: str = "image") -> TestResponse:
        return self.client.delete(place_of(project_id, kind), headers=self.headers)

    @property
    def credits(self) -> int:
        """What the account has left, as the API says it."""
        left: int = self.get("/v1/account")["credits"]
        return left

    def fetch(self, url: str) -> TestResponse:
        """Get a link, as anybody may, and read the file to its end."""
        return self.client.get(url, buffered=True)

    def upload(self, content: bytes, kind: str = "image", extension: str = "png") -> str:
        """Upload a file and return its file_path."""
        item = self.post(UPLOADS, {"items": [{"type": kind, "extension": extension}]}).json["items"][0]
        assert self.client.put(item["upload_url"], data=content).status_code == 200
        file_path: str = item["file_path"]
        return file_path


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze()
    return clock


def url_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of a new store: `memory://`, or of a kind that processes may share."""
    if kind == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        return cluster.url()
    return f"sqlite:///{folder / 'mock.db'}" if kind == "sqlite" else kind


@pytest.fixture(params=few(["memory://", "sqlite", "postgresql"], "memory://", "sqlite"))
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, request, tmp_path)


@pytest.fixture
def mock(clock: Clock, store_url: str) -> Iterator[Mock]:
    mock = Mock(settings=Settings(store=store_url, time_scale=1), clock=clock)
    yield mock
    mock.close()


@pytest.fixture
def client(mock: Mock) -> FlaskClient:
    return create_app(mock).test_client()


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    return Caller(client, "mhk_test_creator_100")
