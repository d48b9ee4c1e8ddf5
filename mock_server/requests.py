"""Reading a request by its operation: credentials, parameters and body, every fault named at once."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from flask import Request

from openapi import wording
from openapi.contract import MediaType, Operation, Parameter, RequestBody, Security, is_json
from openapi.schema import Schema

from .exchange import Refusal

LARGEST_BODY = 16 * 2**20
"""Bytes of a request body that are read; uploads, which are streamed to disk, have their plan's limit."""

_DRAINED_AT_MOST = 2**30
_TRUTH = {"true": True, "false": False}


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
        raise Refusal("unauthorized", headers={"WWW-Authenticate": "Bearer"})
    return None


def _credential(scheme: Security, request: Request) -> str | None:
    if scheme.type == "apiKey":
        places = {"header": request.headers.get, "query": request.args.get, "cookie": request.cookies.get}
        return places[scheme.location](scheme.parameter)
    if scheme.type == "mutualTLS":
        return "certificate"  # proven, if at all, before a request gets here
    wanted = scheme.scheme if scheme.type == "http" else "bearer"
    kind, _, credential = request.headers.get("Authorization", "").partition(" ")
    credential = credential.strip()
    if kind.lower() != wanted or not credential or " " in credential:
        return None
    return credential


def read_body(operation: Operation, request: Request) -> tuple[Any, bytes]:
    """Return the body as data, and as it came; `(None, b"")` where the operation takes none or none came.

    Raises:
        Refusal: it is missing, too large, of the wrong media type, malformed, or breaks its schema.
    """
    if operation.body is None:
        return None, b""
    raw = _bytes_of(request)
    if not raw:
        if operation.body.required:
            raise Refusal("invalid_request", "Missing request body")
        return None, b""
    media = _media_type_of(operation.body, request)
    if media.is_json:
        body = _json(raw)
    elif media.name in ("application/x-www-form-urlencoded", "multipart/form-data"):
        body = _form(media.schema, request, raw)
    else:
        return raw, raw
    _refuse_faults(media.schema, body)
    return body, raw


def drain(request: Request) -> None:
    """Read what is left of a body that was refused, so that the client is there to hear why."""
    left = _DRAINED_AT_MOST
    while left > 0 and (chunk := request.stream.read(2**20)):
        left -= len(chunk)


def _bytes_of(request: Request) -> bytes:
    raw = request.stream.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        drain(request)
        limit = f"{LARGEST_BODY // 2**20} MiB"
        raise Refusal("payload_too_large", f"Request body is too large: at most {limit} are accepted")
    return raw


def _media_type_of(declared: RequestBody, request: Request) -> MediaType:
    content_type = request.headers.get("Content-Type", "")
    media = declared.media_type(content_type)
    if media is None:
        expected = " or ".join(declared.content)
        fault = f"got {content_type}" if content_type else "got none"
        raise Refusal("invalid_request", f"Invalid Content-Type: expected {expected}, {fault}")
    # A wildcard takes what came by its own name: a JSON body under */* is JSON.
    return MediaType(content_type, media.schema, ()) if "*" in media.name and is_json(content_type) else media


def _json(raw: bytes) -> Any:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal("invalid_request", f"Malformed JSON: {error}") from error
    if b"\\u0000" in raw and (path := next(_nul_in(body), None)) is not None:
        name = wording.field_name(path) or "body"
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
    parsed = Request(request.environ)
    properties = schema.resolved.get("properties", {})
    form: dict[str, Any] = {}
    for name, values in parsed.form.lists():
        form[name] = _from_text(values, Schema(schema.document, properties.get(name, True)))
    for name in parsed.files:
        form[name] = ""  # a file's bytes are any string to a schema
    return form


def _refuse_faults(schema: Schema, body: Any) -> None:
    try:
        legal = schema.accepts(body)
    except ValueError as error:  # jsonschema-rs gives up on what is nested hundreds of levels deep
        raise Refusal("invalid_request", "Invalid value for body: nested too deeply") from error
    if not legal:
        raise Refusal("invalid_request", wording.sentence(schema.faults(body)))


def check_parameters(operation: Operation, request: Request, path: Mapping[str, str]) -> None:
    """Judge path, query, header and cookie parameters.

    Raises:
        Refusal: naming every one that is missing or not legal.
    """
    faults = [fault for parameter in operation.parameters for fault in _faults_of(parameter, request, path)]
    if faults:
        raise Refusal("invalid_request", "; ".join(faults))


def _faults_of(parameter: Parameter, request: Request, path: Mapping[str, str]) -> Iterator[str]:
    texts = _texts_of(parameter, request, path)
    if not texts:
        if parameter.required:
            expected = wording.expected_type(parameter.schema.resolved)
            yield f"Missing required {parameter.location} parameter: {parameter.name} (expected {expected})"
        return
    value = _from_text(texts, parameter.schema)
    if not parameter.schema.accepts(value):
        yield wording.sentence(parameter.schema.faults(value), subject=parameter.name)


def _texts_of(parameter: Parameter, request: Request, path: Mapping[str, str]) -> list[str]:
    name = parameter.name
    match parameter.location:
        case "path":
            return [path[name]] if name in path else []
        case "query":
            texts = request.args.getlist(name)
        case "header":
            texts = request.headers.getlist(name)
        case _:
            texts = request.cookies.getlist(name)
    if len(texts) == 1 and not parameter.explode and "array" in _types(parameter.schema):
        return texts[0].split(",")
    return texts


def _from_text(texts: list[str], schema: Schema) -> Any:
    """Return what the texts of a parameter mean under its schema; a text that fits no type stays a text."""
    types = _types(schema)
    if "array" in types:
        items = Schema(schema.document, schema.resolved.get("items", True))
        return [_from_text([text], items) for text in texts]
    text = texts[-1]
    if types & {"integer", "number"}:
        try:
            number = float(text)
            return int(text) if text.lstrip("+-").isdecimal() else number
        except ValueError:
            return text
    if "boolean" in types:
        return _TRUTH.get(text, text)
    if "object" in types:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return None if types == {"null"} and not text else text


def _types(schema: Schema) -> set[str]:
    """The types that a schema's value may have, as far as it says so itself or by its branches."""
    declared = schema.resolved.get("type", [])
    types = {declared} if isinstance(declared, str) else set(declared)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for node in schema.resolved.get(keyword, []):
            types |= _types(Schema(schema.document, node))
    return types
