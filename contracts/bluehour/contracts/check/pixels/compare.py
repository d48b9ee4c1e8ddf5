"""How alike two pictures are, and what tone one has, as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_Plane = NDArray[np.float64]

_BLOCK: Final = 16  # px: two of JPEG's blocks, a macroblock of WebP
_SEEN_AT: Final = 512  # px of the longer side, whatever the sizes: textures of upscaling are no structure
_TAPS, _SIGMA = 11, 1.5  # of SSIM's window: Wang, Bovik, Sheikh, Simoncelli (2004)
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a picture is from its source.

    Attributes:
        psnr: decibels; endless where they are the same.
        block: by how much the mean colour of a block of 16 x 16 px differs, at most; of 255.
        whole: by how much the mean colour of the whole differs; of 255.
        sharpness: how much steeper its greys are, on the mean; 1 where they are as steep.
    """

    psnr: float
    block: float
    whole: float
    sharpness: float


def difference(source: Image.Image, picture: Image.Image) -> Difference:
    """Compare a picture with its source, which is brought to its size."""
    if source.size != picture.size:
        source = source.resize(picture.size, Image.Resampling.LANCZOS)
    apart = _colours(picture) - _colours(source)
    square = float((apart**2).mean())
    psnr = 10 * math.log10(255**2 / square) if square else math.inf
    return Difference(
        psnr=psnr,
        block=_worst_block(apart),
        whole=_mean_colour(apart),
        sharpness=_steepness(picture) / (_steepness(source) or 1),
    )


def similarity(source: Image.Image, picture: Image.Image) -> float:
    """Return the structural similarity (SSIM) of a picture to its source, in grey: 1 for the same."""
    size = _at_most(source.size, _SEEN_AT)
    one, other = (_grey(each.resize(size, Image.Resampling.LANCZOS)) for each in (source, picture))
    mean_one, mean_other = _windowed(one), _windowed(other)
    spread_one = _windowed(one * one) - mean_one**2
    spread_other = _windowed(other * other) - mean_other**2
    shared = _windowed(one * other) - mean_one * mean_other
    alike = (2 * mean_one * mean_other + _C1) * (2 * shared + _C2)
    return float((alike / ((mean_one**2 + mean_other**2 + _C1) * (spread_one + spread_other + _C2))).mean())


def lightness(picture: Image.Image) -> float:
    """Return the mean grey of a picture, of 255."""
    return float(_grey(picture).mean())


def colourfulness(picture: Image.Image) -> float:
    """Return how far the colours of a picture are from grey: the mean of largest less smallest, of 255."""
    colours = _colours(picture)
    return float((colours.max(2) - colours.min(2)).mean())


def _colours(picture: Image.Image) -> _Plane:
    return np.asarray(picture, np.float64)


def _grey(picture: Image.Image) -> _Plane:
    return np.asarray(picture.convert("L"), np.float64)


def _mean_colour(apart: _Plane) -> float:
    return float(np.abs(apart.mean((0, 1))).max())


def _steepness(picture: Image.Image) -> float:
    """The mean difference of a grey from the next one below and beside it."""
    grey = _grey(picture)
    return sum(float(np.abs(np.diff(grey, axis=axis)).sum()) / grey.size for axis in (0, 1))


def _worst_block(apart: _Plane) -> float:
    """Means forget what compression adds within a block, and keep what was drawn there."""
    height, width = (size // _BLOCK * _BLOCK for size in apart.shape[:2])
    if not height or not width:
        return _mean_colour(apart)
    blocks = apart[:height, :width].reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK, -1)
    return float(np.abs(blocks.mean((1, 3))).max())


def _at_most(size: tuple[int, int], longest: int) -> tuple[int, int]:
    share = min(1.0, longest / max(size))
    width, height = (max(1, round(each * share)) for each in size)
    return width, height


def _windowed(plane: _Plane) -> _Plane:
    """The mean around each place, weighted by a Gaussian; what a window of the border lacks is left out."""
    at = np.arange(_TAPS) - _TAPS // 2
    weights = np.exp(-(at**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        length = plane.shape[axis] - _TAPS + 1
        if length > 0:
            shifted = [plane.take(range(start, start + length), axis) for start in range(_TAPS)]
            plane = np.tensordot(weights, shifted, 1)
    return plane
