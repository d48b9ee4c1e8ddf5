"""The portrait and its face as mediapipe found it; and its face without a photo, in any place and size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .recorded.photos import portrait

RECORDED = Path(__file__).parent / "recorded" / "meshes.npz"


@dataclass(frozen=True, slots=True)
class Points:
    """A face, as far as the editor needs one."""

    points: Tensor

    def times(self, scale: float, x: float = 0, y: float = 0) -> Points:
        """The same face in a photo that is enlarged and moved, px."""
        return Points(self.points * scale + torch.tensor((x, y, 0.0)))

    def with_closed(self, *openings: tuple[tuple[int, ...], tuple[int, ...]]) -> Points:
        """The same face with the lower edges of openings on the upper ones."""
        points = self.points.clone()
        for upper, lower in openings:
            points[list(lower)] = points[list(upper)]
        return Points(points)


def photo() -> Tensor:
    """512 x 512 px; the face is 94 px wide."""
    return torch.from_numpy(portrait().copy())


def face() -> Points:
    with np.load(RECORDED) as file:
        return Points(torch.from_numpy(file["as it is, refined"]))
