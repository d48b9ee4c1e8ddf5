"""Smooth steps from 0 to 1, and smooth lines through points."""

from __future__ import annotations

import torch
from torch import Tensor


def smooth(x: Tensor) -> Tensor:
    """Rise from 0 at 0 to 1 at 1, with no corner nor bend at either end."""
    x = x.clamp(0, 1)
    return x**3 * (10 + x * (6 * x - 15))


def line_through(points: Tensor, between: int = 4) -> Tensor:
    """Return a smooth line through points [B, N, 2]: Catmull and Rom's, `between` points for each step."""
    extended = torch.cat(
        (2 * points[:, :1] - points[:, 1:2], points, 2 * points[:, -1:] - points[:, -2:-1]), 1
    )
    a, b, c, d = (extended[:, start : start + points.shape[1] - 1, None] for start in range(4))
    t = (torch.arange(between, device=points.device) / between)[:, None]
    line = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return torch.cat((line.flatten(1, 2), points[:, -1:]), 1)


def height_of(line: Tensor, x: Tensor) -> Tensor:
    """Return the y of lines [B, N, 2] at x, [M] or [B, M]: [B, M]; beyond their ends that of the end."""
    along = line[..., 0].cummax(1).values.contiguous()
    right = torch.searchsorted(along, x.expand(len(line), -1).contiguous()).clamp(1, along.shape[1] - 1)
    x0, x1 = along.gather(1, right - 1), along.gather(1, right)
    y0, y1 = line[..., 1].gather(1, right - 1), line[..., 1].gather(1, right)
    share = ((x - x0) / (x1 - x0).clamp(min=1e-6)).clamp(0, 1)
    return y0 + share * (y1 - y0)
