"""Takes up what another process left unfinished with its store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..projects import ProjectEnded

if TYPE_CHECKING:
    from ..mock import Mock

_MOST = 1_000_000  # projects


def resume(mock: Mock) -> None:
    """Have pending projects rendered, the oldest first.

    Where nothing is rendered before it is asked for, they are complete. Those of operations that the contract
    lacks wait on, for a start with the contract that they were made by.
    """
    unfinished = mock.store.projects(unfinished_at=mock.clock.now(), limit=_MOST)
    known = {operation.id for operation in mock.contract.operations}
    for project in reversed(unfinished):  # they come newest first
        if not project.is_pending or project.operation_id not in known:
            continue
        if mock.queue is not None:
            mock.queue.add(project)
        else:
            with contextlib.suppress(KeyError, ProjectEnded):  # another process was quicker
                mock.end_project(project.id, "complete")
