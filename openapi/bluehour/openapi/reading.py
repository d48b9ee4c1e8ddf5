"""A request as its operation has it: who calls, what is asked, and all that the contract does not allow.

Nothing raises: a mock refuses by what is found, a journal and a proxy show it, a fuzz blames its client.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from . import wording
from .data import DataError, from_json
from .encodings import Unreadable, decoded
from .faults import Fault
from .messages import Request
from .model import MediaType, Operation, RequestBody, Security, is_json
from .parameters import read_parameters
from .schema import MOST_FAULTS, Schema
from .texts import field_of, keys_in, nested_object

CREDENTIALS = "Authorization"
"""Where a fault is that concerns who calls."""

_MOST_DECODED = 32 * 2**20
"""Bytes that a body may have once its Content-Encoding is undone."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class Read:
    """What a request says.

    Attributes:
        credential: what it brings of what the operation asks for; None where that is nothing.
        is_authorized: whether it brings all that the operation asks for; who it is, is for others to know.
        parameters: their values by name, with the schema's default or None for what did not come.
        parameter_faults: what is wrong with them.
        body: as data; bytes of a media type that is no data, None where there is none or it can't be read.
        body_faults: what is wrong with it.
    """

    credential: str | None
    is_authorized: bool
    parameters: dict[str, Any] = field(default_factory=dict)
    parameter_faults: list[Fault] = field(default_factory=list)
    body: Any = None
    body_faults: list[Fault] = field(default_factory=list)

    @property
    def faults(self) -> list[Fault]:
        """All that the contract does not allow."""
        missing = [] if self.is_authorized else [Fault(CREDENTIALS, _NO_CREDENTIALS)]
        return [*missing, *self.parameter_faults, *self.body_faults]

    @property
    def message(self) -> str:
        """What is wrong with the parameters, or else with the body, in a line; nothing where all is right."""
        faults = self.parameter_faults or self.body_faults
        if not faults:
            return ""
        return wording.joined((each.message for each in faults), complete=len(faults) < MOST_FAULTS)


_NO_CREDENTIALS = "Missing or malformed credentials: expected Bearer and a token"


def read(operation: Operation, request: Request, path: Mapping[str, str]) -> Read:
    """Read a request by its operation.

    Args:
        operation: what is called.
        request: what came, its body whole.
        path: the values of the path's parameters, as `routes` finds them.
    """
    credential, is_authorized = credential_of(operation, request)
    found = Read(credential, is_authorized)
    if operation.parameters:
        found.parameters, found.parameter_faults = read_parameters(operation, request, path)
    if operation.body is not None:
        found.body, found.body_faults = read_body(operation.body, request)
    return found


def credential_of(operation: Operation, request: Request) -> tuple[str | None, bool]:
    """Return the credential that a request brings, and whether it is all that the operation asks for."""
    for alternative in operation.security:
        credentials = [_credential(scheme, request) for scheme in alternative]
        if all(credentials):
            return (credentials[0] if credentials else None), True
    return None, not operation.security


def read_body(declared: RequestBody, request: Request) -> tuple[Any, list[Fault]]:
    """Return a body as data, and what is wrong with it: missing, of no such type, malformed, or not legal."""
    if not request.body:
        return None, [Fault("body", "Missing request body")] if declared.required else []
    media = _media_type_of(declared, request)
    if media is None:
        expected = " or ".join(declared.content)
        got = wording.cut(request.content_type) if request.content_type else "none"
        return None, [Fault("body", f"Invalid Content-Type: expected {expected}, got {got}")]
    try:
        if request.headers.get("content-encoding"):
            request = replace(request, body=decoded(request.headers.pairs, request.body, _MOST_DECODED))
        body = _data_of(media, request, takes_nul=declared.takes_nul)
    except Unreadable as error:
        return None, [Fault("body", f"Invalid Content-Encoding: {error}")]
    except _Unreadable as error:
        return None, [error.fault]
    if isinstance(body, bytes) or media.schema.accepts(body):
        return body, []
    return body, [
        Fault(wording.cut(wording.field_name(each.path)) or "body", wording.describe(each))
        for each in wording.worth_saying(media.schema.faults(body))
    ]


class _Unreadable(Exception):
    """A body that is not what its media type says."""

    def __init__(self, message: str, where: str = "body") -> None:
        super().__init__(message)
        self.fault = Fault(where, message)


def _credential(scheme: Security, request: Request) -> str | None:
    if scheme.type == "apiKey":
        match scheme.location:
            case "header":
                return request.headers.get(scheme.parameter)
            case "query":
                return next(iter(request.arguments.get(scheme.parameter, ())), None)
            case "cookie":
                return next(iter(request.cookies.get(scheme.parameter, ())), None)
        return None
    if scheme.type == "mutualTLS":
        return "certificate"  # proven, if at all, before a request gets here
    wanted = scheme.scheme if scheme.type == "http" else "bearer"
    kind, _, credential = (request.headers.get("authorization") or "").partition(" ")
    credential = credential.strip()
    is_one_word = " " not in credential or wanted != "bearer"  # Digest's has many
    return credential if kind.lower() == wanted and is_one_word else None


def _media_type_of(declared: RequestBody, request: Request) -> MediaType | None:
    media = declared.media_type(request.content_type)
    if media is not None and "*" in media.name and is_json(request.content_type):
        # A wildcard takes what came by its own name: a JSON body under */* is JSON.
        return MediaType(request.content_type, media.schema, ())
    return media


def _data_of(media: MediaType, request: Request, *, takes_nul: bool) -> Any:
    """Return a body as data; as bytes, where its media type is none that a schema could judge.

    Raises:
        _Unreadable: it is malformed.
    """
    if media.is_json:
        return _json(request.body, takes_nul=takes_nul)
    if media.is_xml:
        return _xml(media.schema, request.body)
    if media.name in _FORMS:
        return _form(media.schema, request)
    return request.body.decode(errors="replace") if media.name.startswith("text/") else request.body


def _json(raw: bytes, *, takes_nul: bool) -> Any:
    try:
        body = from_json(raw.removeprefix(codecs.BOM_UTF8))
    except DataError as error:
        raise _Unreadable(f"Invalid value for body: {error}") from error
    except orjson.JSONDecodeError as error:
        raise _Unreadable(f"Malformed JSON: {error}") from error
    if not takes_nul and b"\\u0000" in raw and (path := next(_nul_in(body), None)) is not None:
        name = wording.cut(wording.field_name(path)) or "body"
        raise _Unreadable(f"Invalid value for {name}: must not contain the character NUL", name)
    return body


def _xml(schema: Schema, raw: bytes) -> Any:
    from .xml import XmlError, from_xml  # here: few contracts have XML

    try:
        return from_xml(raw, schema)
    except XmlError as error:
        raise _Unreadable(f"Malformed XML: {error}") from error


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


def _form(schema: Schema, request: Request) -> dict[str, Any]:
    from werkzeug.formparser import FormDataParser  # here: few contracts have a form
    from werkzeug.http import parse_options_header

    media_type, options = parse_options_header(request.content_type)
    _, fields, files = FormDataParser().parse(
        io.BytesIO(request.body), media_type, len(request.body), options
    )
    try:
        if None in (*fields, *files):
            raise _Unreadable("Malformed form: a part of it has no name")
        properties = schema.resolved.get("properties", {})
        named = [([name] if name in properties else keys_in(name), texts) for name, texts in fields.lists()]
        form = nested_object(schema, named)
        # A file's bytes are any string to a schema.
        for name, many in files.lists():
            form[name] = [""] * len(many) if "array" in field_of(schema, name).types else ""
        return form
    finally:
        for _, many in files.lists():
            for file in many:
                file.close()
