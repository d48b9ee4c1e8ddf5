"""A mock that is served from a thread of this process: for tests, up in hundredths of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from .app import create_app
from .server.hosting import HostError, gateway_for, reserved, serve
from .mock import Mock
from .rendering.resuming import resume

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_PATIENCE = 10.0


@contextmanager
def running(
    mock: Mock, host: str = "127.0.0.1", make_app: Callable[[Mock], WSGIApplication] = create_app
) -> Iterator[str]:
    """Serve a mock as `bluehour serve` does, on a free port, and give its base URL.

    Args:
        mock: stays open at the end; whoever made it closes it.
        host: the numeric address to listen on.
        make_app: makes what answers; the mock's own application where none is given.

    Raises:
        HostError: it can't be served.
    """
    with reserved(host, 0) as (address, port):
        mock.base_url = f"http://{f'[{address}]' if ':' in address else address}:{port}"
        mock.targets = mock.targets.served_at(address)
        mock.webhooks.resume()
        resume(mock)
        thread = _Serving(mock, make_app, address, port)
        thread.start()
        try:
            thread.wait_until_up()
            yield mock.base_url
        finally:
            thread.stop()


class _Serving(Thread):
    """The thread with granian's event loop."""

    def __init__(
        self, mock: Mock, make_app: Callable[[Mock], WSGIApplication], address: str, port: int
    ) -> None:
        super().__init__(name="bluehour-server", daemon=True)
        self._mock = mock
        self._make_app = make_app
        self._address = address
        self._port = port
        self._settled = Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Serve until `stop`."""
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
        gateway = gateway_for(self._mock, self._make_app(self._mock))
        try:
            await serve(gateway, self._address, self._port, stopped, self._settled.set)
        finally:
            gateway.close()
