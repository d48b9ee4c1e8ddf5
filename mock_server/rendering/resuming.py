"""Takes up what another process left unfinished with its store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..projects import ProjectEnded

if TYPE_CHECKING:
    from ..mock import Mock
    from ..projects import Project

_MOST = 1_000_000  # projects


def resume(mock: Mock) -> None:
    """Have pending projects rendered, the oldest first.

    Where nothing is rendered before it is asked for, they are complete.
    """
    unfinished = mock.store.projects(unfinished_at=mock.clock.now(), limit=_MOST)
    for project in reversed(unfinished):  # they come newest first
        if project.is_pending and mock.queue is not None:
            mock.queue.add(project, mock.base_url)
        elif project.is_pending:
            _complete(mock, project)


def _complete(mock: Mock, project: Project) -> None:
    now = mock.clock.now()
    with contextlib.suppress(KeyError, ProjectEnded):  # another process was quicker
        mock.webhooks.follow(mock.store.end_project(project.id, "complete", now), mock.base_url, since=now)
