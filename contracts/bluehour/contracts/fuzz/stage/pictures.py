"""The pictures of the stage: a photo to edit, and few that are served as its edits, no two the same."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

from ...portrait import PORTRAIT
from ..script import MOST_PICTURES

PHOTO = PORTRAIT
_SIZE = 96


@cache
def edited() -> tuple[bytes, ...]:
    """Return PNG files of several kilobytes, so that a cut one is seen."""
    with Image.open(PHOTO) as photo:
        small = photo.convert("RGB").resize((_SIZE, _SIZE))
    return tuple(_png(small.rotate(90 * turns)) for turns in range(MOST_PICTURES))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "png")
    return file.getvalue()
