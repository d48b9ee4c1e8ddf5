"""Enlarging a picture, mostly 2 to 4 times: faithfully, or with crispness that is made up for the eye.

A crispness of 0 is Lanczos resampling and nothing else. More of it draws edges narrower than resampling
can, raises the finest octave that the small picture has, and puts texture into those that it lacks, as much
as its own finest octaves let expect. All of it stays between the values that the small picture has around a
place, so that nothing rings. Works tile by tile: the largest picture, 1024 x 1024 by 4, takes its result's
48 MiB and about 200 MiB beside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from .pixels import blurred, grid_of, image_of, noise, picture_of, resized, slopes

_TILE: Final = 256  # pixels of the small picture's tile, without its margin
_MARGIN: Final = 12  # pixels of the small picture: farther than any filter below reaches
_EDGE: Final = 6  # of them, those that are enlarged too, for the filters of the large picture
_TAPS: Final = 3  # lobes of the Lanczos kernel
_GRAIN: Final = 257  # pixels after which the invented texture repeats: a prime, so that it meets no tile
_NARROWING: Final = 0.2
"""Pixels of the small picture that an edge's sides are drawn together by, at most: more paints the hair."""
_RAISE: Final = 0.6  # of the finest octave of the small picture: how much of it is added, at most
_MOST_TEXTURE: Final = 0.06  # of the range from black to white


def upscaled(image: Tensor, size: tuple[int, int], crispness: float) -> Tensor:
    """Return a uint8 image [H, W, 3] enlarged to a size.

    Args:
        image: on any device; the result is on it, too.
        size: its height and width, which needn't be multiples of the image's own. In its own size the image
            itself is returned, and in one with a smaller side it is only resampled.
        crispness: 0 resamples only, 1 invents the most.
    """
    if size == tuple(image.shape[:2]):
        return image
    if size[0] < image.shape[0] or size[1] < image.shape[1]:
        return image_of(resized(picture_of(image), size)[0])
    gain = crispness * _octave_gain(image) if crispness > 0 else 0.0
    large = image.new_empty((*size, 3))
    for rows in _stretches(image.shape[0], size[0]):
        for columns in _stretches(image.shape[1], size[1]):
            tile = picture_of(image[rows.source(image.device)][:, columns.source(image.device)])
            large[rows.span, columns.span] = image_of(_enlarged(tile, rows, columns, crispness, gain)[0])
    return large


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a side that is enlarged, with a margin.

    Attributes:
        short, long: the whole side's length before and after, px.
        start, stop: the part of the small one, without its margin.
    """

    short: int
    long: int
    start: int
    stop: int

    @property
    def factor(self) -> float:
        return self.long / self.short

    @property
    def span(self) -> slice:
        """Where the part is in the large side."""
        return slice(*(round(end * self.factor) for end in (self.start, self.stop)))

    @property
    def edge(self) -> int:
        """The margin that is enlarged too, px of the large side."""
        return math.ceil(_EDGE * self.factor)

    def source(self, device: torch.device) -> Tensor:
        """Return the small pixels that are needed; beyond the border the nearest."""
        places = torch.arange(self.start - _MARGIN, self.stop + _MARGIN, device=device)
        return places.clamp_(0, self.short - 1)

    def numbers(self, device: torch.device) -> Tensor:
        """Return the numbers of the large pixels, with the margin."""
        return torch.arange(self.span.start - self.edge, self.span.stop + self.edge, device=device)

    def places(self, device: torch.device) -> Tensor:
        """Return where the large pixels' centres are, in small pixels from `source`'s first."""
        # In double precision, so that tiles agree.
        wholes = (self.numbers(device).double() + 0.5) / self.factor - 0.5
        return wholes - (self.start - _MARGIN)


def _stretches(short: int, long: int) -> Iterator[_Stretch]:
    for start in range(0, short, _TILE):
        yield _Stretch(short, long, start, min(start + _TILE, short))


def _enlarged(tile: Tensor, rows: _Stretch, columns: _Stretch, crispness: float, gain: float) -> Tensor:
    """Enlarge a tile with its margin to one without."""
    factor = max(rows.factor, columns.factor)
    raised = tile + crispness * _RAISE * _finest(tile)
    large = _resampled(raised, rows, columns, _lanczos, _TAPS)
    if crispness > 0:
        large = large + crispness * (_narrowed(large, factor) - large)
        large = large + gain * _texture(tile, rows, columns)
        low, high = _range_around(tile, rows, columns)
        # At a crispness of 0 Lanczos' own overshoot is what is asked for; it goes as crispness comes.
        room = (1 - min(1.0, 4 * crispness)) * 0.1
        large = torch.minimum(torch.maximum(large, low - room), high + room)
    return large[..., rows.edge : -rows.edge, columns.edge : -columns.edge]


_Kernel = Callable[[Tensor], Tensor]


def _resampled(picture: Tensor, rows: _Stretch, columns: _Stretch, kernel: _Kernel, reach: int) -> Tensor:
    """Resample by a kernel of `reach` px to either side."""
    along_x = picture @ _weights(columns, picture, kernel, reach).T
    return _weights(rows, picture, kernel, reach) @ along_x


def _weights(stretch: _Stretch, like: Tensor, kernel: _Kernel, reach: int) -> Tensor:
    """Return what each large pixel takes of each small one: [large, small], each row of sum 1."""
    places = stretch.places(like.device)[:, None]
    small = torch.arange(stretch.stop - stretch.start + 2 * _MARGIN, device=like.device)
    away = small - places
    weights = torch.where(away.abs() < reach, kernel(away), 0)
    return (weights / weights.sum(1, keepdim=True)).to(like.dtype)


def _lanczos(away: Tensor) -> Tensor:
    return torch.sinc(away) * torch.sinc(away / _TAPS)


def _linear(away: Tensor) -> Tensor:
    return 1 - away.abs()


def _narrowed(large: Tensor, factor: float) -> Tensor:
    """Draw an edge's two sides together: each pixel takes the value that lies a little away from the edge.

    A warp only moves values, and so can't overshoot. Arad, Gotsman, "Enhancement by image-dependent
    warping" (1999). The edges' direction is smoothed, so that stairs become lines.
    """
    light = blurred(large.mean(1, keepdim=True), 0.35 * factor)
    steep = torch.hypot(*slopes(light))
    x, y = slopes(blurred(steep, 0.4 * factor))
    size = torch.hypot(x, y)
    # Where edges are strong, as far as is allowed; on even ground noise is no edge.
    strength = torch.tanh(size * factor * factor * 40) * _NARROWING * factor
    away = -strength / size.clamp(min=1e-8)
    height, width = large.shape[-2:]
    moves = torch.cat((x * away * 2 / width, y * away * 2 / height), 1).permute(0, 2, 3, 1)
    places = grid_of(height, width, large.device) + moves
    return functional.grid_sample(large, places, mode="bilinear", padding_mode="border", align_corners=False)


def _texture(tile: Tensor, rows: _Stretch, columns: _Stretch) -> Tensor:
    """Return texture of the octaves that the small picture lacks, as strong as its finest one is there."""
    fine = _finest(tile).abs().mean(1, keepdim=True)
    amount = blurred(fine, 1.5)
    # An edge is no texture: there one coarse difference is much larger than what lies beside it.
    edges = torch.hypot(*slopes(blurred(tile.mean(1, keepdim=True), 1)))
    amount = (amount * torch.exp(-((edges / 0.06) ** 2))).clamp(max=_MOST_TEXTURE)
    grain = _grain(tile.device)
    down, right = (side.numbers(tile.device) % _GRAIN for side in (rows, columns))
    return _resampled(amount, rows, columns, _linear, 1) * grain[down][:, right]


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


def _range_around(tile: Tensor, rows: _Stretch, columns: _Stretch) -> tuple[Tensor, Tensor]:
    """Return the least and the greatest value of the 3 x 3 small pixels around each large one."""
    high = functional.max_pool2d(tile, 3, 1, 1)
    low = -functional.max_pool2d(-tile, 3, 1, 1)
    down, right = (torch.floor(side.places(tile.device) + 0.5).long() for side in (rows, columns))
    return low[..., down, :][..., right], high[..., down, :][..., right]
