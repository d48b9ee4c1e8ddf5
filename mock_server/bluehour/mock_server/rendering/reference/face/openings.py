"""The openings of a face, eyes and mouth: what is seen in them once their edges have moved."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from . import regions
from .curves import height_of, line_through, smooth
from .flow import carried
from .window import Window

_SOFT = 0.02  # units: how soft an opening's edge is
_EDGE_AHEAD, _EDGE_BEHIND = 0.18, 0.4  # of an eye's opening


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening of B faces after a flow, on a part of FACE: [B, rows, columns] each.

    Attributes:
        lines: its upper and its lower edge before the flow, [B, N, 2] each, in the plane.
        within: 1 between its edges, 0 beyond.
        seen: the same, and 0 where it's no more than a slit.
        under, over: how far one is below its upper and above its lower edge, units.
        along: how far one is along it: from -1 to 1 between its corners.
    """

    lines: tuple[Tensor, Tensor]
    within: Tensor
    seen: Tensor
    under: Tensor
    over: Tensor
    along: Tensor

    @classmethod
    def after(
        cls, opening: regions.Opening, placed: Tensor, velocity: Tensor, apart: float, window: Window
    ) -> Opening:
        """Return an opening after a flow; its upper edge is moved up by `apart` units before."""
        x, y = window.grid(velocity.device)
        upper, lower = (line_through(placed[:, edge, :2]) for edge in (opening.upper, opening.lower))
        upper = upper - torch.tensor((0, apart), device=x.device)
        points = torch.cat((placed[:, opening.corners, :2], upper, lower), 1)
        corners, *edges = carried(points, velocity, window).split_with_sizes(
            [2, upper.shape[1], lower.shape[1]], 1
        )
        start, end = corners[:, :1, None, 0], corners[:, 1:, None, 0]
        top, bottom = (height_of(edge, x[0])[:, None] for edge in edges)
        within = smooth((y - top) / _SOFT + 0.5) * smooth((bottom - y) / _SOFT + 0.5)
        within = within * smooth((x - start) / 0.03) * smooth((end - x) / 0.03)
        return cls(
            (upper, lower),
            within,
            within * smooth((bottom - top - apart) / 0.04),
            (y - top).clamp(min=0),
            (bottom - y).clamp(min=0),
            ((2 * x - start - end) / (end - start)).clamp(-1, 1).expand_as(within),
        )

    def source(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the y before the flow, evenly between the edges, of what was at x [B, rows, columns]."""
        top, bottom = (height_of(line, x.flatten(1)).reshape(x.shape) for line in self.lines)
        gap = (self.under + self.over).clamp(min=1e-3)
        return top + (bottom - top) * (self.under / gap).expand(-1, *y.shape)


def between(share: Tensor, direction: Tensor) -> Tensor:
    """1 between 0 and 1, falling to 0 at both: steeply at the one ahead, gently at the one behind."""
    at_start = torch.where(direction < 0, _EDGE_AHEAD, _EDGE_BEHIND)
    at_end = torch.where(direction > 0, _EDGE_AHEAD, _EDGE_BEHIND)
    return smooth(share / at_start) * smooth((1 - share) / at_end)
