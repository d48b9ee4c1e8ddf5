"""The files of the stage: what a client is given to upload, and what is served as made of it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from PIL import Image

from bluehour.mock_server.rendering.media.packed import packed_audio, packed_video
from bluehour.openapi.outputs import MOST_FILES

from ...portrait import PORTRAIT

GIVEN: Mapping[str, Path] = {"image": PORTRAIT, "video": packed_video(), "audio": packed_audio()}
"""What a client has to upload, by the type of asset."""

_SIZE = 96
_DIFFERENT = 8


@cache
def made(extension: str, number: int, project: int = 0) -> bytes:
    """Return a file that opens, of several kilobytes, so that a cut one is seen.

    Args:
        extension: of its format, without the dot.
        number: of the file among a project's, from 0; no two pictures are the same.
        project: its number, from 0; pictures of the first eight differ.
    """
    packed = packed_audio() if extension == "mp3" else packed_video(extension)
    return packed.read_bytes() if packed.is_file() else _picture(extension, number, project % _DIFFERENT)


def _picture(extension: str, number: int, project: int) -> bytes:
    size = _SIZE + project
    with Image.open(PORTRAIT) as portrait:
        small = portrait.convert("RGB").resize((size, size))
    file = io.BytesIO()
    small.rotate(360 / MOST_FILES * number).save(file, Image.registered_extensions()[f".{extension}"])
    return file.getvalue()
