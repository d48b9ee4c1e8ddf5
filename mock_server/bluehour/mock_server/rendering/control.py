"""A project's pictures in the control API, before and after, in a form that a browser can show."""

from __future__ import annotations

import io
from pathlib import Path

from ..api.call import Answer
from ..control.exchange import ControlCall, ControlRefusal
from ..core.projects import status_at
from ..core.sources import source_of
from ..core.world import World
from . import RenderError
from .outputs import Outputs

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


class PictureOperations:
    """The operations on pictures."""

    def __init__(self, world: World, outputs: Outputs) -> None:
        self._world = world
        self._outputs = outputs

    def get_picture(self, call: ControlCall) -> Answer:
        """A project's picture."""
        path = self._path(call.parameters["id"], call.parameters["which"])
        shown = None if path is None else self._shown(path)
        if shown is None:
            raise ControlRefusal(404, "not_found", "There is no such picture, or not yet")
        content, media_type = shown
        return Answer(200, content, media_type, headers={"Cache-Control": "no-cache"})

    def _path(self, project_id: str, which: str) -> Path | None:
        """Return the file with a project's picture, `before` or `after`; None where there is none."""
        project = self._world.store.project(project_id)
        if project is None or project.deleted_at is not None:
            return None
        if which == "before":
            return source_of(self._world, project)
        if status_at(project, self._world.clock.now()) != "complete":
            return None
        with self._world.gate:
            return self._outputs.of_project(project)

    def _shown(self, path: Path) -> tuple[bytes, str] | None:
        from .pictures import open_picture

        media_type = _SHOWN_AS_THEY_ARE.get(path.suffix.lower())
        if media_type is not None:
            return path.read_bytes(), media_type
        try:
            with self._outputs.room.for_picture(path):
                png = io.BytesIO()
                open_picture(path).image.save(png, "PNG")
                return png.getvalue(), "image/png"
        except RenderError:
            return None
