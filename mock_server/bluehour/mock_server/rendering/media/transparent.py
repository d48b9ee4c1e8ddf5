"""Pictures without their background, by a simple rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, ImageStat

TOLERANCE: Final = 40
"""How far, of 255, red, green and blue may each be from the border's in a pixel of the background."""

_REDUCED_EDGE = 256  # pixels; a fill costs a step for each, in Python
_FILLED = 128


def without_background(picture: Image.Image) -> Image.Image:
    """Return a picture in mode RGBA whose background is transparent.

    Background is what has nearly the border's colour (the median of its outer pixels, within `TOLERANCE`)
    and is connected with the border by such pixels. The latter is looked at in a copy of 256 pixels, so that
    a line thinner than two of those may not keep it out. All of a plain picture is background.

    Args:
        picture: in mode RGB, of any size.
    """
    small = picture.copy()
    small.thumbnail((_REDUCED_EDGE, _REDUCED_EDGE))
    colour = _border_colour(small)
    connected = _connected(_near(small, colour)).resize(picture.size, Image.Resampling.NEAREST)
    cut_out = picture.convert("RGBA")
    cut_out.putalpha(ImageChops.invert(ImageChops.darker(connected, _near(picture, colour))))
    return cut_out


def _border_colour(picture: Image.Image) -> Sequence[int]:
    rim = Image.new("L", picture.size, 255)
    if min(picture.size) > 2:  # else all of it is border
        rim.paste(0, (1, 1, picture.width - 1, picture.height - 1))
    return ImageStat.Stat(picture, rim).median


def _near(picture: Image.Image, colour: Sequence[int]) -> Image.Image:
    """Return a mask of the pixels that are near a colour."""
    near = (
        band.point([255 * (abs(value - own) <= TOLERANCE) for value in range(256)])
        for band, own in zip(picture.split(), colour, strict=True)
    )
    return reduce(ImageChops.darker, near)


def _connected(mask: Image.Image) -> Image.Image:
    """Return what of a mask is connected with its border, and a pixel more, as a copy mixes edges."""
    framed = ImageOps.expand(mask, 1, fill=255)  # so that one fill comes to all of the border
    ImageDraw.floodfill(framed, (0, 0), _FILLED)
    filled = framed.point([255 * (value == _FILLED) for value in range(256)])
    return filled.filter(ImageFilter.MaxFilter(3)).crop((1, 1, mask.width + 1, mask.height + 1))
