"""What a refusal looks like on the wire: the contract's envelope, or what a foreign contract declares."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import SpecError
from bluehour.openapi.model import JSON, DeclaredResponse, MediaType, Operation, Parameter
from bluehour.openapi.wording import printable

from ..core.gate import Forgotten
from ..core.lacks import lack_in
from .call import Answer, Refusal
from .reply import Reply

FAULTS = "Bluehour-Faults"
"""The header that says what is wrong where the contract has no place for it."""

_OF_OTHERS = {
    "conflict": (409, "Conflict"),
    "unsupported_media_type": (415, "Unsupported Media Type"),
}
"""Errors that other contracts than Magic Hour's have: their statuses, and what they say."""

_SENT_ANYWAY = ("content-type", "content-length", "transfer-encoding", "connection", "date")
_DEEPEST_MESSAGE = 3
_MESSAGE_FIELDS = ("message", "detail", "msg", "error", "title", "description", "error_description")

log = logging.getLogger("bluehour")


def unavailable(error: Exception) -> Refusal | None:
    """Return the refusal for what the machine can't do at present, and log it in a line; None for a bug."""
    if isinstance(error, Forgotten):
        return Refusal("service_unavailable", "The mock was reset meanwhile; send the request again")
    reason = lack_in(error)
    if reason is None:
        return None
    log.warning("answered 503: %s", reason)
    return Refusal(
        "service_unavailable", f"The mock can't do this now: {reason}", headers={"Retry-After": "1"}
    )


def answer_to(refusal: Refusal, contract: Contract, operation: Operation | None = None) -> Answer:
    """Return the answer that refuses a request.

    Args:
        refusal: why.
        contract: the one that is served.
        operation: the one that was called; None outside of any.
    """
    status, usual = _errors(contract)[refusal.code]
    body = {"code": refusal.code, "message": refusal.message or usual}
    declared = None
    if operation is not None and refusal.code not in contract.errors:
        status, declared = _declared(operation, status)
    note = {"error": body["message"]}
    if declared is None:
        return _undeclared(refusal, contract, status, body, note)
    headers = {**declared_headers(declared), **refusal.headers}
    media = declared.json or next(iter(declared.content.values()), None)
    if media is not None and media.name.startswith("text/"):
        return Answer(status, body["message"], media.name, headers, note)
    if media is not None and media.is_json and (fitted := _fitted(media, status, body)) is not None:
        return Answer(status, fitted, media.name, headers, note)
    headers |= {FAULTS: in_header(body["message"])}
    if media is None:
        return Answer(status, media_type=None, headers=headers, note=note)
    return Answer(status, in_text(media.example, media), media.name, headers, note)


def _undeclared(
    refusal: Refusal, contract: Contract, status: int, body: dict[str, str], note: Mapping[str, Any]
) -> Answer:
    """Return a refusal of which nothing is declared: as the file's other errors are, or as Magic Hour's."""
    usual = contract.usual_refusal(status) if refusal.code not in contract.errors else None
    media = usual.json if usual is not None else None
    fitted = _fitted(media, status, body) if media is not None else None
    if media is None or fitted is None:
        return Answer(status, body, headers=refusal.headers, note=note, doubt=refusal.doubt)
    return Answer(status, fitted, media.name, refusal.headers, note, doubt="other errors of the file are so")


def in_header(message: str) -> str:
    """Return a message as a header can carry it."""
    return printable(message.encode("latin-1", "replace").decode("latin-1"))


def in_text(data: Any, media: MediaType) -> Any:
    """Return data as it is answered: XML as its text."""
    if not media.is_xml or isinstance(data, str):
        return data
    from bluehour.openapi.xml import to_xml  # here: few contracts have XML

    return to_xml(data, media.schema)


def envelope(code: str, message: str | None = None) -> Reply:
    """Return a refusal where there is no application to ask, or it has failed: in Magic Hour's own words.

    Args:
        code: one of its error codes.
        message: for a person; None for the usual one.
    """
    status, usual = _known_errors()[code]
    return Reply(status, [("Content-Type", JSON)], orjson.dumps({"code": code, "message": message or usual}))


def declared_headers(response: DeclaredResponse) -> dict[str, str]:
    """Return a legal value for each header that is declared for a response."""
    return {header.name: text for header in response.headers if (text := _text_of(header)) is not None}


def _text_of(header: Parameter) -> str | None:
    """Return a header's value; None where it need not be sent and can't."""
    if header.name.lower() in _SENT_ANYWAY:
        return None
    try:
        value = header.example
    except SpecError:
        if header.required:
            raise
        return None
    values = value if isinstance(value, list) else [value]
    text = ",".join(each if isinstance(each, str) else orjson.dumps(each).decode() for each in values)
    return text if text.isascii() and text.isprintable() else None


def code_of(status: int, contract: Contract) -> str | None:
    """Return the error code for an HTTP status, or None where it has none of its own."""
    return next((code for code, (known, _) in _errors(contract).items() if known == status), None)


def nowhere(allowed: Sequence[str], contract: Contract) -> Refusal:
    """Return the refusal of a path that leads nowhere, or not by that method.

    Args:
        allowed: the methods that the path has; none where there is no such path.
        contract: the one that is served.
    """
    status = 405 if allowed else 404
    headers = {"Allow": allow_header(allowed)} if allowed else None
    return Refusal(code_of(status, contract) or "invalid_request", headers=headers)


def allow_header(methods: Sequence[str]) -> str:
    """Return what an Allow header says of a path with these methods."""
    return ", ".join(sorted({*methods, "OPTIONS"}))


def server_response(status: int, contract: Contract) -> DeclaredResponse | None:
    """Return what is declared where no operation speaks, if only by Magic Hour's contract."""
    known = (contract.server_responses, load().server_responses, load().mock_responses)
    return next((responses[status] for responses in known if status in responses), None)


def _errors(contract: Contract) -> Mapping[str, tuple[int, str]]:
    return {**_known_errors(), **contract.errors}


@cache
def _known_errors() -> Mapping[str, tuple[int, str]]:
    return {**_OF_OTHERS, **load().mock_errors, **load().errors}


def _declared(operation: Operation, status: int) -> tuple[int, DeclaredResponse | None]:
    """Find what a foreign contract declares for an error of this kind: our 400 may be its 422."""
    candidates = (400, 422) if status in (400, 422) else (status,)
    exact = [candidate for candidate in candidates if str(candidate) in operation.responses]
    chosen = exact[0] if exact else status
    return chosen, operation.response(chosen)


def _fitted(media: MediaType, status: int, body: dict[str, str]) -> Any:
    """Return a legal value with the message where the schema has a place for it; None without one."""
    is_legal, fields = media.schema.accepts(body), media.schema.resolved.get("properties", body)
    if is_legal and fields.keys() >= body.keys():
        return body
    example = media.example
    if isinstance(example, dict) and isinstance(example.get("status"), int):  # as problem details have it
        example = {**example, "status": status}
    told = (value for value in _told(example, body["message"]) if media.schema.accepts(value))
    return next(told, body if is_legal else None)


def _told(example: Any, message: str, depth: int = 0) -> Iterator[Any]:
    """Yield an example with the message in each of the places that one may have: its own fields first."""
    if isinstance(example, list) and example:
        yield from ([inner, *example[1:]] for inner in _told(example[0], message, depth + 1))
    if not isinstance(example, dict) or depth > _DEEPEST_MESSAGE:
        return
    for name in _MESSAGE_FIELDS:
        if isinstance(example.get(name), str):
            yield {**example, name: message}
    for name, value in example.items():
        yield from ({**example, name: inner} for inner in _told(value, message, depth + 1))
