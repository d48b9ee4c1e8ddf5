"""An image project as the API shows it: to whoever asks, and in webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .assets.links import output_path
from .clock import isoformat
from .projects import Project, credits_charged_at, status_at
from .rendering.outputs import extension_of

if TYPE_CHECKING:
    from .mock import Mock


def image_project(mock: Mock, project: Project, at: float, base_url: str) -> dict[str, Any]:
    """Return a project as it is at a time, with fresh links if it is complete.

    Args:
        mock: whose project it is.
        project: the project.
        at: seconds since the epoch.
        base_url: what the client reaches the mock by.
    """
    status = status_at(project, at)
    credits = credits_charged_at(project, at)
    enabled = project.deleted_at is None or project.deleted_at > at
    shows_picture = enabled and status == "complete"
    return {
        "id": project.id,
        "name": project.name,
        "status": status,
        "image_count": 1,
        "type": mock.contract.operation(project.operation_id).project_type,
        "created_at": isoformat(project.created_at),
        "enabled": enabled,
        "total_frame_cost": credits,
        "credits_charged": credits,
        "downloads": [_download(mock, project, at, base_url)] if shows_picture else [],
        "error": _job_error(mock, project) if status == "error" else None,
    }


def download_link(mock: Mock, project_id: str, extension: str, at: float, base_url: str) -> dict[str, str]:
    """Return a fresh link to a project's picture, as the API writes it."""
    expires_at = at + mock.lifetimes["download-link"]
    link = mock.links.sign(output_path(project_id, extension), expires_at)
    return {"url": base_url + link, "expires_at": isoformat(int(expires_at))}


def _download(mock: Mock, project: Project, at: float, base_url: str) -> dict[str, str]:
    return download_link(mock, project.id, extension_of(mock, project), at, base_url)


def _job_error(mock: Mock, project: Project) -> dict[str, str]:
    code = project.error or "unknown_error"
    return {"code": code, "message": mock.error_message(code)}
