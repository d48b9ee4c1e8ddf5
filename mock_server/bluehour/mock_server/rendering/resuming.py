"""Takes up what another process left unfinished with its store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..projects import ProjectEnded

if TYPE_CHECKING:
    from ..mock import Mock


def resume(mock: Mock) -> None:
    """Have pending projects rendered, the oldest first.

    Where nothing is rendered before it is asked for, they are complete. Those of operations that the contract
    lacks wait on, for a start with the contract that they were made by.
    """
    known = {operation.id for operation in mock.contract.operations}
    for project in mock.store.pending_projects():
        if project.operation_id not in known:
            continue
        if mock.queue is not None:
            mock.queue.add(project)
        else:
            with contextlib.suppress(KeyError, ProjectEnded):  # another process was quicker
                mock.end_project(project.id, "complete")
