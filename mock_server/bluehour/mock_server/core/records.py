"""What is kept of another contract's resources: its items, as records."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

COMPLETE = "complete"
CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Record:
    """One item of a collection. Times are seconds since the epoch, by the mock's clock.

    Attributes:
        collection: the path that it is found under, with its parents' ids: `/users/7/posts`.
        id: what names it there; nothing for the one item of a singleton.
        body: the item as JSON; nothing once it is deleted.
        operation_id: the operation that made it.
        created_at: when.
        running_at: when work on it begins, if it gets done by itself.
        finished_at: when that is over; `math.inf` where never.
        outcome: how: `complete`, `canceled`, or anything else for a failure.
        is_deleted: whether it is gone; its id is not given again.
        version: how often it was changed.
    """

    collection: str
    id: str
    body: bytes
    operation_id: str
    created_at: float
    running_at: float = -math.inf
    finished_at: float = -math.inf
    outcome: str = COMPLETE
    is_deleted: bool = False
    version: int = 0

    def changed(self, body: bytes) -> Record:
        """Return it with another body."""
        return replace(self, body=body, version=self.version + 1)

    def ended(self, outcome: str, at: float) -> Record:
        """Return it as it is when the work on it ends now."""
        running_at = min(self.running_at, at)
        return replace(self, outcome=outcome, running_at=running_at, finished_at=at, version=self.version + 1)

    def deleted(self) -> Record:
        """Return what stays of it once it is deleted."""
        return replace(self, body=b"", is_deleted=True, version=self.version + 1)
