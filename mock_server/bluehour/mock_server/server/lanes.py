"""Lanes: threads for what may wait, apart by what it waits for, so that nothing waits for what is slower.

A picture takes seconds, a store may be locked, somebody else's server may be far; whoever looks at the state
of the mock waits for none of them. A lane has so many threads and so long a queue; what comes beyond is
refused at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from ..api.application import Lane

Result = TypeVar("Result")


class Size(NamedTuple):
    """How many requests are worked on in a lane, and how many may wait for a thread there."""

    threads: int
    waiting: int


SIZES: dict[Lane, Size] = {
    "api": Size(8, 1000),  # reads of a store on disk, and bodies that are large
    "writing": Size(8, 1000),  # of a store on disk: one writes at a time, and the rest wait
    "fetching": Size(32, 64),  # requests that have a picture fetched from somebody else's server
    "uploads": Size(32, 1000),  # a file is copied, and a picture is looked into; most wait for a large one
    "pictures": Size(8, 1000),  # downloads of pictures that have to be made first
    "downloads": Size(4, 1000),
    "control": Size(4, 1000),
    "waiting": Size(8, 100),  # calls of the control API that wait for what is under way
}


class LaneFull(Exception):
    """So many requests wait for a thread already that this one is not taken."""


class Lanes:
    """Works on requests in threads. To be used from one event loop alone."""

    def __init__(self) -> None:
        self._inside = dict.fromkeys(SIZES, 0)
        self._threads = {
            lane: ThreadPoolExecutor(size.threads, thread_name_prefix=f"bluehour-{lane}")
            for lane, size in SIZES.items()
        }

    def close(self) -> None:
        """Let go of the threads, once they have answered what they are at."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    async def work(self, lane: Lane, function: Callable[..., Result], *values: object) -> Result:
        """Call a function in one of a lane's threads, and return what it returns.

        Raises:
            LaneFull: too many wait there.
        """
        if self._inside[lane] >= sum(SIZES[lane]):
            raise LaneFull
        self._inside[lane] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads[lane], function, *values)
        finally:
            self._inside[lane] -= 1
