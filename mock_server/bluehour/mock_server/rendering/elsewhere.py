"""What stands for a stage that is not here: it knows what that edits, and draws simulated pictures itself.

A server that leaves its jobs to workers goes by it, and so does a worker that tries a set-up without models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from . import Job, JobFailed
from .encoding import encoded, extension_like

EDITED = ("FACE_EDITOR", "PHOTO_EDITOR")
"""What the reference stage edits: values of `x-project-type`."""

_AT_ONCE = 8


class Drawn(NamedTuple):
    """A job with the picture that is drawn for it."""

    job: Job
    picture: Image.Image


class Elsewhere:
    """Draws what was asked for on the photo."""

    def edits(self, project_type: str) -> bool:
        """Tell whether it is rendered there."""
        return project_type in EDITED

    def most_at_once(self, project_type: str) -> int:
        """Return how many pictures are taken together."""
        return _AT_ONCE

    def described(self) -> str:
        """Return that nothing is edited."""
        return "by nobody: they are simulated"

    def extension_for(self, source: Path | None) -> str:
        """Return the extension of the picture that is made of an upload: its own, where Pillow writes it."""
        return extension_like(source)

    def load(self, job: Job) -> Drawn:
        """Draw the picture.

        Raises:
            JobFailed: the photo can't be decoded.
            OSError: the file itself can't be opened.
        """
        from .simulated import picture_of  # here: a server seldom draws

        return Drawn(job, picture_of(job).convert("RGB"))

    def edit(self, loaded: Sequence[Drawn]) -> list[Drawn | JobFailed]:
        """Edit nothing."""
        return [*loaded]

    def encode(self, edited: Drawn) -> bytes:
        """Return the picture as a file in its job's format."""
        return encoded(edited.picture, edited.job.extension)

    def remark_on(self, project_type: str, request: Mapping[str, Any]) -> str | None:
        """Return None: what can't be done there is not known here."""
        return None
