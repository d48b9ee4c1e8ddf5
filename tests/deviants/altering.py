"""A toolkit to make deviants of: WSGI middleware that changes a request on its way in or an answer on its
way out, by the operation that was called.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import orjson

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load

from .deviant import Wrap
from .names import DOWNLOAD, ELSEWHERE, UPLOAD

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers: TypeAlias = tuple[tuple[str, str], ...]

_OF_THE_MOCK = ("/_mock", "/docs", "/openapi.json", "/favicon.ico")
"""What is no part of the API, and never altered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way in."""

    environ: WSGIEnvironment
    body: bytes

    @property
    def method(self) -> str:
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path, unquoted."""
        return str(self.environ["PATH_INFO"]).encode("latin-1").decode(errors="replace")

    @property
    def of(self) -> str:
        """What was called: an operation's id, `UPLOAD`, `DOWNLOAD` or `ELSEWHERE`."""
        return _called(self.method, self.path)

    @property
    def project_id(self) -> str:
        """The path's third segment: the id of whoever is about one project."""
        return self.path.split("/", 3)[-1] if self.path.startswith("/v1/") else self.path.split("/")[2]

    @property
    def authorization(self) -> str:
        return self.header("Authorization")

    @property
    def json(self) -> Any:
        """The body as data, as the mock reads it; None where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def header(self, name: str) -> str:
        """Return a header's value, empty where there is none."""
        return str(self.environ.get(_key(name), ""))

    def with_header(self, name: str, value: str | None) -> Asked:
        """Return it with another value for a header, or without it."""
        environ = {key: held for key, held in self.environ.items() if key != _key(name)}
        return replace(self, environ=environ if value is None else {**environ, _key(name): value})

    def with_body(self, body: bytes) -> Asked:
        """Return it with another body."""
        return replace(self.with_header("Content-Length", str(len(body))), body=body)

    def with_json(self, data: Any) -> Asked:
        """Return it with other data in its body."""
        return self.with_body(json.dumps(data).encode())

    def to(self, method: str, target: str) -> Asked:
        """Return it as a request for something else."""
        path, _, query = target.partition("?")
        changes = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
        return replace(self, environ={**self.environ, **changes})


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer on its way out."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        """The body as data.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)

    def with_status(self, status: int) -> Answered:
        """Return it with another status."""
        return replace(self, status=status)

    def with_header(self, name: str, value: str | None) -> Answered:
        """Return it with another value for a header, or without it."""
        others = tuple((key, held) for key, held in self.headers if key.lower() != name.lower())
        return replace(self, headers=others if value is None else (*others, (name, value)))

    def with_body(self, body: bytes) -> Answered:
        """Return it with another body, of the same media type."""
        return replace(self.with_header("Content-Length", str(len(body))), body=body)

    def with_json(self, data: Any) -> Answered:
        """Return it with other data in its body."""
        return self.with_body(json.dumps(data, ensure_ascii=False).encode())


Forward: TypeAlias = Callable[[Asked], Answered]
"""Asks the right application."""

Handler: TypeAlias = Callable[[Asked, Forward], Answered]
"""Answers a request, by and large as the right application does."""

Where: TypeAlias = str | tuple[str, ...]
"""What is deviated in: one or several names of the module `names`."""


def around(make: Callable[[Mock], Handler]) -> Wrap:
    """Put a handler around the right application; it is made anew for each server, and may remember."""
    return lambda mock: _Middleware(create_app(mock), make(mock))


def handling(where: Where, handler: Handler) -> Wrap:
    """Put a handler around some operations."""
    return around(lambda _: only(where, handler))


def only(where: Where, handler: Handler) -> Handler:
    """Leave all that is not there to the right application."""
    places = (where,) if isinstance(where, str) else where
    return lambda asked, forward: handler(asked, forward) if asked.of in places else forward(asked)


def before(where: Where, change: Callable[[Asked], Asked]) -> Wrap:
    """Change requests."""
    return handling(where, lambda asked, forward: forward(change(asked)))


def after(where: Where, status: int, change: Callable[[Answered], Answered]) -> Wrap:
    """Change answers of one status."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        return change(answered) if answered.status == status else answered

    return handling(where, handler)


def after_json(where: Where, status: int, change: Callable[[Any], Any]) -> Wrap:
    """Change the data in answers of one status."""
    return after(where, status, lambda answered: answered.with_json(change(answered.json)))


def answering(where: Where, when: Callable[[Asked], bool], answer: Answered) -> Wrap:
    """Answer some requests of whoever is known in another way; nothing is done or charged for them."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        if not when(asked):
            return forward(asked)
        # An empty object is refused for itself, so what comes back tells only whether the caller is known.
        refused = forward(asked.with_body(b"{}") if asked.method == "POST" else asked)
        return refused if refused.status == 401 else answer

    return handling(where, handler)


def error(status: int, code: str, message: str) -> Answered:
    """Return an answer in the contract's envelope."""
    return json_answer(status, {"code": code, "message": message})


def json_answer(status: int, data: Any) -> Answered:
    """Return an answer with data."""
    return Answered(status, (("Content-Type", "application/json"),), b"").with_json(data)


BROKEN = error(500, "internal_server_error", "Internal Server Error")
"""What a server says that has failed."""


def changed(**fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what sets an answer's fields: to a value, or to what a function makes of the answer."""

    def change(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, **{name: value(data) if callable(value) else value for name, value in fields.items()}}

    return change


def lacking(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what takes a field away."""
    return lambda data: {key: value for key, value in data.items() if key != name}


class _Middleware:
    """A WSGI application that lets a handler answer."""

    def __init__(self, app: WSGIApplication, handler: Handler) -> None:
        self._app = app
        self._handler = handler

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(_OF_THE_MOCK):
            return self._app(environ, start_response)
        answered = self._handler(Asked(environ, environ["wsgi.input"].read()), self._forward)
        start_response(_status_line(answered.status), list(answered.headers))
        return [answered.body]

    def _forward(self, asked: Asked) -> Answered:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [int(status[:3]), tuple(headers)]

        # The copy shares what the gateway has noted of the request, and will look at again.
        chunks = self._app({**asked.environ, "wsgi.input": io.BytesIO(asked.body)}, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return Answered(started[0], started[1], body)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _key(header: str) -> str:
    key = header.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _called(method: str, path: str) -> str:
    if method == "PUT" and path.startswith("/api-assets/"):
        return UPLOAD
    if method == "GET" and path.startswith("/outputs/"):
        return DOWNLOAD
    return next((name for name, verb, form in _forms() if verb == method and form.fullmatch(path)), ELSEWHERE)


@cache
def _forms() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    return tuple((each.id, each.method, _form(each.path)) for each in load().operations)


def _form(template: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{[^{}]+\}", template))), re.DOTALL)


def quoted(text: str) -> str:
    """Return a text as it stands in a path."""
    return quote(text, safe="")
