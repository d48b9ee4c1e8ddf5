"""Enlarging a picture by 2, 3 or 4: faithfully, or with crispness that is made up for the eye.

A crispness of 0 is Lanczos resampling and nothing else. More of it draws edges narrower than resampling
can, and puts texture into the octave that the small picture has none of, as much as its own finest
octaves let expect. All of it stays between the values that the small picture has around a place, so that
nothing rings. Works tile by tile: the largest picture, 1024 x 1024 by 4, takes its result's 48 MiB and
about 200 MiB beside.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from .pixels import blurred, grid_of, image_of, noise, picture_of

_TILE: Final = 256  # pixels of the small picture's tile, without its margin
_MARGIN: Final = 12  # pixels of the small picture: farther than any filter below reaches
_TAPS: Final = 3  # lobes of the Lanczos kernel
_GRAIN: Final = 257  # pixels after which the invented texture repeats: a prime, so that it meets no tile
_NARROWING: Final = 0.55  # pixels of the small picture that an edge's sides are drawn together by, at most
_MOST_TEXTURE: Final = 0.06  # of the range from black to white


def upscaled(image: Tensor, factor: int, crispness: float = 0.5) -> Tensor:
    """Return a uint8 image [H, W, 3] enlarged to [factor H, factor W, 3].

    Args:
        image: on any device; the result is on it, too.
        factor: a whole number from 1; at 1 the image itself is returned.
        crispness: 0 resamples only, 1 invents the most.
    """
    if factor == 1:
        return image
    height, width = image.shape[:2]
    gain = crispness * _octave_gain(image) if crispness > 0 else 0.0
    large = image.new_empty((height * factor, width * factor, 3))
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            tile = _with_margin(image, top, bottom, left, right)
            enlarged = _enlarged(tile, factor, crispness, gain, (top * factor, left * factor))
            large[top * factor : bottom * factor, left * factor : right * factor] = image_of(enlarged[0])
    return large


def _spans(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, _TILE):
        yield start, min(start + _TILE, length)


def _with_margin(image: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
    """Return a part of an image as a picture, and `_MARGIN` px around it; beyond the border the nearest."""
    rows = torch.arange(top - _MARGIN, bottom + _MARGIN, device=image.device).clamp_(0, image.shape[0] - 1)
    columns = torch.arange(left - _MARGIN, right + _MARGIN, device=image.device).clamp_(0, image.shape[1] - 1)
    return picture_of(image[rows][:, columns])


def _enlarged(tile: Tensor, factor: int, crispness: float, gain: float, corner: tuple[int, int]) -> Tensor:
    """Enlarge a tile with its margin to one without; `corner` is its place, y and x, in the result."""
    large = _resampled(tile, factor)
    if crispness > 0:
        large = large + crispness * (_narrowed(large, factor) - large)
        large = large + gain * _texture(tile, factor, corner)
        low, high = _range_around(tile, factor)
        # At a crispness of 0 Lanczos' own overshoot is what is asked for; it goes as crispness comes.
        room = (1 - min(1.0, 4 * crispness)) * 0.1
        large = torch.minimum(torch.maximum(large, low - room), high + room)
    edge = _MARGIN * factor
    return large[..., edge:-edge, edge:-edge]


def _resampled(picture: Tensor, factor: int) -> Tensor:
    """Resample by Lanczos' kernel of three lobes: for a whole factor one small filter for each phase."""
    for dimension in (-1, -2):
        picture = _resampled_along(picture, factor, dimension)
    return picture


def _resampled_along(picture: Tensor, factor: int, dimension: int) -> Tensor:
    turned = picture.transpose(-1, dimension)
    batch, channels, rows, columns = turned.shape
    taps = torch.tensor(_phases(factor), dtype=picture.dtype, device=picture.device)
    lines = functional.pad(turned.reshape(-1, 1, rows, columns), (_TAPS, _TAPS, 0, 0), "replicate")
    phases = functional.conv2d(lines, taps.view(factor, 1, 1, -1))  # [B C, factor, rows, columns]
    woven = phases.permute(0, 2, 3, 1).reshape(batch, channels, rows, columns * factor)
    return woven.transpose(-1, dimension)


@cache
def _phases(factor: int) -> tuple[tuple[float, ...], ...]:
    """Return the weights of the 2 * 3 + 1 nearest pixels for each of the places within a pixel."""
    rows = []
    for phase in range(factor):
        offset = (phase + 0.5) / factor - 0.5
        weights = [_lanczos(tap - offset) for tap in range(-_TAPS, _TAPS + 1)]
        rows.append(tuple(weight / sum(weights) for weight in weights))
    return tuple(rows)


def _lanczos(x: float) -> float:
    if x == 0:
        return 1.0
    if abs(x) >= _TAPS:
        return 0.0
    return _TAPS * math.sin(math.pi * x) * math.sin(math.pi * x / _TAPS) / (math.pi * x) ** 2


def _narrowed(large: Tensor, factor: int) -> Tensor:
    """Draw an edge's two sides together: each pixel takes the value that lies a little away from the edge.

    A warp only moves values, and so can't overshoot. Arad, Gotsman, "Enhancement by image-dependent
    warping" (1999). The edges' direction is smoothed, so that stairs become lines.
    """
    light = blurred(large.mean(1, keepdim=True), 0.35 * factor)
    steep = torch.hypot(*_slopes(light))
    x, y = _slopes(blurred(steep, 0.4 * factor))
    size = torch.hypot(x, y)
    # Where edges are strong, as far as is allowed; on even ground noise is no edge.
    strength = torch.tanh(size * factor * factor * 40) * _NARROWING * factor
    away = -strength / size.clamp(min=1e-8)
    height, width = large.shape[-2:]
    moves = torch.cat((x * away * 2 / width, y * away * 2 / height), 1).permute(0, 2, 3, 1)
    places = grid_of(height, width, large.device) + moves
    return functional.grid_sample(large, places, mode="bilinear", padding_mode="border", align_corners=False)


def _slopes(plane: Tensor) -> tuple[Tensor, Tensor]:
    padded = functional.pad(plane, (1, 1, 1, 1), "replicate")
    along_x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    along_y = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return along_x, along_y


def _texture(tile: Tensor, factor: int, corner: tuple[int, int]) -> Tensor:
    """Return texture of the octaves that the small picture lacks, as strong as its finest one is there."""
    fine = _finest(tile).abs().mean(1, keepdim=True)
    amount = blurred(fine, 1.5)
    # An edge is no texture: there one coarse difference is much larger than what lies beside it.
    edges = torch.hypot(*_slopes(blurred(tile.mean(1, keepdim=True), 1)))
    amount = (amount * torch.exp(-((edges / 0.06) ** 2))).clamp(max=_MOST_TEXTURE)
    amount = functional.interpolate(amount, scale_factor=float(factor), mode="bilinear", align_corners=False)
    grain = _grain(tile.device)
    top, left = (place - _MARGIN * factor for place in corner)
    rows = torch.arange(top, top + amount.shape[-2], device=tile.device) % _GRAIN
    columns = torch.arange(left, left + amount.shape[-1], device=tile.device) % _GRAIN
    return amount * grain[rows][:, columns]


def _finest(picture: Tensor) -> Tensor:
    """Return a picture's finest octave."""
    return picture - blurred(picture, 1.0)


def _octave_gain(image: Tensor) -> float:
    """Return how strong the next finer octave is expected to be, in units of the finest that is there.

    Octaves of one picture follow a power law (Field, 1987): the step from its second to its first goes on.
    """
    step = max(1, min(image.shape[:2]) // 512)  # a look at some hundred thousand pixels is enough
    light = picture_of(image[: _TILE * 2 * step, : _TILE * 2 * step]).mean(1, keepdim=True)
    first = _finest(light)
    second = blurred(light, 1.0) - blurred(light, 2.0)
    ratio = float(first.std(correction=0) / second.std(correction=0).clamp(min=1e-4))
    return min(1.0, max(0.2, ratio))


@cache
def _grain(device: torch.device) -> Tensor:
    """Return a square of noise without its coarse part, of unit mean size, that repeats seamlessly."""
    square = noise((1, 1, _GRAIN, _GRAIN), 1968, torch.device("cpu"))
    ringed = functional.pad(square, (4, 4, 4, 4), "circular")
    fine = (blurred(ringed, 0.5) - blurred(ringed, 1.2))[0, 0, 4:-4, 4:-4]
    return (fine / fine.abs().mean()).to(device)


def _range_around(tile: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Return the least and the greatest value of the 3 x 3 small pixels around each large one."""
    high = functional.max_pool2d(tile, 3, 1, 1)
    low = -functional.max_pool2d(-tile, 3, 1, 1)
    return _repeated(low, factor), _repeated(high, factor)


def _repeated(picture: Tensor, factor: int) -> Tensor:
    return picture.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
