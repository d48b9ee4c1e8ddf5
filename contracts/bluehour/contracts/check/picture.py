"""The pictures that edits are tried with: one as it is, and the same on a wide ground."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_LONGEST = 1024
"""Pixels of a picture's longer edge before it is put on its ground, so that no upload is very large."""

_GROUND = (127, 127, 127)


@dataclass(frozen=True)
class Picture:
    """A picture to edit.

    Attributes:
        content: as it is uploaded.
        extension: of its name, without a point.
        size: width and height, in pixels.
    """

    content: bytes
    extension: str
    size: tuple[int, int]

    @classmethod
    def read(cls, path: Path) -> Picture:
        """Read a picture from a file.

        Raises:
            OSError: it can't be read, or is no picture.
        """
        from PIL import Image

        content = path.read_bytes()
        with Image.open(path) as image:
            return cls(content, path.suffix.removeprefix(".").lower(), image.size)

    @cached_property
    def widened(self) -> Picture:
        """The picture in the middle of a grey ground that is twice as wide.

        What an edit makes of it has other proportions, so that one project's output is told from another's.
        """
        from PIL import Image

        with Image.open(io.BytesIO(self.content)) as image:
            shown = image.convert("RGB")
        shown.thumbnail((_LONGEST, _LONGEST))
        ground = Image.new("RGB", (2 * shown.width, shown.height), _GROUND)
        ground.paste(shown, (shown.width // 2, 0))
        written = io.BytesIO()
        ground.save(written, "JPEG", quality=90)
        return Picture(written.getvalue(), "jpg", ground.size)
