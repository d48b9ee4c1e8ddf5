"""Tokens and the accounts that they open; ids; the clock."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.core.accounts import Account, account_of, entries_of
from bluehour.mock_server.core.clock import Clock, isoformat
from bluehour.mock_server.core.projects import Project, credits_charged_at, new_id, status_at

PLANS: Collection[str] = ("free", "creator", "pro", "business")


def opened_by(token: str) -> Account | None:
    return account_of(token, plans=PLANS, default_plan="creator", default_credits=10_000)


@pytest.mark.parametrize(
    ("token", "plan", "credits"),
    [
        ("API_TOKEN", "creator", 10_000),
        ("mhk_live_apikey", "creator", 10_000),
        ("mhk_test_free_0", "free", 0),
        ("mhk_test_business_250000_ci_7", "business", 250_000),
        ("mhk_test_gold_5", "creator", 10_000),
        ("mhk_test_pro_-1", "creator", 10_000),
        ("mhk_test_pro_٣", "creator", 10_000),
        ("mhk_test_pro_" + "9" * 100, "creator", 10_000),
    ],
)
def test_a_token_says_plan_and_credits_or_gets_the_defaults(token: str, plan: str, credits: int) -> None:
    account = opened_by(token)
    assert account is not None
    assert (account.plan, account.credits) == (plan, credits)


def test_the_same_token_is_the_same_account_and_no_other_is() -> None:
    assert opened_by("a") == opened_by("a") != opened_by("b")


def test_no_account_keeps_the_token_itself() -> None:
    assert "mhk_live_secret" not in repr(opened_by("mhk_live_secret"))


@pytest.mark.parametrize("token", ["mhk_test_invalid", "INVALID", "my-invalid-key"])
def test_a_token_that_calls_itself_invalid_is_refused(token: str) -> None:
    assert opened_by(token) is None


def test_ids_look_like_the_vendors_and_never_repeat() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("c[0-9a-z]{24}", one) for one in ids)


times = st.floats(0, 1e6, allow_nan=False)
outcomes = st.sampled_from(["complete", "canceled", "unknown_error"])


@given(created=times, queued=times, rendered=times, outcome=outcomes, moments=st.lists(times, min_size=2))
def test_a_status_never_goes_back_and_the_ledger_agrees_with_the_project(
    created: float, queued: float, rendered: float, outcome: str, moments: list[float]
) -> None:
    project = Project(
        id="c1",
        account_id="a",
        operation_id="o",
        plan="free",
        name="",
        credits=3,
        request=b"{}",
        created_at=created,
        rendering_at=created + queued,
        finished_at=created + queued + rendered,
        outcome=outcome,
    )
    order = ["queued", "rendering", "error" if outcome == "unknown_error" else outcome]
    steps = [order.index(status_at(project, created + moment)) for moment in sorted(moments)]
    assert steps == sorted(steps)
    for moment in moments:
        paid = -sum(entry.amount for entry in entries_of(project) if entry.at <= created + moment)
        assert paid == credits_charged_at(project, created + moment)


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = Clock()
    clock.freeze()
    before = clock.now()
    assert clock.now() == before
    clock.advance(5)
    assert clock.now() == before + 5


def test_a_running_clock_can_jump_ahead_but_not_back() -> None:
    clock = Clock()
    before = clock.now()
    clock.advance(3600)
    assert clock.now() >= before + 3600
    with pytest.raises(ValueError, match="only goes forward"):
        clock.advance(-1)


def test_times_are_written_as_the_vendor_writes_them() -> None:
    assert isoformat(1729314979.027) == "2024-10-19T05:16:19.027Z"
    assert isoformat(1729314979) == "2024-10-19T05:16:19.000Z"
