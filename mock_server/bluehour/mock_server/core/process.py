"""Which process this is: of several that answer for one mock, the one that did."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from typing import NamedTuple


class Process(NamedTuple):
    """A process: its number, and the name of the machine that it runs on."""

    pid: int
    host: str

    def __str__(self) -> str:
        """Return how it is told."""
        return f"{self.pid}@{self.host}"


def this_process() -> Process:
    """Return the process that asks; after a fork, the new one."""
    return _process(os.getpid())


@lru_cache(maxsize=1)
def _process(pid: int) -> Process:
    return Process(pid, socket.gethostname())
