"""Deviants with paths or methods that there are not, or that say so wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load

from .altering import (
    BROKEN,
    Answered,
    Asked,
    Forward,
    Handler,
    after,
    after_json,
    answering,
    around,
    before,
    changed,
    error,
    handling,
    json_answer,
    lacking,
)
from .client import Client
from .deviant import Deviant, Witness
from .fields import legal
from .names import ELSEWHERE, FACE, GET_PROJECT, PHOTO, UPLOAD_URLS
from .witnesses import plain, posting, seen, sending

_deviant = partial(Deviant, group="methods")

_WRONG = "x-server-responses 405: a method that the path has not"
_ALLOW = f"{_WRONG}; Allow has those that it has"
_NOWHERE = "x-server-responses 404: no such path"
_STANDARD = "HTTP: a method is never answered with 500"

_FACE = load().operation(FACE).path
_PHOTO = load().operation(PHOTO).path
_UPLOAD_URLS = load().operation(UPLOAD_URLS).path
_EXAMPLE = load().operation(GET_PROJECT).path.format(id="cuid-example")
_PROJECTS = "/v1/image-projects"


def _elsewhere(
    name: str, breaks: str, rule: str, status: int, change: Callable[[Answered], Answered], witness: Witness
) -> Deviant:
    """Change what comes where there is no operation."""
    return _deviant(name, breaks, rule, None, after(ELSEWHERE, status, change), witness)


def _answering(
    name: str, breaks: str, rule: str, when: Callable[[Asked], bool], answer: Answered, witness: Witness
) -> Deviant:
    """Answer where there is no operation."""
    wrap = handling(ELSEWHERE, lambda asked, forward: answer if when(asked) else forward(asked))
    return _deviant(name, breaks, rule, None, wrap, witness)


def _rerouted(
    name: str,
    breaks: str,
    rule: str,
    operation: str | None,
    change: Callable[[Asked], Asked],
    witness: Witness,
) -> Deviant:
    """Take what is no operation for one that is."""
    return _deviant(name, breaks, rule, operation, before(ELSEWHERE, change), witness)


def _is(method: str, path: str) -> Callable[[Asked], bool]:
    return lambda asked: (asked.method, asked.path) == (method, path)


def _is_method(*methods: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.method in methods


def _allowing(*methods: str) -> Callable[[Answered], Answered]:
    """Say that there are other methods, of those paths where a POST is."""

    def change(answered: Answered) -> Answered:
        allow = {name.lower(): value for name, value in answered.headers}.get("allow", "")
        return answered.with_header("Allow", ", ".join(methods)) if "POST" in allow else answered

    return change


def _put_as_post(asked: Asked) -> Asked:
    return asked.to("POST", asked.path) if _is("PUT", _FACE)(asked) else asked


def _without_last_slash(asked: Asked) -> Asked:
    return (
        asked.to(asked.method, asked.path.rstrip("/")) if asked.path in (f"{_FACE}/", f"{_PHOTO}/") else asked
    )


def _in_lower_case(asked: Asked) -> Asked:
    lower = asked.path.lower()
    return asked.to(asked.method, lower) if lower in (_FACE, _PHOTO, _UPLOAD_URLS) else asked


def _overridden(asked: Asked) -> Asked:
    """Obey a header that names another method."""
    method = asked.header("X-HTTP-Method-Override")
    return asked.to(method, asked.path).with_body(b"") if method and asked.method == "POST" else asked


def _listing(mock: Mock) -> Handler:
    """List all projects of an account where there is no such operation."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        token = asked.authorization.partition(" ")[2]
        account = mock.world.open_account(token) if token and _is("GET", _PROJECTS)(asked) else None
        if account is None:
            return forward(asked)
        return json_answer(
            200, {"items": [each.id for each in mock.world.store.projects(account_id=account.id)]}
        )

    return handler


def _echoing(asked: Asked, forward: Forward) -> Answered:
    if asked.method != "TRACE":
        return forward(asked)
    echo = f"TRACE {asked.path} HTTP/1.1\r\nAuthorization: {asked.authorization}\r\n"
    return Answered(200, (("Content-Type", "message/http"),), b"").with_body(echo.encode())


def _methods(*pairs: tuple[str, str]) -> Witness:
    """Send methods to paths, and see the answers with their Allow."""

    def witness(client: Client) -> object:
        answers = [client.send(method, path) for method, path in pairs]
        return [(seen(answer), _sorted(answer.headers.get("Allow"))) for answer in answers]

    return witness


def _sorted(allow: str | None) -> Any:
    return allow and sorted(allow.split(", "))


def _posting_to(path: str) -> Witness:
    return lambda client: seen(client.send("POST", path, _body()))


def _body() -> bytes:
    return json.dumps(legal(FACE)).encode()


def _redirected(client: Client) -> object:
    answer = client.send("POST", f"{_FACE}/", _body())
    return seen(answer), plain(answer.headers.get("Location"))


def _override(client: Client) -> object:
    project_id = client.create(FACE, legal(FACE))
    sent = client.send("POST", f"{_PROJECTS}/{project_id}", b"{}", {"X-HTTP-Method-Override": "DELETE"})
    return seen(sent), client.project(project_id).json["enabled"]


_WRONG_METHODS = _methods(("GET", _FACE), ("DELETE", _PHOTO), ("PUT", _EXAMPLE), ("PATCH", _UPLOAD_URLS))
_PAGE = Answered(200, (("Content-Type", "text/html"),), b"").with_body(b"<!DOCTYPE html><html></html>")
_MOVED = Answered(308, (("Location", _FACE), ("Content-Length", "0")), b"")

_ON_405 = (
    _elsewhere(
        "405-is-404",
        "A method that a path has not is answered with 404.",
        _WRONG,
        405,
        lambda _: error(404, "not_found", "Not Found"),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-is-400",
        "A method that a path has not is answered with 400.",
        _WRONG,
        405,
        lambda _: error(400, "invalid_request", "Invalid method"),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-is-501",
        "A method that a path has not is answered with 501.",
        _WRONG,
        405,
        lambda answered: answered.with_status(501),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-lacks-allow",
        "A 405 does not say which methods there are.",
        _ALLOW,
        405,
        lambda answered: answered.with_header("Allow", None),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-allows-too-much",
        "The Allow of a create has GET, which the path has not.",
        _ALLOW,
        405,
        _allowing("GET", "HEAD", "OPTIONS", "POST"),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-allows-too-little",
        "The Allow of a create lacks POST.",
        _ALLOW,
        405,
        _allowing("OPTIONS"),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-is-empty",
        "A 405 has no body.",
        _WRONG,
        405,
        lambda answered: answered.with_body(b""),
        _WRONG_METHODS,
    ),
    _elsewhere(
        "405-is-a-page",
        "A 405 is a page of HTML.",
        _WRONG,
        405,
        lambda answered: answered.with_body(b"<h1>Method Not Allowed</h1>").with_header(
            "Content-Type", "text/html"
        ),
        _WRONG_METHODS,
    ),
    _deviant(
        "405-lacks-its-code",
        "A 405 has a message alone.",
        _WRONG,
        None,
        after_json(ELSEWHERE, 405, lacking("code")),
        _WRONG_METHODS,
    ),
    _deviant(
        "405-code-differs",
        "The code of a 405 is that of a 404.",
        _WRONG,
        None,
        after_json(ELSEWHERE, 405, changed(code="not_found")),
        _WRONG_METHODS,
    ),
)

_ON_METHODS = (
    _answering(
        "get-of-a-create-is-200",
        "GET of a create's path answers 200.",
        _WRONG,
        _is("GET", _FACE),
        json_answer(200, {"items": []}),
        _methods(("GET", _FACE)),
    ),
    _answering(
        "head-of-a-create-is-200",
        "HEAD of a create's path answers 200.",
        _WRONG,
        _is("HEAD", _PHOTO),
        Answered(200, (("Content-Type", "application/json"),), b""),
        _methods(("HEAD", _PHOTO)),
    ),
    _answering(
        "delete-of-a-create-is-204",
        "DELETE of a create's path answers 204.",
        _WRONG,
        _is("DELETE", _PHOTO),
        Answered(204, (), b""),
        _methods(("DELETE", _PHOTO)),
    ),
    _answering(
        "patch-of-a-project-is-200",
        "PATCH of a project answers 200.",
        _WRONG,
        _is("PATCH", _EXAMPLE),
        json_answer(200, {"id": "cuid-example"}),
        _methods(("PATCH", _EXAMPLE)),
    ),
    _answering(
        "head-is-500",
        "The server fails for HEAD of a project.",
        _STANDARD,
        _is_method("HEAD"),
        BROKEN.with_body(b""),
        _methods(("HEAD", _EXAMPLE)),
    ),
    _answering(
        "options-is-500",
        "The server fails for OPTIONS.",
        _STANDARD,
        _is_method("OPTIONS"),
        BROKEN,
        _methods(("OPTIONS", _FACE)),
    ),
    _answering(
        "unknown-method-is-500",
        "The server fails for a method that nobody knows.",
        _WRONG,
        _is_method("BREW"),
        BROKEN,
        _methods(("BREW", _FACE)),
    ),
    _rerouted(
        "put-creates",
        "A PUT creates a face as a POST does.",
        _WRONG,
        FACE,
        _put_as_post,
        lambda client: seen(client.send("PUT", _FACE, _body())),
    ),
    _rerouted(
        "method-can-be-overridden",
        "A header turns a POST into a DELETE.",
        _WRONG,
        None,
        _overridden,
        _override,
    ),
    _deviant(
        "trace-echoes-the-token",
        "TRACE answers with the request, its token included.",
        _WRONG,
        None,
        handling(ELSEWHERE, _echoing),
        _methods(("TRACE", _FACE)),
    ),
)

_ON_PATHS = (
    _elsewhere(
        "unknown-path-is-200",
        "A path that there is not is answered with a page.",
        _NOWHERE,
        404,
        lambda _: _PAGE,
        sending("GET", "/v1/nothing"),
    ),
    _elsewhere(
        "unknown-path-is-400",
        "A path that there is not is answered with 400.",
        _NOWHERE,
        404,
        lambda _: error(400, "invalid_request", "Invalid path"),
        sending("GET", "/v1/nothing"),
    ),
    _elsewhere(
        "unknown-path-is-500",
        "The server fails for a path that there is not.",
        _NOWHERE,
        404,
        lambda _: BROKEN,
        sending("POST", "/v1/ai-voice-editor", b"{}"),
    ),
    _elsewhere(
        "unknown-path-is-a-page",
        "The 404 of a path that there is not is HTML.",
        _NOWHERE,
        404,
        lambda answered: answered.with_body(b"<h1>Not Found</h1>").with_header("Content-Type", "text/html"),
        sending("GET", "/v2/ai-face-editor"),
    ),
    _deviant(
        "unknown-path-lacks-its-code",
        "The 404 of a path that there is not has a message alone.",
        _NOWHERE,
        None,
        after_json(ELSEWHERE, 404, lacking("code")),
        sending("GET", "/v1"),
    ),
    _deviant(
        "unknown-path-has-its-message",
        "The 404 of a path that there is not has a message of its own.",
        _NOWHERE,
        None,
        after_json(ELSEWHERE, 404, changed(message="No such route")),
        sending("DELETE", _PROJECTS + "/"),
    ),
    _deviant(
        "projects-can-be-listed",
        "The path of the projects lists them.",
        _NOWHERE,
        None,
        around(_listing),
        sending("GET", _PROJECTS),
    ),
    _deviant(
        "no-photo-editor",
        "The photo editor is not there.",
        "paths",
        PHOTO,
        answering(PHOTO, lambda _: True, error(404, "not_found", "Not Found")),
        posting(PHOTO, legal(PHOTO)),
    ),
    _rerouted(
        "last-slash-is-ignored",
        "A create's path may end in a slash.",
        _NOWHERE,
        None,
        _without_last_slash,
        _posting_to(f"{_FACE}/"),
    ),
    _rerouted(
        "capitals-are-ignored",
        "A create's path may be written in capitals.",
        _NOWHERE,
        None,
        _in_lower_case,
        _posting_to(_FACE.upper()),
    ),
    _answering(
        "last-slash-redirects",
        "A create's path with a slash leads to the one without.",
        _NOWHERE,
        _is("POST", f"{_FACE}/"),
        _MOVED,
        _redirected,
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_ON_405, *_ON_METHODS, *_ON_PATHS)
