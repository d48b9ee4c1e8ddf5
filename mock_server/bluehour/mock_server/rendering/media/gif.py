"""Animated GIFs, which loop."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

from PIL import Image

from . import LONGEST

MOST_FRAMES: Final = 48

_COLOURS = 128
_SHORTEST = 2  # hundredths of a second; browsers slow down what is shorter


def write_gif(target: Path, frames: Iterable[Image.Image], seconds: float) -> None:
    """Write a GIF that begins anew when it has ended.

    Args:
        target: the file.
        frames: of one size; at least one, and none after the first `MOST_FRAMES` is looked at.
        seconds: up to `LONGEST`, in hundredths; a frame takes at least two of them.
    """
    first, *rest = (
        frame.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        for frame in islice(frames, MOST_FRAMES)
    )
    count = 1 + len(rest)
    hundredths = max(_SHORTEST * count, round(100 * min(seconds, LONGEST)))
    ends = [hundredths * number // count for number in range(count + 1)]
    first.save(
        target,
        "GIF",
        save_all=True,
        append_images=rest,
        duration=[10 * (end - begin) for begin, end in pairwise(ends)],
        loop=0,
    )
