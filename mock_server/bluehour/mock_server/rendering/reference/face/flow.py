"""Flows along velocities on a window's grid: smooth, to be reversed, and without folds.

By scaling and squaring: V. Arsigny et al., A Log-Euclidean Framework for Statistics on Diffeomorphisms, 2006.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .window import Window, sampled

_HALVINGS = 6  # of a flow's time: 64 steps
_STEPS = 12  # of a few points' flow, one after the other
_SMOOTHINGS = 40
_LEAST_AREA = 0.02  # of a cell's


def flow(velocity: Tensor, window: Window) -> Tensor:
    """Return the displacement after flowing along velocities [B, 2, rows, columns] for one unit of time."""
    halves = torch.tensor(window.halves, device=velocity.device)[:, None, None]
    start = _starts(window, velocity.device)
    displacement: Tensor = velocity / (halves * 2**_HALVINGS)
    for _ in range(_HALVINGS):
        displacement = displacement + sampled(displacement, start + displacement)
    return displacement * halves


def after(second: Tensor, first: Tensor, window: Window) -> Tensor:
    """Return the displacement of going along `first` and then along `second`, both on a window's grid."""
    return first + brought(second, first, window)


def brought(values: Tensor, moves: Tensor, window: Window) -> Tensor:
    """Return values [B, C, rows, columns] from where displacements on a window's grid lead to."""
    halves = torch.tensor(window.halves, device=moves.device)[:, None, None]
    return sampled(values, _starts(window, moves.device) + moves / halves)


def _starts(window: Window, device: torch.device) -> Tensor:
    """Return the grid's own places as `sampled` takes them, [1, 2, rows, columns]."""
    rows, columns = window.size
    x = torch.linspace(-1, 1, columns, device=device)
    y = torch.linspace(-1, 1, rows, device=device)
    return torch.stack((x.expand(rows, -1), y[:, None].expand(-1, columns)))[None]


def unfolded(field: Tensor, window: Window) -> Tensor:
    """Return displacements that fold no cell of a window: where one is folded, they are smoothed."""
    for _ in range(_SMOOTHINGS):
        folded = _least_area(field, window) < _LEAST_AREA
        if not bool(folded.any()):
            return field
        near = functional.max_pool2d(functional.pad(folded[:, None].float(), (0, 1, 0, 1)), 7, 1, 3)
        blurred = functional.avg_pool2d(functional.pad(field, (2, 2, 2, 2), "replicate"), 5, 1)
        field = field + near * (blurred - field)
    return field


def _least_area(field: Tensor, window: Window) -> Tensor:
    """Return what is left of each cell's area, at the corner where it's least: [B, cells - 1, cells - 1].

    Between its corners a cell is sampled bilinearly, so that it's folded nowhere if it isn't at a corner.
    """
    rows, columns = window.size
    right = field.diff(dim=3) / window.step
    down = field.diff(dim=2) / window.step
    wide, high = (right[:, 0] + 1, right[:, 1]), (down[:, 1] + 1, down[:, 0])
    areas = []
    for top in (0, 1):
        for left in (0, 1):
            xx, xy = (part[:, top : top + rows - 1] for part in wide)
            yy, yx = (part[..., left : left + columns - 1] for part in high)
            areas.append(xx * yy - xy * yx)
    return torch.minimum(torch.minimum(areas[0], areas[1]), torch.minimum(areas[2], areas[3]))


def carried(at: Tensor, velocity: Tensor, window: Window) -> Tensor:
    """Return where points [B, N, 2] are after flowing along velocities on a window's grid."""
    middle, halves = (
        torch.tensor(values, device=at.device)[:, None, None] for values in (window.middle, window.halves)
    )
    places = (at.mT[:, :, None] - middle) / halves  # [B, 2, 1, N]
    velocity = velocity / (_STEPS * halves)
    for _ in range(_STEPS):
        places = places + sampled(velocity, places)
    return (places * halves + middle)[:, :, 0].mT
