"""The control API's routes, and each call's journey.

access -> operation (404, 405) -> parameters and body (400) -> what the operation does -> answer, judged (500)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

import orjson
from flask import Flask, Request, Response, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.upgrade import METHODS

from .. import console
from ..answering import encoded, judged
from ..exchange import Answer, Refusal
from ..mock import Mock
from ..parameters import check_parameters, parameter_values
from ..refusals import answer_to
from ..requests import drain, parse_body, read_body
from ..server.lanes import Lane
from ..trace import trace_of
from . import PREFIX
from .access import COOKIE, check_access
from .contract import control_contract
from .events import follow
from .exchange import ControlCall, ControlRefusal


def add_routes(app: Flask, mock: Mock) -> None:
    """Serve the control API, its events and the console."""

    def control(_: str) -> Response:
        return _control(mock, request)

    # One rule for all operations: which they are is read when the first is called, not at the start.
    app.add_url_rule(f"{PREFIX}/<path:_>", "control", control, methods=[name.upper() for name in METHODS])
    app.add_url_rule(f"{PREFIX}/events", "control events", lambda: _events(mock))
    app.add_url_rule(f"{PREFIX}/openapi.json", "control openapi", _openapi)
    console.add_routes(app)
    _guard(app, mock)


def _control(mock: Mock, request: Request) -> Response:
    operation_id, path = _url_map().bind("", script_name="").match(request.path, request.method)
    return _serve(mock, control_contract().operation(operation_id), path, request)


@cache
def _url_map() -> Map:
    return Map(
        [
            Rule(each.path.replace("{", "<").replace("}", ">"), methods=[each.method], endpoint=each.id)
            for each in control_contract().operations
        ],
        merge_slashes=False,  # or a//b would be sent on to a/b, at no host's name
    )


def lane_of(path: str, method: str) -> Lane:
    """Return the lane in which a call of the control API is worked on."""
    try:
        operation_id, _ = _url_map().bind("", script_name="").match(path, method)
    except HTTPException:  # the events and the console, or nothing at all
        return "control"
    lane: Lane = control_contract().operation(operation_id).node.get("x-lane", "control")
    return lane


def _serve(mock: Mock, operation: Operation, path: Mapping[str, str], request: Request) -> Response:
    from .operations import OPERATIONS

    try:
        _refuse_for_proxy(mock, operation)
        check_parameters(operation, request, path)
        body = parse_body(operation, request, read_body(operation, request))
        call = ControlCall(mock, parameter_values(operation, request, path), body or {}, request)
        answer = OPERATIONS[operation.id](call)
    except Refusal as refusal:
        drain(request)
        answer = answer_to(refusal, mock.contract)
    except ControlRefusal as refusal:
        answer = _answer_to(refusal)
    return judged(answer, operation.response(answer.status), control_contract(), request)


def _refuse_for_proxy(mock: Mock, operation: Operation) -> None:
    if mock.upstream is not None and not operation.node.get("x-proxy"):
        raise ControlRefusal(
            404,
            "not_found",
            f"This is a proxy before {mock.upstream}: it shows what passes, and changes nothing. "
            f"{operation.method} {operation.path} is for a mock (`bluehour serve`)",
        )


def _answer_to(refusal: ControlRefusal) -> Answer:
    return Answer(refusal.status, {"code": refusal.code, "message": refusal.message})


def _events(mock: Mock) -> Response:
    trace_of(request.environ).events = lambda: follow(mock)
    return Response(content_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _openapi() -> Response:
    return Response(orjson.dumps(control_contract().document), content_type=JSON)


def _guard(app: Flask, mock: Mock) -> None:
    """Put the access check before every view of ours."""
    ours = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith(PREFIX)}
    for endpoint in ours:
        app.view_functions[endpoint] = _guarded(mock, app.view_functions[endpoint])


def _guarded(mock: Mock, view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def guarded(**values: Any) -> Any:
        if "token" in request.args and request.path == PREFIX:
            return _sign_in()
        try:
            check_access(mock.settings.control_token, request)
        except ControlRefusal as refusal:
            drain(request)
            return encoded(_answer_to(refusal), request)
        return view(**values)

    return guarded


def _sign_in() -> Any:
    """Keep the token that the console was opened with in a cookie, and out of the address bar."""
    answer = redirect(PREFIX)
    answer.set_cookie(COOKIE, request.args["token"], path=PREFIX, httponly=True, samesite="Strict")
    return answer
