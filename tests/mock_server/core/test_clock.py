"""The clock: frozen, advanced, set, let run; never back, unless everything is forgotten."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.board import Board
from bluehour.mock_server.core.clock import LATEST, Clock, isoformat, not_before
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.core.stores import StoreUnavailable
from bluehour.mock_server.core.stores.notes import MemoryNotes
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.greeting import greeting

from ..conftest import Caller, face

_ROUNDED = 1e-3
"""Seconds that two clocks of one system may be apart: one is read a moment before the other."""


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


changes = st.fixed_dictionaries(
    {}, optional={"frozen": st.booleans(), "advance": st.floats(0, 1e6), "restart": st.just(True)}
)


@given(st.lists(changes))
def test_it_goes_on_from_where_it_was_left_and_never_back(steps: list[dict[str, Any]]) -> None:
    notes = MemoryNotes()

    def start() -> Clock:
        return Clock(Board(notes).note("clock"))

    clock = start()
    for step in steps:
        before, was_frozen = clock.now(), clock.frozen
        if step.pop("restart", False):
            clock = start()
            assert clock.frozen is was_frozen
            assert clock.now() == pytest.approx(before, abs=60)
            assert clock.now() >= before - _ROUNDED
        before = clock.now()
        clock.change(**step)
        assert clock.now() >= before + step.get("advance", 0) - _ROUNDED


def test_where_it_can_not_be_kept_it_stays_as_it_was() -> None:
    class Full(MemoryNotes):
        is_full = False

        def swap(self, name: str, old: bytes | None, new: bytes) -> bool:
            if self.is_full:
                raise StoreUnavailable("the disk is full")
            return super().swap(name, old, new)

    notes = Full()
    clock = Clock(Board(notes).note("clock"))
    notes.is_full = True
    with pytest.raises(StoreUnavailable):
        clock.change(frozen=True, advance=1_000)
    assert not clock.frozen
    assert clock.ahead == pytest.approx(0, abs=60)


def test_what_has_ended_has_ended_after_a_restart_too(tmp_path: Path) -> None:
    def start() -> tuple[Mock, Caller]:
        mock = Mock(settings=Settings(store=f"sqlite:///{tmp_path / 'mock.db'}"), assets=tmp_path)
        return mock, Caller(create_app(mock).test_client(), "any")

    mock, caller = start()
    project_id = caller.create(face())
    mock.world.clock.advance(86_400)
    before = caller.project(project_id)
    mock.close()
    mock, caller = start()
    after = caller.project(project_id)
    assert (before["status"], after["status"]) == ("complete", "complete")
    assert "The clock is 86,400 seconds ahead, as it was left" in greeting(mock, "", "", shows_secret=False)
    mock.world.reset()
    mock.close()
    mock, _ = start()
    assert mock.world.clock.ahead == pytest.approx(0, abs=60)
    mock.close()


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
