"""`GET /v1/account` and `GET /v1/saved-items`."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from bluehour.mock_server.core.clock import Clock
from bluehour.openapi.contract import load

from ..conftest import Caller, data

ITEMS: list[dict[str, Any]] = load().operation("savedItems.list").node["x-saved-items"]
IDS = [item["id"] for item in ITEMS]


@pytest.fixture
def store_url() -> str:
    return "memory://"


@pytest.mark.parametrize(
    ("token", "tier", "credits"),
    [
        ("mhk_test_free_400", "free", 400),
        ("mhk_test_creator_0", "creator", 0),
        ("mhk_test_pro_12500", "pro", 12_500),
        ("mhk_test_business_1", "business", 1),
    ],
)
def test_an_account_says_its_plan_its_credits_and_what_it_is_subscribed_to(
    client: FlaskClient, token: str, tier: str, credits: int
) -> None:
    caller = Caller(client, token)
    account = caller.get("/v1/account")
    assert (account["tier"], account["credits"], account["email"]) == (tier, credits, None)
    subscription = account["subscription"]
    if tier == "free":
        assert subscription is None
    else:
        assert (subscription["name"].lower(), subscription["status"]) == (tier, "active")
    assert caller.get("/v1/account")["id"] == account["id"]
    assert Caller(client, token + "_other").get("/v1/account")["id"] != account["id"]


def test_an_account_shows_what_is_changed_by_the_control_api(client: FlaskClient) -> None:
    caller = Caller(client, "mhk_test_pro_5")
    caller.post("/_mock/accounts", {"token": "mhk_test_pro_5", "plan": "free", "credits": 77})
    account = caller.get("/v1/account")
    assert (account["tier"], account["credits"], account["subscription"]) == ("free", 77, None)


def test_nobody_has_no_account(client: FlaskClient) -> None:
    assert client.get("/v1/account").status_code == 401


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["items"]]


def test_all_items_fit_on_the_usual_page(caller: Caller) -> None:
    page = caller.get("/v1/saved-items")
    assert (ids(page), page["next_cursor"]) == (IDS, None)


@pytest.mark.parametrize("limit", [1, 2, len(IDS) - 1, len(IDS)])
def test_pages_have_every_item_once_in_its_order(caller: Caller, limit: int) -> None:
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = caller.get(f"/v1/saved-items?limit={limit}{cursor and f'&cursor={cursor}'}")
        assert 1 <= len(page["items"]) <= limit
        seen += ids(page)
        cursor = page["next_cursor"]
    assert seen == IDS


@pytest.mark.parametrize("kind", ["character", "reference", "voice", "moodboard", "brand_kit"])
def test_items_of_one_type(caller: Caller, kind: str) -> None:
    page = caller.get(f"/v1/saved-items?type={kind}&limit=100")
    assert ids(page) == [item["id"] for item in ITEMS if item["type"] == kind] != []
    assert page["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=many", "type=hat", "cursor="])
def test_a_query_that_the_contract_does_not_have_is_refused(caller: Caller, query: str) -> None:
    answer = caller.client.get(f"/v1/saved-items?{query}", headers=caller.headers)
    assert (answer.status_code, data(answer)["code"]) == (400, "invalid_request")


def test_a_cursor_that_leads_nowhere_ends_the_list(caller: Caller) -> None:
    assert caller.get("/v1/saved-items?cursor=nothing") == {"items": [], "next_cursor": None}


def test_the_files_of_items_can_be_fetched_for_a_day(caller: Caller, clock: Clock) -> None:
    (item,) = caller.get("/v1/saved-items?type=character")["items"]
    assert [asset["is_primary"] for asset in item["assets"]] == [True, False]
    link = item["assets"][0]["url"]
    assert Image.open(io.BytesIO(caller.fetch(link).data)).format == "PNG"
    clock.advance(86_401)
    assert caller.fetch(link).status_code == 403
