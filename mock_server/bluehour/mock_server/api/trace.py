"""What is known of one request while it is answered.

Everyone on the way writes down what they learn; the request log and the journal read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bluehour.openapi.model import Operation


class Violation(NamedTuple):
    """A rule that the answer breaks: its id, the field of the answer that shows it, and what is wrong."""

    rule: str
    field: str
    message: str


ItemKey = tuple[str, str]
"""What an item is kept by: its collection, and its id there."""


@dataclass(slots=True)
class Trace:
    """One request's story so far.

    Attributes:
        operation: what was called; None until it is known, and for a path or method that there is not.
        transfer: `upload` or `download` for the two ends of a signed link, which are no operations.
        path_values: the values of the path's parameters, by name.
        item: the item of another contract's resource that it made, changed or read.
        token: the credential that came.
        account_id: whose that is.
        note: what happened: `project`, `charged`, `balance`, `error`, …
        forced: what a scenario did, in words.
        is_lost: whether the operation was carried out, but its client can't read the answer.
        broken: what of the answer breaks the contract, where somebody judges it, as a proxy does.
        remarks: what else is to be said of it, such as that the answer never arrived.
    """

    operation: Operation | None = None
    transfer: str = ""
    path_values: Mapping[str, str] = field(default_factory=dict)
    item: ItemKey | None = None
    token: str | None = None
    account_id: str | None = None
    note: Mapping[str, Any] = field(default_factory=dict)
    forced: str | None = None
    is_lost: bool = False
    broken: Sequence[Violation] = ()
    remarks: Sequence[str] = ()

    @property
    def called(self) -> str | None:
        """The operation's id, `upload` or `download`, or None."""
        return self.operation.id if self.operation is not None else self.transfer or None
