"""Credits are conserved: whatever happens in whatever order, balance = start - charges + refunds."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.profiles import examples

from ..conftest import FACE, PHOTO, Caller, face, photo

_STEPS = {status: step for step, status in enumerate(["queued", "rendering", "complete"])} | {"error": 2}
_OPENING = 45


@dataclass
class Seen:
    """What the machine knows of a project that it made."""

    price: int
    fails: bool
    step: int = 0
    deleted: bool = False


class Conservation(RuleBasedStateMachine):
    """Creates, refused ones too, polls, failures, deletes and clock steps, in any order, on one account."""

    store = "memory://"
    projects = Bundle("projects")

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        url = self.store.format(folder=Path(self.folder.name))
        self.clock = Clock()
        self.clock.freeze()
        self.mock = Mock(settings=Settings(store=url, time_scale=1), clock=self.clock)
        self.token = f"mhk_test_creator_{_OPENING}"
        self.caller = Caller(create_app(self.mock).test_client(), self.token)
        self.seen: dict[str, Seen] = {}

    def teardown(self) -> None:
        self.mock.close()
        self.folder.cleanup()

    def balance(self) -> int:
        return self.mock.world.store.balance(self.mock.world.open_account(self.token).id, self.clock.now())

    @rule(target=projects, costly=st.booleans(), fails=st.booleans())
    def create(self, costly: bool, fails: bool) -> str:
        asset = "api-assets/test/unknown_error.png" if fails else "api-assets/id/1234.png"
        price, path, body = (10, PHOTO, photo(asset)) if costly else (1, FACE, face(asset))
        before = self.balance()
        answer = self.caller.post(path, body)
        if before < price:
            assert (answer.status_code, answer.json["code"]) == (402, "insufficient_credits")
            return "nothing-was-made"
        assert answer.json["credits_charged"] == price
        project_id: str = answer.json["id"]
        assert project_id not in self.seen
        self.seen[project_id] = Seen(price, fails)
        return project_id

    @rule(body=st.sampled_from([face(mouth_smile=7), face("api-assets/never/issued.png"), face(""), {}]))
    def create_in_vain(self, body: dict[str, object]) -> None:
        before = self.balance()
        assert self.caller.post(FACE, body).status_code in (400, 422)
        assert self.balance() == before

    @rule(project_id=projects)
    def poll(self, project_id: str) -> None:
        known = self.seen.get(project_id)
        if known is None:
            return
        project = self.caller.project(project_id)
        step = _STEPS[project["status"]]
        assert step >= known.step, "a status went back"
        known.step = step
        assert (project["status"] == "error") == (known.fails and step == 2)
        assert project["credits_charged"] == (0 if project["status"] == "error" else known.price)
        assert project["enabled"] is not known.deleted
        assert bool(project["downloads"]) == (project["status"] == "complete" and not known.deleted)

    @rule(project_id=projects)
    def delete(self, project_id: str) -> None:
        if project_id in self.seen:
            assert self.caller.delete(project_id).status_code == 204
            self.seen[project_id].deleted = True

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.0]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def credits_are_conserved(self) -> None:
        charges = sum(self.caller.project(one)["credits_charged"] for one in self.seen)
        assert self.balance() == _OPENING - charges
        assert self.balance() >= 0
        account = self.mock.world.open_account(self.token)
        entries = self.mock.world.store.ledger(account.id).entries
        assert self.balance() == sum(entry.amount for entry in entries if entry.at <= self.clock.now())


class ConservationInSqlite(Conservation):
    store = "sqlite:///{folder}/mock.db"


TestInMemory = Conservation.TestCase
TestInMemory.settings = examples(40, stateful_step_count=25)
TestInSqlite = ConservationInSqlite.TestCase
TestInSqlite.settings = examples(8, stateful_step_count=20)


@pytest.mark.parametrize("path", [FACE, PHOTO])
def test_two_hundred_threads_at_once_never_overdraw(store_url: str, path: str) -> None:
    credits, price = (120, 10) if path == PHOTO else (120, 1)
    mock = Mock(settings=Settings(store=store_url))
    app, token = create_app(mock), f"mhk_test_creator_{credits}"
    body = photo() if path == PHOTO else face()

    def create(_: int) -> tuple[int, str]:
        answer = Caller(app.test_client(), token).post(path, body)
        return answer.status_code, answer.json.get("id", "")

    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(create, range(200)))
    created = [project_id for status, project_id in answers if status == 200]
    assert len(created) == len(set(created)) == credits // price
    assert {status for status, _ in answers} == {200, 402}
    assert mock.world.store.balance(mock.world.open_account(token).id, mock.world.clock.now()) == 0
    mock.close()
