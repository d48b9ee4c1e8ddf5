"""A mock that is served from a thread of this process: for tests, up in hundredths of a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..app import Application, WsgiApplication
from ..mock import Mock
from .connection import Limits
from .listening import base_url_at, reserved
from .thread import served_in_thread

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def running(
    mock: Mock,
    host: str = "127.0.0.1",
    make_app: Callable[[Mock], WSGIApplication] | None = None,
    limits: Limits | None = None,
) -> Iterator[str]:
    """Serve a mock as `bluehour serve` does, on a free port, and give its base URL.

    Args:
        mock: stays open at the end; whoever made it closes it.
        host: the numeric address to listen on.
        make_app: makes what answers, if not the mock's own application.
        limits: how long clients are waited for.

    Raises:
        HostError: it can't be served.
    """
    with reserved(host, 0) as listener:
        mock.serve_at(listener.getsockname()[0], base_url_at(listener))
        mock.webhooks.resume()
        mock.world.resume()
        own = Application(mock)
        application = own if make_app is None else WsgiApplication(make_app(mock), own)
        with served_in_thread(application, listener, limits):
            yield mock.world.base_url
