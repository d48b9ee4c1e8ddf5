"""The end of every journey: an answer is judged by the contract, and encoded."""

from __future__ import annotations

import logging
from pathlib import Path

import orjson

from bluehour.openapi.contract import Contract
from bluehour.openapi.messages import Headers, Request
from bluehour.openapi.model import DeclaredResponse, is_json
from bluehour.openapi.responses import judge_data
from bluehour.openapi.wording import joined, shown_call

from .call import Answer, Refusal
from .refusals import answer_to, server_response, unavailable
from .reply import Reply

_NO_HEADERS = Headers()

log = logging.getLogger("bluehour")


def judged(answer: Answer, declared: DeclaredResponse | None, contract: Contract, request: Request) -> Answer:
    """Return an answer that the contract allows; one that it does not is a bug of ours, and becomes a 500."""
    headers = Headers(tuple(answer.headers.items())) if answer.headers else _NO_HEADERS
    faults = judge_data(declared, answer.status, headers, answer.media_type, answer.body)
    if not faults or answer.doubt:
        return answer
    message = joined(fault.message for fault in faults)
    what = shown_call(request.method, request.path)
    log.error("%s: the answer breaks the contract, a bug: %s", what, message)
    return answer_to(
        Refusal("internal_server_error", f"The mock's answer broke the contract: {message}"), contract
    )


def refused(request: Request, error: Exception, contract: Contract) -> Answer:
    """Return what is answered outside of any operation: to a refusal, a machine's lack, or a bug of ours."""
    refusal = error if isinstance(error, Refusal) else unavailable(error)
    if refusal is None:
        what = shown_call(request.method, request.path)
        log.error("%s failed, which is a bug of the mock", what, exc_info=error)
        refusal = Refusal("internal_server_error")
    answer = answer_to(refusal, contract)
    return judged(answer, server_response(answer.status, contract), contract, request)


def reply_of(answer: Answer) -> Reply:
    """Encode an answer."""
    headers = [] if answer.media_type is None else [("Content-Type", answer.media_type)]
    headers += answer.headers.items()
    return Reply(answer.status, headers, _content(answer))


def _content(answer: Answer) -> bytes | Path:
    if answer.media_type is None:
        return b""
    if isinstance(answer.body, Path):
        return answer.body
    if isinstance(answer.body, str | bytes) and not is_json(answer.media_type):
        return answer.body if isinstance(answer.body, bytes) else answer.body.encode()
    return orjson.dumps(answer.body)
