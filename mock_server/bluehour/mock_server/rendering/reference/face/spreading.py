"""From values at the points of a face to a smooth field around them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .window import Window

_CELLS_PER_BELL = 8  # of the grid that a bell is laid on, at least; finer is smooth in between
_FELT = 6.0  # of a bell's widths: what is further away is not felt, to float32's last bit
_ROWS = 24  # of a grid that are summed at once, at least


def spread(at: Tensor, values: Tensor, window: Window, widths: Sequence[float]) -> Tensor:
    """Return a smooth field [B, C, rows, columns] that has values [B, N, C] about at points [B, N, 2].

    First the mean of all points around, weighed by a wide bell; then what that leaves over at the points, by
    narrower ones. A bell is the product of one in x and one in y: summing them all is a product of matrices.
    """
    order = at[..., 1].argsort(1)[..., None]  # from above to below
    at, values = at.gather(1, order.expand_as(at)), values.gather(1, order.expand_as(values))
    field: Tensor | None = None
    for place, width in enumerate(widths):
        least = 1e-6 if place == 0 else 0.3
        every = 2 if width >= 2 * _CELLS_PER_BELL * window.step else 1
        x, y = window.axes(at.device, every)
        sums, weight = _summed(at, values, x, y, width)
        level = sums / (weight + least)
        level = level if every == 1 else _between_points(_between_points(level, -2), -1)
        field = level if field is None else field + level
        if place < len(widths) - 1:
            bells = _bell(torch.cdist(at, at), width)
            values = values - bells @ values / (bells.sum(-1, keepdim=True) + least)
    return at.new_zeros(()) if field is None else field


def _summed(at: Tensor, values: Tensor, x: Tensor, y: Tensor, width: float) -> tuple[Tensor, Tensor]:
    """Return the sums of bells at points, times values, and of the bells: [B, C, rows, columns] and C 1.

    The points are given from above to below; for each few rows, those that are felt there are taken.
    """
    weighed = torch.cat((torch.ones_like(values[..., :1]), values), -1).mT[:, :, None]  # [B, C + 1, 1, N]
    over_x = _bell(at[..., :1] - x, width)
    height = at[..., 1]
    bands = list(y.chunk(max(1, len(y) // _ROWS)))
    ends = torch.stack([band[[0, -1]] for band in bands]) + _FELT * width * torch.tensor(
        (-1, 1), device=y.device
    )
    found = torch.searchsorted(height.contiguous(), ends.flatten().expand(len(at), -1).contiguous())
    found = found.reshape(len(at), -1, 2)
    starts, stops = found[..., 0].amin(0).tolist(), found[..., 1].amax(0).tolist()
    sums = []
    for band, start, stop in zip(bands, starts, stops, strict=True):
        over_y = _bell(band[:, None] - height[:, None, start:stop], width)
        products = (over_y[:, None] * weighed[..., start:stop]).flatten(1, 2) @ over_x[:, start:stop]
        sums.append(products.reshape(len(at), -1, len(band), len(x)))
    total = torch.cat(sums, 2)
    return total[:, 1:], total[:, :1]


def _bell(far: Tensor, width: float) -> Tensor:
    """Return how much is felt from afar, 1 at 0.

    What is next to nothing is kept from becoming so small that processors take ten times as long for it.
    """
    return (far * (math.sqrt(0.5) / width)).square_().neg_().clamp_(min=-35).exp_()


def _between_points(values: Tensor, axis: int) -> Tensor:
    """Return values [B, C, rows, columns] with one between every two along an axis, by Keys's cubic."""
    size = values.shape[axis]
    first, last = values.narrow(axis, 0, 1), values.narrow(axis, size - 1, 1)
    a, b, c, d = (torch.cat((first, values, last), axis).narrow(axis, start, size - 1) for start in range(4))
    between = 0.59375 * (b + c) - 0.09375 * (a + d)
    both = torch.stack((b, between), axis if axis < -1 else values.dim())
    joined = both.flatten(axis - 1, axis) if axis < -1 else both.flatten(-2)
    return torch.cat((joined, last), axis)
