"""The photos whose faces were recorded: made from a public-domain portrait in ways that never vary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import skimage.data
from matplotlib import cbook
from PIL import Image

Photo = npt.NDArray[np.uint8]
Pictures = npt.NDArray[np.float32]


def portrait() -> Photo:
    """NASA's portrait of Eileen Collins, 512 x 512 px: a face 94 px wide."""
    return np.asarray(skimage.data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]


def hopper() -> Photo:
    """The US Navy's portrait of Grace Hopper, 512 x 600 px, in the public domain."""
    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        return np.array(picture.convert("RGB"))


def turned(photo: Photo, degrees: float, scale: float, middle: tuple[float, float]) -> Photo:
    """Turn a photo clockwise about a point in px and enlarge it: each pixel from the nearest, else black."""
    height, width = photo.shape[:2]
    cos, sin = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    y, x = np.mgrid[:height, :width]
    x, y = x - middle[0], y - middle[1]
    left = np.rint(x * cos + y * sin + middle[0]).astype(int)
    top = np.rint(y * cos - x * sin + middle[1]).astype(int)
    inside = (left >= 0) & (left < width) & (top >= 0) & (top < height)
    return np.where(inside[..., None], photo[top.clip(0, height - 1), left.clip(0, width - 1)], np.uint8(0))


def photos() -> Mapping[str, Photo]:
    whole = portrait()
    return {
        "as it is": whole,
        "half the size": whole[::2, ::2].copy(),
        "turned right, larger": turned(whole, 20, 1.5, (224, 125)),
        "turned left": turned(whole, -30, 1, (224, 125)),
    }


INPUTS: Final = ("face_detection_short_range", "face_landmark", "iris_landmark")


def pictures() -> Mapping[str, Pictures]:
    """What each network was shown, [1, height, width, 3]."""
    whole = portrait().astype(np.float32) / 255
    parts = whole[::4, ::4] * 2 - 1, whole[30:222, 128:320], whole[70:134, 170:234]
    return {name: np.ascontiguousarray(part[None]) for name, part in zip(INPUTS, parts, strict=True)}
