"""Turned squares of a photo: where they lie, what is seen in them, and where their points are in the photo.

As in mediapipe, a pixel's centre is at whole numbers: (0, 0) is the middle of the first pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Squares:
    """K squares of one photo, each turned about its centre.

    Attributes:
        centre: [K, 2], x and y in px.
        side: [K], px.
        angle: [K], radians; positive turns from the x axis towards the y axis, clockwise as one sees it.
        mirrored: [K], whether it is seen from right to left.
    """

    centre: Tensor
    side: Tensor
    angle: Tensor
    mirrored: Tensor

    @classmethod
    def turned(cls, centre: Tensor, side: Tensor, angle: Tensor) -> Squares:
        """Return squares of centres [K, 2] and sides [K] in px, turned by angles [K] in radians."""
        return cls(centre, side, angle, torch.zeros_like(side, dtype=torch.bool))

    @classmethod
    def along(cls, centre: Tensor, side: Tensor, start: Tensor, end: Tensor) -> Squares:
        """Return squares whose x axis points from `start` to `end`, both [K, 2] in px."""
        x, y = (end - start).unbind(-1)
        return cls.turned(centre, side, torch.atan2(y, x))

    @classmethod
    def joined(cls, parts: Sequence[Squares]) -> Squares:
        """Return the squares of several, one after another."""
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in _fields()))

    def split(self, counts: Sequence[int]) -> list[Squares]:
        """Return the first so many squares, the next so many, and so on."""
        columns = (getattr(self, name).split_with_sizes(list(counts)) for name in _fields())
        return [Squares(*column) for column in zip(*columns, strict=True)]

    def chosen(self, places: Tensor) -> Squares:
        """Return those at places, or where a mask is true."""
        return Squares(*(getattr(self, name)[places] for name in _fields()))

    def to(self, device: torch.device) -> Squares:
        """Return the same squares on a device."""
        return Squares(*(getattr(self, name).to(device) for name in _fields()))

    def __len__(self) -> int:
        """Return how many squares there are."""
        return len(self.side)

    def near(self, others: Squares, shift: float, growth: float, angle: float) -> Tensor:
        """Return which of them, [K], differ little from others: in place, size and angle.

        Args:
            others: as many.
            shift: of the centre, in sides.
            growth: of the side, in shares of it.
            angle: radians.
        """
        shifted: Tensor = torch.linalg.vector_norm(self.centre - others.centre, dim=-1) / others.side
        grown = self.side / others.side - 1
        turned = torch.remainder(self.angle - others.angle + math.pi, math.tau) - math.pi
        return (shifted < shift) & (grown.abs() < growth) & (turned.abs() < angle)

    def to_photo(self, points: Tensor) -> Tensor:
        """Return in px of the photo what is [K, P, 2] in shares of the squares, (0, 0) their first corner.

        A third coordinate, depth, keeps its direction and is scaled alike.
        """
        x, y = (points[..., :2] - 0.5).mul(self.side[:, None, None]).unbind(-1)
        x = torch.where(self.mirrored[:, None], -x, x)
        cos, sin = self.angle.cos()[:, None], self.angle.sin()[:, None]
        turned = torch.stack((x * cos - y * sin, x * sin + y * cos), -1) + self.centre[:, None]
        return torch.cat((turned, points[..., 2:] * self.side[:, None, None]), -1)


def seen(photo: Tensor, squares: Squares, size: int, *, black: bool = False) -> Tensor:
    """Return what is seen in squares of a photo, [K, 3, size, size], float32 from 0 to 1.

    Each pixel is interpolated between the four nearest of the photo, as mediapipe's ImageToTensorCalculator
    does it; where a square is larger than `size`, what lies between is left out rather than averaged.

    Args:
        photo: [H, W, 3], uint8.
        squares: on the photo's device.
        size: px.
        black: whether it is black beyond the photo's edge; otherwise the edge is repeated.
    """
    # A place in the photo is a sum of what its column adds and what its row adds.
    steps = torch.arange(size, device=photo.device) / size - 0.5
    # The last pixel comes first where it's mirrored, and lies a step before the square's end.
    across = torch.where(squares.mirrored[:, None], -steps - 1 / size, steps) * squares.side[:, None]
    down = steps * squares.side[:, None]
    cos, sin = squares.angle.cos()[:, None], squares.angle.sin()[:, None]
    by_column = torch.stack((across * cos, across * sin))[:, :, None]  # [2, K, 1, size]
    by_row = (torch.stack((down * -sin, down * cos)) + squares.centre.mT[..., None])[..., None]
    if photo.device.type == "cpu":  # where turning a large photo into floats takes longer than the rest
        low, high = ((ends(by_column, -1) + ends(by_row, -2)).flatten(1) for ends in (torch.amin, torch.amax))
        photo, start = _window(photo, low.amin(1).tolist(), high.amax(1).tolist())
        by_row = by_row - torch.tensor(start)[:, None, None, None]
    height, width = photo.shape[:2]
    extent = torch.tensor((width, height), device=photo.device)[:, None, None, None]
    places = by_column * (2 / extent) + (by_row * 2 + 1) / extent - 1
    # The squares lie below one another: a single sampling, of planes of x and y, as torch takes them too.
    grid = places.reshape(2, -1, size).permute(1, 2, 0)[None]
    floats = photo.permute(2, 0, 1)[None].float()
    padding = "zeros" if black else "border"
    pixels = functional.grid_sample(floats, grid, padding_mode=padding, align_corners=False)
    return pixels.div_(255).reshape(3, len(squares), size, size).transpose(0, 1)


def _window(photo: Tensor, low: Sequence[float], high: Sequence[float]) -> tuple[Tensor, tuple[int, int]]:
    """Return the part of a photo that matters for places from `low` to `high`, x and y, and its corner."""
    height, width = photo.shape[:2]
    left, top = (int(min(max(at, 0), size - 1)) for at, size in zip(low, (width, height), strict=True))
    right, bottom = (int(min(max(at, 0) + 2, size)) for at, size in zip(high, (width, height), strict=True))
    return photo[top:bottom, left:right], (left, top)


def _fields() -> list[str]:
    return [field.name for field in fields(Squares)]
