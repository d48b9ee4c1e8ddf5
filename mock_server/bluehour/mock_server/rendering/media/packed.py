"""A small video and a small song that the package carries, for where none can be written.

`python -m bluehour.mock_server.rendering.media.packed` makes them anew, beside this file.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from .audio import write_audio
from .video import write_video, write_webm

_SECONDS = 2
_SIZE = (320, 180)


def packed_video(extension: str = "mp4") -> Path:
    """Return a video of two seconds in 320 x 180 pixels, without sound; `mp4` or `webm`."""
    return Path(__file__).with_name(f"packed.{extension}")


def packed_audio() -> Path:
    """Return a song of two seconds, an MP3."""
    return Path(__file__).with_name("packed.mp3")


def _make() -> None:
    write_video(packed_video(), _frame, size=_SIZE, seconds=_SECONDS, fps=12, has_sound=False)
    write_webm(packed_video("webm"), _frame, size=_SIZE, seconds=_SECONDS, fps=12)
    write_audio(packed_audio(), seconds=_SECONDS, seed="packed")


def _frame(position: float) -> Image.Image:
    picture = Image.new("RGB", _SIZE, (13, 19, 48))
    draw = ImageDraw.Draw(picture)
    draw.text((110, 70), "simulated", fill=(238, 242, 255), font_size=22)
    draw.rectangle((40, 116, 40 + 240 * position, 124), fill=(255, 188, 92))
    return picture


if __name__ == "__main__":
    _make()
