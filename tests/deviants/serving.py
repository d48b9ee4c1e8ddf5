"""A deviant, or the right server, over real HTTP from a thread of this process, with its books open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running

from ..editors import EDITORS
from .deviant import Deviant

TIME_SCALE = 0.02
"""A face takes 60 ms and a photo 180 ms: long enough to be seen queued, rendering and complete."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is up."""

    url: str
    mock: Mock

    def requests(self) -> int:
        """Return how many requests have been answered since the start."""
        return self.mock.journal.recorded if self.mock.journal else 0

    def booked(self) -> int:
        """Return the credits that all accounts were charged since the start, refunds not deducted."""
        store = self.mock.world.store
        amounts = [entry.amount for account in store.accounts() for entry in store.ledger(account.id).entries]
        return -sum(amount for amount in amounts if amount < 0)


@contextmanager
def served(deviant: Deviant | None) -> Iterator[Served]:
    """Serve a deviant, or the right server where it is None, at a free port of 127.0.0.1."""
    make_app = deviant.wrap if deviant else create_app
    with (
        closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE))) as mock,
        running(mock, make_app=make_app) as url,
    ):
        yield Served(url, mock)
