"""The clock: frozen, advanced, set, let run; never back, unless everything is forgotten."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.core.clock import LATEST, Clock, isoformat, not_before


def test_frozen_it_stands_still_and_moves_only_as_told() -> None:
    clock = Clock()
    clock.freeze()
    at = clock.now()
    assert (clock.frozen, clock.now()) == (True, at)
    clock.advance(5)
    assert clock.now() == at + 5
    clock.change(to=at + 100, advance=1)
    assert clock.now() == at + 101


def test_let_run_it_goes_on_from_where_it_stands() -> None:
    clock = Clock()
    clock.freeze()
    clock.advance(1000)
    at = clock.now()
    clock.run()
    first = clock.now()
    assert not clock.frozen
    assert at <= first < at + 60
    assert clock.now() >= first
    assert clock.ahead == pytest.approx(1000, abs=60)


def test_it_never_goes_back() -> None:
    clock = Clock()
    for backwards in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="only goes forward"):
            clock.advance(backwards)
    for past in (clock.now() - 1, float("nan")):
        with pytest.raises(ValueError, match="only goes forward"):
            clock.change(to=past)


def test_a_change_that_can_not_be_changes_nothing() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="can't go beyond 5138"):
        clock.change(frozen=True, advance=LATEST)
    assert not clock.frozen
    assert clock.ahead == pytest.approx(0, abs=60)


def test_reset_it_is_the_systems_again_or_stands_anywhere() -> None:
    clock = Clock()
    clock.advance(10_000)
    clock.reset()
    assert clock.now() == pytest.approx(time.time(), abs=60)
    clock.reset(86400.0)
    assert (clock.frozen, clock.now(), isoformat(clock.now())) == (True, 86400.0, "1970-01-02T00:00:00.000Z")


@given(st.floats(0, 1e11))
def test_a_time_that_is_shown_for_waiting_is_never_too_early(at: float) -> None:
    shown = datetime.fromisoformat(not_before(at)).timestamp()
    assert at <= shown < at + 0.0021


def test_whoever_listens_hears_of_every_change() -> None:
    clock, heard = Clock(), []
    clock.on_change(lambda: heard.append(clock.now()))
    clock.freeze()
    at = clock.now()
    clock.advance(1)
    clock.change(to=at + 10)
    clock.run()
    clock.reset(5)
    assert heard[:3] == [at, at + 1, at + 10]
    assert len(heard) == 5
