"""One request with its answer, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluehour.openapi.model import Operation

from ..trace import Broken
from .secrets import Secrets

LARGEST_BODY = 64 * 2**10
"""Bytes of a body that are kept; of a larger one, nothing but its size."""

NO_ANSWER = 0
"""In place of a status: the connection was dropped. HAR writes it the same way."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was sent, what was answered, and what happened in between: as it was, to be judged.

    It has secrets in it. Whoever shows it shortens them, as `view` does.

    Attributes:
        id: counted from 1.
        at: by the mock's clock, seconds since the epoch.
        ms: how long the mock worked on it.
        query: the query string as it came.
        request_body: None where it was not kept.
        status: of the answer, or `NO_ANSWER`.
        operation: what was called; None for a transfer, and where there is no such method and path.
        transfer: `upload`, `download` or nothing.
        path_values: the values of the path's parameters, by name.
        has_token: whether the credential came that the operation asks for.
        account_id: who called.
        note: what happened: `project`, `charged`, `error`, …
        forced: what a scenario did, in words.
        habits: warnings that only the calls before can give.
        broken: what of the answer breaks the contract, where somebody judged it.
        remarks: what else is to be said of it.
        secrets: what must not be shown of it.
    """

    id: int
    at: float
    ms: float
    method: str
    path: str
    query: str
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
    has_token: bool
    account_id: str | None
    note: Mapping[str, Any]
    forced: str | None
    habits: tuple[str, ...]
    broken: tuple[Broken, ...]
    remarks: tuple[str, ...]
    secrets: Secrets

    @property
    def operation_id(self) -> str | None:
        """The operation's id, `upload` or `download`, or None."""
        return self.operation.id if self.operation is not None else self.transfer or None
