"""What a server carries requests to: an `Application`, which knows what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Protocol

from bluehour.openapi.messages import Request

from .reply import Reply

Lane = Literal["api", "writing", "fetching", "uploads", "pictures", "downloads", "control", "waiting"]
"""Threads for what waits for the same; what each is for, `server/lanes.py` tells."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the server refuses a request; its answer is still the application's, so that it is recorded.

    Attributes:
        code: one of the contract's error codes.
        message: for a person.
        headers: to be sent along.
    """

    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Application(Protocol):
    """Answers requests, whoever carries them."""

    def lane_of(self, method: str, path: str, body: bytes | None) -> Lane | None:
        """Tell in whose threads a request is answered: None for a quick one, which is answered at once.

        Args:
            method: as it came.
            path: percent signs undone.
            body: None for a large one, which never is quick.
        """

    def largest_body(self, path: str) -> int:
        """Tell how many bytes a body may have there; of a larger one, only a little more is kept."""

    def answer(self, request: Request, body: BinaryIO | None, refused: Refused | OSError | None) -> Reply:
        """Answer a request, in the event loop or in a thread; never raises.

        Args:
            request: with its body, unless that is large.
            body: a large one, at its beginning; closed by the server afterwards.
            refused: why it must be refused; an OSError where there was no room for its body.
        """
