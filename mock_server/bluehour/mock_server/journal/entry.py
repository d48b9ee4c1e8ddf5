"""One exchange, a request with its response, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bluehour.openapi.messages import Headers as MessageHeaders
from bluehour.openapi.messages import Request
from bluehour.openapi.model import Operation

from ..api.secrets import Secrets
from ..api.trace import Violation
from ..core.process import Process

LARGEST_BODY = 64 * 2**10
"""Bytes of a body that are kept; of a larger one, nothing but its size."""

NO_ANSWER = 0
"""In place of a status: the connection was dropped. HAR writes it the same way."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """What was sent, what was answered, and what happened in between: as it was, to be judged.

    It has secrets in it. Whoever shows it shortens them, as `view` does.

    Attributes:
        id: counted from 1.
        at: by the mock's clock, seconds since the epoch.
        ms: how long the mock worked on it.
        target: path and query as they came, percent signs and all.
        request_body: None where it was not kept.
        status: of the answer, or `NO_ANSWER`.
        operation: what was called; None for a transfer, and where there is no such method and path.
        transfer: `upload`, `download` or nothing.
        path_values: the values of the path's parameters, by name.
        account_id: who called.
        note: what happened: `project`, `charged`, `error`, …
        forced: what a scenario did, in words.
        is_frozen: whether the clock stood still.
        is_lost: whether the operation was carried out, but its client can't read the answer.
        fingerprint: of the request's body, where that was too large to be kept.
        habits: warnings that only the calls before can give.
        broken: what of the answer breaks the contract, where somebody judged it.
        remarks: what else is to be said of it.
        process: which one answered it.
        secrets: what must not be shown of it.
    """

    id: int
    at: float
    ms: float
    method: str
    target: str
    request_headers: Headers
    request_body: bytes | None
    request_size: int
    status: int
    response_headers: Headers
    response_body: bytes | None
    response_size: int
    operation: Operation | None
    transfer: str
    path_values: Mapping[str, str]
    account_id: str | None
    note: Mapping[str, Any]
    forced: str | None
    is_frozen: bool
    is_lost: bool
    fingerprint: str | None
    habits: tuple[str, ...]
    broken: tuple[Violation, ...]
    remarks: tuple[str, ...]
    process: Process
    secrets: Secrets

    @cached_property
    def request(self) -> Request:
        """The request as it came; without its body, where that was not kept."""
        return Request(
            self.method, self.target, MessageHeaders(self.request_headers), self.request_body or b""
        )

    @property
    def path(self) -> str:
        """The path, its percent signs undone."""
        return self.request.path

    @property
    def query(self) -> str:
        """The query as it came."""
        return self.request.query

    @property
    def operation_id(self) -> str | None:
        """The operation's id, `upload` or `download`, or None."""
        return self.operation.id if self.operation is not None else self.transfer or None
