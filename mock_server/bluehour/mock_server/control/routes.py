"""The control API's routes, and each call's journey.

access -> operation (404, 405) -> parameters and body (400) -> what the operation does -> answer, judged (500)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, redirect, request, send_file

from bluehour.openapi.messages import Request
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.reading import read
from bluehour.openapi.structure import METHODS

from ..api.answers import judged, reply_of
from ..api.call import Answer, Refusal
from ..api.journey import LARGEST_BODY
from ..api.refusals import answer_to, nowhere
from ..api.reply import Reply
from ..api.wsgi import body_of, request_of
from ..core.stores import StoreUnavailable
from ..core.world import World
from . import PREFIX
from .access import COOKIE, check_access
from .contract import control_contract, routes
from .exchange import ControlCall, ControlRefusal, Handler


class ControlApi:
    """Answers calls of the control API.

    Args:
        world: whose settings tell who may call.
        handlers: gives what carries out the operations, by their ids; asked when the first call comes.
        upstream: the base URL of the server that a proxy stands before; None for a mock.
    """

    def __init__(
        self, world: World, handlers: Callable[[], Mapping[str, Handler]], upstream: str | None
    ) -> None:
        self._world = world
        self._handlers = handlers
        self._upstream = upstream

    def add_routes(self, app: Flask) -> None:
        """Serve it, and put its access check before everything below its path."""
        # One rule for all operations: which they are is read when the first is called, not at the start.
        methods = [name.upper() for name in METHODS]
        app.add_url_rule(f"{PREFIX}/<path:_>", "control", self._view, methods=methods)
        app.add_url_rule(f"{PREFIX}/openapi.json", "control openapi", _openapi)
        app.before_request(self._guard)

    def _guard(self) -> Any:
        """Let a call pass, or answer it."""
        asked = request_of(request.environ)
        if not (asked.path == PREFIX or asked.path.startswith(f"{PREFIX}/")):
            return None
        if "token" in asked.arguments and asked.path == PREFIX:
            return _sign_in(asked.arguments["token"][-1])
        try:
            check_access(self._world.settings.control_token, asked)
        except ControlRefusal as refusal:
            return _response(_refusal(refusal))
        return None

    def _view(self, _: str) -> Response:
        asked = request_of(request.environ)
        match = routes().find(asked.method, asked.raw_path)
        if match is None:
            raise nowhere(routes().allowed(asked.raw_path), self._world.contract)
        content = body_of(request.environ).read(LARGEST_BODY + 1)
        asked.body = content
        return _response(self._answer(match.operation, match.values, asked))

    def _answer(self, operation: Operation, path: Mapping[str, str], asked: Request) -> Answer:
        try:
            answer = self._carried_out(operation, path, asked)
        except Refusal as refusal:
            answer = answer_to(refusal, self._world.contract)
        except ControlRefusal as refusal:
            answer = _refusal(refusal)
        return judged(answer, operation.response(answer.status), control_contract(), asked)

    def _carried_out(self, operation: Operation, path: Mapping[str, str], asked: Request) -> Answer:
        if self._upstream is not None and not operation.node.get("x-proxy"):
            raise ControlRefusal(
                404,
                "not_found",
                f"This is a proxy before {self._upstream}: it shows what passes, and changes nothing. "
                f"{operation.method} {operation.path} is for a mock (`bluehour serve`)",
            )
        if len(asked.body) > LARGEST_BODY:
            raise Refusal("payload_too_large")
        with suppress(StoreUnavailable):  # whoever needs the store tells of it; health does in its own words
            self._world.board.ensure_fresh()
        found = read(operation, asked, path)
        if message := found.message:
            raise Refusal("invalid_request", message)
        call = ControlCall(found.parameters, found.body or {}, asked.origin, self._upstream)
        handler = self._handlers().get(operation.id)
        if handler is None:
            raise ControlRefusal(404, "not_found", f"{operation.id}: this mock was made without that part")
        return handler(call)


def _refusal(refusal: ControlRefusal) -> Answer:
    return Answer(refusal.status, {"code": refusal.code, "message": refusal.message})


def _response(answer: Answer) -> Response:
    reply = reply_of(answer)
    if isinstance(reply.body, Path):
        return _file(reply, reply.body)
    response = Response(reply.body if isinstance(reply.body, bytes) else b"", reply.status)
    response.headers.clear()
    response.headers.extend(reply.headers)
    return response


def _file(reply: Reply, path: Path) -> Response:
    """Send a file, or the part of it that is asked for: without parts, browsers don't jump in a video."""
    headers = dict(reply.headers)
    response = send_file(path, headers.pop("Content-Type"), conditional=True)
    response.headers.extend(headers)
    return response


def _openapi() -> Response:
    return Response(orjson.dumps(control_contract().document), content_type=JSON)


def _sign_in(token: str) -> Any:
    """Keep the token that the console was opened with in a cookie, and out of the address bar."""
    answer = redirect(PREFIX)
    answer.set_cookie(COOKIE, token, path=PREFIX, httponly=True, samesite="Strict")
    return answer
