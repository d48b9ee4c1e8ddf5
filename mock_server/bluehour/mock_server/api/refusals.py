"""What a refusal looks like on the wire: the contract's envelope, or what a foreign contract declares."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.model import JSON, DeclaredResponse, MediaType, Operation

from ..core.gate import Forgotten
from ..core.lacks import lack_in
from .call import Answer, Refusal
from .reply import Reply

_MESSAGE_FIELDS = ("message", "detail", "error", "title", "description", "error_description")

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
    message = refusal.message or usual
    body = {"code": refusal.code, "message": message}
    note = {"error": message}
    if operation is None or refusal.code in contract.errors:
        return Answer(status, body, headers=refusal.headers, note=note)
    status, declared = _declared(operation, status)
    if declared is None:
        return Answer(status, body, headers=refusal.headers, note=note)
    headers = {**required_headers(declared), **refusal.headers}
    media = declared.json or next(iter(declared.content.values()), None)
    if media is None:
        return Answer(status, media_type=None, headers=headers, note=note)
    if media.name.startswith("text/"):
        return Answer(status, message, media.name, headers, note)
    return Answer(status, _fitted(media, body) if media.is_json else media.example, media.name, headers, note)


def envelope(code: str, message: str | None = None) -> Reply:
    """Return a refusal where there is no application to ask, or it has failed: in Magic Hour's own words.

    Args:
        code: one of its error codes.
        message: for a person; None for the usual one.
    """
    status, usual = _known_errors()[code]
    return Reply(status, [("Content-Type", JSON)], orjson.dumps({"code": code, "message": message or usual}))


def required_headers(response: DeclaredResponse) -> dict[str, str]:
    """Return a legal value for each header that a response must have."""
    return {header.name: str(header.example) for header in response.headers if header.required}


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
    return {**load().mock_errors, **load().errors}


def _declared(operation: Operation, status: int) -> tuple[int, DeclaredResponse | None]:
    """Find what a foreign contract declares for an error of this kind: our 400 may be its 422."""
    candidates = (400, 422) if status in (400, 422) else (status,)
    exact = [candidate for candidate in candidates if str(candidate) in operation.responses]
    chosen = exact[0] if exact else status
    return chosen, operation.response(chosen)


def _fitted(media: MediaType, body: dict[str, str]) -> Any:
    """Put the message where the declared schema has a place for it, and keep the rest legal."""
    if media.schema.accepts(body):
        return body
    example = media.example
    if isinstance(example, dict):
        for field in _MESSAGE_FIELDS:
            fitted = {**example, field: body["message"]}
            if field in example and media.schema.accepts(fitted):
                return fitted
    return example
