"""A project's files in the control API, before and after, in a form that a browser can show."""

from __future__ import annotations

import io
from pathlib import Path

from ..api.call import Answer
from ..control.exchange import ControlCall, ControlRefusal
from ..core.projects import status_at
from ..core.sources import sources_of
from ..core.world import World
from . import JobFailed
from .outputs import Outputs

_SHOWN_AS_THEY_ARE = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp")
"""The rest of the accepted pictures, browsers do not show."""


class PictureOperations:
    """The operations on pictures, videos and sounds."""

    def __init__(self, world: World, outputs: Outputs) -> None:
        self._world = world
        self._outputs = outputs

    def get_picture(self, call: ControlCall) -> Answer:
        """One of a project's files."""
        asked = call.parameters
        path = self._path(asked["id"], asked["which"], int(asked["number"]))
        answer = None if path is None else self._answer(path)
        if answer is None:
            raise ControlRefusal(404, "not_found", "There is no such picture, or not yet")
        answer.headers = {"Cache-Control": "no-cache"}
        return answer

    def _path(self, project_id: str, which: str, number: int) -> Path | None:
        """Return one of the files of a project, `before` or `after`; None where there is none."""
        project = self._world.store.project(project_id)
        if project is None or project.deleted_at is not None:
            return None
        if which == "before":
            return dict(enumerate(sources_of(self._world, project), 1)).get(number)
        if status_at(project, self._world.clock.now()) != "complete":
            return None
        with self._world.gate:
            name = dict(enumerate(self._outputs.names_of(project), 1)).get(number)
            return None if name is None else self._outputs.of_project(project, name)

    def _answer(self, path: Path) -> Answer | None:
        media_type = self._world.pictures.media_type_of(path)
        if not media_type.startswith("image/") or media_type in _SHOWN_AS_THEY_ARE:
            return Answer(200, path, media_type)
        from .pictures import open_picture

        try:
            with self._outputs.room.for_picture(path):
                png = io.BytesIO()
                open_picture(path).image.save(png, "PNG")
                return Answer(200, png.getvalue(), "image/png")
        except JobFailed:
            return None
