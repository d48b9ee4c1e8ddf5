"""The pictures, videos and sounds of projects, as far as a world has to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bluehour.openapi.errors import BluehourError

from .projects import Project


@dataclass(frozen=True, slots=True)
class Clip:
    """What a media file says of itself.

    Attributes:
        size: width and height, in pixels, of what shows something.
        seconds: how long it plays.
        fps: its frames in a second.
    """

    size: tuple[int, int] | None = None
    seconds: float | None = None
    fps: float | None = None


class NoPicture(BluehourError):
    """There is no picture of this project, or not any more."""


class Pictures:
    """Makes and keeps pictures. This one is of a world without any; a renderer takes its place."""

    def takes_time_for(self, project_type: str) -> bool:
        """Tell whether a project of a type waits for its picture, and is complete only once there is one."""
        return False

    def clip_of(self, file: Path) -> Clip | None:
        """Return what an uploaded file says of itself; None where it can't be read."""
        return None

    def names_of(self, project: Project) -> Sequence[str]:
        """Return what the files that a project makes are called, such as `output.png`."""
        return ()

    def picture_of(self, project: Project, name: str) -> Path:
        """Return a file of a complete project, made now if need be; for those inside the gate.

        Args:
            project: whose.
            name: one of its `names_of`.

        Raises:
            NoPicture: there is none of that name.
            Forgotten: it had to be made, and a reset has come meanwhile.
        """
        raise NoPicture(project.id)

    def example_picture(self, project_id: str, name: str) -> Path:
        """Return a file of a project that the published examples name.

        Raises:
            NoPicture, Forgotten: as `picture_of` does.
        """
        raise NoPicture(project_id)

    def media_type_of(self, picture: Path) -> str:
        """Return the media type of a picture's file."""
        return "image/png"

    def remove(self, project: Project, now: float) -> None:
        """Remove the pictures of a project that was deleted: what was made of it, and what it was made of."""

    def fault_of(self, picture: Path) -> str | None:
        """Return the job error that a file ends in which should be a picture, or None."""
        return None

    def remarks_on(self, project: Project) -> list[str]:
        """Say what of a project's request the renderer can't do."""
        return []
