"""Deviants that make no accounts of tokens, so that credits are counted by the balance alone."""

from __future__ import annotations

import time
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from bluehour.contracts.check.narrowing import narrowed
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Exit, Report
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.idempotency import Key
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.stores.memory import MemoryStore
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract
from tests.contracts.check.real_accounts import knowing
from tests.deviants.altering import Answered, Asked, Forward, Handler, around, error, only
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.checking import NAMING
from tests.deviants.deviant import Wrap
from tests.deviants.money import charge
from tests.deviants.names import ACCOUNT, CREATES, FACE, PHOTO
from tests.editors import EDITORS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_SLOW = 0.05
"""Seconds that a create takes, so that two are under way at once."""

HAD = 10_000
MINE = "mhk_test_creator_10000_mine"
ON_FREE = "mhk_test_free_10000_mine"


def checked(
    wrap: Wrap, token: str, contract: Contract = EDITORS, *, empty_token: str | None = None
) -> Report:
    with knowing(token, empty_token or token, wrap=wrap) as (wire, clock, mock):
        target = mock.world.base_url
        options = Options(target, token, empty_token=empty_token, rules=NAMING, max_credits=60)
        report = check(options, contract=contract, wire=wire, sleep=clock.advance, now=clock.now)
    assert report.spent <= 60
    return report


class _KeepsTen(MemoryStore):
    """Gives what the dear editor has cost never back."""

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        balance = super().add_project(project, at_most, base_url, key)
        if project.is_refunded and project.operation_id == PHOTO:
            self._ledgers[project.account_id].add(-project.credits, project.finished_at)
        return balance


def _with(store: MemoryStore) -> Wrap:
    def wrap(mock: Mock) -> WSGIApplication:
        mock.world.store = store
        return create_app(mock)

    return wrap


def _allowing_any(_: Mock) -> Handler:
    """Make pictures of any legal size on any plan."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        body = asked.json
        edge = body.get("resolution") if isinstance(body, dict) else None
        if type(edge) is int and 576 < edge <= 1024:
            return forward(asked.with_json({**body, "resolution": 576}))
        return forward(asked)

    return only(PHOTO, handler)


def _losing_charges(mock: Mock) -> Handler:
    """Book only one of several creates that are under way at once, as who reads, adds and writes does."""
    under_way, lock = [0], Lock()

    def handler(asked: Asked, forward: Forward) -> Answered:
        with lock:
            under_way[0] += 1
            is_alone = under_way[0] == 1
        time.sleep(_SLOW)
        answered = forward(asked)
        if not is_alone and answered.status == 200:
            charge(mock, asked, -answered.json["credits_charged"])
        with lock:
            under_way[0] -= 1
        return answered

    return only(FACE, handler)


def _flickering(mock: Mock) -> Handler:
    """Show another balance than there is at every fifth read."""
    reads = count(1)

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200 or next(reads) % 5:
            return answered
        return answered.with_json({**answered.json, "credits": answered.json["credits"] + 7})

    return only(ACCOUNT, handler)


def _never_creating(mock: Mock) -> Handler:
    """Answer what could be done by 429, always, and charge nothing."""
    lock = Lock()

    def handler(asked: Asked, forward: Forward) -> Answered:
        with lock:
            charge(mock, asked, HAD)  # so that whatever is legal is refused for that
            answered = forward(asked)
            charge(mock, asked, -HAD)
        return error(429, "too_many_requests", "Too Many Requests") if answered.status == 402 else answered

    def known(asked: Asked, forward: Forward) -> Answered:
        return handler(asked, forward) if asked.authorization == f"Bearer {MINE}" else forward(asked)

    return only(CREATES, known)


def _cutting_names(_: Mock) -> Handler:
    """Refuse names of more than 255 characters, of which the contract says nothing."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        name = asked.json.get("name") if isinstance(asked.json, dict) else None
        if isinstance(name, str) and len(name) > 255:
            return error(400, "invalid_request", "name must be at most 255 characters")
        return forward(asked)

    return only(CREATES, handler)


@pytest.mark.parametrize(
    ("wrap", "token", "rule_id"),
    [
        (_with(_KeepsTen()), MINE, "credits.account"),
        (around(_losing_charges), MINE, "credits.account"),
        (around(_allowing_any), ON_FREE, "credits.plan"),
        (around(_flickering), MINE, "credits.account"),
        (around(_cutting_names), MINE, "accept.text"),
    ],
    ids=[
        "the dear editor gives nothing back",
        "charges get lost",
        "the plan's limit is no limit",
        "a balance flickers",
        "names are limited",
    ],
)
def test_it_is_found_by_the_balance_and_the_plan_that_are_shown(wrap: Wrap, token: str, rule_id: str) -> None:
    report = checked(wrap, token)
    assert rule_id in {each.rule.id for each in report.findings}


@pytest.mark.parametrize("token", [MINE, ON_FREE])
@pytest.mark.parametrize("operations", [(), ("POST /v1/ai-photo-editor",)], ids=["all", "the dear one alone"])
def test_nothing_is_found_where_all_is_right(token: str, operations: tuple[str, ...]) -> None:
    assert checked(create_app, token, narrowed(EDITORS, operations) if operations else EDITORS).findings == ()


@pytest.mark.parametrize("empty_token", [None, "mhk_test_creator_0_mine"])
def test_the_default_of_a_size_shows_in_a_create_that_is_made_anyway(empty_token: str | None) -> None:
    wrong = next(each for each in DEVIANTS if each.name == "upscale-factor-defaults-to-one")
    for wrap, broken in ((wrong.wrap, {"download.size"}), (create_app, set())):
        report = checked(wrap, MINE, empty_token=empty_token)
        assert {each.rule.id for each in report.findings} == broken


def test_where_nothing_is_ever_created_there_is_no_verdict() -> None:
    report = checked(around(_never_creating), MINE)
    assert (report.findings, report.exit_code) == ((), Exit.UNJUDGED)
