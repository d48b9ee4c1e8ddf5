"""Effects of colour."""

from __future__ import annotations

import torch
from torch import Tensor

from ..pixels import from_oklab, smoothed
from .light import curved, radius, split, towards
from .scene import Effect, Scene


def wash(a: float, b: float) -> Effect:
    """Return the effect that washes a picture in one colour, and leaves its lightness."""

    def washed(picture: Tensor, scene: Scene) -> Tensor:
        light, colour = split(picture)
        room = (4 * light * (1 - light)).clamp(0, 1) ** 0.6  # neither black nor white can take a colour
        target = towards(scene, a, b) * (0.15 + 0.85 * room)
        share = 0.68 * (1 - 0.55 * scene.kept)
        return from_oklab(torch.cat((light, colour + (target - colour) * share), 1))

    return washed


def black_and_white(picture: Tensor, scene: Scene) -> Tensor:
    """Mix as a yellow filter on film does: skin light, sky dark."""
    light, colour = split(picture)
    mixed = light + 0.25 * colour[:, 1:] + 0.12 * colour[:, :1]
    return from_oklab(torch.cat((curved(mixed.clamp(0, 1), 0.3), torch.zeros_like(colour)), 1))


def sepia(picture: Tensor, scene: Scene) -> Tensor:
    """Brown tones, deeper in the shadows."""
    light, _ = split(black_and_white(picture, scene))
    tone = towards(scene, 0.018, 0.062) * (1.1 - 0.55 * light)
    return from_oklab(torch.cat((0.06 + 0.9 * light, tone), 1))


def vivid(picture: Tensor, scene: Scene) -> Tensor:
    """Raise the pale colours most: the strong ones are there already, and skin burns easily."""
    light, colour = split(picture)
    chroma = colour.square().sum(1, keepdim=True).sqrt()
    gain = 1 + 0.85 * torch.exp(-chroma / 0.16) * (1 - 0.45 * scene.kept)
    return from_oklab(torch.cat((curved(light, 0.3), colour * gain), 1))


def muted(picture: Tensor, scene: Scene) -> Tensor:
    """Less colour, and a little less contrast."""
    light, colour = split(picture)
    return from_oklab(torch.cat((0.04 + 0.92 * light, colour * 0.4), 1))


def pastel(picture: Tensor, scene: Scene) -> Tensor:
    """Draw in chalk on white: the darks gone, every hue pale, what has none in rose and sky."""
    light, colour = split(picture)
    light = 1 - 0.52 * (1 - smoothed(light, radius(scene, 3), 0.05).clamp(0, 1)) ** 1.1
    chroma = colour.square().sum(1, keepdim=True).sqrt().clamp(min=1e-4)
    paled = colour / chroma * 0.085 * torch.tanh(chroma / 0.06)
    blush = towards(scene, 0.022, 0.004) * light + towards(scene, -0.004, -0.03) * (1 - light) * 1.6
    return from_oklab(torch.cat((light, paled + blush), 1))
