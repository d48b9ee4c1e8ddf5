"""A response judged by its contract: status, media type, headers and body. Whoever sees one asks `judge`.

A server that is about to answer has data in hand, not bytes: it asks `judge_data`, and nothing is encoded or
parsed for it. Neither raises, whatever came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import wording
from .contract import Contract
from .data import from_json
from .messages import Headers, Response
from .model import DeclaredResponse, Operation, Parameter, is_json
from .schema import Fault, Schema
from .texts import header_values

Kind = Literal["status", "content-type", "headers", "body"]

_BODILESS = (204, 205, 304)
"""A body that comes with one of these is none by HTTP: clients skip it, or take it for the next answer."""


@dataclass(frozen=True, slots=True)
class ResponseFault:
    """One thing of a response that is not as the contract declares it.

    Attributes:
        kind: which part of it is wrong.
        field: the status, the header's name, or where in the body, such as `downloads[0].url`.
        message: what is wrong, in a sentence.
        declared: what the contract says there, as its words: `{"downloads[].url": {"format": "uri"}}`.
    """

    kind: Kind
    field: str
    message: str
    declared: Mapping[str, Any]


def judge(response: Response, operation: Operation | None, contract: Contract) -> list[ResponseFault]:
    """Return what is wrong with a response; nothing where all is as declared.

    Args:
        response: as it came.
        operation: what was called; None for what the contract does not have.
        contract: tells what may be answered outside of the operation's own answers.
    """
    status, content_type = response.status, response.content_type
    declared = contract.declared(operation, status)
    if declared is None:
        return [_undeclared(status, operation.responses if operation else contract.server_responses)]
    faults = [*_faults_of_headers(declared, status, response.headers)] if declared.headers else []
    if operation is not None and operation.method == "HEAD":
        return faults
    if status in _BODILESS and response.body:
        came = wording.counted(len(response.body), "byte")
        return [*faults, _unread(status, f"a {status} has none, and {came} came")]
    if not declared.content or status in _BODILESS:
        return faults
    media = declared.media_type(content_type)
    if media is None:
        return [*faults, _wrong_type(declared, status, content_type)]
    if is_json(content_type):
        try:
            # JSON is UTF-8; a charset that a Content-Type adds "has no effect" (RFC 8259, section 11).
            body = from_json(response.body)
        except ValueError as error:
            return [*faults, _unread(status, str(error) if response.body else "it is empty")]
        if not media.schema.accepts(body):
            faults += _faults_of_body(media.schema, status, body)
    return faults


def judge_data(
    declared: DeclaredResponse | None, status: int, headers: Headers, media_type: str | None, body: Any
) -> list[ResponseFault]:
    """Return what is wrong with a response that is not encoded yet.

    Args:
        declared: what may be answered; None where the status is not declared.
        status: such as 200.
        headers: with or without a Content-Type.
        media_type: of the body; None where there is no body at all.
        body: data for JSON media types; all else is not looked at.
    """
    if declared is None:
        return [_undeclared(status, {})]
    faults = [*_faults_of_headers(declared, status, headers)] if declared.headers else []
    if media_type is None and not declared.content:
        return faults
    media = declared.media_type(media_type or "")
    if media is None:
        return [*faults, _wrong_type(declared, status, media_type or "")]
    if media.is_json and not media.schema.accepts(body):
        faults += _faults_of_body(media.schema, status, body)
    return faults


def _undeclared(status: int, declared: Mapping[Any, DeclaredResponse]) -> ResponseFault:
    statuses = [str(each) for each in declared]
    others = f": {', '.join(statuses)} are" if statuses else ""
    message = f"The status {status} is not declared{others}"
    return ResponseFault("status", f"{status}", message, {"responses": statuses})


def _wrong_type(declared: DeclaredResponse, status: int, content_type: str) -> ResponseFault:
    expected = " or ".join(declared.content) or "none"
    got = wording.cut(content_type) or "none"
    message = f"Invalid Content-Type of a {status}: expected {expected}, got {got}"
    return ResponseFault("content-type", "Content-Type", message, {"content": list(declared.content)})


def _unread(status: int, reason: str) -> ResponseFault:
    return ResponseFault("body", "", f"The body of a {status} can't be read: {reason}", {})


def _faults_of_headers(declared: DeclaredResponse, status: int, headers: Headers) -> Iterator[ResponseFault]:
    for header in declared.headers:
        if header.name.lower() == "content-type":  # OpenAPI: "shall be ignored", as `content` tells it
            continue
        texts = [_text(value) for value in headers.get_all(header.name)]
        if texts:
            yield from _faults_of_header(header, status, header_values(header, texts))
        elif header.required:
            message = f"A {status} lacks its header {header.name}"
            yield ResponseFault("headers", header.name, message, {header.name: {"required": True}})


def _text(value: str) -> str:
    """A header's value without what no schema can look at: bytes that were no text."""
    return value if value.isascii() else value.encode(errors="replace").decode()


def _faults_of_header(header: Parameter, status: int, values: list[Any]) -> Iterator[ResponseFault]:
    for value in values:
        if not header.schema.accepts(value):
            for fault in wording.worth_saying(header.schema.faults(value)):
                message = f"A header of a {status}: {wording.describe(fault, subject=header.name)}"
                yield ResponseFault("headers", header.name, message, _words(fault, header.name))


def _faults_of_body(schema: Schema, status: int, body: Any) -> Iterator[ResponseFault]:
    for fault in wording.worth_saying(schema.faults(body)):
        message = f"The body of a {status}: {wording.describe(fault)}"
        yield ResponseFault("body", wording.field_name(fault.path), message, _words(fault, "body"))


def _words(fault: Fault, whole: str) -> dict[str, Any]:
    """What the contract says where a value breaks it; of a missing field, what its object must have."""
    path = fault.path[:-1] if fault.keyword == "required" else fault.path
    name = wording.field_name(tuple("[]" if isinstance(step, int) else step for step in path))
    rule = {"writeOnly": True} if fault.schema.get("writeOnly") else {fault.keyword: fault.limit}
    return {name.replace(".[]", "[]") or whole: rule}
