"""Videos to upload."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from PIL import Image

from bluehour.mock_server.rendering.media.video import write_video


@cache
def clip(seconds: float, fps: float = 24.0, size: tuple[int, int] = (160, 90)) -> bytes:
    """A video with sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        grey = Image.linear_gradient("L")
        write_video(path, lambda _: grey, size=size, seconds=seconds, fps=fps, has_sound=True)
        return path.read_bytes()
