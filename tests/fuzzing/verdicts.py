"""What is wrong with an answer, whatever the request was."""

from __future__ import annotations

from collections import Counter

import orjson

from .generating import Generator
from .playing import Got
from .sending import Sent

LONGEST_REFUSAL = 8_000
"""Bytes: what was sent is quoted by a line at most, and few faults are told of many."""


class Verdicts:
    """What is wrong with the answers of one run; the first few faults, each with its request."""

    def __init__(self, generator: Generator, *, envelope: bool, forced: bool = False) -> None:
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []
        self._generator = generator
        self._envelope = envelope
        self._forced = forced

    def hear(self, request: Sent, got: Got) -> None:
        """Judge an answer."""
        self.statuses[got.status] += 1
        if got.status < 400:
            self._generator.learn(got.body)
        if fault := self._fault(request, got):
            self.faults.append(f"{fault}\n  to {request.raw[:6000]!r}\n  got {got.head + got.body[:500]!r}")

    def _fault(self, request: Sent, got: Got) -> str:
        if got.status == request.asked or (self._forced and not self._is_control(request)):
            return ""
        if got.status >= 500:
            return f"status {got.status}"
        if got.status < 400:
            return ""
        if len(got.body) > LONGEST_REFUSAL:
            return f"a refusal of {len(got.body):,} bytes"
        is_json = b"application/json" in got.head.lower()
        if is_json and self._envelope and request.method != b"HEAD" and not _is_envelope(got.body):
            return "not the contract's envelope"
        return ""

    @staticmethod
    def _is_control(request: Sent) -> bool:
        return b"/_mock" in request.raw.partition(b"\r\n")[0]


def _is_envelope(body: bytes) -> bool:
    """Tell whether a body is the envelope of the contract's errors."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return (
        isinstance(value, dict)
        and isinstance(value.get("code"), str)
        and isinstance(value.get("message"), str)
    )
