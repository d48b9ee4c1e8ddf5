"""`bluehour serve --processes N`: at one address, like one, whichever of them is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from bluehour.mock_server.core.stores.opening import open_store
from tests.postgresql import Cluster

from ..conftest import FACE, face
from .test_serving import COMMAND, Served, serving

TOKEN = "mhk_test_creator_100"


def call(served: Served, method: str, path: str, body: Any = None) -> Any:
    """Call the control API, on a connection of its own; return the answer's data."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(served.url + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def processes(served: Served) -> set[int]:
    return {each["pid"] for each in call(served, "GET", "/_mock/health")["processes"]}


def until(what: Callable[[], Any]) -> Any:
    """Ask until the answer is yes, also where nobody answers for a moment."""
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        with suppress(OSError):
            if found := what():
                return found
        time.sleep(0.05)
    raise AssertionError("it has not come true")


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'mock.db'}"


@pytest.fixture
def served(store: str) -> Iterator[Served]:
    with serving("--processes", "2", "--store", store) as served:
        yield served


def creates(served: Served, number: int) -> list[int]:
    """Create so many at once, and return the statuses."""

    def create(_: int) -> int:
        try:
            served.post(FACE, face(), TOKEN)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(create, range(number)))


def test_several_processes_answer_and_are_named(served: Served) -> None:
    numbers = until(lambda: len(found := processes(served)) == 2 and found)
    assert served.process.pid not in numbers
    assert served.process.stdout is not None
    assert any(line.startswith("Answered by 2 processes: ") for line in served.process.stdout)
    answered = {call(served, "GET", "/_mock/health")["process"]["pid"] for _ in range(60)}
    assert answered == numbers


def test_they_spend_an_accounts_credits_once(served: Served, store: str) -> None:
    assert sorted(creates(served, 130)) == [200] * 100 + [402] * 30
    with closing(open_store(store)) as opened:
        (account,) = opened.accounts()
        assert (opened.count_projects(), opened.balance(account.id, time.time() + 1e6)) == (100, 0)


def test_a_killed_one_is_replaced_and_nothing_is_lost(served: Served) -> None:
    before = until(lambda: len(found := processes(served)) == 2 and found)
    project = served.post(FACE, face(), TOKEN)["id"]
    os.kill(min(before), signal.SIGKILL)
    after = until(lambda: len(found := processes(served) - {min(before)}) == 2 and found)
    assert max(before) in after
    shown = [call(served, "GET", f"/_mock/projects/{project}")["project"]["id"] for _ in range(10)]
    assert shown == [project] * 10
    assert f"Process {min(before)} ended by SIGKILL; another takes its place" in until(lambda: logged(served))


def logged(served: Served) -> str:
    served.log.seek(0)
    return served.log.read()


def test_one_that_is_stopped_holds_a_change_up_and_then_knows_of_it(served: Served) -> None:
    pids = until(lambda: len(found := processes(served)) == 2 and found)
    stopped = min(pids)
    os.kill(stopped, signal.SIGSTOP)
    try:
        rule = {"match": {"operation": "GET /v1/account"}, "answer": {"status": 503}}
        until(lambda: try_call(served, "POST", "/_mock/rules", rule))
    finally:
        os.kill(stopped, signal.SIGCONT)
    for _ in range(20):
        get = urllib.request.Request(f"{served.url}/v1/account", headers={"Authorization": f"Bearer {TOKEN}"})
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(get, timeout=60)


def try_call(served: Served, method: str, path: str, body: Any) -> bool:
    """Send on connections of their own until one leads to a process that is not stopped."""
    command = ["curl", "-sf", "-m", "4", "-X", method, "-H", "Content-Type: application/json"]
    return subprocess.run([*command, "-d", json.dumps(body), served.url + path], check=False).returncode == 0


def test_all_end_with_the_one_that_started_them(store: str) -> None:
    with serving("--processes", "2", "--store", store) as served:
        pids = until(lambda: len(found := processes(served)) == 2 and found)
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        until(lambda: not any(is_alive(pid) for pid in pids))


def test_a_signal_ends_all_of_them_politely(store: str) -> None:
    with serving("--processes", "2", "--store", store) as served:
        pids = until(lambda: len(found := processes(served)) == 2 and found)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == 0
        assert not any(is_alive(pid) for pid in pids)
        assert "Traceback" not in logged(served)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def refusal(*options: str) -> str:
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_memory_can_not_be_shared() -> None:
    told = refusal("--processes", "2")
    assert "memory:// is one process's own; give a store that several can share, --store sqlite:///" in told


def test_a_port_that_others_share_is_taken(served: Served, store: str) -> None:
    port = served.url.rpartition(":")[2]
    assert f"port {port} on 127.0.0.1 is taken" in refusal(
        "--port", port, "--processes", "2", "--store", store
    )
    assert f"port {port} on 127.0.0.1 is taken" in refusal("--port", port)


def test_what_a_process_can_not_do_is_told_once(tmp_path: Path) -> None:
    scenario = tmp_path / "rules.yaml"
    scenario.write_text("rules: [{match: {operation: nothing}, delay: 1}]")
    told = refusal(
        "--port",
        "0",
        "--processes",
        "2",
        "--store",
        f"sqlite:///{tmp_path / 'a.db'}",
        "--scenario",
        f"{scenario}",
    )
    assert told.count("there is no operation 'nothing'") == 1


def test_on_postgresql_too(postgresql: Cluster) -> None:
    with serving("--processes", "2", "--store", postgresql.url()) as served:
        until(lambda: len(processes(served)) == 2)
        assert sorted(creates(served, 110)) == [200] * 100 + [402] * 10
        call(served, "POST", "/_mock/clock", {"frozen": True, "advance": 1000})
        assert len({call(served, "GET", "/_mock/clock")["epoch"] for _ in range(20)}) == 1
