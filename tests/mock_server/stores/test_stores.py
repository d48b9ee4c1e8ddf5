"""Every store against a list of entries, then what only threads, processes and kills can show."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mock_server.accounts import Account, Entry, InsufficientCredits, entries_of
from mock_server.assets import Upload
from mock_server.projects import Project, new_id
from mock_server.stores import Store, StoreError, open_store

T = TypeVar("T")
TraceFunction = Callable[[FrameType, str, Any], Any]

ROOT = Path(__file__).parents[3]
NOW = 1_700_000_000.0
ACCOUNT = Account("acc_payer", "creator", 100)
DRAFT = Project(
    id="",
    account_id=ACCOUNT.id,
    operation_id="faceEditor.createImage",
    plan="creator",
    name="Face",
    credits=1,
    request=b'{"style": {}}',
    created_at=NOW,
    rendering_at=NOW + 1,
    finished_at=NOW + 2,
)


def project(*, at: float = NOW, cost: int = 1, error: str | None = None, takes: float = 2) -> Project:
    finished = at + takes
    return replace(
        DRAFT, id=new_id(), credits=cost, created_at=at, rendering_at=at, finished_at=finished, error=error
    )


class ListOfEntries:
    """The model: what a store must answer, without a thought for speed or threads."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.lines: list[Entry] = []
        self.projects: dict[str, Project] = {}
        self.uploads: dict[str, Upload] = {}

    def open_account(self, account: Account, at: float) -> Account:
        if account.id not in self.accounts:
            self.accounts[account.id] = account
            self.lines.append(Entry(account.id, None, account.credits, at))
        return self.accounts[account.id]

    def balance(self, account_id: str, at: float) -> int:
        return sum(line.amount for line in self.entries(account_id) if line.at <= at)

    def entries(self, account_id: str) -> list[Entry]:
        lines = [line for line in self.lines if line.account_id == account_id]
        return sorted(lines, key=lambda line: line.at)

    def add_project(self, project: Project) -> int:
        account_id, at = project.account_id, project.created_at
        later = [line.at for line in self.entries(account_id) if line.at > at]
        lowest = min(self.balance(account_id, moment) for moment in [at, *later])
        if lowest < project.credits:
            raise InsufficientCredits(lowest)
        self.projects[project.id] = project
        self.lines.extend(entries_of(project))
        return self.balance(account_id, at)

    def project(self, project_id: str) -> Project | None:
        return self.projects.get(project_id)

    def delete_project(self, project_id: str, at: float) -> None:
        found = self.projects.get(project_id)
        if found is not None and found.deleted_at is None:
            self.projects[project_id] = replace(found, deleted_at=at)

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        self.uploads.update({each.path: each for each in uploads})

    def upload(self, path: str) -> Upload | None:
        return self.uploads.get(path)

    def secret(self) -> bytes:
        raise NotImplementedError("a secret is drawn, not modelled")

    def close(self) -> None:
        pass


account_ids = st.sampled_from(["acc_one", "acc_two", "acc_three"])
durations = st.sampled_from([0.0, 0.0, 0.25, 1.0, 4.0])
errors = st.sampled_from([None, None, "no_source_face", "unknown"])
paths = st.sampled_from(["api-assets/1/image.png", "api-assets/2/image.png", "api-assets/3/gesicht-ß.jpg"])
places = st.integers(min_value=1, max_value=4)


class StoresMachine(RuleBasedStateMachine):
    """Does the same to the model and to every store, and compares all answers."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{self.folder.name}/bluehour.db"
        self.model, self.memory, self.sql = ListOfEntries(), open_store("memory://"), open_store(self.url)
        self.secrets = [self.memory.secret(), self.sql.secret()]
        self.now = NOW
        self.ids = ["unknown"]
        for account in (Account("acc_one", "pro", 5), Account("acc_two", "pro", 10)):
            self.same_account(account, NOW - 9)

    def same_account(self, account: Account, at: float) -> None:
        self.same(lambda store: store.open_account(account, at))

    def same_project(self, place: int) -> None:
        self.same(lambda store: store.project(self.ids[-min(place, len(self.ids))]))

    def same_balance(self, account_id: str, at: float) -> int:
        return self.same(lambda store: store.balance(account_id, at))

    def same(self, call: Callable[[Store], T]) -> T:
        def answer(store: Store) -> T | str:
            try:
                return call(store)
            except InsufficientCredits as refused:
                return f"refused at {refused.balance}"

        expected = answer(self.model)
        assert answer(self.memory) == expected
        assert answer(self.sql) == expected
        return cast("T", expected)

    @rule(duration=durations)
    def wait(self, duration: float) -> None:
        self.now += duration

    @rule(account_id=account_ids, credits_=st.integers(0, 8))
    def open_account(self, account_id: str, credits_: int) -> None:
        self.same_account(Account(account_id, "creator", credits_), self.now)

    @rule(
        account_id=account_ids,
        cost=st.integers(0, 4),
        late=durations,
        waits=durations,
        takes=durations,
        error=errors,
        name=st.text(max_size=8),
        request=st.binary(max_size=60),
    )
    def add_project(
        self,
        account_id: str,
        cost: int,
        late: float,
        waits: float,
        takes: float,
        error: str | None,
        name: str,
        request: bytes,
    ) -> None:
        at = self.now - late
        made = Project(
            id=new_id(),
            account_id=account_id,
            operation_id="faceEditor.createImage",
            plan="creator",
            name=name,
            credits=cost,
            request=request,
            created_at=at,
            rendering_at=at + waits,
            finished_at=at + waits + takes,
            error=error,
        )
        self.same(lambda store: store.add_project(made))
        self.ids.append(made.id)

    @rule(account_id=account_ids, late=durations)
    def balance(self, account_id: str, late: float) -> None:
        self.same_balance(account_id, self.now - late)

    @rule(place=places)
    def read_project(self, place: int) -> None:
        self.same_project(place)

    @rule(place=places)
    def delete_project(self, place: int) -> None:
        self.same(lambda store: store.delete_project(self.ids[-min(place, len(self.ids))], self.now))

    @rule(chosen=st.lists(paths, max_size=3), arrived=st.booleans(), error=errors)
    def put_uploads(self, chosen: list[str], arrived: bool, error: str | None) -> None:
        uploaded_at = self.now if arrived else None
        uploads = [Upload(path, "acc_one", self.now, uploaded_at, error) for path in chosen]
        self.same(lambda store: store.put_uploads(iter(uploads)))

    @rule(path=paths)
    def read_upload(self, path: str) -> None:
        self.same(lambda store: store.upload(path))

    @rule()
    def reopen(self) -> None:
        self.sql.close()
        self.sql = open_store(self.url)

    def teardown(self) -> None:
        try:
            for account_id in ("acc_one", "acc_two", "acc_three"):
                self.compare_ledger(account_id)
            for place in range(1, len(self.ids) + 1):
                self.same_project(place)
            assert [self.memory.secret(), self.sql.secret()] == self.secrets
        finally:
            self.sql.close()
            self.folder.cleanup()

    def compare_ledger(self, account_id: str) -> None:
        self.same(lambda store: sorted(store.entries(account_id), key=repr))
        for store in (self.memory, self.sql):
            times = [line.at for line in store.entries(account_id)]
            assert times == sorted(times)
        for moment in {line.at for line in self.model.entries(account_id)}:
            assert self.same_balance(account_id, moment) >= 0


TestStoresAgreeWithAListOfEntries = StoresMachine.TestCase
TestStoresAgreeWithAListOfEntries.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,  # a file system may take its time
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bluehour.db"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, url: str) -> Iterator[Store]:
    opened = open_store("memory://" if request.param == "memory" else url)
    opened.open_account(ACCOUNT, NOW)
    yield opened
    opened.close()


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads take turns after every line of a store, so that a missing lock shows."""

    def take_turns(frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        if "stores" not in frame.f_code.co_filename:
            return None
        time.sleep(1e-6)
        return take_turns

    before = threading.gettrace()
    threading.settrace(take_turns)
    yield
    threading.settrace(before)


def add_all_at_once(store: Store, projects: list[Project]) -> list[Project]:
    """Add each project from a thread of its own, all at the same moment; return those accepted."""
    gate = threading.Barrier(len(projects))

    def add(each: Project) -> bool:
        gate.wait()
        try:
            store.add_project(each)
        except InsufficientCredits:
            return False
        return True

    with ThreadPoolExecutor(len(projects)) as pool:
        accepted = list(pool.map(add, projects))
    return [each for each, stored in zip(projects, accepted, strict=True) if stored]


@pytest.mark.usefixtures("eager_threads")
def test_two_hundred_threads_never_overdraw(store: Store) -> None:
    # Created in another order than they arrive in, and a third of them with a refund still to come.
    projects = [
        project(at=NOW + number * 37 % 200 / 1000, error=None if number % 3 else "unknown", takes=60)
        for number in range(200)
    ]

    accepted = add_all_at_once(store, projects)

    assert len(accepted) == ACCOUNT.credits
    assert store.balance(ACCOUNT.id, NOW + 1) == 0
    assert min(store.balance(ACCOUNT.id, each.created_at) for each in projects) == 0
    assert store.balance(ACCOUNT.id, NOW + 100) == sum(each.error is not None for each in accepted)
    assert all((store.project(each.id) is not None) == (each in accepted) for each in projects)


@pytest.mark.usefixtures("eager_threads")
def test_two_hundred_threads_open_an_account_once(store: Store) -> None:
    def open_account(number: int) -> Account:
        return store.open_account(Account("acc_shared", "creator", number), NOW)

    with ThreadPoolExecutor(200) as pool:
        opened = set(pool.map(open_account, range(200)))

    (account,) = opened
    assert store.entries("acc_shared") == [Entry("acc_shared", None, account.credits, NOW)]


def test_a_charge_that_would_overdraw_later_is_refused(store: Store) -> None:
    store.add_project(project(at=NOW + 10, cost=99))

    with pytest.raises(InsufficientCredits) as refused:
        store.add_project(project(at=NOW + 5, cost=2))

    assert refused.value.balance == 1
    assert store.balance(ACCOUNT.id, NOW + 5) == 100


def test_a_charge_given_back_in_its_own_moment_never_shows(store: Store) -> None:
    store.add_project(project(at=NOW + 10, cost=100, error="unknown", takes=0))

    assert store.add_project(project(at=NOW + 5, cost=100)) == 0
    assert store.balance(ACCOUNT.id, NOW + 10) == 0


def test_a_refund_counts_from_the_end_of_the_job(store: Store) -> None:
    left = store.add_project(project(cost=60, error="no_source_face", takes=3))

    assert left == 40
    assert store.balance(ACCOUNT.id, NOW + 2.999) == 40
    assert store.balance(ACCOUNT.id, NOW + 3) == 100
    assert store.balance(ACCOUNT.id, NOW + 2.999) == 40, "a look ahead changes nothing"
    with pytest.raises(InsufficientCredits):
        store.add_project(project(at=NOW + 2, cost=41))
    assert store.add_project(project(at=NOW + 3, cost=41)) == 59


def test_a_refused_project_leaves_nothing_behind(store: Store) -> None:
    refused = project(cost=101)

    with pytest.raises(InsufficientCredits, match="100 credits left"):
        store.add_project(refused)

    assert store.project(refused.id) is None
    assert store.entries(ACCOUNT.id) == [Entry(ACCOUNT.id, None, 100, NOW)]


def test_a_deleted_project_keeps_its_first_deletion_time(store: Store) -> None:
    made = project()
    store.add_project(made)

    store.delete_project(made.id, NOW + 5)
    store.delete_project(made.id, NOW + 9)

    assert store.project(made.id) == replace(made, deleted_at=NOW + 5)


def test_deleting_an_unknown_project_is_no_error(store: Store) -> None:
    store.delete_project("unknown", NOW)

    assert store.project("unknown") is None


def test_long_requests_come_back_whole(store: Store) -> None:
    long = [replace(project(), request=secrets.token_bytes(50_000) * 2, name="ß" * 500) for _ in range(3)]

    for each in long:
        store.add_project(each)

    assert [store.project(each.id) for each in long] == long


def test_a_project_in_memory_takes_less_room_than_its_request() -> None:
    store = open_store("memory://")
    store.open_account(replace(ACCOUNT, credits=10_000), NOW)
    request = b'{"assets": {"image_file_path": "api-assets/%s/image.png"}, "style": {"prompt": "%s"}}'
    prompt = b"A portrait in the last light of a day in autumn, %d steps from the sea, " * 5

    tracemalloc.start()
    try:
        for number in range(5000):
            body = request % (secrets.token_hex(12).encode(), prompt % ((number,) * 5))
            store.add_project(replace(project(), request=body))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(body) > 400
    assert taken / 5000 < 400


@pytest.mark.parametrize(
    ("asked", "because"),
    [
        ("foo://", "no store of kind 'foo'"),
        ("bluehour.db", "no store of kind 'bluehour.db'"),
        ("postgresql://me:hunter2@host/db", "no store of kind 'postgresql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://file.db", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///{folder}", "unable to open"),
        ("sqlite:///{folder}/missing/bluehour.db", "unable to open"),
        ("sqlite:///{folder}/notes.txt/bluehour.db", "unable to open"),
        ("sqlite:///{folder}/notes.txt", "not a database"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line_that_says_what_can(
    asked: str, because: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, no database.\n" * 50)

    with pytest.raises(StoreError, match=because) as refused:
        open_store(asked.format(folder=tmp_path))

    (line,) = str(refused.value).splitlines()
    assert "sqlite:///file (relative) or sqlite:////absolute/file" in line
    assert "hunter2" not in line
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_database_of_something_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    run(
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('CREATE TABLE projects (a)')",
        str(tmp_path / "other.db"),
    )
    before = (tmp_path / "other.db").read_bytes()

    with pytest.raises(StoreError, match="no such column"):
        open_store(f"sqlite:///{tmp_path}/other.db")

    assert (tmp_path / "other.db").read_bytes() == before


def test_many_may_make_one_file_at_once(tmp_path: Path) -> None:
    def open_it(place: Path) -> bytes:
        store = open_store(f"sqlite:///{place}")
        store.close()
        return store.secret()

    with ThreadPoolExecutor(16) as pool:
        for number in range(8):
            assert len(set(pool.map(open_it, [tmp_path / f"{number}.db"] * 16))) == 1


def test_opening_leaves_no_connection_behind(url: str, tmp_path: Path) -> None:
    open_store(url).close()
    store = open_store(url)

    # SQLite takes its write-ahead log away with the last connection.
    assert [each.name for each in tmp_path.iterdir()] == ["bluehour.db"]
    store.close()


def test_a_relative_url_is_a_file_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    open_store("sqlite:///bluehour.db").close()

    assert (tmp_path / "bluehour.db").is_file()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("mock_server.stores.memory", "sqlalchemy"),
        ("mock_server.stores.sql", "mock_server.stores.memory"),
    ],
)
def test_a_store_does_not_import_the_other(module: str, unwanted: str) -> None:
    run(f"import sys, {module}; sys.exit({unwanted!r} in sys.modules)")


OPEN = """
import sys
from itertools import count
from mock_server.accounts import Account, InsufficientCredits
from mock_server.projects import Project, new_id
from mock_server.stores import open_store

def project(number):
    at = 1_700_000_000.0 + number
    return Project(new_id(), "acc_payer", "op", "creator", "", 1, b"{}", at, at, at)

def open_it():
    store = open_store(sys.argv[1])
    store.open_account(Account("acc_payer", "creator", int(sys.argv[2])), 1_700_000_000.0)
    return store
"""

SPEND_ALL = """
print("ready", flush=True)
sys.stdin.readline()
store = open_it()
for number in count():
    try:
        store.add_project(project(number))
    except InsufficientCredits:
        break
    print(number, flush=True)
"""

SPEND_FOR_EVER = """
store = open_it()
for number in count():
    made = project(number)
    store.add_project(made)
    print(made.id, flush=True)
"""

FORK = """
import os
store = open_it()
store.add_project(project(0))
store.close()
child = os.fork()
if child == 0:
    store = open_it()
    store.add_project(project(1))
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.balance("acc_payer", 1_700_000_001.0) == 8
store.close()
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments: str) -> None:
    with start(code, *arguments) as process:
        process.communicate()
    assert process.returncode == 0


def test_two_processes_on_one_file_never_overdraw(url: str) -> None:
    with start(OPEN + SPEND_ALL, url, "300") as one, start(OPEN + SPEND_ALL, url, "300") as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):  # from here on both make the file, its tables, the account
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        spent = [process.communicate()[0].splitlines() for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    assert sum(map(len, spent)) == 300

    store = open_store(url)
    assert store.balance(ACCOUNT.id, NOW + 300) == 0
    assert sum(line.amount for line in store.entries(ACCOUNT.id)) == 0
    store.close()


def test_a_killed_writer_loses_no_acknowledged_project(url: str) -> None:
    with start(OPEN + SPEND_FOR_EVER, url, "1000000") as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(200)]
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read()
    acknowledged += rest[: rest.rfind("\n") + 1].split()  # the last line may have been cut

    store = open_store(url)
    charged = [line.project_id for line in store.entries(ACCOUNT.id) if line.amount == -1]
    assert all(store.project(each) is not None for each in acknowledged)
    assert set(acknowledged) <= set(charged)
    assert len(set(charged)) == len(charged), "each is charged once"
    assert all(each is not None and store.project(each) is not None for each in charged)
    assert store.balance(ACCOUNT.id, NOW + 1_000_000) == 1_000_000 - len(charged)
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_closed_store_opens_again_in_a_forked_worker(url: str) -> None:
    run(OPEN + FORK, url, "10")
