"""The account's own balance: what it shows is proven, and the budget holds on what is really booked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Exit, Report
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.terms import usual_price
from tests.deviants.altering import Answered, Asked, Forward, Handler, Where, around, only
from tests.deviants.checking import NAMING, TOKEN
from tests.deviants.deviant import Wrap
from tests.deviants.money import charge
from tests.deviants.names import CREATES, FACE, GET_PROJECT
from tests.deviants.serving import TIME_SCALE
from tests.editors import EDITORS

HAD = 10_000
"""What the account has at first, as its token says."""


def charging(where: Where, when: Callable[[Answered], bool], credits: int | None = None) -> Wrap:
    """Charge beside what creates are charged; the price where no number is given."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            if when(answered):
                charge(mock, asked, credits or usual_price(load().operation(asked.of)))
            return answered

        return only(where, handler)

    return around(make)


def checked(wrap: Wrap, **options: Any) -> tuple[Report, int]:
    """Check a server, and return what its main account has lost as well."""
    clock = Clock()
    with closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE), clock=clock)) as mock:
        given = Options(mock.world.base_url, TOKEN, rules=NAMING, **options)
        wire = AppWire(wrap(mock))
        report = check(given, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
        account = mock.world.open_account(TOKEN)
        assert account is not None
        return report, HAD - mock.world.store.balance(account.id, clock.now())


@pytest.mark.parametrize("most", [0, 1, 25, 60])
def test_a_server_that_charges_for_refusals_gets_no_more_than_the_budget(most: int) -> None:
    report, lost = checked(charging(CREATES, lambda answered: answered.status >= 400), max_credits=most)
    assert lost <= most
    if most >= 25:
        assert "refuse.leaves-no-trace" in {each.rule.id for each in report.findings}
        assert report.exit_code is Exit.FINDINGS


@pytest.mark.parametrize(
    ("where", "when"),
    [(FACE, lambda answered: answered.status == 200), (GET_PROJECT, lambda answered: answered.status == 200)],
    ids=["a create is charged twice", "reading is charged"],
)
def test_what_is_charged_in_silence_is_missing_in_the_balance(
    where: str, when: Callable[[Answered], bool]
) -> None:
    report, _ = checked(charging(where, when, 1))
    found = [each for each in report.findings if each.rule.id == "credits.account"]
    assert found
    assert "more than that" in found[0].message


def test_nothing_is_missing_where_all_is_right() -> None:
    report, lost = checked(around(lambda _: lambda asked, forward: forward(asked)))
    assert (report.findings, lost) == ((), 0)  # what it paid, for an upload that is no picture, came back
