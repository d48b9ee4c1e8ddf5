"""Effects of light and mood."""

from __future__ import annotations

import torch
from torch import Tensor

from ..pixels import blurred, from_oklab
from .light import curved, glow_at, split, tinted, towards, vignette
from .scene import Scene
from .style import hdr


def bright(picture: Tensor, scene: Scene) -> Tensor:
    """Lift all but white."""
    light, colour = split(picture)
    lifted = 1 - (1 - light.clamp(0, 1)) ** 1.5
    return from_oklab(torch.cat((lifted, colour * 1.12), 1))


def dark(picture: Tensor, scene: Scene) -> Tensor:
    """Press all but black."""
    light, colour = split(picture)
    return from_oklab(torch.cat((0.86 * light.clamp(0, 1) ** 1.55, colour * 0.88), 1))


def night(picture: Tensor, scene: Scene) -> Tensor:
    """Shoot day for night: little light, little colour, a blue moon; what was bright still shines."""
    light, colour = split(picture)
    lamps = ((light - 0.86) / 0.14).clamp(0, 1) ** 2
    glow = blurred(lamps, 7 * scene.unit).clamp(0, 1)
    moon = 0.68 * light.clamp(0, 1) ** 1.55 * vignette(scene, 0.45)
    moon = moon + 0.16 * lamps + 0.10 * glow
    tint = towards(scene, -0.012, -0.055) * (0.35 + 0.9 * moon)
    return from_oklab(torch.cat((moon, colour * (0.45 + 0.3 * lamps) + tint), 1))


def sunset(picture: Tensor, scene: Scene) -> Tensor:
    """Set a low sun at the upper right: gold where it is light, purple in the shadows, a glow around it."""
    light, colour = split(picture)
    light = curved(light, 0.35) * 0.93
    gold = towards(scene, 0.045, 0.095) * light**1.2
    purple = towards(scene, 0.03, -0.055) * (1 - light) ** 1.5 * 0.9
    toned = from_oklab(torch.cat((light, colour * 0.85 + (gold + purple) * (1 - 0.35 * scene.kept)), 1))
    sun = glow_at(scene, 0.72, -0.45, 0.8)
    shine = torch.tensor((1.0, 0.62, 0.28), device=picture.device).view(1, 3, 1, 1) * sun
    return 1 - (1 - toned) * (1 - 0.55 * shine)


def golden(picture: Tensor, scene: Scene) -> Tensor:
    """A low sun: gold where it is light, and a bloom."""
    light, colour = split(picture)
    bloom = blurred(((light - 0.55) / 0.45).clamp(0, 1) ** 2, 14 * scene.unit)
    light = (curved(light, 0.15) + 0.12 * bloom).clamp(0, 1)
    gold = towards(scene, 0.022, 0.085) * (0.25 + 0.75 * light) * (1 - 0.3 * scene.kept)
    return from_oklab(torch.cat((light, colour * 0.9 + gold), 1))


def warm(picture: Tensor, scene: Scene) -> Tensor:
    """Towards orange."""
    return tinted(picture, scene, 0.018, 0.05, 0.95)


def cold(picture: Tensor, scene: Scene) -> Tensor:
    """Towards blue."""
    return tinted(picture, scene, -0.02, -0.055, 0.82)


def dramatic(picture: Tensor, scene: Scene) -> Tensor:
    """Hard local contrast, less colour, dark corners."""
    light, colour = split(hdr(picture, scene))
    light = curved(light, 0.5) * 0.84 * vignette(scene, 0.5)
    return from_oklab(torch.cat((light, colour * 0.72), 1))


def contrast(picture: Tensor, scene: Scene) -> Tensor:
    """A steep curve."""
    light, colour = split(picture)
    return from_oklab(torch.cat((curved(light, 0.85), colour * 1.1), 1))


def flat(picture: Tensor, scene: Scene) -> Tensor:
    """Neither black nor white."""
    light, colour = split(picture)
    return from_oklab(torch.cat((0.24 + 0.58 * light, colour * 0.85), 1))


def fog(picture: Tensor, scene: Scene) -> Tensor:
    """Draw a veil that is thickest at the top, where most pictures are farthest, and drifts."""
    light, colour = split(picture)
    y = scene.places[..., 1][:, None]
    drift = blurred(scene.noise(2, 11), 40 * scene.unit)
    drift = drift / drift.std(correction=0).clamp(min=1e-6)
    veil = (0.58 - 0.2 * y + 0.07 * drift).clamp(0.2, 0.88)
    light = light + (0.86 - light) * veil
    return blurred(from_oklab(torch.cat((light, colour * (1 - veil) * 0.8), 1)), 0.7 * scene.unit)


def cinematic(picture: Tensor, scene: Scene) -> Tensor:
    """Teal shadows and orange lights, dark corners."""
    light, colour = split(picture)
    light = curved(light, 0.4) * 0.95 * vignette(scene, 0.3)
    orange = towards(scene, 0.02, 0.05) * light**1.5
    teal = towards(scene, -0.035, -0.035) * (1 - light) ** 1.2
    return from_oklab(torch.cat((light, colour * 0.9 + (orange + teal) * (1 - 0.4 * scene.kept)), 1))


def neon(picture: Tensor, scene: Scene) -> Tensor:
    """Light the scene by two tubes, magenta from the left and cyan from the right, at night."""
    light, colour = split(picture)
    x = scene.places[..., 0][:, None]
    share = torch.sigmoid(2.5 * x)
    magenta, cyan = towards(scene, 0.15, -0.09), towards(scene, -0.09, -0.08)
    shaped = 0.85 * curved(light, 0.7) ** 1.25
    tubes = (magenta * (1 - share) + cyan * share) * (0.25 + shaped)
    lit = from_oklab(torch.cat((shaped, colour * 0.4 + tubes), 1))
    glow = blurred((lit - 0.5).clamp(min=0), 9 * scene.unit).clamp(min=0)
    return 1 - (1 - lit) * (1 - 0.6 * glow).clamp(0, 1)
