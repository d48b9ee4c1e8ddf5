"""The server: one route per operation of the contract, and the journey that every request takes.

route -> operation -> account (401) -> parameters and body (400) -> behaviour -> answer, judged (500)
"""

from __future__ import annotations

import logging
import re
from functools import partial

import orjson
from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from openapi.model import JSON, Operation, is_json
from openapi.model import Response as Declared
from openapi.wording import sentence

from . import transfer
from .behaviours import Behaviour, behaviour_of, documented_example
from .exchange import Answer, Call, Refusal
from .mock import Mock
from .parameters import check_parameters
from .refusals import answer_to, code_of, server_response
from .requestlog import NOTE
from .requests import drain, read_body, token_of

log = logging.getLogger("bluehour")

_TEMPLATE = re.compile(r"\{([^{}]+)\}")


class _NoSessions(SessionInterface):
    """An API has no browser sessions; Flask need not look for one in every request."""

    _empty = NullSession()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self._empty

    def is_null_session(self, obj: object) -> bool:
        return True


class _App(Flask):
    """Flask without sessions, and without virtual hosts: no Host header is taken apart to find a route."""

    session_interface = _NoSessions()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Match a request by its path and method alone."""
        if request is None:
            return None
        return MapAdapter(self.url_map, "", "/", "", request.scheme, request.path, request.method)


def create_app(mock: Mock) -> Flask:
    """Return a WSGI application that keeps the mock's contract.

    Raises:
        LookupError: the contract names a behaviour that there is not.
    """
    app = _App(__name__, static_folder=None)
    app.url_map.merge_slashes = False
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
    app.register_error_handler(Exception, partial(_failed, mock))
    return app


def _route(app: Flask, mock: Mock, operation: Operation, prefix: str, behaviour: Behaviour) -> None:
    # A contract's parameter may have any name (`pet-id`), a route's only an identifier's.
    template = prefix + operation.path
    if "<" in template:
        raise LookupError(f"{operation.method} {template}: a path with < can't be served")
    names = {f"p{index}": name for index, name in enumerate(_TEMPLATE.findall(template))}
    placeholders = iter(names)
    rule = _TEMPLATE.sub(lambda _: f"<{next(placeholders)}>", template)

    def view(**values: str) -> Response:
        path = {names[key]: value for key, value in values.items()}
        return serve(mock, operation, behaviour, path, request_ctx.request)

    app.add_url_rule(
        rule,
        f"{operation.method} {template}",
        view,
        methods=[operation.method],
        strict_slashes=not template.endswith("/"),  # a contract's /pets/ may be called without its last slash
    )


def serve(
    mock: Mock, operation: Operation, behaviour: Behaviour, path: dict[str, str], request: Request
) -> Response:
    """Take one request on its journey, from its operation to an answer that the contract allows."""
    try:
        token = token_of(operation, request)
        account = None if token is None else mock.account(token)
        check_parameters(operation, request, path)
        body, raw_body = read_body(operation, request)
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
            )
        )
    except Refusal as refusal:
        drain(request)
        answer = answer_to(refusal, mock.contract, operation)
        declared = operation.response(answer.status) or server_response(answer.status, mock.contract)
    else:
        declared = operation.response(answer.status)
    return _judged(answer, declared, mock, request)


def _failed(mock: Mock, error: Exception) -> Response | HTTPException:
    """Answer for what no operation answers: no such path, a wrong method, a bug of ours."""
    request = request_ctx.request
    if isinstance(error, HTTPException):
        status = error.code or 500
        if status < 400:
            return error
        allow = {name: value for name, value in error.get_headers() if name == "Allow"}
        code = code_of(status, mock.contract)
        refusal = Refusal(code or "invalid_request", None if code else error.description, headers=allow)
    elif isinstance(error, Refusal):
        refusal = error
    else:
        log.error("%s %s failed, which is a bug of the mock", request.method, request.path, exc_info=error)
        refusal = Refusal("internal_server_error")
    drain(request)
    answer = answer_to(refusal, mock.contract)
    return _judged(answer, server_response(answer.status, mock.contract), mock, request)


def _judged(answer: Answer, declared: Declared | None, mock: Mock, request: Request) -> Response:
    """Encode an answer. One that the contract does not allow is a bug of ours, and is not sent."""
    fault = _fault_of(answer, declared)
    if fault is not None:
        log.error("%s %s: the answer breaks the contract, a bug: %s", request.method, request.path, fault)
        answer = answer_to(
            Refusal("internal_server_error", f"The mock's answer broke the contract: {fault}"), mock.contract
        )
    request.environ[NOTE] = answer.note
    response = Response(_encoded(answer), answer.status, answer.headers, content_type=answer.media_type)
    if answer.media_type is None:
        del response.headers["Content-Type"]
    return response


def _fault_of(answer: Answer, declared: Declared | None) -> str | None:
    """Return what is wrong with an answer, or None."""
    if declared is None:
        return f"the status {answer.status} is not declared"
    if answer.media_type is None:
        return "there is no body" if declared.content else None
    media = declared.media_type(answer.media_type)
    if media is None:
        return f"the media type {answer.media_type} is not declared for {answer.status}"
    if media.is_json and not media.schema.accepts(answer.body):
        return sentence(media.schema.faults(answer.body))
    missing = [
        header.name for header in declared.headers if header.required and header.name not in answer.headers
    ]
    return f"the header {missing[0]} is missing" if missing else None


def _encoded(answer: Answer) -> bytes:
    if answer.media_type is None:
        return b""
    if isinstance(answer.body, str | bytes) and not is_json(answer.media_type):
        return answer.body if isinstance(answer.body, bytes) else answer.body.encode()
    return orjson.dumps(answer.body)
