"""Sleeping that takes no time: it moves the clocks that a client reads.

Whoever sleeps wakes in the order of the clock, as if time had passed. While others of the client's threads or
tasks are at work, it passes a little later, for they may be about to end the sleep, or to sleep less long.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Condition, Event, Thread
from typing import Any
from unittest.mock import patch

_ASYNC_SLEEP = asyncio.sleep
_EVENT_WAIT = Event.wait
_SLEEP, _TIME, _MONOTONIC, _PERF_COUNTER = time.sleep, time.time, time.monotonic, time.perf_counter

_OTHERS_WORK_FOR = 0.02
"""Real seconds for which others may be at work before a sleep ends all the same."""

_LOOKS_EVERY = 0.002

_NOT_A_CLIENTS = (
    "bluehour",
    "hypothesis",
    "_pytest",
    "pytest",
    "xdist",
    "execnet",
)


class Stopped(BaseException):
    """The client has had its time. No `except Exception` of the client's catches it."""


class VirtualTime:
    """The clock of one client.

    Args:
        ask: is told by how many seconds the clock is to go on, and says by how many it did; None for a client
            that has had its time. May wait.
    """

    def __init__(self, ask: Callable[[float], float | None]) -> None:
        self._ask = ask
        self._slept = 0.0
        self._sleepers: dict[object, float] = {}
        self._changed = Condition()
        self._has_begun = self._is_running = self._is_stopped = False
        self._task = 0
        self._main = threading.current_thread()
        self._here_before = set(threading.enumerate())
        self._of_all_tasks: set[Thread] = set()

    # A task's beginning and end.

    def begin(self) -> None:
        """Begin with a task, in the thread that runs it: its clock is the real one until it sleeps."""
        with self._changed:
            self._slept = 0.0
            self._main = threading.current_thread()
            self._here_before = set(threading.enumerate())
            if not self._has_begun:  # whoever is here by now was started when the client was imported
                self._of_all_tasks = self._here_before - {self._main}
            self._has_begun, self._is_running, self._is_stopped = True, True, False
            self._changed.notify_all()

    def end(self) -> None:
        """End a task. Whoever still sleeps for it is woken, and ended."""
        with self._changed:
            self._task += 1
            self._is_running = False
            self._sleepers.clear()
            self._changed.notify_all()

    # Sleeping.

    def sleep(self, seconds: float) -> None:
        """Do as `time.sleep` does.

        Raises:
            Stopped: the client has had its time.
        """
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self._sleep(seconds, lambda: False)

    async def sleep_async(self, delay: float, result: Any = None) -> Any:
        """Do as `asyncio.sleep` does; other tasks get their turn.

        Raises:
            Stopped: the client has had its time.
        """
        await _ASYNC_SLEEP(0)
        sleeper, since, task = object(), _MONOTONIC(), self._task
        self._lie_down(sleeper, max(0.0, delay))
        try:
            while delay > 0 and not self._wakes(sleeper, task, since, self._tasks_work):
                await _ASYNC_SLEEP(_LOOKS_EVERY)
        finally:
            self._sleepers.pop(sleeper, None)
        return result

    def wait(self, event: Event, timeout: float | None = None) -> bool:
        """Do as `Event.wait` does; one that nobody is there to set is a sleep."""
        if timeout is None or timeout <= 0 or not self._is_clients(threading.current_thread()):
            return _EVENT_WAIT(event, timeout)
        self._sleep(timeout, event.is_set)
        return event.is_set()

    def _sleep(self, seconds: float, is_over: Callable[[], bool]) -> None:
        sleeper, since, task = threading.current_thread(), _MONOTONIC(), self._task
        self._lie_down(sleeper, seconds)
        try:
            while not is_over() and not self._wakes(sleeper, task, since, self._threads_work):
                with self._changed:
                    self._changed.wait(_LOOKS_EVERY)
        finally:
            self._sleepers.pop(sleeper, None)

    def _lie_down(self, sleeper: object, seconds: float) -> None:
        with self._changed:
            if self._is_stopped:
                raise Stopped
            self._sleepers[sleeper] = self._slept + seconds

    def _wakes(self, sleeper: object, task: int, since: float, others_work: Callable[[], bool]) -> bool:
        """Move the clock to a sleeper's end if it is the next to end; tells whether it has come."""
        with self._changed:
            is_of_all_tasks = threading.current_thread() in self._of_all_tasks
            if self._is_stopped or (task != self._task and not is_of_all_tasks):
                raise Stopped
            until = self._sleepers.get(sleeper)
            if until is None or until <= self._slept:
                return True
            if not self._has_begun and threading.current_thread() is self._main:
                self._slept = until  # while the client is imported, nobody is there to be asked
                return True
            if not self._is_running or until > min(self._sleepers.values()):
                return False
            if others_work() and _MONOTONIC() - since < _OTHERS_WORK_FOR:
                return False
            slept = self._ask(until - self._slept)
            if slept is None:
                self._is_stopped = True
                raise Stopped
            self._slept += slept
            self._changed.notify_all()
            return True

    def _is_clients(self, thread: Thread) -> bool:
        return thread not in self._here_before or thread is self._main

    def _threads_work(self) -> bool:
        """Whether a thread of the client's is neither asleep nor this one."""
        working = set(threading.enumerate()) - self._here_before | {self._main}
        working.discard(threading.current_thread())
        return any(thread not in self._sleepers for thread in working)

    def _tasks_work(self) -> bool:
        """Whether the event loop has tasks that are not asleep, beside this one and the one that runs it."""
        tasks = len(asyncio.all_tasks()) - 1
        asleep = sum(not isinstance(sleeper, Thread) for sleeper in self._sleepers) - 1
        return tasks > asleep or self._threads_work()

    # In the place of the real one.

    @contextmanager
    def installed(self, bound: Iterable[Bound] = ()) -> Iterator[None]:
        """Put the clock in the place of the real one.

        Args:
            bound: names that were bound to the real one by modules that are imported already.
        """
        moved: dict[Any, Any] = {_SLEEP: self.sleep, _ASYNC_SLEEP: self.sleep_async}
        moved.update({clock: self._moved(clock) for clock in (_TIME, _MONOTONIC, _PERF_COUNTER)})
        with ExitStack() as stack:
            for real in (_SLEEP, _TIME, _MONOTONIC, _PERF_COUNTER):
                stack.enter_context(patch.object(time, real.__name__, moved[real]))
            stack.enter_context(patch.object(asyncio, "sleep", self.sleep_async))
            stack.enter_context(
                patch.object(Event, "wait", lambda event, timeout=None: self.wait(event, timeout))
            )
            stack.enter_context(patch.object(threading, "excepthook", _quiet(threading.excepthook)))
            for names, name, real in bound:
                stack.enter_context(patch.dict(names, {name: moved[real]}))
            yield

    def _moved(self, clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: clock() + self._slept


def _quiet(hook: Callable[[Any], object]) -> Callable[[Any], object]:
    """A thread that is ended has nothing to say."""
    return lambda args: None if args.exc_type is Stopped else hook(args)


Bound = tuple[dict[str, Any], str, Any]
"""A module's names, one of them, and what of the real clock it is bound to."""


def bound_names() -> list[Bound]:
    """Return where modules outside of Python's library have said, say, `from time import sleep`."""
    reals = {id(real): real for real in (_SLEEP, _TIME, _MONOTONIC, _PERF_COUNTER, _ASYNC_SLEEP)}
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] not in _NOT_A_CLIENTS and not is_of_python(file):
            names = vars(module)
            found += [
                (names, each, reals[id(value)]) for each, value in list(names.items()) if id(value) in reals
            ]
    return found


def is_of_python(file: str) -> bool:
    """Tell whether a file is of Python's own library."""
    return file.startswith(sysconfig.get_path("stdlib")) and "site-packages" not in file
