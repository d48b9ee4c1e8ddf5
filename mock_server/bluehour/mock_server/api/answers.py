"""The end of every journey: an answer is judged by the contract, and encoded."""

from __future__ import annotations

import logging

import orjson

from bluehour.openapi.contract import Contract
from bluehour.openapi.messages import Request
from bluehour.openapi.model import Response as Declared
from bluehour.openapi.model import is_json
from bluehour.openapi.wording import sentence, shown_call

from .call import Answer, Refusal
from .refusals import answer_to
from .reply import Reply

log = logging.getLogger("bluehour")


def judged(answer: Answer, declared: Declared | None, contract: Contract, request: Request) -> Answer:
    """Return an answer that the contract allows; one that it does not is a bug of ours, and becomes a 500."""
    fault = _fault_of(answer, declared)
    if fault is None:
        return answer
    what = shown_call(request.method, request.path)
    log.error("%s: the answer breaks the contract, a bug: %s", what, fault)
    return answer_to(
        Refusal("internal_server_error", f"The mock's answer broke the contract: {fault}"), contract
    )


def reply_of(answer: Answer) -> Reply:
    """Encode an answer."""
    headers = [] if answer.media_type is None else [("Content-Type", answer.media_type)]
    headers += answer.headers.items()
    return Reply(answer.status, headers, _content(answer))


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


def _content(answer: Answer) -> bytes:
    if answer.media_type is None:
        return b""
    if isinstance(answer.body, str | bytes) and not is_json(answer.media_type):
        return answer.body if isinstance(answer.body, bytes) else answer.body.encode()
    return orjson.dumps(answer.body)
