"""Reading a request by its operation: its credentials and its body, every fault named at once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Request

from bluehour.openapi import wording
from bluehour.openapi.data import DataError, from_json
from bluehour.openapi.model import MediaType, Operation, RequestBody, Security, is_json
from bluehour.openapi.schema import Schema
from bluehour.openapi.texts import from_text

from .exchange import BEARER, Refusal

LARGEST_BODY = 16 * 2**20
"""Bytes of a request body that are read; uploads, which are streamed to disk, have their plan's limit."""

_DRAINED_AT_MOST = 2**30


def token_of(operation: Operation, request: Request) -> str | None:
    """Return the credential that a request brings; None where none is asked for and none came.

    Raises:
        Refusal: none of the operation's alternatives is met.
    """
    for alternative in operation.security:
        credentials = [_credential(scheme, request) for scheme in alternative]
        if all(credentials):
            return credentials[0] if credentials else None
    if operation.security:
        raise Refusal("unauthorized", headers=BEARER)
    return None


def _credential(scheme: Security, request: Request) -> str | None:
    if scheme.type == "apiKey":
        places = {"header": request.headers.get, "query": request.args.get, "cookie": request.cookies.get}
        return places[scheme.location](scheme.parameter) if scheme.location in places else None
    if scheme.type == "mutualTLS":
        return "certificate"  # proven, if at all, before a request gets here
    wanted = scheme.scheme if scheme.type == "http" else "bearer"
    kind, _, credential = request.headers.get("Authorization", "").partition(" ")
    credential = credential.strip()
    if kind.lower() != wanted or not credential or " " in credential:
        return None
    return credential


def read_body(operation: Operation, request: Request) -> bytes:
    """Return the body as it came; nothing where the operation takes none.

    Raises:
        Refusal: it is too large.
    """
    if operation.body is None:
        return b""
    # Flask's own stream, made to stop at the Content-Length, costs as much as to parse a short body.
    whole = request.environ.get("wsgi.input_terminated")
    raw: bytes = (request.environ["wsgi.input"] if whole else request.stream).read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        limit = f"{LARGEST_BODY // 2**20} MiB"
        raise Refusal("payload_too_large", f"Request body is too large: at most {limit} are accepted")
    return raw


def parse_body(operation: Operation, request: Request, raw: bytes) -> Any:
    """Return a body as data; None where there is none.

    Raises:
        Refusal: it is missing, of the wrong media type, malformed, or breaks its schema.
    """
    if operation.body is None:
        return None
    if not raw:
        if operation.body.required:
            raise Refusal("invalid_request", "Missing request body")
        return None
    media = _media_type_of(operation.body, request)
    if media.is_json:
        body = _json(raw)
    elif media.name in ("application/x-www-form-urlencoded", "multipart/form-data"):
        body = _form(media.schema, request, raw)
    elif media.name.startswith("text/"):
        body = raw.decode(errors="replace")
    else:
        return raw
    _refuse_faults(media.schema, body)
    return body


def drain(request: Request) -> None:
    """Read what is left of a body that was refused, so that the client is there to hear why."""
    left = _DRAINED_AT_MOST
    while left > 0 and (chunk := request.stream.read(2**20)):
        left -= len(chunk)


def _media_type_of(declared: RequestBody, request: Request) -> MediaType:
    content_type = request.headers.get("Content-Type", "")
    media = declared.media_type(content_type)
    if media is None:
        expected = " or ".join(declared.content)
        fault = f"got {wording.cut(content_type)}" if content_type else "got none"
        raise Refusal("invalid_request", f"Invalid Content-Type: expected {expected}, {fault}")
    # A wildcard takes what came by its own name: a JSON body under */* is JSON.
    return MediaType(content_type, media.schema, ()) if "*" in media.name and is_json(content_type) else media


def _json(raw: bytes) -> Any:
    try:
        body = from_json(raw)
    except DataError as error:
        raise Refusal("invalid_request", f"Invalid value for body: {error}") from error
    except orjson.JSONDecodeError as error:
        raise Refusal("invalid_request", f"Malformed JSON: {error}") from error
    if b"\\u0000" in raw and (path := next(_nul_in(body), None)) is not None:
        name = wording.cut(wording.field_name(path)) or "body"
        raise Refusal("invalid_request", f"Invalid value for {name}: must not contain the character NUL")
    return body


def _nul_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                yield path
            yield from _nul_in(item, (*path, key.replace("\0", "\\u0000")))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nul_in(item, (*path, index))


def _form(schema: Schema, request: Request, raw: bytes) -> dict[str, Any]:
    request.environ["wsgi.input"] = io.BytesIO(raw)
    request.environ["CONTENT_LENGTH"] = str(len(raw))
    properties = schema.resolved.get("properties", {})
    form: dict[str, Any] = {}
    with Request(request.environ) as parsed:  # which closes the files that it has opened
        if None in (*parsed.form, *parsed.files):
            raise Refusal("invalid_request", "Malformed form: a part of it has no name")
        for name, values in parsed.form.lists():
            form[name] = from_text(values, Schema(schema.document, properties.get(name, True)))
        for name in parsed.files:
            form[name] = ""  # a file's bytes are any string to a schema
    return form


def _refuse_faults(schema: Schema, body: Any) -> None:
    if not schema.accepts(body):
        raise Refusal("invalid_request", wording.sentence(schema.faults(body)))
