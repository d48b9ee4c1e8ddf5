"""Answers as bytes: every way of writing one that HTTP allows, and some that it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bluehour.mock_server.server.heads import answer_head

from ...http1 import LAST_CHUNK, chunk
from ..script import Case, Fault, Turn

_CHUNKS = 3

_CASES: Mapping[Case, Callable[[str], str]] = {
    "usual": str,
    "lower": str.lower,
    "upper": str.upper,
    "mixed": lambda name: "".join(
        letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(name)
    ),
}


@dataclass(frozen=True)
class Written:
    """An answer before it is written.

    Attributes:
        status: 100 to 599.
        body: its content; None for an answer that has none, as a 204.
        media_type: of the body; nothing for an answer without one.
        headers: beside those that the body brings.
        says_all: whether the body follows; not for HEAD.
    """

    status: int
    body: bytes | None = None
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    says_all: bool = True


def json_bytes(data: Any, turn: Turn) -> bytes:
    """Return data as JSON, written as a turn wants it."""
    if turn.writing == "spaced":
        return json.dumps(data, ensure_ascii=False, indent=4, separators=(" ,", " : ")).encode()
    return json.dumps(data, ensure_ascii=turn.writing == "ascii", separators=(",", ":")).encode()


def pieces(answer: Written, turn: Turn, date: str, *, says_close: bool = False) -> Iterator[bytes]:
    """Yield what to send: an answer with the faults of a turn. Where it is cut, the connection has to end.

    Args:
        answer: what it would be without faults.
        turn: how it is written.
        date: the server's.
        says_close: whether it announces that the connection ends with it.
    """
    body = _spoiled(answer.body, turn.fault)
    yield _head(answer, body, turn, {"Date": date} | ({"Connection": "close"} if says_close else {}))
    if not body or not answer.says_all:
        if body is not None and turn.framing == "chunked" and answer.says_all:
            yield LAST_CHUNK
        return
    sent = body[: len(body) // 2] if turn.fault is Fault.CUT else body
    if turn.framing != "chunked":
        yield sent
        return
    size = -(-len(sent) // _CHUNKS)
    for start in range(0, len(sent), size):
        yield chunk(sent[start : start + size])
    if turn.fault is not Fault.CUT:
        yield LAST_CHUNK


def ends_connection(turn: Turn) -> bool:
    """Tell whether the connection has to end with the answer."""
    return turn.fault is Fault.CUT or turn.framing == "close"


def _spoiled(body: bytes | None, fault: Fault | None) -> bytes | None:
    if body is None:
        return None
    if fault is Fault.EMPTY:
        return b""
    return body[: len(body) // 2] if fault is Fault.BROKEN_JSON else body


def _head(answer: Written, body: bytes | None, turn: Turn, usual: Mapping[str, str]) -> bytes:
    headers = {**usual, **answer.headers, **turn.headers}
    if answer.media_type and turn.fault is not Fault.NO_TYPE:
        wrong = turn.fault is Fault.WRONG_TYPE
        headers["Content-Type"] = "text/html" if wrong else turn.content_type or answer.media_type
    if turn.framing == "close":
        headers["Connection"] = "close"
    elif turn.framing == "chunked" and body is not None:
        headers["Transfer-Encoding"] = "chunked"
    elif body is not None:
        headers["Content-Length"] = str(len(body))
    spelled = _CASES[turn.case]
    return answer_head(answer.status, [(spelled(name), value) for name, value in headers.items()])
