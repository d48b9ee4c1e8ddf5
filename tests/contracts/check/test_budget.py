"""What calls are booked at, and the promise that a budget is never passed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from bluehour.contracts.check.budget import Budget, BudgetSpent, cost_of
from bluehour.contracts.exchange import Answer
from bluehour.openapi.wording import counted
from tests.profiles import examples

PRICE = 10

lies: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.text(max_size=5) | st.floats(max_value=0) | st.integers(max_value=0)
)
"""What a body may say in place of a number of credits, none of it worth anything."""


def answer(status: int, body: Any = None) -> Answer:
    return Answer(status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def answers(most: int) -> st.SearchStrategy[Answer | None]:
    """Answers that cost no more than that, whatever they are."""
    amounts = lies.filter(lambda lie: lie is not True) | st.integers(0, most)
    bodies = st.fixed_dictionaries({}, optional={"credits_charged": amounts, "frame_cost": amounts})
    odd = st.lists(st.integers(), max_size=2) | st.just(b"<html>") | st.just(b"")
    return st.none() | st.builds(answer, st.integers(100, 599), bodies | odd)


class Spending(RuleBasedStateMachine):
    """Calls that are set aside and booked in any order, against a model that only adds up."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.most = self.spent = 0
        self.open: list[int] = []
        self.budget = Budget(0)

    @initialize(most=st.integers(0, 100))
    def open_account(self, most: int) -> None:
        self.most = most
        self.budget = Budget(most)

    @rule(target=calls, price=st.integers(0, 60))
    def reserve(self, price: int) -> int:
        fits = self.spent + sum(self.open) + price <= self.most
        if fits:
            self.budget.reserve(price)
            self.open.append(price)
            return price
        with pytest.raises(BudgetSpent, match=f"^{counted(price, 'credit')} may"):
            self.budget.reserve(price)
        return -1

    @rule(price=consumes(calls), data=st.data())
    def book(self, price: int, data: st.DataObject) -> None:
        if price < 0:  # it was refused
            return
        cost = cost_of(data.draw(answers(price)), price)
        assert 0 <= cost <= price
        self.open.remove(price)
        self.spent += cost
        assert self.budget.book(price, cost) == self.spent

    @invariant()
    def the_budget_is_not_passed(self) -> None:
        assert self.budget.spent == self.spent
        assert self.budget.left == self.most - self.spent - sum(self.open) >= 0


TestSpending = Spending.TestCase
TestSpending.settings = examples(30, stateful_step_count=20)


def test_what_is_refused_is_not_set_aside() -> None:
    budget = Budget(5)
    with pytest.raises(BudgetSpent, match="6 credits may be needed, and 5 are left of 5"):
        budget.reserve(6)
    budget.reserve(5)
    assert budget.left == 0


def test_without_a_budget_only_what_is_free_may_be_sent() -> None:
    budget = Budget(0)
    budget.reserve(0)
    with pytest.raises(BudgetSpent):
        budget.reserve(1)


def test_a_server_that_charged_more_than_there_was_leaves_nothing_rather_than_less() -> None:
    budget = Budget(5)
    budget.reserve(5)
    assert budget.book(5, 50) == budget.spent == 50
    assert budget.left == 0
    budget.reserve(0)


def test_threads_do_not_share_a_credit() -> None:
    budget = Budget(100)

    def reserve(amount: int) -> int:
        try:
            budget.reserve(amount)
        except BudgetSpent:
            return 0
        return amount

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(reserve, repeat(3, 400))) == 99
    assert budget.left == 1


# --- what a call costs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_what_failed_may_have_been_carried_out(status: int) -> None:
    assert cost_of(answer(status), PRICE) == PRICE
    assert cost_of(answer(status, {"credits_charged": 0}), PRICE) == PRICE


def test_what_was_never_answered_may_have_been_carried_out() -> None:
    assert cost_of(None, PRICE) == PRICE


@pytest.mark.parametrize("status", [400, 401, 402, 404, 422, 429, 499])
def test_a_refusal_is_free(status: int) -> None:
    assert cost_of(answer(status, {"code": "invalid_request", "message": "No"}), PRICE) == 0


@pytest.mark.parametrize("status", [200, 201, 204, 301, 302, 399])
def test_anything_else_costs_the_price(status: int) -> None:
    assert cost_of(answer(status), PRICE) == PRICE


@pytest.mark.parametrize("field", ["credits_charged", "frame_cost"])
@pytest.mark.parametrize(
    ("status", "said", "cost"),
    [
        (200, 10, 10),
        (200, 3, 10),
        (200, 0, 10),
        (200, -7, 10),
        (200, 25, 25),
        (302, 25, 25),
        (400, 25, 25),
        (402, 3, 3),
        (402, 0, 0),
        (402, -7, 0),
    ],
)
def test_what_the_body_says_counts_where_it_is_more(field: str, status: int, said: int, cost: int) -> None:
    assert cost_of(answer(status, {field: said}), PRICE) == cost


def test_the_greater_of_two_amounts_counts() -> None:
    assert cost_of(answer(200, {"credits_charged": 12, "frame_cost": 30}), PRICE) == 30
    assert cost_of(answer(200, {"credits_charged": 30, "frame_cost": 12}), PRICE) == 30


@pytest.mark.parametrize(("status", "least"), [(200, PRICE), (400, 0)])
@pytest.mark.parametrize(
    "body",
    [
        {"credits_charged": "25"},
        {"credits_charged": None},
        {"credits_charged": [25]},
        {"credits_charged": {"amount": 25}},
        {"cost": 25},
        [{"credits_charged": 25}],
        25,
        "credits_charged",
        b"",
        b"\xff{",
        b'{"credits_charged": 1e999}',
        b'{"credits_charged": 25',
    ],
    ids=repr,
)
def test_nonsense_in_the_body_changes_nothing(body: Any, status: int, least: int) -> None:
    assert cost_of(answer(status, body), PRICE) == least


@pytest.mark.parametrize("status", [200, 400])
def test_true_is_no_credit(status: int) -> None:
    cost = cost_of(answer(status, {"credits_charged": True}), PRICE)
    assert (cost, type(cost)) == (PRICE if status == 200 else 0, int)


@pytest.mark.parametrize(("said", "cost"), [(25.0, 25), (24.5, 25)])
def test_an_amount_with_a_point_is_an_amount(said: float, cost: int) -> None:
    """JSON does not tell 25.0 from 25, and nothing may be counted too low."""
    assert cost_of(answer(200, {"credits_charged": said}), PRICE) == cost


@given(st.integers(100, 599), lies | st.integers())
def test_a_call_without_a_price_costs_nothing_whatever_its_answer_says(status: int, said: Any) -> None:
    assert cost_of(answer(status, {"credits_charged": said, "frame_cost": said}), 0) == 0


@given(answers(10**9), st.integers(1, 50))
def test_a_cost_is_never_below_zero(given_answer: Answer | None, price: int) -> None:
    assert cost_of(given_answer, price) >= 0
