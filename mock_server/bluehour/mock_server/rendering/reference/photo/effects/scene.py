"""What an effect may know besides the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from ..pixels import blurred, grid_of, guided, noise, oklab_of


@dataclass(frozen=True, slots=True)
class Scene:
    """What an effect may know besides the picture.

    Attributes:
        kept: how much the colour of a place shall stay, 0 to 1: [1, 1, H, W].
        seed: of grain, paper and strokes.
    """

    kept: Tensor
    seed: int

    @property
    def unit(self) -> float:
        """1/512 of the longer side, in pixels."""
        return max(self.kept.shape[-2:]) / 512

    @property
    def places(self) -> Tensor:
        """Where each pixel's centre is, x and y from -1 to 1: [1, H, W, 2]."""
        height, width = self.kept.shape[-2:]
        return grid_of(height, width, self.kept.device)

    def noise(self, sigma: float, salt: int) -> Tensor:
        """Return noise [1, 1, H, W] of unit variance whose specks are `sigma` units wide."""
        height, width = self.kept.shape[-2:]
        small = (max(1, round(height / self.unit)), max(1, round(width / self.unit)))
        specks = noise((1, 1, *small), self.seed ^ salt, self.kept.device)
        specks = blurred(specks, sigma) if sigma > 0.3 else specks
        if small != (height, width):
            specks = functional.interpolate(specks, size=(height, width), mode="bicubic", align_corners=False)
        return (specks - specks.mean()) / specks.std(correction=0).clamp(min=1e-6)


Effect = Callable[[Tensor, Scene], Tensor]


def kept_places(picture: Tensor, kinds: Iterable[str]) -> Tensor:
    """Return where a picture has the hues of what is to be kept, 0 to 1: [1, 1, H, W], smooth."""
    light, a, b = torch.split(oklab_of(picture), 1, 1)
    chroma, hue = torch.hypot(a, b), torch.atan2(b, a)
    found = torch.zeros_like(light)
    for kind in kinds:
        middle, width, least = _HUES[kind]
        away = torch.remainder(hue - math.radians(middle) + math.pi, 2 * math.pi) - math.pi
        near = torch.exp(-0.5 * (away / math.radians(width)) ** 2)
        found = torch.maximum(found, near * ((chroma - least / 2) / least).clamp(0, 1))
    return guided(found, light, max(2, round(max(picture.shape[-2:]) / 128)), 0.05).clamp_(0, 1)


_HUES: Final[Mapping[str, tuple[float, float, float]]] = MappingProxyType(
    # Oklab hue in degrees, its width (standard deviation), and the least chroma that has it.
    {
        "skin": (52, 16, 0.03),
        "red": (25, 14, 0.1),
        "orange": (58, 12, 0.1),
        "yellow": (100, 16, 0.08),
        "green": (138, 22, 0.04),
        "blue": (250, 28, 0.04),
        "purple": (325, 24, 0.05),
    }
)
