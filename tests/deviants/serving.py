"""A deviant, or the right server, over real HTTP from a thread of this process, with its books open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from mock_server.app import create_app
from mock_server.hosting import HostError, gateway_for, reserved, serve
from mock_server.mock import Mock, Settings

from .deviant import Deviant

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_PATIENCE = 10.0
TIME_SCALE = 0.02
"""A face takes 60 ms and a photo 180 ms: long enough to be seen queued, rendering and complete."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is up."""

    url: str
    mock: Mock

    def booked(self) -> int:
        """Return the credits that all accounts were charged since the start, refunds not deducted."""
        store = self.mock.store
        amounts = [entry.amount for account in store.accounts() for entry in store.entries(account.id)]
        return -sum(amount for amount in amounts if amount < 0)


@contextmanager
def served(deviant: Deviant | None) -> Iterator[Served]:
    """Serve a deviant, or the right server where it is None, at a free port of 127.0.0.1."""
    with closing(Mock(settings=Settings(time_scale=TIME_SCALE))) as mock, reserved("127.0.0.1", 0) as place:
        address, port = place
        mock.base_url = f"http://{address}:{port}"
        thread = _Serving(mock, (deviant.wrap if deviant else create_app)(mock), address, port)
        thread.start()
        try:
            thread.wait_until_up()
            yield Served(mock.base_url, mock)
        finally:
            thread.stop()


class _Serving(Thread):
    """The thread with granian's event loop; as `mock_server.inprocess` has one, for any application."""

    def __init__(self, mock: Mock, app: WSGIApplication, address: str, port: int) -> None:
        super().__init__(name="deviant", daemon=True)
        self._gateway = gateway_for(mock, app)
        self._place = address, port
        self._settled = Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # told to the thread that waits
            self._failure = error
        finally:
            self._settled.set()

    def wait_until_up(self) -> None:
        """Return once a client can connect.

        Raises:
            HostError: it never will.
        """
        if not self._settled.wait(_PATIENCE):
            raise HostError(f"the server is not up after {_PATIENCE:g} s")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End it; what is still being answered is dropped."""
        self._stop()
        self.join(_PATIENCE)

    async def _serve(self) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: None if loop.is_closed() else loop.call_soon_threadsafe(stopped.set)
        with closing(self._gateway):
            await serve(self._gateway, *self._place, stopped, self._settled.set)
