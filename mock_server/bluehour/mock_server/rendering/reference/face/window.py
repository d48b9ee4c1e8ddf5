"""Parts of a face's plane with a grid over them, and fields on such grids."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from .curves import smooth


@dataclass(frozen=True, slots=True)
class Window:
    """An upright part of the face's plane, with a grid over it from edge to edge.

    Attributes:
        whole: the square that it's a part of: x and y of its middle, and half a side, units.
        cells: points of the whole's grid along a side; the part's are some of these.
        columns, rows: the first of them that is in the part, and the first beyond it.
    """

    whole: tuple[float, float, float]
    cells: int
    columns: tuple[int, int]
    rows: tuple[int, int]

    @classmethod
    def square(cls, middle: tuple[float, float], half: float, cells: int) -> Window:
        """Return a whole window; `half` a side is in units."""
        return cls((*middle, half), cells, (0, cells), (0, cells))

    @property
    def step(self) -> float:
        """Return how far the points of the grid are apart, units."""
        return 2 * self.whole[2] / (self.cells - 1)

    @property
    def size(self) -> tuple[int, int]:
        """Return how many rows and columns there are."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def middle(self) -> tuple[float, float]:
        """Return the x and y between the edges."""
        x, y, half = self.whole
        offsets = (((sum(ends) - 1) * self.step) / 2 - half for ends in (self.columns, self.rows))
        return x + next(offsets), y + next(offsets)

    @property
    def halves(self) -> tuple[float, float]:
        """Return half the width and half the height, units."""
        rows, columns = self.size
        return (columns - 1) * self.step / 2, (rows - 1) * self.step / 2

    def around(self, low: Tensor, high: Tensor) -> Window:
        """Return the part that holds boxes from `low` to `high`, [B, 2] each, and two cells around them."""
        x, y, half = self.whole
        start = torch.tensor((x - half, y - half), device=low.device)
        ends = torch.stack(
            ((low.amin(0) - start).floor_divide(self.step), (high.amax(0) - start) // self.step)
        )
        ((left, top), (right, bottom)) = ends.long().tolist()
        return replace(self, columns=self._even(left, right), rows=self._even(top, bottom))

    def _even(self, first: int, last: int) -> tuple[int, int]:
        """Return ends between which every second point, from the first to the last, has an even number."""
        last = min(last + 3 + (last + 3) % 2, (self.cells - 1) // 2 * 2)
        return min(max(0, first - 2 - first % 2), last - 2), last + 1

    def axes(self, device: torch.device, every: int = 1) -> tuple[Tensor, Tensor]:
        """Return the x and the y of every so many-th column and row, [columns] and [rows]."""
        x, y, half = self.whole
        columns, rows = (
            torch.arange(*ends, every, device=device) * self.step - half for ends in (self.columns, self.rows)
        )
        return columns + x, rows + y

    def grid(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return every point's x and y, [rows, columns] each."""
        x, y = self.axes(device)
        return x.expand(len(y), -1), y[:, None].expand(-1, len(x))

    def inside(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in the whole, falling to 0 at its edge: for faces of which it doesn't hold all that moves."""
        left, top, half = self.whole
        far = torch.maximum((x - left).abs(), (y - top).abs()) / half
        return smooth((0.98 - far) / 0.1)

    def zeros(self, count: int, channels: int, device: torch.device) -> Tensor:
        """Return fields that are 0: [count, channels, rows, columns]."""
        return torch.zeros(count, channels, *self.size, device=device)


@dataclass(frozen=True, slots=True)
class Layer:
    """Fields of B edits on one window's grid: [B, C, rows, columns]; beyond it they are 0."""

    window: Window
    values: Tensor

    def ends(self) -> Tensor:
        """Return the first and the last place that isn't 0: [B, 2 ends, x and y], units; NaN without one."""
        something = (self.values != 0).any(1)
        ends = []
        for taken, places in zip((1, 2), self.window.axes(self.values.device), strict=True):
            there = something.any(taken)
            nowhere = torch.full_like(places, torch.nan)
            of_these = torch.where(there, places, nowhere)
            low = of_these.nan_to_num(torch.inf).amin(1)
            high = of_these.nan_to_num(-torch.inf).amax(1)
            ends.append(torch.stack((low, high), 1))
        return torch.stack(ends, -1)


def sampled(field: Tensor, places: Tensor) -> Tensor:
    """Return what fields are at places [B, 2, H, W], of which -1 and 1 are the first and last points."""
    # As planes of x and y, that torch reads as they are: to put them side by side takes as long as this does.
    values: Tensor = functional.grid_sample(
        field, places.permute(0, 2, 3, 1), "bilinear", "border", align_corners=True
    )
    return values
