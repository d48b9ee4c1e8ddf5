"""What a store tells of the jobs that other processes render, `bluehour work`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Worker(NamedTuple):
    """A process that takes jobs.

    Attributes:
        id: the store's number of it, another one after each start.
        jobs: how many it works on.
        heard_ago: seconds since it was last heard of.
    """

    id: int
    jobs: int
    heard_ago: float


class Jobs(Protocol):
    """They are made with their projects, and forgotten by a reset. Calls may raise StoreUnavailable."""

    def count(self) -> int:
        """Return how many there are: those that wait, and those that are worked on."""

    def waiting(self) -> int:
        """Return how many wait for a worker."""

    def workers(self) -> Sequence[Worker]:
        """Return those who work, also those who were not heard of for long, until somebody clears them up."""
