"""Light and colour in Oklab, as effects change them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..pixels import from_oklab, oklab_of
from .scene import Scene


def split(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Return lightness [1, 1, H, W] and the two directions of colour [1, 2, H, W]."""
    lab = oklab_of(picture)
    return lab[:, :1], lab[:, 1:]


def radius(scene: Scene, units: float) -> int:
    """Return a length in pixels, at least 1."""
    return max(1, round(units * scene.unit))


def curved(light: Tensor, amount: float) -> Tensor:
    """Raise the contrast about the middle by a smooth step that keeps black and white where they are."""
    light = light.clamp(0, 1)
    return light + amount * (light * light * (3 - 2 * light) - light)


def towards(scene: Scene, a: float, b: float) -> Tensor:
    """Return a shift of colour, [1, 2, 1, 1]."""
    return torch.tensor((a, b), device=scene.kept.device).view(1, 2, 1, 1)


def tinted(picture: Tensor, scene: Scene, a: float, b: float, saturation: float) -> Tensor:
    """Shift the colours of the middle tones most, and what is to be kept less."""
    light, colour = split(picture)
    shift = towards(scene, a, b) * (0.35 + 0.65 * (4 * light * (1 - light)).clamp(0, 1))
    return from_oklab(torch.cat((light, colour * saturation + shift * (1 - 0.3 * scene.kept)), 1))


def vignette(scene: Scene, depth: float) -> Tensor:
    """Return 1 in the middle, less by `depth` in the corners: [1, 1, H, W]."""
    place = scene.places
    away = place.square().sum(-1)[:, None] / 2  # 1 in the corners
    return 1 - depth * away**1.3


def glow_at(scene: Scene, x: float, y: float, reach: float) -> Tensor:
    """Return light around a place, 1 there: [1, 1, H, W]; all in `Scene.places`."""
    place = scene.places
    away = (place - torch.tensor((x, y), device=place.device)).square().sum(-1)[:, None]
    return torch.exp(-away / (2 * (reach / 2) ** 2)) * 0.7 + torch.exp(-away / (2 * reach**2)) * 0.3
