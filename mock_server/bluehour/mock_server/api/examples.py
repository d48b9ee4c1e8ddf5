"""Answers that nothing is kept for: the published example, or a legal value where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bluehour.openapi.document import SpecError
from bluehour.openapi.model import JSON, DeclaredResponse, MediaType, is_json

from .call import Answer, Call, Refusal
from .refusals import declared_headers, in_text


def documented_example(call: Call) -> Answer:
    """Answer with the operation's published example, or a legal value where there is none."""
    status, response = call.operation.success
    return answered(call, status, response, lambda media: media.example)


def answered(call: Call, status: int, response: DeclaredResponse, data: Callable[[MediaType], Any]) -> Answer:
    """Answer in the representation that the client asks for, and with the headers that are declared.

    Args:
        call: what is answered.
        status: of the answer.
        response: what is declared for it.
        data: returns what a representation says.

    Raises:
        Refusal: the contract allows no answer.
    """
    try:
        return _represented(call, status, response, data)
    except SpecError as error:
        raise Refusal("internal_server_error", f"The contract allows no answer here: {error}") from error


def _represented(
    call: Call, status: int, response: DeclaredResponse, data: Callable[[MediaType], Any]
) -> Answer:
    headers = declared_headers(response)
    if not response.content:
        return Answer(status, media_type=None, headers=headers)
    accept = call.request.headers.get("accept") or ""
    # A behaviour's own answer has one form, and so has the example of it.
    media = _acceptable(response, accept, anything=call.operation.behaviour is not None)
    if media is None:
        message = f"Not acceptable: there is {' or '.join(response.content)}"
        body = {"code": "not_acceptable", "message": message}
        return Answer(406, body, note={"error": message}, doubt="any server may answer so")
    name = media.name
    if name == "*/*":
        name = "application/octet-stream" if _is_text(media) else JSON
    return Answer(status, in_text(data(media), media), name, headers)


def _is_text(media: MediaType) -> bool:
    return media.is_xml or isinstance(media.example, str | bytes)


def _acceptable(response: DeclaredResponse, accept: str, *, anything: bool) -> MediaType | None:
    """The representation that the Accept header asks for, JSON first where it leaves the choice; or None.

    Data without a published text can only be written as JSON: other representations of it come last.
    """
    written = [name for name, media in response.content.items() if is_json(name) or _is_text(media)]
    offered = sorted(written or response.content, key=lambda name: not is_json(name))
    from werkzeug.datastructures import MIMEAccept  # here: only documented examples are chosen so
    from werkzeug.http import parse_accept_header

    wanted = parse_accept_header(accept or "*/*", MIMEAccept)
    best = wanted.best_match(offered)
    takes_json = is_json(offered[0]) and wanted.best_match([JSON])  # a kind of it that it does not name, too
    if best is None and (anything or takes_json or wanted.best_match(response.content)):
        best = offered[0]
    return None if best is None else response.content[best]
