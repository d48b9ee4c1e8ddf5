"""What answers requests: the journey, where the contract or a link leads, and Flask for all pages beside it.

A server of ours asks the `Application`; any WSGI server, and Flask's test client, the same by `create_app`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache, partial
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast, runtime_checkable

from bluehour.openapi.messages import Request

from .api.answers import refused, reply_of
from .api.application import Lane, Refused
from .api.call import Refusal
from .api.feature import Feature
from .api.journey import LARGEST_BODY, Journey
from .api.refusals import code_of, envelope
from .api.reply import Reply
from .api.trace import Trace
from .api.wsgi import answered, body_of, drain, request_of, send
from .console.feature import ConsoleFeature
from .control import PREFIX
from .control.contract import lane_of_call
from .control.feature import ControlFeature
from .core.assets.links import is_link
from .core.settings import MEMORY
from .mock import Mock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask, Response
    from werkzeug.exceptions import HTTPException

_BUILDING = Lock()
"""Held while routes are made: werkzeug parses code for each, and two threads of CPython 3.11 that parse at
the same time may both fail (`SystemError: AST constructor recursion depth mismatch`, CPython issue 106905).
"""

Log = Callable[[Request, Trace, Reply, float], None]


@runtime_checkable
class _HasPages(Protocol):
    """A feature with something to see in a browser, or an API of its own.

    Attributes:
        pages: how the paths of all of it begin.
    """

    pages: tuple[str, ...]

    def add_pages(self, app: Flask) -> None:
        """Add it."""


def create_app(mock: Mock) -> Flask:
    """Return a Flask application that keeps the mock's contract; to be mounted, extended, called in tests.

    Raises:
        LookupError: the contract names a behaviour that there is not.
    """
    return Application(mock).flask


def _failed(mock: Mock, error: Exception) -> Response | HTTPException:
    """Answer for a page that fails, in the contract's envelope."""
    from flask import Response, request
    from werkzeug.exceptions import HTTPException

    contract = mock.world.contract
    if isinstance(error, HTTPException):
        status = error.code or 500
        if status < 400:
            return error
        code = code_of(status, contract)
        allow = {name: value for name, value in error.get_headers() if name == "Allow"}
        error = Refusal(code or "invalid_request", None if code else error.description, headers=allow)
    reply = reply_of(refused(request_of(request.environ), error, contract))
    return Response(cast(bytes, reply.body), reply.status, reply.headers)


def create_console(mock: Mock) -> Flask:
    """Return a Flask application that has the control API and the console, and no mocked API beside it."""
    return _pages(mock, [mock.feature(ConsoleFeature), mock.feature(ControlFeature)])


def _pages(mock: Mock, features: Iterable[Feature]) -> Flask:
    from flask import Flask  # here, and with all pages: most of a start's time would go there

    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # or a//b would be sent on to a/b, at no host's name
    app.register_error_handler(Exception, partial(_failed, mock))
    with _BUILDING:
        for feature in features:
            if isinstance(feature, _HasPages):
                feature.add_pages(app)
    return app


class Application:
    """A mock's application.

    Args:
        mock: what answers.
        log: is told of every request, with its milliseconds.

    Raises:
        LookupError: the contract names a behaviour that there is not.
    """

    def __init__(self, mock: Mock, log: Log | None = None) -> None:
        self._mock = mock
        self._world = mock.world
        self._log = log
        self._journey = Journey(mock.world, lambda: mock.targets, mock.secrets, mock.features)
        self._records = [each.record for each in mock.features if type(each).record is not Feature.record]
        self._prefixes = tuple(
            prefix for each in mock.features if isinstance(each, _HasPages) for prefix in each.pages
        )
        self._has_page = lru_cache(maxsize=1024)(self._is_page)

    @cached_property
    def flask(self) -> Flask:
        """The same as a Flask application."""
        app = _pages(self._mock, self._mock.features)
        self._pages = app.wsgi_app
        app.wsgi_app = self._wsgi  # type: ignore[method-assign]  # Flask's own way to add middleware
        return app

    # For a server of ours.

    def answer(
        self,
        request: Request,
        body: BinaryIO | None = None,
        refused: Refused | OSError | None = None,
    ) -> Reply:
        """Answer a request, whatever comes; from any thread.

        Args:
            request: what came; its body, where that is small.
            body: the body of any other.
            refused: why it is not to be worked on.
        """
        began, trace = time.perf_counter(), Trace()
        match = self._journey.match(request)
        if refused is not None:
            reply = self._journey.refused(request, _as_refusal(refused), trace)
        elif match is None and (page := self._page(request, body)) is not None:
            self._tell(request, trace, page, began)
            return page
        else:
            reply = self._journey.take(request, match, body, trace)
        self._record(request, trace, reply, began)
        return reply

    def lane_of(self, method: str, path: str, body: bytes | None) -> Lane | None:
        """Tell which threads answer a request; None for those that touch nothing but memory.

        Args:
            method: as it came.
            path: percent signs undone.
            body: None where it is large.
        """
        if path.startswith(PREFIX):
            return cast(Lane, lane_of_call(path, method))
        if path.startswith(self._prefixes):
            return "control"
        if is_link(path):
            if method == "PUT":
                return "uploads"
            return "downloads" if self._world.files.has_output(path) else "pictures"
        if self._world.settings.fetch_assets and _may_name_url(body):
            return "fetching"
        if self._world.settings.store != MEMORY:
            return "api" if method in ("GET", "HEAD") else "writing"
        return None if body is not None else "api"

    def largest_body(self, path: str) -> int:
        """The largest upload of any plan where a link leads there, else the largest body of an operation."""
        plans = self._world.plans.values() if is_link(path) else ()
        largest = max([LARGEST_BODY, *(plan["upload-bytes"] for plan in plans)])
        return min(largest, max(LARGEST_BODY, self._world.files.room))

    def _page(self, request: Request, body: BinaryIO | None) -> Reply | None:
        """Answer where it is neither the contract's nor a link's; None where there is nothing to see."""
        if self._is_elsewhere(request):
            return answered(self._pages, request, body)
        return _at_the_door(request)

    # For any other.

    def _wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = request_of(environ)
        match = self._journey.match(request)
        if match is None and self._is_elsewhere(request):
            return self._pages(environ, start_response)
        if match is None and (reply := _at_the_door(request)) is not None:
            return send(reply, environ, start_response)
        began, trace, body = time.perf_counter(), Trace(), body_of(environ)
        reply = self._journey.take(request, match, body, trace)
        drain(body)
        self._record(request, trace, reply, began)
        return send(reply, environ, start_response)

    # For both.

    def _is_elsewhere(self, request: Request) -> bool:
        """Tell whether Flask has a page where the contract has no operation; its paths come first."""
        return not self._journey.leads(request) and self._has_page(request.path)

    def _is_page(self, path: str) -> bool:
        if "flask" not in vars(self) and not path.startswith(self._prefixes):
            return False  # to ask Flask would be to load it, and nobody can have added a page of his own
        return bool(self.flask.url_map.bind("localhost").allowed_methods(path))

    def _record(self, request: Request, trace: Trace, reply: Reply, began: float) -> None:
        ms = (time.perf_counter() - began) * 1000
        for record in self._records:
            record(request, trace, reply, ms)
        self._tell(request, trace, reply, began)

    def _tell(self, request: Request, trace: Trace, reply: Reply, began: float) -> None:
        if self._log is not None:
            self._log(request, trace, reply, (time.perf_counter() - began) * 1000)


class WsgiApplication:
    """Somebody's WSGI application in front of a mock's, as a server of ours asks it.

    Args:
        app: what answers.
        mocked: the mock's application, which knows how long a request may take.
    """

    def __init__(self, app: WSGIApplication, mocked: Application) -> None:
        self._app = app
        self.lane_of = mocked.lane_of
        self.largest_body = mocked.largest_body
        self._refuse = mocked.answer

    def answer(
        self, request: Request, body: BinaryIO | None = None, refused: Refused | OSError | None = None
    ) -> Reply:
        """Answer a request, from any thread."""
        if refused is not None:
            return self._refuse(request, body, refused)
        return answered(self._app, request, body)


class Pages:
    """A mock's console and control API, and nothing beside them, as a server of ours asks them."""

    def __init__(self, mock: Mock) -> None:
        self._flask = create_console(mock)

    def lane_of(self, method: str, path: str, body: bytes | None) -> Lane | None:
        """Nothing in here is quick."""
        return "control"

    def largest_body(self, path: str) -> int:
        """The largest body of an operation."""
        return LARGEST_BODY

    def answer(
        self, request: Request, body: BinaryIO | None = None, refused: Refused | OSError | None = None
    ) -> Reply:
        """Answer a request, from any thread."""
        if isinstance(refused, OSError):
            return envelope("service_unavailable")
        if refused is not None:
            return envelope(refused.code, refused.message)
        return answered(self._flask, request, body)


def _as_refusal(refused: Refused | OSError) -> Exception:
    if isinstance(refused, OSError):
        return refused
    return Refusal(refused.code, refused.message, refused.headers)


def _at_the_door(request: Request) -> Reply | None:
    """Show a person the console who opens, in a browser, the address that the mock was said to be at."""
    is_reader = request.method in ("GET", "HEAD") and "text/html" in (request.headers.get("Accept") or "")
    if request.path != "/" or not is_reader:
        return None
    return Reply(302, [("Location", PREFIX.removeprefix("/"))])  # beside it, wherever this is mounted


def _may_name_url(body: bytes | None) -> bool:
    """Tell whether a JSON body may have a URL in it: as it is, or with its characters escaped."""
    return body is None or b"http" in body.lower() or b"\\" in body
