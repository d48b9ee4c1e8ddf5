"""Sleeping that takes no time: it moves the clocks that a client reads.

Whoever sleeps wakes in the order of the clock, as if time had passed. While others of the client's threads or
tasks are at work, it passes a little later, for they may be about to end the sleep, or to sleep less long.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Condition, Event, Thread
from typing import Any
from unittest.mock import patch

if __package__:
    from . import moved_clocks
    from .virtual_alarm import Alarm
else:  # run as a file, beside the others; mypy reads it as a module
    import moved_clocks  # type: ignore[import-not-found,no-redef,unused-ignore]
    from virtual_alarm import Alarm  # type: ignore[import-not-found,no-redef,unused-ignore]

_ASYNC_SLEEP = asyncio.sleep
_CONDITION_WAIT, _EVENT_WAIT, _JOIN = Condition.wait, Event.wait, Thread.join
_SLEEP, _MONOTONIC = time.sleep, time.monotonic

_OTHERS_WORK_FOR = 0.02
"""Real seconds for which others may be at work before a sleep ends all the same."""
_WORK_IS_AWAITED_FOR = 1.0
"""The same where a thread waits for what others do, and only not for ever."""

_LOOKS_EVERY = 0.002
_TURNS = 3
"""Of the event loop, in which what was due before a sleep's end, such as a timeout's, comes before it."""

Bound = moved_clocks.Bound


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
        self._alarm = Alarm(lambda: _MONOTONIC() + self._slept)

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
        self._alarm.cancel()

    # Sleeping.

    def sleep(self, seconds: float) -> None:
        """Do as `time.sleep` does.

        Raises:
            Stopped: the client has had its time.
        """
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if _called_by("subprocess"):  # between two looks at a process, which takes real time
            _SLEEP(seconds)
        else:
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
        for _ in range(_TURNS):
            await _ASYNC_SLEEP(0)
        return result

    def wait(self, event: Event, timeout: float | None = None) -> bool:
        """Do as `Event.wait` does; one that nobody is there to set is a sleep."""
        if timeout is None or timeout <= 0 or not self._is_clients(threading.current_thread()):
            return _EVENT_WAIT(event, timeout)
        self._sleep(timeout, event.is_set)
        return event.is_set()

    def wait_for_others(self, condition: Condition, timeout: float | None = None) -> bool:
        """Do as `Condition.wait` does, and so what is built on it: queues, futures."""
        if timeout is None or not self._bounds(timeout):
            return _CONDITION_WAIT(condition, timeout)
        is_told = False

        def look() -> bool:
            nonlocal is_told
            is_told = is_told or _CONDITION_WAIT(condition, _LOOKS_EVERY)
            return is_told

        self._sleep(timeout, look, _WORK_IS_AWAITED_FOR)
        return is_told

    def join(self, thread: Thread, timeout: float | None = None) -> None:
        """Do as `Thread.join` does."""
        if timeout is not None and self._bounds(timeout):
            self._sleep(timeout, lambda: not thread.is_alive(), _WORK_IS_AWAITED_FOR)
            timeout = 0.0
        _JOIN(thread, timeout)

    def _sleep(
        self, seconds: float, is_over: Callable[[], bool], others_work_for: float = _OTHERS_WORK_FOR
    ) -> None:
        sleeper, since, task = threading.current_thread(), _MONOTONIC(), self._task
        self._lie_down(sleeper, seconds)
        try:
            while not is_over() and not self._wakes(
                sleeper, task, since, self._threads_work, others_work_for
            ):
                with self._changed:
                    _CONDITION_WAIT(self._changed, _LOOKS_EVERY)
        finally:
            self._sleepers.pop(sleeper, None)

    def _lie_down(self, sleeper: object, seconds: float) -> None:
        with self._changed:
            if self._is_stopped:
                raise Stopped
            self._sleepers[sleeper] = self._slept + seconds

    def _wakes(
        self,
        sleeper: object,
        task: int,
        since: float,
        others_work: Callable[[], bool],
        others_work_for: float = _OTHERS_WORK_FOR,
    ) -> bool:
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
            if others_work() and _MONOTONIC() - since < others_work_for:
                return False
            slept = self._ask(min(until - self._slept, self._alarm.due_in))
            if slept is None:
                self._is_stopped = True
                raise Stopped
            self._slept += slept
            self._changed.notify_all()
            self._alarm.moved()
            return until <= self._slept

    def _bounds(self, timeout: float) -> bool:
        """Whether a time limit is one of a client that is at its task; importing it takes real time."""
        return self._has_begun and timeout > 0 and self._is_clients(threading.current_thread())

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
        clocks = moved_clocks.stand_ins(lambda: self._slept) | {_SLEEP: self.sleep}
        with ExitStack() as stack:
            stack.enter_context(moved_clocks.installed(clocks, (each for each in bound if each[2] in clocks)))
            for names, name, real in bound:
                if real is _ASYNC_SLEEP:
                    stack.enter_context(patch.dict(names, {name: self.sleep_async}))
            stack.enter_context(patch.object(asyncio, "sleep", self.sleep_async))
            for kind, name, ours in (
                (Event, "wait", self.wait),
                (Condition, "wait", self.wait_for_others),
                (Thread, "join", self.join),
            ):
                stack.enter_context(patch.object(kind, name, _method(ours)))
            stack.enter_context(patch.object(threading, "excepthook", _quiet(threading.excepthook)))
            stack.enter_context(self._alarm.installed())
            yield


def _method(ours: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is bound to the instance of which it becomes a method."""
    return lambda instance, timeout=None: ours(instance, timeout)


def _quiet(hook: Callable[[Any], object]) -> Callable[[Any], object]:
    """A thread that is ended has nothing to say."""
    return lambda args: None if args.exc_type is Stopped else hook(args)


def _called_by(module: str) -> bool:
    """Whether the caller of our caller is in a module."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame and frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == module


def bound_names() -> list[Bound]:
    """Return where modules have bound what is moved, by `from time import sleep` and the like."""
    return moved_clocks.bound_names([*moved_clocks.stand_ins(lambda: 0.0), _SLEEP, _ASYNC_SLEEP])
