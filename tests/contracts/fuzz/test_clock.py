"""Sleeping takes no time, the clocks of a client move by it, and who never ends is stopped soon."""

from __future__ import annotations

import asyncio
import datetime
import sys
import time
from asyncio import sleep as sleep_async
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from select import select
from textwrap import dedent
from time import sleep
from types import ModuleType
from typing import Any

import pytest

from bluehour.contracts import Task
from bluehour.contracts.fuzz.clients import Limits
from bluehour.contracts.fuzz.clients.choosing import client_of
from bluehour.contracts.fuzz.clients.crash_signs import CrashSigns
from bluehour.contracts.fuzz.clients.function import Function
from bluehour.contracts.fuzz.clients.worker import Worker
from bluehour.contracts.fuzz.clock import ClientClock
from bluehour.contracts.fuzz.performance import Ending
from bluehour.contracts.fuzz.playing import Terms, Theatre
from bluehour.contracts.fuzz.script import Place, Script, Turn
from bluehour.contracts.fuzz.workers.virtual_time import VirtualTime

from . import careful
from .playing import CONTRACT, TERMS, at, broken, judged, play, theatre

AN_HOUR = 3600.0
SOON = 5.0
"""Real seconds in which anything virtual is over, on a busy machine too."""
LIMITS = Limits(600.0, 20.0)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task("http://127.0.0.1:9", "token", "photo.jpg", str(tmp_path), 0.2)


def run(client: Callable[[Task], Any], task: Task, limits: Limits = LIMITS) -> tuple[Ending, ClientClock]:
    clock = ClientClock()
    return Function(client, None).run(task, clock, limits), clock


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    """Start the ready Python worker on a client's source."""
    started: list[Worker] = []

    def start(source: str) -> Worker:
        file = tmp_path / f"client_{len(started)}.py"
        file.write_text(dedent(source))
        worker = client_of([str(file)], is_worker=False, interpreter=None, signs=CrashSigns())
        assert isinstance(worker, Worker)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.close()


# A function of this process.


def by_module(task: Task) -> dict[str, Any]:
    before = time.time(), time.monotonic(), time.perf_counter()
    time.sleep(AN_HOUR)
    after = time.time(), time.monotonic(), time.perf_counter()
    return {"status": str([round(b - a) for a, b in zip(before, after, strict=True)])}


def by_name(task: Task) -> dict[str, Any]:
    before = time.monotonic()
    sleep(AN_HOUR)
    return {"status": str([round(time.monotonic() - before)])}


async def by_module_async(task: Task) -> dict[str, Any]:
    before = time.monotonic()
    told = await asyncio.sleep(AN_HOUR / 2, "told")
    await asyncio.gather(asyncio.sleep(AN_HOUR / 4), asyncio.sleep(AN_HOUR / 2))
    assert told == "told"
    return {"status": str([round(time.monotonic() - before)])}


async def by_name_async(task: Task) -> dict[str, Any]:
    before = time.time()
    await sleep_async(AN_HOUR)
    return {"status": str([round(time.time() - before)])}


@pytest.mark.parametrize("client", [by_module, by_name, by_module_async, by_name_async])
def test_a_functions_hour_takes_no_time_and_moves_its_clocks(
    client: Callable[[Task], Any], task: Task
) -> None:
    ending, clock = run(client, task, Limits(2 * AN_HOUR, 20.0))
    assert ending.outcome == "done", ending
    assert set(eval(ending.status)) == {3600}
    assert clock.now() >= AN_HOUR
    assert clock.real() < SOON


def test_a_client_that_is_slow_to_begin_is_waited_for_in_real_time(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waits for a client is none of the client's, also before that has begun."""
    begin = VirtualTime.begin

    def late(self: VirtualTime) -> None:
        select([], [], [], 0.2)  # nobody moves its clock
        begin(self)

    monkeypatch.setattr(VirtualTime, "begin", late)
    ending, clock = run(by_name, task, Limits(2 * AN_HOUR, 20.0))
    assert ending.outcome == "done"
    assert clock.real() < SOON


def test_afterwards_the_clocks_are_the_real_ones_again(task: Task) -> None:
    real = time.sleep, time.time, time.monotonic, time.perf_counter, asyncio.sleep, sleep, sleep_async
    run(by_name, task)
    assert real == (
        time.sleep,
        time.time,
        time.monotonic,
        time.perf_counter,
        asyncio.sleep,
        sleep,
        sleep_async,
    )


def test_sleeping_for_less_than_nothing_is_the_clients_bug(task: Task) -> None:
    ending, _ = run(lambda task: time.sleep(-1), task)
    assert (ending.outcome, ending.kind) == ("crashed", "ValueError")


@pytest.mark.parametrize("pause", [2.0, 0.5, 60.0])
def test_whoever_polls_for_ever_is_stopped_in_no_time_whatever_the_pace(task: Task, pause: float) -> None:
    polls = []

    def edit(task: Task) -> None:
        while True:
            polls.append(time.monotonic())
            time.sleep(pause)

    ending, clock = run(edit, task)
    assert ending.outcome == "late"
    assert len(polls) <= 600 / pause + 2
    assert clock.now() > 600
    assert clock.real() < SOON


def test_a_client_may_poll_a_few_dozen_times_at_its_own_pace(task: Task) -> None:
    def edit(task: Task) -> dict[str, Any]:
        before = time.monotonic()
        for _ in range(60):
            time.sleep(1)
        return {"status": str(round(time.monotonic() - before))}

    assert run(edit, task)[0].status == "60"


def test_whoever_is_busy_without_sleeping_is_stopped(task: Task) -> None:
    def edit(task: Task) -> None:
        while True:
            pass

    ending, clock = run(edit, task, Limits(600.0, 0.3))
    assert ending.outcome == "late"
    assert clock.real() < SOON


def test_an_exception_handler_for_errors_does_not_keep_a_client_alive(task: Task) -> None:
    def edit(task: Task) -> None:
        while True:
            try:
                time.sleep(10)
            except Exception:
                continue

    ending, clock = run(edit, task)
    assert ending.outcome == "late"
    assert clock.real() < SOON


def test_whoever_polls_the_stage_for_ever_is_late() -> None:
    class Endless(careful.Client):
        def pause(self, seconds: float) -> None:
            time.sleep(seconds)

    played = play(Script(job=("rendering",)), Endless)
    assert played.ending.outcome == "late"
    assert "end.in-time" in broken(played)
    assert played.seconds > 600
    assert played.real_seconds < SOON


def test_whoever_asks_the_stage_for_ever_without_sleeping_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bluehour.contracts.fuzz.stage.server.MOST_REQUESTS", 50)

    class Hasty(careful.Client):
        def pause(self, seconds: float) -> None:
            pass

    played = play(Script(job=("rendering",)), Hasty)
    assert played.ending.outcome == "late"
    assert len(played.asked) == 50


# The race between the stage's notes and the client's clock.


def test_who_waits_for_a_second_after_a_429_is_never_said_to_have_asked_at_once() -> None:
    class Second(careful.Client):
        def wait(self, answer: careful.Answer, tries: int) -> float:
            return 1.0

    script = Script({place: (Turn(status=429),) * 3 for place in (Place.CREATE, Place.POLL)})
    with theatre(Second) as opened:
        for _ in range(25):
            played = opened.play(script)
            assert judged(played) == []
            creates = list(played.at(Place.CREATE))
            assert len(creates) == 4
            for before, after in pairwise(creates):
                assert after.at - before.ended_at >= 1.0


@pytest.mark.parametrize("wait", ["7", "date+9", "3600"])
def test_who_waits_as_long_as_was_asked_has_kept_it(wait: str) -> None:
    class Patient(careful.Client):
        def pause(self, seconds: float) -> None:
            time.sleep(seconds)

    script = at(Place.CREATE, *[Turn(status=429, retry_after=wait)] * 2)
    played = play(script, Patient, Terms(3 * AN_HOUR, 20.0))
    assert played.ending.outcome == "done"
    assert judged(played) == []
    assert played.real_seconds < SOON


def test_who_waits_for_less_has_not() -> None:
    class Impatient(careful.Client):
        def wait(self, answer: careful.Answer, tries: int) -> float:
            return super().wait(answer, tries) / 2

    for wait in ("7", "date+9", "120"):
        played = play(at(Place.CREATE, Turn(status=429, retry_after=wait)), Impatient)
        assert broken(played) == {"retry.after"}


# The ready Python worker.

SLEEPS = """
    import asyncio
    import time
    from asyncio import sleep as sleep_async
    from time import monotonic, perf_counter, sleep


    async def nap():
        await asyncio.sleep(600)
        await sleep_async(600)


    def edit(task):
        before = time.time(), monotonic(), perf_counter()
        time.sleep(1200)
        sleep(1200)
        asyncio.run(nap())
        after = time.time(), monotonic(), perf_counter()
        return {"status": str({round(b - a) for a, b in zip(before, after)})}
"""


def test_a_workers_hour_takes_no_time_and_moves_its_clocks(
    start: Callable[[str], Worker], task: Task
) -> None:
    worker = start(SLEEPS)
    assert worker.virtual
    for _ in range(2):
        clock = ClientClock()
        ending = worker.run(task, clock, Limits(2 * AN_HOUR, 20.0))
        assert (ending.outcome, ending.status) == ("done", "{3600}")
        assert clock.now() >= AN_HOUR
        assert clock.real() < SOON


READS_CLOCKS = """
    import datetime as module
    import pickle
    import time
    from datetime import date, datetime, timedelta, timezone


    def clocks():
        return [
            module.datetime.now(), datetime.utcnow(), datetime.now(timezone.utc), datetime.today(),
            datetime(*time.gmtime()[:6]), datetime(*time.localtime()[:6]),
            datetime.strptime(time.ctime(), "%c"), datetime.strptime(time.strftime("%c"), "%c"),
        ]


    def numbers():
        return [
            time.time_ns() / 1e9, time.monotonic_ns() / 1e9, time.perf_counter_ns() / 1e9,
            time.clock_gettime(time.CLOCK_REALTIME), time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 1e9,
        ]


    class Mine(datetime):
        pass


    def edit(task):
        dates, seconds, today, cpu = clocks(), numbers(), date.today(), time.process_time()
        time.sleep(24 * 3600)
        passed = [after - before for before, after in zip(dates, clocks())]
        passed += [timedelta(seconds=after - before) for before, after in zip(seconds, numbers())]
        assert {round(each / timedelta(hours=1)) for each in passed} == {24}, passed
        assert date.today() - today == timedelta(days=1)
        assert time.process_time() - cpu < 60
        now = datetime.now()
        assert isinstance(now, datetime) and isinstance(now, date) and not isinstance(date.today(), datetime)
        assert type(now) == datetime and {datetime: 1}[type(now)] and pickle.loads(pickle.dumps(now)) == now
        assert type(Mine.now()) is Mine and isinstance(Mine.now(), datetime) and not isinstance(now, Mine)
        assert datetime.fromisoformat("2024-01-01") < datetime(2024, 1, 2) < now < datetime.max
"""


@pytest.mark.parametrize("by", ["worker", "function"])
def test_whatever_python_reads_the_time_by_moves(
    start: Callable[[str], Worker], task: Task, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    limits = Limits(100 * AN_HOUR, 20.0)
    if by == "worker":
        ending = start(READS_CLOCKS).run(task, ClientClock(), limits)
    else:  # whose module was imported while the clock was the real one
        module = ModuleType("reads_clocks")
        module.__file__ = __file__
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(dedent(READS_CLOCKS), vars(module))
        ending, _ = run(module.edit, task, limits)
        assert module.datetime is datetime.datetime
    assert (ending.outcome, ending.error) == ("done", "")


BOUNDED = """
    import asyncio
    import queue
    import signal
    import subprocess
    import sys
    import threading
    import time
    from concurrent.futures import ThreadPoolExecutor


    def polls(stop):
        while not stop.is_set():
            time.sleep(2)


    def by_a_future():
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(polls, stop)
            try:
                future.result(timeout=300)
            finally:
                stop.set()


    def by_join():
        stop = threading.Event()
        thread = threading.Thread(target=polls, args=(stop,))
        thread.start()
        thread.join(300)
        assert thread.is_alive()
        stop.set()
        raise TimeoutError


    def by_a_queue():
        queue.Queue().get(timeout=300)


    def by_an_alarm():
        def ring(*_):
            raise TimeoutError
        signal.signal(signal.SIGALRM, ring)
        signal.alarm(300)
        while True:
            time.sleep(7)


    def by_wait_for():
        asyncio.run(asyncio.wait_for(asyncio.sleep(600), 300))


    def by_a_process():
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"])
        process.wait(timeout=200)
        assert 0.3 <= time.monotonic() - began < 200
        time.sleep(300)
        raise TimeoutError


    def edit(task):
        began = time.monotonic()
        try:
            globals()[task.token]()
        except (TimeoutError, asyncio.TimeoutError, queue.Empty):
            pass
        assert signal.alarm(0) == 0
        return {"status": str(time.monotonic() - began)}
"""


@pytest.mark.parametrize(
    ("bound", "until"),
    [
        ("by_a_future", 310),
        ("by_join", 310),
        ("by_a_queue", 310),
        ("by_an_alarm", 310),
        ("by_wait_for", 610),
        ("by_a_process", 510),
    ],
)
def test_who_bounds_its_own_time_is_woken_by_the_clients_clock(
    start: Callable[[str], Worker], task: Task, bound: str, until: float
) -> None:
    clock = ClientClock()
    ending = start(BOUNDED).run(Task(**vars(task) | {"token": bound}), clock, Limits(AN_HOUR, 60.0))
    assert ending.outcome == "done", ending
    assert 300 <= float(ending.status) < until
    assert clock.real() < 4 * SOON


def test_what_comes_in_time_is_not_given_up(start: Callable[[str], Worker], task: Task) -> None:
    worker = start(
        """
        import queue
        import threading
        import time

        early = queue.Queue()
        threading.Timer(0, lambda: (sum(range(10**6)), early.put("loaded"))).start()
        assert early.get(timeout=60) == "loaded"

        def edit(task):
            waited, began = queue.Queue(), time.monotonic()
            threading.Thread(target=lambda: (time.sleep(5), waited.put("complete"))).start()
            assert waited.get(timeout=60) == "complete"
            assert 5 <= time.monotonic() - began < 60
        """
    )
    ending = worker.run(task, ClientClock(), LIMITS)
    assert (ending.outcome, ending.error) == ("done", "")


def test_a_worker_that_polls_for_ever_is_stopped_in_no_time_and_goes_on(
    start: Callable[[str], Worker], task: Task
) -> None:
    worker = start(
        """
        import time

        def edit(task):
            while task.patience < 1:
                time.sleep(2)
        """
    )
    clock = ClientClock()
    assert worker.run(task, clock, LIMITS).outcome == "late"
    assert clock.now() > 600
    assert clock.real() < SOON
    assert worker.run(Task(**vars(task) | {"patience": 2.0}), ClientClock(), LIMITS).outcome == "done"


TWO_TASKS = """
    import os
    import time

    def edit(task):
        if task.patience < 1:
            {}
        return {{"status": str(os.getpid())}}
"""


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        ("while True: pass", "late"),
        ("os._exit(3)", "lost"),
        ("os.kill(os.getpid(), 9)", "lost"),
    ],
)
def test_a_worker_that_is_busy_or_dies_is_started_anew(
    start: Callable[[str], Worker], task: Task, does: str, outcome: str
) -> None:
    worker = start(TWO_TASKS.format(does))
    limits = Limits(600.0, 1.0)
    assert worker.run(task, ClientClock(), limits).outcome == outcome
    assert worker.run(Task(**vars(task) | {"patience": 2.0}), ClientClock(), LIMITS).outcome == "done"


STUBBORN = """
    import time

    def edit(task):
        while task.patience < 1:
            try:
                time.sleep(10)
            except{}:
                pass
"""


@pytest.mark.parametrize("handler", ["", " BaseException"])
def test_a_worker_whose_client_will_not_be_stopped_is_late_and_started_anew(
    start: Callable[[str], Worker], task: Task, handler: str
) -> None:
    worker = start(STUBBORN.format(handler))
    clock = ClientClock()
    assert worker.run(task, clock, Limits(600.0, 2.0)).outcome == "late"
    assert clock.real() < 2 * SOON
    assert worker.run(Task(**vars(task) | {"patience": 2.0}), ClientClock(), LIMITS).outcome == "done"


def test_the_careful_client_is_right_in_a_worker_too() -> None:
    worker = client_of([careful.__file__], is_worker=False, interpreter=None, signs=CrashSigns())
    script = Script(
        {place: (Turn(status=429),) for place in (Place.CREATE, Place.POLL)}, job=("queued", "complete")
    )
    try:
        with Theatre(CONTRACT, worker, TERMS) as opened:
            played = opened.play(script)
    finally:
        worker.close()
    assert played.ending.outcome == "done", played.ending
    assert judged(played) == []
