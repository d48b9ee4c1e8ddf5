"""One request and what came of it, as values: the checker makes them, the judge and the reports read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bluehour.openapi import messages
from bluehour.openapi.data import from_json
from bluehour.openapi.model import Operation

Headers = tuple[tuple[str, str], ...]
"""Names and values in the order in which they travelled."""


ANYWHERE = "any path"
"""In place of an operation, for what belongs to none."""


@dataclass(frozen=True)
class Request:
    """What was sent. `url` is whole, with its query."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header's first value, whatever the case of its name; None where there is none."""
        return _first(self.headers, name)

    @property
    def message(self) -> messages.Request:
        """The request as every part of Bluehour has it."""
        return messages.Request(self.method, self.url, messages.Headers(self.headers), self.body)


@dataclass(frozen=True)
class Answer:
    """What came back: a status, headers and the whole body, `seconds` after the request was sent."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """Return a header's first value, whatever the case of its name; None where there is none."""
        return _first(self.headers, name)

    @cached_property
    def json(self) -> Any:
        """The body as data; None where it is no JSON, or too deep to be judged."""
        try:
            return from_json(self.body)
        except ValueError:
            return None

    def field(self, name: str) -> Any:
        """Return a field of a JSON object; None where there is no such field, or no object."""
        return self.json.get(name) if isinstance(self.json, dict) else None


@dataclass(frozen=True)
class Exchange:
    """A request with its answer, and what is known about it.

    Attributes:
        number: counted from 1; 0 of what was never sent.
        at: when it was sent, in seconds since the epoch.
        operation: what was called; None for a transfer, and for what the contract does not have.
        transfer: `upload` or `download` for the two ends of a signed link; nothing for all else.
        purpose: what it was sent for, in words: `style.mouth_smile above its maximum`.
        account: whose token it carried: `main`, `second`, …; nothing where it carried none.
        answer: None where none came.
        failure: why none came, in words; nothing where one did.
        reserved: credits that were set aside for it before it was sent.
        booked: credits that it has cost, in the worst case where that is not known.
        spent: credits of the whole run after it.
    """

    number: int
    at: float
    request: Request
    answer: Answer | None = None
    operation: Operation | None = None
    transfer: str = ""
    purpose: str = ""
    account: str = ""
    failure: str = ""
    reserved: int = 0
    booked: int = 0
    spent: int = 0

    @property
    def was_sent(self) -> bool:
        """Whether there was a call; a link that may not be followed has none."""
        return self.number > 0

    @property
    def label(self) -> str:
        """What was called, in words: `POST /v1/ai-face-editor`, `upload`, `download`, or `ANYWHERE`."""
        return label_of(self.operation) if self.operation else self.transfer or ANYWHERE

    @property
    def ended_at(self) -> float:
        """When its answer had come, in seconds since the epoch; with none, when it was sent."""
        return self.at + (self.answer.seconds if self.answer else 0.0)


def label_of(operation: Operation) -> str:
    """Return what an operation is called in reports: `POST /v1/ai-face-editor`."""
    return f"{operation.method} {operation.path}"


def _first(headers: Headers, name: str) -> str | None:
    wanted = name.lower()
    return next((value for known, value in headers if known.lower() == wanted), None)
