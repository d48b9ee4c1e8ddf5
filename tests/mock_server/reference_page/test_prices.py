"""The price on the page is what the mock charges: of an operation, of an example, of what a reader asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load

from .told import Page, client_of, page_of, typed, words

FACE = "aiFaceEditor.editImage"
VIDEO = "textToVideo.createVideo"
PLANS = list(load().extension("x-plans"))
SIMPLE = {"style": {"prompt": "a dog running"}}


@pytest.fixture(scope="module")
def page() -> Page:
    return page_of(load())


def priced() -> list[Any]:
    return [one for one in load().operations if "x-credits" in one.node]


def charged(operation: Any, body: Any, plan: str) -> Any:
    """What the mock takes for a request on a plan: the credits, or its words of refusal."""
    client = create_app(Mock(load())).test_client()
    headers = {"Authorization": f"Bearer mhk_test_{plan}_1000000"}
    answer = client.post(operation.path, json=body, headers=headers).get_json()
    return answer.get("credits_charged", answer.get("message"))


def asked(question: Any, contract: Contract | None = None) -> Any:
    """What the page is answered."""
    data = question if isinstance(question, bytes) else json.dumps(question).encode()
    answer = client_of(contract or load()).post("/docs/cost", data=data)
    return answer.status_code, answer.get_json()


def cost(body: Any, plan: str = "business", operation: str = VIDEO) -> Any:
    return asked({"operation": operation, "body": body, "plan": plan})[1]


# --- an operation's price -----------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", load().operations, ids=lambda one: one.id)
def test_whatever_has_a_price_tells_it_and_nothing_else_does(page: Page, operation: Any) -> None:
    told = re.search(r" Price (Free|[\d.,]+( to [\d.,]+)? credits?\b)", page.texts[operation.id])
    assert bool(told) == ("x-credits" in operation.node)


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        (FACE, "Price 1 credit."),
        ("aiPhotoEditor.createImage", "Price 10 credits."),
        ("aiQrCodeGenerator.createImage", "Price Free."),
        ("aiImageEditor.createImage", "Price 5 to 600 credits an image. Images: image_count ."),
        (VIDEO, "Price 24 to 1,440 credits a second. Seconds: end_seconds ."),
        ("animation.createVideo", "Price 1 credit a frame. Frames: end_seconds x fps ."),
        (
            "videoToVideo.createVideo",
            "(end_seconds - start_seconds ) x (24 with fps_resolution FULL ; else 12)",
        ),
        ("videoToVideo.createVideo", "at the job's end it is settled to the frames that were really made"),
        ("aiVoiceGenerator.createAudio", "Price 0.05 credits a character."),
        ("aiVoiceGenerator.createAudio", "It is at least 1 credit."),
        (VIDEO, "model audio 360p 480p 720p 1080p 4k"),
        (VIDEO, "kling-3.0 true - - 72 96 288 kling-3.0 false - - 48 72 240"),
        ("aiImageGenerator.createImage", "krea-2 10 10 - -"),
        ("aiTalkingPhoto.createTalkingPhoto", "style.generation_mode Credits prompted 20 any other 48"),
    ],
)
def test_a_price_is_told_with_its_table(page: Page, anchor: str, said: str) -> None:
    assert said in typed(page.texts[anchor])


def rows_of_videos() -> Iterator[tuple[str, bool | None, str, int]]:
    """Model, sound, resolution and credits a second of each cell of the table that has any."""
    html = typed(client_of(load()).get("/docs").get_data(as_text=True))
    table = html[html.index(f'id="{VIDEO}"') :].partition('<table class="grid">')[2].partition("</table>")[0]
    head, *rows = (re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in table.split("<tr>")[1:])
    columns = [re.sub("<.*?>", "", cell) for cell in head[2:]]
    for models, sound, *cells in rows:
        audio = {"any": None, "true": True, "false": False}[re.sub("<.*?>", "", sound)]
        for model, (resolution, cell) in product(
            re.findall("<code>(.*?)</code>", models), zip(columns, cells, strict=True)
        ):
            if cell != "-":
                yield model, audio, resolution, int(cell.replace(",", ""))


def test_every_cell_of_the_videos_table_is_what_a_second_costs() -> None:
    seconds = {"kling-1.6": 5, "sora-2": 4}
    cells = list(rows_of_videos())
    assert len(cells) > 50
    for model, audio, resolution, credits in cells:
        for length in (seconds.get(model), 4, 5):
            body = {**SIMPLE, "end_seconds": length, "model": model, "resolution": resolution}
            found = cost(body if audio is None else {**body, "audio": audio})
            if "credits" in found:
                break
        assert found == {"credits": credits * (length or 0)}, (model, audio, resolution)


# --- an example's -------------------------------------------------------------------------------------------


def examples() -> Iterator[Any]:
    for operation in priced():
        for name, body in operation.json_body.named.items():
            yield pytest.param(operation, body, id=f"{operation.id}-{name}")


@pytest.mark.parametrize(("operation", "body"), list(examples()))
def test_an_example_tells_what_the_mock_charges_for_it(page: Page, operation: Any, body: Any) -> None:
    shown = words(json.dumps(body, ensure_ascii=False, indent=2))
    told = page.texts[operation.id].partition(f"{shown} Costs: ")[2].partition(" curl ")[0]
    usual, free = charged(operation, body, PLANS[-1]), charged(operation, body, PLANS[0])
    assert told.startswith("free" if usual == 0 else f"{usual} credit")
    if isinstance(free, str):
        assert f"not offered on the free plan: {free}" in told
    elif free != usual:
        assert f"{free} credits on the free plan" in told
    else:
        assert "free plan" not in told.partition(" Re")[0]


# --- any request's ------------------------------------------------------------------------------------------


def test_a_reader_learns_what_a_request_costs_on_each_plan() -> None:
    body = {**SIMPLE, "end_seconds": 5}
    assert cost(body, "free") == {"credits": 5 * 24}
    assert cost(body, "creator") == {"credits": 5 * 48}
    assert cost({**body, "audio": True}, "creator") == {"credits": 5 * 72}


def test_without_a_plan_it_is_that_of_the_lowest() -> None:
    body = {**SIMPLE, "end_seconds": 5}
    assert asked({"operation": VIDEO, "body": body}) == (200, {"credits": 5 * 24})


@pytest.mark.parametrize(
    ("body", "plan", "said"),
    [
        ({}, "pro", "Missing required field: end_seconds (expected number)"),
        ({**SIMPLE, "end_seconds": "5"}, "pro", "Invalid type for end_seconds: expected number, got string"),
        ({**SIMPLE, "end_seconds": 20, "model": "kling-3.0"}, "pro", "end_seconds can't be 20 with model"),
        (
            {**SIMPLE, "end_seconds": 5, "resolution": "1080p"},
            "free",
            "resolution 1080p needs the creator plan",
        ),
    ],
)
def test_a_reader_learns_why_a_request_has_no_price(body: Any, plan: str, said: str) -> None:
    assert any(each.startswith(said) for each in cost(body, plan)["objections"])


def test_what_a_plan_limits_has_no_price_above_the_limit() -> None:
    operation = load().operation("aiPhotoEditor.createImage")
    body = {**operation.json_body.example, "resolution": 768} if operation.json_body else {}
    assert cost(body, "creator", operation.id) == {"credits": 10}
    assert cost(body, "free", operation.id)["objections"] == [charged(operation, body, "free")]


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b'{"operation": ', 400, "not JSON"),
        (b"[" * 1000 + b"]" * 1000, 400, "not JSON"),
        (b"[]", 400, "operation, body"),
        ({"operation": VIDEO}, 400, "operation, body"),
        ({"operation": VIDEO, "body": [1]}, 400, "body (an object)"),
        ({"operation": "x" * 1000, "body": {}}, 400, "There is no operation 'xxx"),
        ({"operation": [], "body": {}}, 400, "There is no operation []"),
        (
            {"operation": VIDEO, "body": {}, "plan": "gold"},
            400,
            "There is no plan 'gold'; there are free, creator",
        ),
        ({"operation": VIDEO, "body": {}, "plan": ["free"]}, 400, "There is no plan"),
        (b'"' + b"x" * 2**20 + b'"', 413, "larger than 1 MiB"),
    ],
)
def test_a_question_that_is_none_is_told_what_is_wrong(question: Any, status: int, said: str) -> None:
    got, answer = asked(question)
    assert got == status
    assert said in answer["message"]
    assert len(answer["message"]) < 200


def test_nothing_is_charged_by_asking() -> None:
    mock = Mock(load())
    client = create_app(mock).test_client()
    question = {
        "operation": FACE,
        "body": {"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {}},
    }
    assert client.post("/docs/cost", json=question).get_json() == {"credits": 1}
    headers = {"Authorization": "Bearer mhk_test_free_7"}
    assert client.get("/v1/account", headers=headers).get_json()["credits"] == 7
    assert client.get("/docs/cost").status_code == 405


def test_a_question_can_be_asked_where_there_is_a_price(page: Page) -> None:
    assert page.all("data-asks-as") == [operation.id for operation in priced()]


# --- of other contracts -------------------------------------------------------------------------------------


def small(**said: Any) -> Contract:
    content = {"application/json": {"schema": {"type": "object"}, "example": {"n": 3}}}
    operation = {"operationId": "make", "requestBody": {"content": content}, "responses": {}, **said}
    info = {"title": "Small", "version": "1"}
    return Contract({"openapi": "3.1.0", "info": info, "paths": {"/a": {"post": operation}}})


def test_a_contract_without_plans_may_have_prices() -> None:
    contract = small(**{"x-credits": {"per": "second", "rate": 2}, "x-output": {"seconds": {"field": "n"}}})
    assert "2 credits a second" in page_of(contract).texts["make"]
    assert "Costs: 6 credits" in page_of(contract).texts["make"]
    assert asked({"operation": "make", "body": {"n": 1.2}}, contract) == (200, {"credits": 3})


@pytest.mark.parametrize(
    "said", ["many", {}, [], {"per": "hour", "rate": 1}, {"per": "image", "rate": "x"}, -1]
)
def test_what_is_no_price_spoils_no_page(said: Any) -> None:
    assert "POST /a" in page_of(small(**{"x-credits": said})).texts["make"]


def test_a_contracts_own_operation_at_the_address_wins() -> None:
    paths = {"/docs/cost": {"post": {"operationId": "own", "responses": {"204": {"description": "mine"}}}}}
    contract = Contract({"openapi": "3.1.0", "info": {"title": "Small", "version": "1"}, "paths": paths})
    assert client_of(contract).post("/docs/cost").status_code == 204
