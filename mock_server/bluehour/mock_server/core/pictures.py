"""The pictures of projects, as far as a world has to know of them."""

from __future__ import annotations

from pathlib import Path

from .projects import Project


class NoPicture(Exception):
    """There is no picture of this project, or not any more."""


class Pictures:
    """Makes and keeps pictures. This one is of a world without any; a renderer takes its place.

    Attributes:
        takes_time: whether a project waits for its picture, and is complete only once there is one.
    """

    takes_time = False

    def extension_of(self, project: Project) -> str:
        """Return the extension of a project's picture, without its dot."""
        return "png"

    def picture_of(self, project: Project) -> Path:
        """Return the file with a complete project's picture, made now if need be; for those inside the gate.

        Raises:
            NoPicture: there is none.
            Forgotten: it had to be made, and a reset has come meanwhile.
        """
        raise NoPicture(project.id)

    def example_picture(self, project_id: str) -> Path:
        """Return the file with the picture of a project that the published examples name.

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
