"""Deviants that fail, with a 500 or with nothing at all, where the request is odd."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from typing import Any

import orjson

from bluehour.mock_server.api.reply import Disruption
from bluehour.mock_server.api.wsgi import sending_of

from .altering import BROKEN, Answered, Asked, Forward, Where, answering, handling
from .client import Client
from .deviant import Deviant, Witness
from .fields import any_value, having, legal
from .names import (
    CREATES,
    DELETE_PROJECT,
    FACE,
    GET_PROJECT,
    OPERATIONS,
    PHOTO,
    POSTS,
    UPLOAD_URLS,
)
from .witnesses import posting, posting_raw, seen, sending

_deviant = partial(Deviant, group="robustness")

_ILLEGAL = "an illegal request is 400, never 500"
_LEGAL = "a legal request is 200, never 500"
_UNKNOWN = "an unknown id is 404, whatever is in it"

_PROJECT = "/v1/image-projects/"
_PAGE = Answered(500, (("Content-Type", "text/html"),), b"").with_body(b"<h1>Internal Server Error</h1>")

_LONE_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")


def _failing(
    name: str,
    where: Where,
    what: str,
    rule: str,
    when: Callable[[Asked], bool],
    witness: Witness,
    answer: Answered = BROKEN,
) -> Deviant:
    """Fail for some requests of whoever is known."""
    operation = where if isinstance(where, str) else None
    return _deviant(
        name, f"The server fails for {what}.", rule, operation, answering(where, when, answer), witness
    )


def _failing_at_once(
    name: str, where: Where, what: str, rule: str, when: Callable[[Asked], bool], witness: Witness
) -> Deviant:
    """Fail for some requests, before the caller is looked at."""
    operation = where if isinstance(where, str) else None
    wrap = handling(where, lambda asked, forward: BROKEN if when(asked) else forward(asked))
    return _deviant(name, f"The server fails for {what}.", rule, operation, wrap, witness)


def _field(field: str, test: Callable[[Any], bool]) -> Callable[[Asked], bool]:
    is_met = any_value(field, test)
    return lambda asked: is_met(asked.json)


def _matching(pattern: bytes) -> Callable[[Asked], bool]:
    return lambda asked: re.search(pattern, asked.body) is not None


def _is_malformed(asked: Asked) -> bool:
    """Whether the body is text, and no JSON."""
    try:
        orjson.loads(asked.body)
    except orjson.JSONDecodeError:
        return bool(asked.body) and _is_utf8(asked.body)
    return False


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_deep(asked: Asked) -> bool:
    return asked.body.count(b"[") > 50


def _header_longer(name: str, length: int) -> Callable[[Asked], bool]:
    return lambda asked: len(asked.header(name)) > length


def _id(pattern: str) -> Callable[[Asked], bool]:
    return lambda asked: re.search(pattern, asked.project_id, re.DOTALL) is not None


def _reading(quoted_id: str) -> Witness:
    return sending("GET", f"{_PROJECT}{quoted_id}")


def _posting_face(**headers: str | None) -> Witness:
    chosen: Mapping[str, str | None] = {name.replace("_", "-"): value for name, value in headers.items()}
    return posting(FACE, legal(FACE), chosen)


def _with_extra(text: bytes) -> bytes:
    """A legal face with one more field, whose value is given as text."""
    return json.dumps(legal(FACE)).encode()[:-1] + b', "extra": ' + text + b"}"


def _dropped(when: Callable[[Asked], bool]) -> Callable[[Asked, Forward], Answered]:
    """Close the connection with nothing said."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if when(asked) and answered.status != 401:
            sending_of(asked.environ).disruption = Disruption(kind="drop")
        return answered

    return handler


def _maybe_nothing(witness: Witness) -> Witness:
    """Take no answer for an observation, too."""

    def braver(client: Client) -> object:
        try:
            return witness(client)
        except (OSError, HTTPException):
            return "no answer"

    return braver


_MANY = {"items": [{"type": "image", "extension": "png"}] * 60}
_LONG = "x" * 200_000

_BODIES = (
    _failing(
        "malformed-json-is-500",
        FACE,
        "a body that is no JSON",
        _ILLEGAL,
        _is_malformed,
        posting_raw(FACE, b'{"style": '),
    ),
    _failing(
        "malformed-json-is-a-page",
        UPLOAD_URLS,
        "a body that is no JSON, with a page of HTML",
        _ILLEGAL,
        _is_malformed,
        posting_raw(UPLOAD_URLS, b"items=1"),
        _PAGE,
    ),
    _failing(
        "invalid-utf-8-is-500",
        FACE,
        "a body that is not in UTF-8",
        _ILLEGAL,
        lambda asked: not _is_utf8(asked.body),
        posting_raw(FACE, b'{"name": "\xff\xfe"}'),
    ),
    _failing(
        "lone-surrogate-is-500",
        PHOTO,
        "half of a surrogate pair",
        _ILLEGAL,
        lambda asked: _LONE_SURROGATE.search(asked.body) is not None,
        posting_raw(PHOTO, json.dumps(having(PHOTO, "style.prompt", "\ud800")).encode()),
    ),
    _failing(
        "huge-integer-is-500",
        PHOTO,
        "an integer of more than 64 bits",
        _ILLEGAL,
        _matching(rb"[0-9]{20}"),
        posting(PHOTO, having(PHOTO, "resolution", 10**30)),
    ),
    _failing(
        "huge-exponent-is-500",
        FACE,
        "a number beyond all floats",
        _ILLEGAL,
        _matching(rb"[0-9][eE]\+?[0-9]{3}"),
        posting_raw(FACE, json.dumps(having(FACE, "style.head_yaw", 777)).replace("777", "1e999").encode()),
    ),
    _failing(
        "deep-json-is-500",
        FACE,
        "a field that it does not know, if lists lie in it a hundred deep",
        _LEGAL,
        _is_deep,
        posting_raw(FACE, _with_extra(b"[" * 100 + b"]" * 100)),
    ),
    _failing(
        "empty-object-is-500",
        UPLOAD_URLS,
        "an empty object",
        _ILLEGAL,
        lambda asked: asked.json == {},
        posting(UPLOAD_URLS, {}),
    ),
    _failing(
        "empty-body-is-500",
        PHOTO,
        "no body at all",
        _ILLEGAL,
        lambda asked: not asked.body,
        posting_raw(PHOTO, b""),
    ),
    _failing(
        "null-body-is-500",
        FACE,
        "a body that is null",
        _ILLEGAL,
        lambda asked: asked.body.strip() == b"null",
        posting_raw(FACE, b"null"),
    ),
    _failing(
        "list-body-is-500",
        PHOTO,
        "a body that is a list",
        _ILLEGAL,
        lambda asked: isinstance(asked.json, list),
        posting(PHOTO, []),
    ),
    _failing(
        "text-body-is-500",
        UPLOAD_URLS,
        "a body that is a text",
        _ILLEGAL,
        lambda asked: isinstance(asked.json, str),
        posting(UPLOAD_URLS, "items"),
    ),
    _failing(
        "style-of-another-type-is-500",
        PHOTO,
        "a style that is no object",
        _ILLEGAL,
        _field("style", lambda held: not isinstance(held, dict)),
        posting(PHOTO, having(PHOTO, "style", "vivid")),
    ),
    _failing(
        "assets-of-another-type-are-500",
        FACE,
        "assets that are null",
        _ILLEGAL,
        _field("assets", lambda held: held is None),
        posting(FACE, having(FACE, "assets", None)),
    ),
    _failing(
        "item-of-another-type-is-500",
        UPLOAD_URLS,
        "an item that is no object",
        _ILLEGAL,
        _field(
            "items", lambda held: isinstance(held, list) and any(not isinstance(item, dict) for item in held)
        ),
        posting(UPLOAD_URLS, {"items": ["png"]}),
    ),
    _failing(
        "path-of-another-type-is-500",
        FACE,
        "an image_file_path that is a number",
        _ILLEGAL,
        _field("assets.image_file_path", lambda held: isinstance(held, int)),
        posting(FACE, having(FACE, "assets.image_file_path", 1234)),
    ),
    _failing(
        "odd-url-is-500",
        FACE,
        "a picture's URL that can't be parsed",
        "422 for a picture that can't be used",
        _field("assets.image_file_path", lambda held: isinstance(held, str) and "[" in held),
        posting(FACE, legal(FACE, "https://[")),
    ),
    _failing(
        "path-traversal-is-500",
        PHOTO,
        "a picture's path that leads upwards",
        "422 for a picture that can't be used",
        _field("assets.image_file_path", lambda held: isinstance(held, str) and "../" in held),
        posting(PHOTO, legal(PHOTO, "api-assets/../../etc/passwd.png")),
    ),
    _failing(
        "prototype-key-is-500",
        FACE,
        "a field that is called __proto__",
        _LEGAL,
        _matching(rb'"__proto__"'),
        posting_raw(FACE, _with_extra(b'1, "__proto__": {}')),
    ),
    _failing(
        "empty-key-is-500",
        PHOTO,
        "a field without a name",
        _LEGAL,
        _matching(rb'""\s*:'),
        posting(PHOTO, {**legal(PHOTO), "": 1}),
    ),
    _failing(
        "many-items-are-500",
        UPLOAD_URLS,
        "more than fifty items",
        _LEGAL,
        _field("items", lambda held: isinstance(held, list) and len(held) > 50),
        posting(UPLOAD_URLS, _MANY),
    ),
    _failing(
        "long-prompt-is-500",
        PHOTO,
        "a prompt of more than 64 KiB",
        _LEGAL,
        _field("style.prompt", lambda held: isinstance(held, str) and len(held) > 65_536),
        posting(PHOTO, having(PHOTO, "style.prompt", _LONG)),
    ),
    _failing(
        "tiny-number-is-500",
        PHOTO,
        "a number close to 0",
        _LEGAL,
        _field("style.likeness_strength", lambda held: isinstance(held, float) and 0 < abs(held) < 1e-300),
        posting(PHOTO, having(PHOTO, "style.likeness_strength", 5e-324)),
    ),
    _failing(
        "minus-zero-is-500",
        FACE,
        "a slider at -0.0",
        _LEGAL,
        _matching(rb"-0\.0\b"),
        posting(FACE, having(FACE, "style.mouth_smile", -0.0)),
    ),
)

_IDS = (
    _failing(
        "id-with-nul-is-500",
        GET_PROJECT,
        "an id with the character NUL",
        _UNKNOWN,
        _id("\0"),
        _reading("a%00b"),
    ),
    _failing(
        "id-with-dots-is-500",
        GET_PROJECT,
        "an id with two dots",
        _UNKNOWN,
        _id(r"\.\."),
        _reading("..%5C..%5Cetc"),
    ),
    _failing(
        "id-with-a-quote-is-500",
        GET_PROJECT,
        "an id with a quotation mark",
        _UNKNOWN,
        _id("'"),
        _reading("x'%20OR%20'1'='1"),
    ),
    _failing(
        "id-with-a-percent-is-500",
        GET_PROJECT,
        "an id with a percent sign",
        _UNKNOWN,
        _id("%"),
        _reading("100%25"),
    ),
    _failing(
        "id-with-umlauts-is-500",
        GET_PROJECT,
        "an id beyond ASCII",
        _UNKNOWN,
        _id("[^\0-\x7f]"),
        _reading("gr%C3%BC%C3%9Fe"),
    ),
    _failing(
        "id-with-blanks-is-500",
        DELETE_PROJECT,
        "an id with a blank that is to be deleted",
        _UNKNOWN,
        _id(" "),
        sending("DELETE", f"{_PROJECT}a%20b"),
    ),
    _failing(
        "long-id-is-500",
        GET_PROJECT,
        "an id of more than 255 characters",
        _UNKNOWN,
        _id(".{256}"),
        _reading("x" * 300),
    ),
    _failing(
        "long-id-to-delete-is-500",
        DELETE_PROJECT,
        "an id of more than 255 characters that is to be deleted",
        _UNKNOWN,
        _id(".{256}"),
        sending("DELETE", _PROJECT + "x" * 300),
    ),
    _failing(
        "unknown-id-is-500",
        DELETE_PROJECT,
        "an id that nobody has",
        _UNKNOWN,
        lambda asked: asked.project_id == "nobody",
        lambda client: seen(client.delete("nobody")),
    ),
)

_HEADERS = (
    _failing(
        "long-language-is-500",
        OPERATIONS,
        "a long Accept-Language",
        _LEGAL,
        _header_longer("Accept-Language", 1000),
        _posting_face(Accept_Language="de," * 500),
    ),
    _failing(
        "long-agent-is-500",
        OPERATIONS,
        "a long User-Agent",
        _LEGAL,
        _header_longer("User-Agent", 512),
        _posting_face(User_Agent="x" * 600),
    ),
    _failing(
        "odd-accept-is-500",
        POSTS,
        "an Accept that is no media type",
        _LEGAL,
        lambda asked: "/" not in asked.header("Accept") and bool(asked.header("Accept")),
        _posting_face(Accept="nonsense"),
    ),
    _failing(
        "cookie-is-500",
        OPERATIONS,
        "a cookie that it did not set",
        _LEGAL,
        lambda asked: bool(asked.header("Cookie")),
        _posting_face(Cookie="session=nobody"),
    ),
    _failing(
        "odd-content-type-is-500",
        CREATES,
        "a Content-Type that is no media type",
        _ILLEGAL,
        lambda asked: asked.header("Content-Type") == ";;;",
        _posting_face(Content_Type=";;;"),
    ),
    _failing(
        "untyped-body-is-500",
        PHOTO,
        "a body without a Content-Type",
        _ILLEGAL,
        lambda asked: not asked.header("Content-Type"),
        posting(PHOTO, legal(PHOTO), {"Content-Type": None}),
    ),
    _failing_at_once(
        "no-token-is-500",
        UPLOAD_URLS,
        "a request without a token",
        "401 without a token",
        lambda asked: not asked.authorization,
        posting(UPLOAD_URLS, legal(UPLOAD_URLS), {"Authorization": None}),
    ),
    _failing_at_once(
        "two-words-for-a-token-are-500",
        OPERATIONS,
        "an Authorization of three words",
        "401 without a token",
        lambda asked: asked.authorization.count(" ") > 1,
        _posting_face(Authorization="Bearer of news"),
    ),
    _failing_at_once(
        "bare-bearer-is-500",
        OPERATIONS,
        "the word Bearer alone",
        "401 without a token",
        lambda asked: asked.authorization.strip() == "Bearer",
        _posting_face(Authorization="Bearer"),
    ),
)

_SILENCES = (
    _deviant(
        "malformed-json-is-not-answered",
        "The connection is closed where a body is no JSON.",
        _ILLEGAL,
        PHOTO,
        handling(PHOTO, _dropped(_is_malformed)),
        _maybe_nothing(posting_raw(PHOTO, b"{")),
    ),
    _deviant(
        "long-id-is-not-answered",
        "The connection is closed where an id has more than 255 characters.",
        _UNKNOWN,
        GET_PROJECT,
        handling(GET_PROJECT, _dropped(_id(".{256}"))),
        _maybe_nothing(_reading("x" * 300)),
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_BODIES, *_IDS, *_HEADERS, *_SILENCES)
