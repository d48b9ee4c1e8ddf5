"""A project's pictures, before and after, in a form that a browser can show."""

from __future__ import annotations

import io
from pathlib import Path

import orjson

from openapi.schema import value_at

from ..assets.sources import picture_of
from ..mock import Mock
from ..projects import Project, status_at
from ..rendering import RenderError
from ..rendering.outputs import output_of
from ..rendering.pictures import open_picture

_SHOWN_AS_THEY_ARE = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
}
"""The rest of the accepted types, browsers do not show."""


def has_before(mock: Mock, project: Project) -> bool:
    """Tell whether there is a copy of the picture that a project was made of."""
    return _before(mock, project) is not None


def picture(mock: Mock, project_id: str, which: str) -> tuple[bytes, str] | None:
    """Return a picture and its media type; None where there is none.

    Args:
        mock: where it is.
        project_id: whose picture.
        which: `before` or `after`.
    """
    project = mock.store.project(project_id)
    if project is None or project.deleted_at is not None:
        return None
    if which == "before":
        path = _before(mock, project)
        return None if path is None else _shown(mock, path)
    if status_at(project, mock.clock.now()) != "complete":
        return None
    return output_of(mock, project).read_bytes(), "image/png"


def _before(mock: Mock, project: Project) -> Path | None:
    operation = mock.contract.operation(project.operation_id)
    request = orjson.loads(project.request)
    named = (value_at(request, path) for path, _ in operation.annotated("x-asset-type"))
    return next((path for name in named if name and (path := picture_of(mock, project.id, name))), None)


def _shown(mock: Mock, path: Path) -> tuple[bytes, str] | None:
    media_type = _SHOWN_AS_THEY_ARE.get(path.suffix.lower())
    if media_type is not None:
        return path.read_bytes(), media_type
    try:
        with mock.pictures:
            png = io.BytesIO()
            open_picture(path).save(png, "PNG")
            return png.getvalue(), "image/png"
    except RenderError:
        return None
