"""An image project as the API shows it: to whoever asks, and in webhooks."""

from __future__ import annotations

from typing import Any

from ..core.assets.links import output_path
from ..core.clock import isoformat
from ..core.projects import Project, credits_charged_at, status_at
from ..core.world import World


def image_project(world: World, project: Project, at: float, base_url: str) -> dict[str, Any]:
    """Return a project as it is at a time, with fresh links if it is complete.

    Args:
        world: whose project it is.
        project: the project.
        at: seconds since the epoch.
        base_url: what the client reaches the server by.
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
        "type": world.contract.operation(project.operation_id).project_type,
        "created_at": isoformat(project.created_at),
        "enabled": enabled,
        "total_frame_cost": credits,
        "credits_charged": credits,
        "downloads": [_download(world, project, at, base_url)] if shows_picture else [],
        "error": _job_error(world, project) if status == "error" else None,
    }


def download_link(world: World, project_id: str, extension: str, at: float, base_url: str) -> dict[str, str]:
    """Return a fresh link to a project's picture, as the API writes it."""
    expires_at = at + world.lifetimes["download-link"]
    link = world.links.sign(output_path(project_id, extension), expires_at)
    return {"url": base_url + link, "expires_at": isoformat(int(expires_at))}


def _download(world: World, project: Project, at: float, base_url: str) -> dict[str, str]:
    return download_link(world, project.id, world.pictures.extension_of(project), at, base_url)


def _job_error(world: World, project: Project) -> dict[str, str]:
    code = project.error or "unknown_error"
    return {"code": code, "message": world.error_message(code)}
