"""Every deviant is one: played against it, its witness sees something else than against the right server."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.profiles import few

from .breaking import BREAKING
from .catalogue import DEVIANTS
from .client import Client
from .deviant import Deviant
from .fields import FAILING_ASSET, having, legal, without
from .names import FACE, OPERATIONS, PHOTO
from .serving import Served, served


@pytest.fixture(scope="module")
def right() -> Iterator[Served]:
    with served(None) as server:
        server.mock.world.clock.freeze()
        yield server


def observed(deviant: Deviant, server: Served) -> str:
    """What a deviant's witness sees, as text: Python takes True for 1 and 1 for 1.0, and JSON does not."""
    return json.dumps(deviant.witness(Client(server.url)), sort_keys=True)


def test_there_are_enough_and_each_has_its_own_name() -> None:
    names = Counter(deviant.name for deviant in DEVIANTS)
    assert len(names) >= 70
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_each_is_about_an_operation_that_there_is() -> None:
    assert {deviant.operation for deviant in DEVIANTS} <= {*OPERATIONS, None}


def published(server: Served) -> bytes:
    return Client(server.url).send("GET", "/openapi.json").body


@pytest.mark.parametrize("deviant", few(DEVIANTS, *BREAKING.values()), ids=lambda deviant: deviant.name)
def test_a_deviant_is_not_the_right_server_and_publishes_the_same_contract(
    deviant: Deviant, right: Served
) -> None:
    expected = observed(deviant, right)
    assert observed(deviant, right) == expected, "the right server itself does not always answer the same"
    with served(deviant) as wrong:
        wrong.mock.world.clock.freeze()
        assert observed(deviant, wrong) != expected
        assert published(wrong) == published(right)


def booked_by(name: str | None, operation: str, body: Any, credits: int = 100) -> int:
    """What a server books of one create by an account of so many credits, once its job has ended."""
    deviant = next((each for each in DEVIANTS if each.name == name), None)
    with served(deviant) as server:
        server.mock.world.clock.freeze()
        client = Client(server.url, credits=credits)
        client.call(operation, body)
        client.wait(60)
        return server.booked()


@pytest.mark.parametrize(
    ("name", "operation", "body", "booked"),
    [
        (None, PHOTO, legal(PHOTO), 10),
        (None, FACE, legal(FACE, FAILING_ASSET), 1),
        (None, FACE, without(FACE, "assets"), 0),
        ("photo-costs-five", PHOTO, legal(PHOTO), 5),
        ("create-says-less-than-the-project", PHOTO, legal(PHOTO), 10),
        ("large-photo-costs-double", PHOTO, having(PHOTO, "style.upscale_factor", 4), 20),
        ("face-is-charged-twice", FACE, legal(FACE), 2),
        ("400-is-charged", FACE, without(FACE, "assets"), 1),
        ("422-is-charged", FACE, legal(FACE, "api-assets/nobody/image.png"), 1),
        ("refund-of-a-half", PHOTO, legal(PHOTO, FAILING_ASSET), 10),
        ("refund-is-shown-not-booked", PHOTO, legal(PHOTO, FAILING_ASSET), 10),
    ],
)
def test_the_books_tell_what_was_really_charged(
    name: str | None, operation: str, body: Any, booked: int
) -> None:
    assert booked_by(name, operation, body) == booked


def test_what_is_lent_is_booked_like_any_other_charge() -> None:
    assert booked_by("402-never-comes", PHOTO, legal(PHOTO), credits=0) == 10
