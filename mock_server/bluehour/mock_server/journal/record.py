"""A request with its answer as the journal keeps it: packed, as it is seldom read.

It is made with every request, of what is at hand; the reader makes an `Entry` of it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import orjson

from bluehour.openapi.messages import Request
from bluehour.openapi.model import Operation

from ..api.reply import Reply
from ..api.secrets import Secrets
from ..api.trace import Trace, Violation
from ..core.process import Process, this_process
from .entry import LARGEST_BODY, NO_ANSWER, Entry


def record(
    request: Request,
    trace: Trace,
    reply: Reply,
    secrets: Secrets,
    *,
    at: float,
    ms: float,
    body: bytes | None,
    size: int,
    answer: bytes | None,
    answer_size: int,
    is_frozen: bool = False,
) -> Record:
    """Return what is known of a request and its answer as the journal keeps it.

    Args:
        request, trace, reply: what came, what is known of it, and what is sent.
        secrets: what must not be shown of it.
        at: when it came, by the mock's clock, seconds since the epoch.
        ms: how long it took.
        body, answer: the bodies, without any coding of theirs; None where they are not at hand.
        size, answer_size: of the bodies, in bytes, whether they are at hand or not.
        is_frozen: whether the clock stood still.
    """
    disruption = reply.disruption
    packed = _packed(
        [
            at,
            ms,
            request.method,
            request.target,
            request.headers.pairs,
            size,
            reply.status,
            reply.headers,
            answer_size,
            trace.transfer,
            trace.path_values,
            trace.account_id,
            trace.note,
            trace.forced,
            disruption is not None and disruption.kind == "drop",
            is_frozen,
            trace.is_lost,
            _fingerprint(body),
            trace.broken,
            trace.remarks,
            this_process(),
        ]
    )
    body, answer = _kept(body), _kept(answer)
    weight = 512 + len(packed) + len(body or b"") + len(answer or b"")
    return Record(packed, body, answer, trace.operation, weight, secrets)


class Record(NamedTuple):
    """A request and its answer in few pieces; `entry` is what they say.

    Measured, what slows a busy server is not so much to write a record down as to keep a thousand times fifty
    small objects from being used again while they are in the processor's cache. So most of it is one.
    """

    packed: bytes
    body: bytes | None
    answer: bytes | None
    operation: Operation | None
    weight: int
    """About how many bytes of memory it holds."""
    secrets: Secrets

    def entry(self, number: int) -> Entry:
        """Return it as the journal's readers have it, by its number."""
        (
            at,
            ms,
            method,
            target,
            asked,
            size,
            status,
            answered,
            answer_size,
            transfer,
            path_values,
            account_id,
            note,
            forced,
            dropped,
            is_frozen,
            is_lost,
            fingerprint,
            broken,
            remarks,
            process,
        ) = json.loads(self.packed)
        headers = () if dropped else tuple(map(tuple, answered))
        return Entry(
            id=number,
            at=at,
            ms=ms,
            method=method,
            target=target,
            request_headers=tuple((name.title(), value) for name, value in asked),
            request_body=self.body,
            request_size=size,
            status=NO_ANSWER if dropped else status,
            response_headers=headers,
            response_body=b"" if dropped else self.answer,
            response_size=0 if dropped else answer_size,
            operation=self.operation,
            transfer=transfer,
            path_values=path_values,
            account_id=account_id,
            note=note,
            forced=forced,
            is_frozen=is_frozen,
            is_lost=is_lost,
            fingerprint=fingerprint,
            habits=(),
            broken=tuple(Violation(*each) for each in broken),
            remarks=tuple(remarks),
            process=Process(*process),
            secrets=self.secrets,
        )


def _kept(body: bytes | None) -> bytes | None:
    return body if body is None or len(body) <= LARGEST_BODY else None


def _fingerprint(body: bytes | None) -> str | None:
    """Return what stands for a body that is not kept."""
    if body is None or _kept(body) is not None:
        return None
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _packed(fields: list[Any]) -> bytes:
    try:
        return orjson.dumps(fields)
    except TypeError:  # half a surrogate pair, which only Python's own takes for a character
        return json.dumps(fields).encode()
