"""The end of every journey: an answer is judged by the contract, and encoded."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson
from flask import Request, Response

from bluehour.openapi.contract import Contract
from bluehour.openapi.messages import Headers
from bluehour.openapi.model import DeclaredResponse, is_json
from bluehour.openapi.responses import judge_data
from bluehour.openapi.wording import joined

from .exchange import Answer, Refusal
from .refusals import answer_to
from .requestlog import call_in_words
from .trace import trace_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger("bluehour")


class _Whole(Response):
    """A response that is there in one piece, with its length: there is little left to prepare."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it."""
        if environ["REQUEST_METHOD"] == "HEAD" or self.status_code in (204, 304):
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return self.iter_encoded()


def judged(
    answer: Answer, declared: DeclaredResponse | None, contract: Contract, request: Request
) -> Response:
    """Encode an answer. One that the contract does not allow is a bug of ours, and is not sent."""
    headers = Headers(answer.headers.items())
    faults = judge_data(declared, answer.status, headers, answer.media_type, answer.body)
    if faults:
        message = joined(fault.message for fault in faults)
        what = call_in_words(request.method, request.path)
        log.error("%s: the answer breaks the contract, a bug: %s", what, message)
        answer = answer_to(
            Refusal("internal_server_error", f"The mock's answer broke the contract: {message}"), contract
        )
    return encoded(answer, request)


def encoded(answer: Answer, request: Request) -> Response:
    """Encode an answer, and write it down in the request's trace."""
    content = _content(answer)
    trace = trace_of(request.environ)
    trace.answer = content
    trace.note = answer.note
    response = _Whole(content, answer.status, answer.headers, content_type=answer.media_type)
    if answer.media_type is None:
        del response.headers["Content-Type"]
    return response


def _content(answer: Answer) -> bytes:
    if answer.media_type is None:
        return b""
    if isinstance(answer.body, str | bytes) and not is_json(answer.media_type):
        return answer.body if isinstance(answer.body, bytes) else answer.body.encode()
    return orjson.dumps(answer.body)
