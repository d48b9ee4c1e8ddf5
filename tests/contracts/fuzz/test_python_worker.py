"""The ready Python worker, spoken to over pipes as `bluehour fuzz` does, with small clients."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluehour.contracts.fuzz.clients.ending import of_reply

from .speaking import WANTED, WORKERS, Message, Start, Worker, close, spawn, starting

WORKER = WORKERS / "python_worker.py"


def run(*arguments: str) -> subprocess.Popen[str]:
    return spawn(sys.executable, str(WORKER), *arguments)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a worker on a client's source."""
    with starting(run, tmp_path, "client.py") as start:
        yield start


CASES = """
import asyncio
import concurrent.futures
import datetime
import enum
import http.client
import json
import os
import subprocess
import sys
import threading
import urllib.error
from dataclasses import dataclass
from pathlib import Path


class Mine(Exception):
    pass


class Status(enum.Enum):
    COMPLETE = "complete"


@dataclass
class Result:
    status: object = "complete"
    downloaded_paths: object = ("/out/a.png", Path("/out/b.png"))
    credits_charged: object = 3


def fails(error):
    raise error


async def awaited():
    await asyncio.sleep(2)
    return {"status": "canceled"}


async def refused():
    await asyncio.sleep(2)
    raise Mine("no")


def chained():
    try:
        json.loads("<html>")
    except ValueError as error:
        raise Mine("no JSON") from error


CASES = {
    "nothing": lambda: None,
    "bytes": lambda: b"picture",
    "path": lambda: "/out/a.png",
    "paths": lambda: ["/out/a.png", Path("/out/b.png"), b"c"],
    "object": Result,
    "enum": lambda: Result(status=Status.COMPLETE),
    "mapping": lambda: {"status": "error", "files": ["/out/a.png"], "credits_charged": 0},
    "empty": dict,
    "no credits": lambda: Result(credits_charged="3", downloaded_paths=None),
    "async": awaited,
    "async refused": refused,
    "mine": lambda: fails(Mine("no\\nmore")),
    "chained": chained,
    "refused connection": lambda: fails(ConnectionRefusedError(111, "refused")),
    "timeout": lambda: fails(TimeoutError("timed out")),
    "http": lambda: fails(http.client.IncompleteRead(b"a", 5)),
    "url": lambda: fails(urllib.error.URLError("nobody")),
    "exception": lambda: fails(Exception("no")),
    "runtime": lambda: fails(RuntimeError("no")),
    "value": lambda: fails(ValueError("no")),
    "late future": lambda: concurrent.futures.Future().result(0),
    "group": lambda: fails(ExceptionGroup("two", [Mine("no"), RuntimeError("nor this")])),
    "no number": lambda: int("three"),
    "library's value": lambda: datetime.datetime.strptime("x", "%Y"),
    "library's runtime": lambda: threading.Lock().release(),
    "key": lambda: {}["id"],
    "type": lambda: None + 1,
    "json": lambda: json.loads("<html>"),
    "exit": lambda: sys.exit(3),
    "recursion": lambda: fails(RecursionError("deep")),
    "assertion": lambda: fails(AssertionError()),
    "said": lambda: (print("out"), print("err", file=sys.stderr)) and None,
    "said past python": lambda: os.system("echo past") and None,
}


def edit(task):
    return CASES[task.token]()
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One worker with a client that does what the token says."""
    file = tmp_path_factory.mktemp("cases") / "cases.py"
    file.write_text(CASES)
    process = run(str(file))
    worker = Worker(process)
    assert worker.hear()["ready"] == 1
    yield worker
    close(process)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("nothing", {"status": None, "files": [], "digests": [], "credits": None}),
        ("bytes", {"files": [], "digests": [hashlib.sha256(b"picture").hexdigest()]}),
        ("path", {"files": ["/out/a.png"], "digests": []}),
        ("paths", {"files": ["/out/a.png", "/out/b.png"], "digests": [hashlib.sha256(b"c").hexdigest()]}),
        ("object", {"status": "complete", "files": ["/out/a.png", "/out/b.png"], "credits": 3}),
        ("enum", {"status": "complete"}),
        ("mapping", {"status": "error", "files": ["/out/a.png"], "credits": 0}),
        ("empty", {"status": None, "files": [], "credits": None}),
        ("no credits", {"files": [], "credits": None}),
        ("async", {"status": "canceled"}),
        ("said", {"said": "out\nerr\n"}),
        ("said past python", {"said": ""}),
    ],
)
def test_what_a_client_returns_is_told(cases: Worker, case: str, told: Message) -> None:
    reply, sleeps = cases.play(token=case)
    assert reply["outcome"] == "done"
    assert {name: reply[name] for name in told} == told
    assert sleeps == ([2] if case == "async" else [])


@pytest.mark.parametrize(
    ("case", "outcome", "kind", "error"),
    [
        ("mine", "refused", "Mine", "Mine: no\nmore"),
        ("chained", "refused", "Mine", "Mine: no JSON"),
        ("async refused", "refused", "Mine", "Mine: no"),
        ("refused connection", "refused", "ConnectionRefusedError", "refused"),
        ("timeout", "refused", "TimeoutError", "timed out"),
        ("http", "refused", "IncompleteRead", "IncompleteRead"),
        ("url", "refused", "URLError", "nobody"),
        ("exception", "refused", "Exception", "Exception: no"),
        ("runtime", "refused", "RuntimeError", "RuntimeError: no"),
        ("value", "refused", "ValueError", "ValueError: no"),
        ("late future", "refused", "TimeoutError", "TimeoutError"),
        ("group", "refused", "ExceptionGroup", "two"),
        ("no number", "crashed", "ValueError", "invalid literal for int()"),
        ("library's value", "crashed", "ValueError", "does not match format"),
        ("library's runtime", "crashed", "RuntimeError", "release unlocked lock"),
        ("key", "crashed", "KeyError", "KeyError: 'id'"),
        ("type", "crashed", "TypeError", "unsupported operand"),
        ("json", "crashed", "JSONDecodeError", "Expecting value"),
        ("exit", "crashed", "SystemExit", "3"),
        ("recursion", "crashed", "RecursionError", "deep"),
        ("assertion", "crashed", "AssertionError", "AssertionError"),
    ],
)
def test_what_somebody_means_to_say_is_a_refusal_and_all_else_is_a_crash(
    cases: Worker, case: str, outcome: str, kind: str, error: str
) -> None:
    reply, _ = cases.play(token=case)
    assert (reply["outcome"], reply["type"]) == (outcome, kind)
    assert error in reply["error"]
    assert reply["where"].split("/")[-1].startswith("cases.py:")


def test_the_line_is_the_innermost_of_the_clients(cases: Worker) -> None:
    line = 1 + CASES.splitlines().index('    "json": lambda: json.loads("<html>"),')
    assert cases.play(token="json")[0]["where"].endswith(f"cases.py:{line} in <lambda>")


def test_what_was_said_in_one_task_is_not_told_of_the_next(cases: Worker) -> None:
    cases.play(token="said")
    assert cases.play(token="nothing")[0]["said"] == ""


@pytest.mark.parametrize(
    ("refuses", "outcomes"),
    [
        ("REFUSES = [Mine]", ["refused", "crashed", "crashed"]),
        ("REFUSES = (Mine, KeyError)", ["refused", "refused", "crashed"]),
        ("REFUSES = [Exception]", ["refused", "refused", "refused"]),
        ("REFUSES = []", ["crashed", "crashed", "crashed"]),
        ("", ["refused", "crashed", "refused"]),
    ],
)
def test_a_client_may_say_what_is_a_refusal(start: Start, refuses: str, outcomes: list[str]) -> None:
    worker = start(
        f"""
        class Mine(Exception):
            pass

        {refuses}

        def edit(task):
            raise {{"mine": Mine, "key": KeyError, "network": OSError}}[task.token]("no")
        """
    )
    assert [worker.play(token=each)[0]["outcome"] for each in ("mine", "key", "network")] == outcomes


def test_a_class_of_a_library_is_a_refusal(start: Start, tmp_path: Path) -> None:
    (tmp_path / "somebodys.py").write_text("class ApiError(ValueError):\n    pass\n")
    worker = start("import somebodys\n\ndef edit(task):\n    raise somebodys.ApiError('402')\n")
    assert worker.play()[0]["outcome"] == "refused"


def test_a_client_gets_its_task_and_may_be_any_function(start: Start) -> None:
    worker = start(
        """
        def smile(task):
            return {"status": f"{task.url} {task.token} {task.photo} {task.out} {task.patience}"}
        """,
        function=":smile",
    )
    assert worker.play("http://u")[0]["status"] == "http://u mhk_secret /p.jpg /out 0.3"


def test_a_client_gets_what_is_asked_for_and_nothing_where_it_chooses(start: Start) -> None:
    worker = start(
        """
        import json

        def edit(task):
            names = ("operation", "path", "request", "video", "audio")
            return {"status": json.dumps({name: getattr(task, name) for name in names})}
        """
    )
    assert json.loads(worker.play(**WANTED)[0]["status"]) == WANTED
    assert not any(json.loads(worker.play()[0]["status"]).values())


def test_a_test_made_by_fuzz_client_is_the_client_in_it(start: Start) -> None:
    worker = start(
        """
        class Mine(Exception):
            pass

        def edit(task):
            raise KeyError("no")

        def test(): raise AssertionError
        test.client, test.refuses = edit, (KeyError,)
        """,
        function=":test",
    )
    assert worker.play()[0]["outcome"] == "refused"


def test_a_sleep_is_asked_for_and_takes_no_time(start: Start) -> None:
    worker = start(
        """
        import time

        def edit(task):
            began = time.monotonic()
            for seconds in (1, 2.5, 0):
                time.sleep(seconds)
            return {"status": str(round(time.monotonic() - began, 1))}
        """
    )
    for _ in range(2):
        reply, sleeps = worker.play()
        assert sleeps == [1, 2.5]
        assert reply["status"] == "3.5"


def test_who_is_told_to_stop_is_stopped_and_gets_the_next_task(start: Start) -> None:
    worker = start(
        """
        import time

        def edit(task):
            while task.token == "for ever":
                try:
                    time.sleep(2)
                except Exception:
                    pass
        """
    )
    reply, sleeps = worker.play(stop_after=3, token="for ever")
    assert (reply["outcome"], len(sleeps)) == ("stopped", 4)
    assert worker.play()[0]["outcome"] == "done"


def test_a_pool_of_threads_that_outlives_a_task_may_sleep_in_the_next_one(start: Start) -> None:
    worker = start(
        """
        import time
        from concurrent.futures import ThreadPoolExecutor

        POOL = ThreadPoolExecutor(1)

        def edit(task):
            POOL.submit(time.sleep, 2).result()
        """
    )
    assert [worker.play()[0]["outcome"] for _ in range(2)] == ["done", "done"]


@pytest.mark.parametrize("error", ["asyncio.CancelledError", "GeneratorExit", "BaseException"])
def test_whatever_a_client_raises_it_is_told(start: Start, error: str) -> None:
    worker = start(f"import asyncio\n\ndef edit(task):\n    raise {error}\n")
    assert worker.play()[0]["outcome"] == "crashed"


def test_an_error_that_has_no_words_is_told_all_the_same(start: Start) -> None:
    worker = start(
        """
        class Mine(Exception):
            def __str__(self):
                return self.args[7]

        def edit(task):
            raise Mine
        """
    )
    assert worker.play()[0]["type"] == "Mine"


def test_a_status_that_is_no_text_is_told_as_one(start: Start) -> None:
    worker = start("def edit(task):\n    return {'status': object(), 'files': []}\n")
    assert worker.play()[0]["outcome"] in ("done", "crashed")


def test_its_input_ends_and_so_does_it(start: Start) -> None:
    worker = start("def edit(task): pass")
    worker.play()
    assert worker.end() == (0, "")


@pytest.mark.parametrize("line", ["no JSON", "{}", "[]", "5", '{"task": 1, "url": "u"}'])
def test_what_is_no_task_ends_it_with_a_line(start: Start, line: str) -> None:
    worker = start("def edit(task): pass")
    worker.write(line + "\n")
    code, said = worker.end()
    assert code == 2
    assert said.startswith("no task: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "name", "says"),
    [
        (None, "client.py", "there is no file"),
        ("x = 1", "client.py", "has no function edit"),
        ("edit = 1", "client.py", "has no function edit"),
        ("def edit(task): pass", "client.py:other", "has no function other"),
        ("def edit(task:", "client.py", "can't be loaded: SyntaxError"),
        ("import no_such_module", "client.py", "can't be loaded: ModuleNotFoundError: No module named"),
        ("raise KeyError('a\\nb')", "client.py", "can't be loaded: KeyError"),
        ("raise ValueError('two\\nlines')", "client.py", "can't be loaded: ValueError: two"),
    ],
)
def test_a_client_that_can_not_be_loaded_is_told_in_a_line(
    tmp_path: Path, source: str | None, name: str, says: str
) -> None:
    file, colon, function = name.partition(":")
    if source is not None:
        (tmp_path / file).write_text(source)
    process = run(str(tmp_path / file) + colon + function)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("a.py", "b.py")])
def test_it_has_one_argument(arguments: tuple[str, ...]) -> None:
    process = run(*arguments)
    assert process.communicate(timeout=60) == (
        "",
        "say which client to run: python_worker.py client.py:function\n",
    )
    assert process.returncode == 2


# What Bluehour makes of a reply.


def test_what_lies_in_the_folder_counts_where_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").write_bytes(b"a")
    missing = str(tmp_path / "b.png")
    ending = of_reply(
        {"outcome": "done", "files": [missing], "digests": ["d"], "status": None, "credits": 2}, tmp_path
    )
    assert ending.files == {"returned bytes 1": "d"}
    assert ending.kept == {hashlib.sha256(b"a").hexdigest(), "d"}
    assert ending.missing == (missing,)
    assert (ending.status, ending.credits) == ("", 2)
    (tmp_path / "about.json").write_text("{}")
    of_folder = of_reply({"outcome": "done"}, tmp_path)
    assert of_folder.files == {"a.png": hashlib.sha256(b"a").hexdigest()}


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"outcome": "fine"},
        {"outcome": ["done"]},
        {"outcome": "done", "files": 5},
        {"outcome": "done", "digests": 5},
        {"outcome": "done", "credits": "three"},
    ],
)
def test_a_reply_that_is_none_is_an_error_of_the_protocol(tmp_path: Path, reply: Message) -> None:
    with pytest.raises(ValueError, match=r"."):
        of_reply(reply, tmp_path)


def test_a_task_that_is_stopped_is_late(tmp_path: Path) -> None:
    assert of_reply({"outcome": "stopped"}, tmp_path).outcome == "late"
