"""A client that is a Python function of this process, run in a thread so that it can be stopped."""

from __future__ import annotations

import contextlib
import ctypes
import io
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from ..clock import Clock
from ..performance import Ending
from ..workers.python_worker import Refusals, Stopped, Task, VirtualTime, run
from . import Limits
from .ending import of_reply

_STOPS_WITHIN = 2.0


class Function:
    """The function; its sleeping takes no time.

    Args:
        function: makes the edit, sync or async.
        refusals: what it may raise; None for every class of its own, or of a library's, and OSError's.
    """

    virtual = True

    def __init__(self, function: Callable[[Task], Any], refusals: Refusals | None) -> None:
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._function = function
        self._refusals = refusals

    def run(self, task: Task, clock: Clock, limits: Limits) -> Ending:
        """See `Client`."""

        def sleep(seconds: float) -> float | None:
            slept = clock.sleep(seconds)
            return None if limits.are_over(clock) else slept

        said = io.StringIO()
        replies: list[dict[str, Any]] = []
        thread = Thread(target=lambda: replies.append(run(self._function, task, self._refusals)), daemon=True)
        names = getattr(self._function, "__globals__", None)
        with (
            VirtualTime(sleep).installed(names),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            thread.start()
            thread.join(limits.real_seconds)
            if thread.is_alive():
                _stop(thread)
        if not replies:
            return Ending("late", said=said.getvalue())
        return of_reply({**replies[0], "said": said.getvalue()}, Path(task.out))

    def close(self) -> None:
        """See `Client`."""


def _stop(thread: Thread) -> None:
    """Have a thread raise `Stopped` at its next line; one that waits in C for ever is left behind."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))
    thread.join(_STOPS_WITHIN)
