"""Warnings that only the calls before can give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

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


@pytest.mark.parametrize("fault", ["drop", "cut", "malformed_json", "empty_body"])
def test_a_create_whose_answer_was_lost_is_named_when_it_comes_again(
    caller: Caller, mock: Mock, fault: str
) -> None:
    mock.scenarios.add({"fault": fault, "times": 1})
    caller.client.get("/v1/nothing")
    caller.post(FACE, face(mouth_smile=60))
    lost = last(mock)
    mock.world.clock.advance(1000)
    caller.create(face(mouth_smile=60))
    assert last(mock)["warnings"] == [
        f"paid before: entry {lost['id']} / project {lost['project']}, whose answer was lost: "
        "charged twice by a blind retry?"
    ]
    mock.world.clock.advance(1000)
    caller.create(face(mouth_smile=60))
    assert last(mock)["warnings"] == []


def test_an_answer_that_was_forced_after_the_charge_is_lost_too(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"answer": {"status": 500}, "carry_out": True, "times": 1})
    caller.post(FACE, face())
    caller.create(face())
    assert last(mock)["warnings"][0].startswith("paid before: entry 1 / project ")


def test_what_was_not_carried_out_or_arrived_in_the_end_was_not_lost(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"fault": "drop", "carry_out": False, "times": 1})
    caller.post(FACE, face())
    mock.scenarios.add({"delay": 0.001, "times": 1})
    caller.post(FACE, face())
    assert last(mock)["warnings"] == []
    caller.create(face())
    assert "paid before" not in last(mock)["warnings"][0]


def test_an_emptied_journal_names_none_of_its_old_entries(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"fault": "drop", "times": 1})
    caller.post(FACE, face())
    caller.client.delete("/_mock/journal")
    caller.create(face())
    assert last(mock)["warnings"] == []


def test_a_key_that_brings_a_lost_answer_back_pays_nothing_and_says_for_what_was_paid() -> None:
    with closing(Mock(settings=Settings(idempotency=True))) as mock:
        caller = Caller(create_app(mock).test_client(), "mhk_test_creator_100")
        mock.scenarios.add({"fault": "drop", "times": 1})
        for _ in range(2):
            caller.post(FACE, face(), headers={"Idempotency-Key": "a"})
        entry = last(mock)
        assert entry["credits"] == 0
        assert entry["warnings"] == [
            f"paid before: entry 1 / project {entry['project']}, whose answer was lost"
        ]
