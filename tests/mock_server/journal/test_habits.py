"""Warnings that only the calls before can give."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock

from ..conftest import FACE, PHOTO, Caller, face, photo
from .test_recording import last


class SteppedClock(Clock):
    """Runs, for all who ask, but only as far as it is told."""

    @property
    def frozen(self) -> bool:
        return False


@pytest.fixture
def clock() -> Clock:
    clock = SteppedClock()
    clock.freeze()
    return clock


@pytest.fixture
def mock(clock: Clock) -> Iterator[Mock]:
    mock = Mock(settings=Settings(time_scale=10), clock=clock)
    yield mock
    mock.close()


@pytest.fixture
def client(mock: Mock) -> FlaskClient:
    return create_app(mock).test_client()


def polled(caller: Caller, mock: Mock, project_id: str, pauses: list[float]) -> list[bool]:
    """Whether each poll after a pause was warned of."""
    warned = []
    for pause in pauses:
        mock.world.clock.advance(pause)
        caller.project(project_id)
        warned.append(bool(last(mock)["warnings"]))
    return warned


def test_polling_faster_than_advised_is_warned_of(caller: Caller, mock: Mock) -> None:
    assert mock.world.advised_poll_seconds == 20
    project_id = caller.create(face())
    assert polled(caller, mock, project_id, [0, 5, 5]) == [False, False, True]
    assert last(mock)["warnings"] == ["polled after 5 s; 20 s or more are advised"]


def test_polling_as_advised_is_not_nor_is_one_short_pause(caller: Caller, mock: Mock) -> None:
    project_id = caller.create(photo(), PHOTO)
    assert polled(caller, mock, project_id, [0, 0, 20, 20]) == [False] * 4


def test_each_project_is_polled_at_its_own_pace(caller: Caller, mock: Mock) -> None:
    for _ in range(5):
        project_id = caller.create({**face(), "name": str(_)})
        assert polled(caller, mock, project_id, [1]) == [False]


def test_a_project_that_is_done_may_be_read_as_often_as_one_likes(caller: Caller, mock: Mock) -> None:
    project_id = caller.create(face())
    assert polled(caller, mock, project_id, [60, 0, 0, 0]) == [False] * 4


def test_the_advice_is_as_fast_as_the_jobs_and_silent_on_a_frozen_clock() -> None:
    mock = Mock(settings=Settings(time_scale=0.1))
    caller = Caller(create_app(mock).test_client(), "any")
    assert mock.world.advised_poll_seconds == pytest.approx(0.2)
    mock.world.clock.freeze()
    project_id = caller.create(face())
    assert polled(caller, mock, project_id, [0, 0, 0, 0]) == [False] * 4
    mock.close()


def test_the_same_create_within_seconds_is_likely_a_double_charge(caller: Caller, mock: Mock) -> None:
    first = caller.create(face(mouth_smile=60))
    assert last(mock)["warnings"] == []
    mock.world.clock.advance(3)
    caller.create(face(mouth_smile=60))
    assert last(mock)["warnings"] == [
        f"the same create as {first}, 3 s before: charged twice by a blind retry?"
    ]


def test_another_body_account_or_operation_or_a_later_create_is_a_wish_of_its_own(
    caller: Caller, mock: Mock
) -> None:
    caller.create(face(mouth_smile=60))
    caller.create(face(mouth_smile=55))
    assert last(mock)["warnings"] == []
    Caller(caller.client, "somebody-else").create(face(mouth_smile=60))
    assert last(mock)["warnings"] == []
    mock.world.clock.advance(11)
    caller.create(face(mouth_smile=60))
    assert last(mock)["warnings"] == []


def test_large_creates_that_differ_are_no_retry(caller: Caller, mock: Mock) -> None:
    for letter in "ab":
        caller.create({**face(), "name": letter * 70_000})
        assert last(mock)["warnings"] == []
    caller.create({**face(), "name": "b" * 70_000})
    assert len(last(mock)["warnings"]) == 1


def test_a_create_that_was_refused_before_is_no_first_charge(caller: Caller, mock: Mock) -> None:
    caller.post(FACE, face(), headers={"Prefer": "code=503"})
    caller.create(face())
    assert last(mock)["warnings"] == []
