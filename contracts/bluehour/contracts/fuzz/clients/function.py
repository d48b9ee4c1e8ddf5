"""A client that is a Python function of this process, run in a thread so that it can be stopped."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

from ...loopback import without_proxies
from ..clock import ClientClock
from ..performance import Ending
from ..workers.python_worker import Output, Refusals, Task, run
from ..workers.virtual_time import Bound, Stopped, VirtualTime, bound_names
from . import Limits
from .ending import of_reply

_JOIN = Thread.join  # the real one: a client of this process may have one by its clock

_STOPS_WITHIN = 2.0


class Function:
    """The function; its sleeping takes no time.

    Args:
        function: makes the edit, sync or async.
        refusals: what it may raise; None for what docs/fuzz-protocol.md takes for a refusal.
        named: what it is called after, where that is another one.
    """

    virtual = True

    def __init__(
        self,
        function: Callable[[Task], Any],
        refusals: Refusals | None,
        named: Callable[..., Any] | None = None,
    ) -> None:
        named = named or function
        self.name = f"{named.__module__}.{named.__qualname__}"
        self.call = ""
        self._function = function
        self._refusals = refusals
        self._bound: list[Bound] = []
        self._modules = 0

    def run(self, task: Task, clock: ClientClock, limits: Limits) -> Ending:
        """See `Client`."""

        def sleep(seconds: float) -> float | None:
            if limits.are_over(clock):
                return None
            clock.sleep(seconds)
            return seconds

        output, time = Output(), VirtualTime(sleep)
        replies: list[dict[str, Any]] = []

        def play() -> None:
            time.begin()
            replies.append(run(self._function, task, self._refusals))
            time.end()

        thread = Thread(target=play, daemon=True)
        with time.installed(self._bound_names()), _heard_by(output):
            thread.start()
            _JOIN(thread, limits.real_seconds)
            if thread.is_alive():
                _stop(thread)
        if not replies:
            return Ending("late", output=output.taken())
        return of_reply({**replies[0], "said": output.taken()}, Path(task.out))

    def close(self) -> None:
        """See `Client`."""

    def _bound_names(self) -> list[Bound]:
        """Looked for again only where modules have come."""
        if self._modules != len(sys.modules):
            self._modules = len(sys.modules)
            self._bound = bound_names()
        return self._bound


@contextlib.contextmanager
def _heard_by(output: Output) -> Iterator[None]:
    """Hear what is printed and logged, and let nobody go through a proxy to this machine."""
    handler = logging.StreamHandler(output)
    with (
        patch.dict("os.environ", without_proxies()),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


def _stop(thread: Thread) -> None:
    """Have a thread raise `Stopped` at its next line; one that waits in C for ever is left behind."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))
    _JOIN(thread, _STOPS_WITHIN)
