"""The server: one route per operation of the contract, and the journey that every request takes.

route -> operation -> account (401) -> is a scenario asked for? -> parameters and body (400) -> behaviour
-> answer, judged (500) -> journal
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import orjson
from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from bluehour.openapi.model import JSON, Operation

from . import control, reference_page

from .api import transfer
from .api.answering import encoded, judged
from .api.behaviours import Behaviour, behaviour_of, documented_example
from .api.call import Answer, Call, Refusal
from .journal.recorder import Recorder
from .mock import Mock
from .parameters import check_parameters
from .api.refusals import answer_to, code_of, server_response, unavailable
from .server.requestlog import call_in_words
from .requests import drain, parse_body, read_body, token_of
from .api.effects import Effect
from .scenarios.step import effect_on
from .api.trace import trace_of
from .server.wsgi import from_wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("bluehour")

_TEMPLATE = re.compile(r"\{([^{}]+)\}")

_LONGEST_TOGETHER = 100
"""Characters of a path parameter that shares its segment with others, as in `/{x}-{y}`."""

_BUILDING = Lock()
"""Held while routes are made: werkzeug parses code for each, and two threads of CPython 3.11 that parse at
the same time may both fail (`SystemError: AST constructor recursion depth mismatch`, CPython issue 106905).
"""


class _NoSessions(SessionInterface):
    """An API has no browser sessions; Flask need not look for one in every request."""

    _empty = NullSession()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self._empty

    def is_null_session(self, obj: object) -> bool:
        return True


class _Request(Request):
    """A request whose query may be any bytes: werkzeug fails at those that are no UTF-8."""

    def __init__(
        self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False
    ) -> None:
        super().__init__(environ, populate_request, shallow)
        if not self.query_string.isascii():
            self.query_string = from_wsgi(environ["QUERY_STRING"]).encode()


class _Refused(HTTPException):
    """A refusal in place of a route; Flask keeps it for its error handler."""

    code = 400  # Flask's handler sees none without a code

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


class _App(Flask):
    """Flask without what this application has no use for, a fifth of a short request's time: sessions,
    virtual hosts (no Host header is taken apart to find a route), hooks and signals around a view.
    """

    request_class = _Request
    session_interface = _NoSessions()

    def full_dispatch_request(self) -> Response:
        """Answer by a view, or by the error handler."""
        try:
            answer = self.dispatch_request()
        except Exception as error:
            answer = self.handle_user_exception(error)
        return answer if isinstance(answer, Response) else self.make_response(answer)

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Do nothing: nobody registers for it."""

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        """Do nothing: nobody registers for it."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Match a request by its path and method alone; one that is refused beforehand matches nothing."""
        if request is None:
            return None
        refused = trace_of(request.environ).refused
        if refused is not None:
            raise _Refused(refused)
        return MapAdapter(self.url_map, "", "/", "", request.scheme, request.path, request.method)


def create_app(mock: Mock) -> Flask:
    """Return a WSGI application that keeps the mock's contract. It may be called from many threads.

    Raises:
        LookupError: the contract names a behaviour that there is not.
    """
    with _BUILDING:
        return _built(mock)


def create_console(mock: Mock) -> Flask:
    """Return a WSGI application that has the control API and the console, and no mocked API beside it."""
    with _BUILDING:
        app = _empty(mock)
        control.add_routes(app, mock)
        return app


def _empty(mock: Mock) -> Flask:
    app = _App(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.register_error_handler(Exception, partial(_failed, mock))
    return app


def _built(mock: Mock) -> Flask:
    app = _empty(mock)
    examples_prefix = mock.contract.extension("x-examples-prefix")
    for operation in mock.contract.operations:
        for prefix in ("", *mock.contract.base_paths):
            _route(app, mock, operation, prefix, behaviour_of(operation))
        if examples_prefix:
            _route(app, mock, operation, examples_prefix, documented_example)
    if any(operation.behaviour for operation in mock.contract.operations):
        transfer.add_routes(app, mock)
    document = orjson.dumps(mock.contract.document)
    app.add_url_rule("/openapi.json", "openapi", lambda: Response(document, content_type=JSON))
    reference_page.add_routes(app, mock.contract)
    control.add_routes(app, mock)
    app.wsgi_app = Recorder(app.wsgi_app, mock)  # type: ignore[method-assign]  # Flask's own way to add middleware
    return app


def _route(app: Flask, mock: Mock, operation: Operation, prefix: str, behaviour: Behaviour) -> None:
    # A contract's parameter may have any name (`pet-id`), a route's only an identifier's.
    template = prefix + operation.path
    if "<" in template:
        raise LookupError(f"{operation.method} {template}: a path with < can't be served")
    names = {f"p{index}": name for index, name in enumerate(_TEMPLATE.findall(template))}
    placeholders = iter(names)
    rule = "/".join(_rule_of(segment, placeholders) for segment in template.split("/"))

    def view(**values: str) -> Response:
        path = {names[key]: value for key, value in values.items()}
        with mock.gate:
            return serve(mock, operation, behaviour, path, request_ctx.request)

    app.add_url_rule(
        rule,
        f"{operation.method} {template}",
        view,
        methods=[operation.method],
        strict_slashes=not template.endswith("/"),  # a contract's /pets/ may be called without its last slash
    )


def _rule_of(segment: str, placeholders: Iterator[str]) -> str:
    """A path's segment as werkzeug writes it. Of several parameters in it, all lengths are tried."""
    kind = f"string(maxlength={_LONGEST_TOGETHER}):" if segment.count("{") > 1 else ""
    return _TEMPLATE.sub(lambda _: f"<{kind}{next(placeholders)}>", segment)


def serve(
    mock: Mock, operation: Operation, behaviour: Behaviour, path: dict[str, str], request: Request
) -> Response:
    """Take one request on its journey, from its operation to an answer that the contract allows."""
    trace = trace_of(request.environ)
    trace.operation, trace.path_values = operation, path
    effect: Effect | None = None
    forced: Answer | None = None
    try:
        trace.token = token = token_of(operation, request)
        if token is not None:
            mock.secrets.learn(token)
        trace.account = account = None if token is None else mock.account(token)
        trace.body = raw_body = read_body(operation, request)
        effect = effect_on(mock, request, operation.id, token, raw_body)
        forced = effect.answer_instead(mock.contract, operation) if effect else None
        if effect and forced and not effect.carry_out:
            drain(request)
            return effect.spoiled(encoded(forced, request))
        check_parameters(operation, request, path)
        body = parse_body(operation, request, raw_body)
        answer = behaviour(
            Call(
                mock=mock,
                operation=operation,
                account=account,
                path=path,
                body=body,
                raw_body=raw_body,
                request=request,
                now=mock.clock.now(),
                job=effect.job if effect else None,
            )
        )
    except Refusal as refusal:
        drain(request)
        answer = answer_to(refusal, mock.contract, operation)
        declared = operation.response(answer.status) or server_response(answer.status, mock.contract)
    else:
        declared = operation.response(answer.status)
    if forced:  # and carried out all the same: what happened is the operation's, what is said is not
        response = encoded(replace(forced, note=answer.note), request)
    else:
        response = judged(answer, declared, mock.contract, request)
    return effect.spoiled(response) if effect else response


def _failed(mock: Mock, error: Exception) -> Response | HTTPException:
    """Answer for what no operation answers: no such path, a wrong method, a bug of ours."""
    request = request_ctx.request
    mock.secrets.learn_from(request.headers.items())
    if isinstance(error, _Refused):
        refusal = error.refusal
    elif isinstance(error, HTTPException):
        status = error.code or 500
        if status < 400:
            return error
        allow = {name: value for name, value in error.get_headers() if name == "Allow"}
        code = code_of(status, mock.contract)
        refusal = Refusal(code or "invalid_request", None if code else error.description, headers=allow)
    elif isinstance(error, Refusal):
        refusal = error
    elif (lack := unavailable(error)) is not None:
        refusal = lack
    else:
        what = call_in_words(request.method, request.path)
        log.error("%s failed, which is a bug of the mock", what, exc_info=error)
        refusal = Refusal("internal_server_error")
    drain(request)
    answer = answer_to(refusal, mock.contract)
    return judged(answer, server_response(answer.status, mock.contract), mock.contract, request)
