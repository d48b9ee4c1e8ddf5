"""A server as a real deployment is: it knows its accounts, and makes none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from bluehour.contracts.check.inprocess import AppWire
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.accounts import refused_token
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.deviants.serving import TIME_SCALE
from tests.editors import EDITORS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@contextmanager
def knowing(
    *tokens: str, wrap: Callable[[Mock], WSGIApplication] = create_app, **settings: float | str
) -> Iterator[tuple[AppWire, Clock, Mock]]:
    """Yield what reaches the server, its clock, and the mock behind it.

    Args:
        tokens: of the accounts that it knows.
        wrap: makes the application.
        settings: of the mock.
    """
    clock = Clock()
    with closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE, **settings), clock=clock)) as mock:  # type: ignore[arg-type]  # each test's own
        app = wrap(mock)

        def known(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            if token and token not in tokens:
                environ["HTTP_AUTHORIZATION"] = f"{scheme} {refused_token()}"
            return app(environ, start_response)

        application: WSGIApplication = known
        yield AppWire(application), clock, mock
