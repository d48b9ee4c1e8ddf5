"""`Idempotency-Key`: however often a create comes with its key, it is paid once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.idempotency import REMEMBERED_FOR, Key, KeyTaken
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.core.stores import memory, statements
from bluehour.mock_server.core.stores.opening import open_store
from bluehour.mock_server.mock import Mock
from tests.profiles import examples

from ..conftest import FACE, PHOTO, Caller, face, photo, url_of
from ..core.stores.test_stores import ACCOUNT, NOW, project
from ..journal.test_recording import last


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


@pytest.fixture
def mock(clock: Clock, store_url: str) -> Iterator[Mock]:
    with closing(
        Mock(settings=Settings(store=store_url, time_scale=1, idempotency=True), clock=clock)
    ) as mock:
        yield mock


@pytest.fixture
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store of a kind that the test names."""
    return url_of(request.param, request, tmp_path)


def test_the_same_request_again_gets_the_first_answer_and_costs_nothing(caller: Caller, mock: Mock) -> None:
    first, again = (caller.post(FACE, face(), headers=keyed("a")) for _ in range(2))
    assert (again.status_code, again.json) == (200, first.json)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert caller.credits == 99
    assert mock.world.store.count_projects() == 1


def test_the_journal_says_that_it_is_the_first_answer(caller: Caller, mock: Mock) -> None:
    project_id = caller.post(FACE, face(), headers=keyed("a")).json["id"]
    caller.post(FACE, face(), headers=keyed("a"))
    entry = last(mock)
    assert (entry["project"], entry["credits"], entry["warnings"]) == (project_id, 0, [])
    assert entry["remarks"] == [
        "the first answer to this Idempotency-Key once more; nothing was made or charged"
    ]


def test_the_order_of_a_bodys_fields_and_quotes_of_a_key_say_nothing(caller: Caller) -> None:
    body = face(mouth_smile=60)
    first = caller.post(FACE, body, headers=keyed("a"))
    again = caller.post(FACE, dict(reversed(body.items())), headers=keyed('"a"'))
    assert again.json == first.json


@pytest.mark.parametrize(("path", "body"), [(FACE, face(mouth_smile=60)), (PHOTO, photo())])
def test_a_key_with_another_request_is_refused(caller: Caller, path: str, body: dict[str, Any]) -> None:
    caller.post(FACE, face(), headers=keyed("a"))
    answer = caller.post(path, body, headers=keyed("a"))
    assert answer.status_code == 422
    assert answer.json["code"] == "unprocessable_entity"
    assert "came with another request before" in answer.json["message"]
    assert caller.credits == 99


def test_another_key_or_account_is_another_create(caller: Caller) -> None:
    other = Caller(caller.client, "mhk_test_creator_100_other")
    ids = [
        each.post(FACE, face(), headers=keyed(key)).json["id"]
        for each, key in [(caller, "a"), (caller, "b"), (other, "a")]
    ]
    assert len(set(ids)) == 3
    assert (caller.credits, other.credits) == (98, 99)


def test_refusals_are_not_remembered(caller: Caller) -> None:
    assert caller.post(FACE, face(mouth_smile=7), headers=keyed("a")).status_code == 400
    assert caller.post(FACE, face("no-such-asset.png"), headers=keyed("a")).status_code == 422
    assert caller.post(FACE, face(), headers={**keyed("a"), "Prefer": "code=503"}).status_code == 503
    assert caller.post(FACE, face(), headers=keyed("a")).status_code == 200
    assert caller.credits == 99


def test_the_first_answer_comes_though_the_account_could_not_pay_again(caller: Caller) -> None:
    poor = Caller(caller.client, "mhk_test_creator_1")
    first = poor.post(FACE, face(), headers=keyed("a"))
    assert poor.post(FACE, face(), headers=keyed("a")).json == first.json
    assert poor.post(FACE, face(), headers=keyed("b")).status_code == 402
    assert poor.credits == 0


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
def test_what_is_no_key_is_refused(caller: Caller, key: str) -> None:
    answer = caller.post(FACE, face(), headers=keyed(key))
    assert answer.status_code == 400
    assert "1 to 255 characters" in answer.json["message"]


def test_a_key_is_forgotten_after_a_day(caller: Caller, mock: Mock) -> None:
    caller.post(FACE, face(), headers=keyed("a"))
    mock.world.clock.advance(REMEMBERED_FOR - 1)
    assert "Idempotent-Replayed" in caller.post(FACE, face(), headers=keyed("a")).headers
    mock.world.clock.advance(1)
    assert "Idempotent-Replayed" not in caller.post(FACE, face(mouth_smile=60), headers=keyed("a")).headers
    assert caller.credits == 98


def test_a_reset_forgets_keys(caller: Caller) -> None:
    caller.post(FACE, face(), headers=keyed("a"))
    caller.client.post("/_mock/reset")
    assert "Idempotent-Replayed" not in caller.post(FACE, face(), headers=keyed("a")).headers


def test_without_the_option_keys_say_nothing(store_url: str) -> None:
    with closing(Mock(settings=Settings(store=store_url))) as mock:
        caller = Caller(create_app(mock).test_client(), "mhk_test_creator_100")
        for _ in range(2):
            assert caller.post(FACE, face(), headers=keyed("a")).status_code == 200
        assert caller.credits == 98


def test_a_contract_that_says_so_needs_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Mock()) as mock:
        operation = mock.world.contract.operation("aiFaceEditor.editImage")
        monkeypatch.setitem(operation.node, "x-idempotency", True)
        caller = Caller(create_app(mock).test_client(), "mhk_test_creator_100")
        for _ in range(2):
            caller.post(FACE, face(), headers=keyed("a"))
        assert caller.credits == 99


def test_while_the_first_is_under_way_the_second_is_told_to_wait(
    mock: Mock, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_in, may_go_on = Event(), Event()
    add = mock.world.store.add_project

    def slow(*given: Any) -> int:
        is_in.set()
        assert may_go_on.wait(60)
        return add(*given)

    monkeypatch.setattr(mock.world.store, "add_project", slow)
    other = Caller(create_app(mock).test_client(), "mhk_test_creator_100")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(other.post, FACE, face(), headers=keyed("a"))
        assert is_in.wait(60)
        answer = caller.post(FACE, face(), headers=keyed("a"))
        may_go_on.set()
        assert first.result().status_code == 200
    assert answer.status_code == 409
    assert answer.json["code"] == "conflict"
    assert caller.post(FACE, face(), headers=keyed("a")).json == first.result().json
    assert caller.credits == 99


@pytest.mark.parametrize("any_url", ["sqlite", "postgresql"], indirect=True)
def test_of_many_at_once_on_two_mocks_of_one_store_one_is_charged(any_url: str) -> None:
    settings = Settings(store=any_url, idempotency=True)
    with closing(Mock(settings=settings)) as one, closing(Mock(settings=settings)) as two:
        apps = [create_app(one), create_app(two)]

        def send(number: int) -> Any:
            caller = Caller(apps[number % 2].test_client(), "mhk_test_creator_100")
            return caller.post(FACE, face(), headers=keyed("a"))

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, range(40)))
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert len({answer.json["id"] for answer in answers if answer.status_code == 200}) == 1
        assert Caller(apps[0].test_client(), "mhk_test_creator_100").credits == 99


@pytest.mark.parametrize("any_url", ["memory://", "sqlite", "postgresql"], indirect=True)
def test_of_too_many_keys_the_oldest_is_forgotten(any_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEYS", 3)
    at_most = statements.forget_keys_beyond(3)
    monkeypatch.setattr(statements, "FORGET_KEYS_BEYOND", at_most)
    with closing(open_store(any_url)) as store:
        store.open_account(ACCOUNT, NOW)
        keys = [Key(ACCOUNT.id, f"{number}", "same") for number in range(5)]
        for key in keys:
            store.add_project(project(), key=key)
        assert [store.used_key(key, NOW) is not None for key in keys] == [False, False, True, True, True]


def test_a_project_that_is_refused_by_its_key_leaves_nothing_behind(store_url: str) -> None:
    with closing(open_store(store_url)) as store:
        store.open_account(ACCOUNT, NOW)
        first, second = project(), project()
        key = Key(ACCOUNT.id, "a", "same")
        store.add_project(first, key=key)
        with pytest.raises(KeyTaken) as taken:
            store.add_project(second, key=key)
        assert taken.value.used.project_id == first.id
        assert store.project(second.id) is None
        assert store.balance(ACCOUNT.id, NOW) == ACCOUNT.credits - 1


BODIES = [(FACE, face(), 1), (FACE, face(mouth_smile=60), 1), (PHOTO, photo(), 10)]
TOKENS = ["mhk_test_creator_25_a", "mhk_test_creator_25_b"]


class KeysMachine(RuleBasedStateMachine):
    """Whatever is sent, and however often the mock is started anew, each key is charged once."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.clock.freeze()
        self.paid: dict[tuple[str, str], tuple[int, Any, float]] = {}
        self.left = dict.fromkeys(TOKENS, 25)

    @initialize()
    def start(self) -> None:
        url = f"sqlite:///{self.folder.name}/mock.db"
        self.mock = Mock(settings=Settings(store=url, time_scale=1, idempotency=True), clock=self.clock)
        self.client = create_app(self.mock).test_client()

    @rule()
    def restart(self) -> None:
        self.mock.close()
        self.start()

    @rule(seconds=st.sampled_from([1.0, REMEMBERED_FOR / 2]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(
        token=st.sampled_from(TOKENS),
        key=st.sampled_from(["a", "b", "c"]),
        body=st.integers(0, len(BODIES) - 1),
        spoiled=st.sampled_from(["", "drop", "code=503"]),
    )
    def create(self, token: str, key: str, body: int, spoiled: str) -> None:
        path, sent, cost = BODIES[body]
        caller = Caller(self.client, token)
        if spoiled == "drop":
            self.mock.scenarios.replace([{"fault": "drop", "times": 1}])
        headers = keyed(key) | ({"Prefer": spoiled} if "code" in spoiled else {})
        answer = caller.post(path, sent, headers=headers)
        self.mock.scenarios.replace([])
        if "code" in spoiled:
            assert answer.status_code == 503
            return
        first = self.paid.get((token, key))
        if first is not None and first[2] > self.clock.now() - REMEMBERED_FOR:
            if first[0] == body:
                assert (answer.status_code, answer.json) == (200, first[1])
            else:
                assert answer.status_code == 422
        elif self.left[token] < cost:
            assert answer.status_code == 402
        else:
            assert answer.status_code == 200
            self.paid[token, key] = (body, answer.json, self.clock.now())
            self.left[token] -= cost

    @invariant()
    def each_is_charged_once(self) -> None:
        for token, left in self.left.items():
            account = self.mock.world.open_account(token)
            assert self.mock.world.store.balance(account.id, self.clock.now()) == left

    def teardown(self) -> None:
        self.mock.close()
        self.folder.cleanup()


TestKeys = KeysMachine.TestCase
TestKeys.settings = examples(15, stateful_step_count=25)
