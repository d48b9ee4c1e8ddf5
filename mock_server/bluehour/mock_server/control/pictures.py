"""A project's pictures, before and after, in a form that a browser can show."""

from __future__ import annotations

import io
from pathlib import Path

from ..mock import Mock
from ..projects import status_at
from ..rendering import RenderError
from ..rendering.outputs import output_of, source_of
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
        path = source_of(mock, project)
        return None if path is None else _shown(mock, path)
    if status_at(project, mock.clock.now()) != "complete":
        return None
    with mock.gate:
        output = output_of(mock, project)
    return _shown(mock, output)


def _shown(mock: Mock, path: Path) -> tuple[bytes, str] | None:
    media_type = _SHOWN_AS_THEY_ARE.get(path.suffix.lower())
    if media_type is not None:
        return path.read_bytes(), media_type
    try:
        with mock.room_for(path):
            png = io.BytesIO()
            open_picture(path).image.save(png, "PNG")
            return png.getvalue(), "image/png"
    except RenderError:
        return None
