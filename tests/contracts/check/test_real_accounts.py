"""Deviants that make no accounts of tokens, so that credits are counted by the balance alone."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Report
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.stores.memory import MemoryStore
from bluehour.mock_server.mock import Mock
from tests.contracts.check.real_accounts import knowing
from tests.deviants.altering import Answered, Asked, Forward, Handler, around, only
from tests.deviants.checking import NAMING
from tests.deviants.deviant import Wrap
from tests.deviants.money import charge
from tests.deviants.names import FACE, PHOTO
from tests.editors import EDITORS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_SLOW = 0.05
"""Seconds that a create takes, so that two are under way at once."""

MINE = "mhk_test_creator_10000_mine"
ON_FREE = "mhk_test_free_10000_mine"


def checked(wrap: Wrap, token: str) -> Report:
    with knowing(token, wrap=wrap) as (wire, clock, mock):
        options = Options(mock.world.base_url, token, rules=NAMING, max_credits=60)
        report = check(options, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
    assert report.spent <= 60
    return report


class _KeepsTen(MemoryStore):
    """Gives what the dear editor has cost never back."""

    def add_project(self, project: Project, at_most: int | None = None, base_url: str = "") -> int:
        balance = super().add_project(project, at_most, base_url)
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


@pytest.mark.parametrize(
    ("wrap", "token", "rule_id"),
    [
        (_with(_KeepsTen()), MINE, "credits.account"),
        (around(_losing_charges), MINE, "credits.account"),
        (around(_allowing_any), ON_FREE, "credits.plan"),
    ],
    ids=["the dear editor gives nothing back", "charges get lost", "the plan's limit is no limit"],
)
def test_it_is_found_by_the_balance_and_the_plan_that_are_shown(wrap: Wrap, token: str, rule_id: str) -> None:
    report = checked(wrap, token)
    assert rule_id in {each.rule.id for each in report.findings}


@pytest.mark.parametrize("token", [MINE, ON_FREE])
def test_nothing_is_found_where_all_is_right(token: str) -> None:
    assert checked(create_app, token).findings == ()
