"""What is sent to a client: a `Reply`, and how it may go wrong on its way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["", "drop", "cut", "drip"]

Events = Callable[[], AsyncIterator[bytes]]
"""Opens a body that goes on for ever; it ends at once where no more readers are let in."""


@dataclass(frozen=True, slots=True)
class Disruption:
    """What is to go wrong while an answer is sent.

    Attributes:
        delay: seconds before its first byte.
        kind: `drop` closes the connection instead, `cut` amid the body, `drip` sends byte by byte.
        drip_seconds: how long that takes.
    """

    delay: float = 0
    kind: Kind = ""
    drip_seconds: float = 0


@dataclass(slots=True)
class Reply:
    """What a server sends.

    Attributes:
        status: 200 to 599.
        headers: names and values in their order. Whoever sends it adds a Content-Length; only the answer to
            a HEAD may have its own, which tells of a body that is not there.
        body: bytes, a file that is sent as it is, or events.
        disruption: what is to go wrong on its way.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Path | Events = b""
    disruption: Disruption | None = None

    @property
    def size(self) -> int:
        """Bytes of the body; 0 for events."""
        if isinstance(self.body, bytes):
            return len(self.body)
        return self.body.stat().st_size if isinstance(self.body, Path) else 0
