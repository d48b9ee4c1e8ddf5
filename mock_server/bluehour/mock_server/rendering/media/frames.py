"""The moving picture of a job: what was asked, and how far it has played."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont

from bluehour.mock_server.rendering import Job
from bluehour.mock_server.rendering.simulated import AMBER, NIGHT, picture_of

_SMALLEST_LABELLED = 120  # pixels of the shorter edge
_SMALLEST_FONT = 11  # pixels


def frames_of(job: Job, size: tuple[int, int], seconds: float) -> Callable[[float], Image.Image]:
    """Return what draws a job's picture at a position from 0 to 1, with a bar and a label of the time.

    The picture itself is drawn once, here; its source fills it, cut where its aspect is another.

    Args:
        job: whose source is a picture, or None.
        size: of the frames, in pixels.
        seconds: that position 1 stands for.

    Raises:
        JobFailed: `invalid_file_format`, where the source can't be decoded.
        OSError: the source can't be opened.
    """
    still = picture_of(job, size)
    thick = max(1, min(size) // 40)

    def frame(position: float) -> Image.Image:
        picture = still.copy()
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, 0, size[0], thick), fill=NIGHT)
        draw.rectangle((0, 0, size[0] * position, thick), fill=AMBER)
        if min(size) >= _SMALLEST_LABELLED:
            _draw_label(draw, f"{seconds * position:.1f} s / {seconds:.1f} s", 2 * thick)
        return picture

    return frame


def _draw_label(draw: ImageDraw.ImageDraw, text: str, margin: int) -> None:
    """Write on a dark ground, in the upper left corner."""
    font = ImageFont.load_default(max(_SMALLEST_FONT, margin))
    place = (2 * margin, 2 * margin)
    left, top, right, bottom = draw.textbbox(place, text, font=font)
    draw.rectangle((left - margin / 2, top - margin / 2, right + margin / 2, bottom + margin / 2), fill=NIGHT)
    draw.text(place, text, fill=AMBER, font=font)
