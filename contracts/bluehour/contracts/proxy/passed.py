"""A request and what came of it, as the proxy saw them pass: written while it forwards, read by the bench."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bluehour.openapi.messages import Headers, Pairs, Request

MOST_KEPT = 16 * 2**20
"""Bytes of a body that are kept to be judged; a larger one passes without."""


class Kept:
    """A copy of a body, as it travelled, as long as it is not too large.

    Attributes:
        size: of all that passed, in bytes.
        all: the copy; None where the body was too large for one.
    """

    def __init__(self) -> None:
        self.size = 0
        self.all: bytearray | None = bytearray()

    def add(self, content: bytes) -> None:
        """Take the next piece."""
        self.size += len(content)
        if self.size > MOST_KEPT:
            self.all = None
        elif self.all is not None:
            self.all += content


@dataclass(slots=True)
class Passed:
    """What has passed.

    Attributes:
        method, target: as the request line has them; `-` where no request could be read.
        at: when it came, in seconds since the epoch.
        seconds: from then until the end of the answer.
        status: what the client got; 0 for nothing.
        failure: why no whole answer came from the upstream, in words; nothing where one did.
        is_own: whether the answer is the proxy's own.
        malformed: what about the request is no HTTP, in words.
        left: when the client went away, in words; nothing where it stayed to the end.
    """

    method: str
    target: str
    request_headers: Pairs = ()
    request_body: Kept = field(default_factory=Kept)
    at: float = field(default_factory=time.time)
    seconds: float = 0.0
    status: int = 0
    answer_headers: Pairs = ()
    answer_body: Kept = field(default_factory=Kept)
    failure: str = ""
    is_own: bool = False
    malformed: str = ""
    left: str = ""
    _started: float = field(default_factory=time.perf_counter)

    def end(self) -> None:
        """Say that the answer has ended; the first time counts."""
        self.seconds = self.seconds or time.perf_counter() - self._started

    @property
    def request(self) -> Request:
        """The request, without its body."""
        return Request(self.method, _as_text(self.target), Headers(self.request_headers))

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def weight(self) -> int:
        """About how many bytes of memory it holds."""
        return 4096 + len(self.request_body.all or b"") + len(self.answer_body.all or b"")


def _as_text(target: str) -> str:
    """A target's bytes, which were taken for Latin-1, as the UTF-8 that they mostly are."""
    return target if target.isascii() else target.encode("latin-1", "replace").decode("utf-8", "replace")
