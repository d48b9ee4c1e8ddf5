"""A mock that is served from a thread of this process: for tests, up in hundredths of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from threading import Event, Thread
from typing import TYPE_CHECKING

from ..api import application as api
from ..app import Application, WsgiApplication
from ..mock import Mock
from .listening import HostError, base_url_at, reserved, served

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_PATIENCE = 10.0


@contextmanager
def running(
    mock: Mock, host: str = "127.0.0.1", make_app: Callable[[Mock], WSGIApplication] | None = None
) -> Iterator[str]:
    """Serve a mock as `bluehour serve` does, on a free port, and give its base URL.

    Args:
        mock: stays open at the end; whoever made it closes it.
        host: the numeric address to listen on.
        make_app: makes what answers, if not the mock's own application.

    Raises:
        HostError: it can't be served.
    """
    with reserved(host, 0) as bound:
        mock.serve_at(bound.getsockname()[0], base_url_at(bound))
        mock.webhooks.resume()
        mock.world.resume()
        answering = Application(mock)
        serving = _Serving(
            answering if make_app is None else WsgiApplication(make_app(mock), answering), bound
        )
        serving.start()
        try:
            serving.wait_until_up()
            yield mock.world.base_url
        finally:
            serving.stop()


class _Serving(Thread):
    """The thread with the server's event loop."""

    def __init__(self, answering: api.Application, bound: socket) -> None:
        super().__init__(name="bluehour-server", daemon=True)
        self._answering = answering
        self._bound = bound
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
        async with served(self._answering, self._bound):
            self._settled.set()
            await stopped.wait()
