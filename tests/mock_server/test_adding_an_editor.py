"""docs/adding-an-editor.md: its overlay as it stands there, served and checked."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import MAGIC_HOUR

from .conftest import Caller, data

PAGE = (Path(__file__).parents[2] / "docs" / "adding-an-editor.md").read_text("utf-8")
SKY = "/v1/ai-sky-changer"


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    overlay = tmp_path_factory.mktemp("docs") / "sky.yaml"
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    overlay.write_text(block, "utf-8")
    return load(MAGIC_HOUR, overlays=(overlay,), strict=True)


@pytest.fixture
def client(contract: Contract) -> Iterator[FlaskClient]:
    with closing(Mock(contract, Settings(time_scale=0))) as mock:
        yield create_app(mock).test_client()


def sky(**fields: Any) -> dict[str, Any]:
    return {"assets": {"image_file_path": "api-assets/id/1234.png"}, "sky": "clear", **fields}


def test_it_is_charged_for_and_makes_as_many_pictures_as_asked(client: FlaskClient) -> None:
    caller = Caller(client, "mhk_test_creator_100")
    made = caller.post(SKY, sky(image_count=2, resolution="2k")).json
    assert made["credits_charged"] == 32
    project = caller.project(made["id"])
    assert (project["type"], project["image_count"]) == ("SKY_CHANGER", 2)
    pictures = [Image.open(io.BytesIO(caller.fetch(each["url"]).data)) for each in project["downloads"]]
    assert [max(each.size) for each in pictures] == [2048, 2048]
    assert data(client.get("/v1/account", headers=caller.headers))["credits"] == 68


@pytest.mark.parametrize(
    ("token", "fields", "status", "words"),
    [
        ("mhk_test_free_100", {"resolution": "2k"}, 402, "creator"),
        ("mhk_test_creator_100", {"sky": "stars"}, 422, "stars"),
        ("mhk_test_creator_7", {}, 402, "8 credits"),
        ("mhk_test_creator_100", {"sky": "green"}, 400, "sky"),
    ],
)
def test_what_it_does_not_offer_is_refused(
    client: FlaskClient, token: str, fields: dict[str, Any], status: int, words: str
) -> None:
    answer = Caller(client, token).post(SKY, sky(**fields))
    assert answer.status_code == status
    assert words in answer.json["message"]


def test_the_docs_have_it(client: FlaskClient) -> None:
    assert "Give a picture another sky" in client.get("/docs").text
