"""Effects of the hand, the lens and the film."""

from __future__ import annotations

import torch
from torch import Tensor

from ..pixels import blurred, from_oklab, oklab_of, smoothed
from .light import curved, radius, split, towards, vignette
from .scene import Scene
from .strokes import along_edges, fine_share, frame, hatching, ink, kuwahara, shifted, steepness


def sketch(picture: Tensor, scene: Scene) -> Tensor:
    """Draw in pencil: lines at the edges, hatching in two directions where it is dark, a paper's grain."""
    grey = smoothed(oklab_of(picture)[:, :1], radius(scene, 2), 0.04).clamp(0, 1)
    wide = blurred(grey, 3.2 * scene.unit).clamp(min=0.02)
    lines = (grey / wide).clamp(0, 1) ** 3.2 * ink(grey, scene, 0.9, 0.99, 26)
    shade = (1 - blurred(grey, 1.5 * scene.unit)).clamp(0, 1)
    light_hatch = hatching(scene, 45, 21) * ((shade - 0.28) / 0.5).clamp(0, 1)
    dark_hatch = hatching(scene, -30, 22) * ((shade - 0.62) / 0.35).clamp(0, 1)
    tone = 1 - 0.4 * shade**1.8
    paper = 1 - 0.022 * scene.noise(0.6, 23)
    drawn = lines * tone * (1 - 0.42 * light_hatch) * (1 - 0.42 * dark_hatch) * 0.97 * paper
    return drawn.clamp(0, 1) * torch.tensor((1.0, 0.995, 0.975), device=picture.device).view(1, 3, 1, 1)


def painting(picture: Tensor, scene: Scene) -> Tensor:
    """Paint in oil: patches of one colour, brushed along the edges, the relief of the brush in the light."""
    patches = kuwahara(kuwahara(picture, radius(scene, 3)), radius(scene, 2))
    fine = fine_share(picture, scene)
    patches = patches + fine * (picture - patches)
    light = oklab_of(patches)[:, :1]
    bristles = along_edges(light, scene.noise(0.5, 31), scene, 7)
    relief = bristles - shifted(bristles, 1, 1)
    relief = relief / relief.std(correction=0).clamp(min=1e-6)
    painted, colour = split(patches)
    stroke = 0.022 * bristles / bristles.std(correction=0).clamp(min=1e-6) + 0.016 * relief.clamp(-3, 3)
    painted = curved(painted, 0.25) + (1 - 1.2 * fine) * stroke  # else a face gets wrinkles
    return from_oklab(torch.cat((painted.clamp(0, 1), colour * 1.22), 1))


def watercolor(picture: Tensor, scene: Scene) -> Tensor:
    """Wash pigment on rough paper: pale, its amount wandering, gathered at the edges of each patch."""
    patches = kuwahara(picture, radius(scene, 4))
    patches = patches + fine_share(picture, scene) * (picture - patches)
    light, colour = split(patches)
    wander = blurred(scene.noise(1, 41), 14 * scene.unit)
    wander = wander / wander.std(correction=0).clamp(min=1e-6)
    paper = scene.noise(0.9, 42)
    rim = steepness(blurred(light, 1.1 * scene.unit)) * scene.unit
    pigment = (1 - light) * 0.84 * (1 + 0.13 * wander + 0.05 * paper) + 1.1 * rim.clamp(max=0.12)
    washed = from_oklab(torch.cat(((0.985 - pigment).clamp(0, 1), colour * 1.15 * (1 + 0.12 * wander)), 1))
    edge = frame(scene, paper)
    return 1 - (1 - washed) * edge


def cartoon(picture: Tensor, scene: Scene) -> Tensor:
    """Ink and fill: few tones with soft steps, strong colour, dark lines.

    Winnemöller, Olsen, Gooch, "Real-time video abstraction" (2006).
    """
    smooth = kuwahara(picture, radius(scene, 3))
    light, colour = split(smooth)
    light = smoothed(light, radius(scene, 4), 0.07).clamp(0, 1)
    bins = 7
    nearest = (light * bins).floor() / bins + 0.5 / bins
    stepped = nearest + torch.tanh((light - nearest) * bins * 2.4) / (2 * bins)
    lines = ink(oklab_of(picture)[:, :1], scene, 1.0, 0.985, 38)
    filled = from_oklab(torch.cat((curved(stepped * 1.06, 0.2).clamp(0, 1), colour * 1.4), 1))
    return filled * (0.12 + 0.88 * lines)


def photo(picture: Tensor, scene: Scene) -> Tensor:
    """Local contrast and crisp details, as of a good lens."""
    light, colour = split(picture)
    base = smoothed(light, radius(scene, 3), 0.06)
    return from_oklab(torch.cat(((curved(light, 0.12) + 0.55 * (light - base)).clamp(0, 1), colour), 1))


def soft(picture: Tensor, scene: Scene) -> Tensor:
    """Lay a blurred, lighter print over the sharp one, as Michael Orton did."""
    bloom = blurred(picture, 8 * scene.unit).clamp(0, 1)
    screened = 1 - (1 - picture) * (1 - 0.55 * bloom)
    light, colour = split(0.62 * screened + 0.38 * blurred(picture, 2.2 * scene.unit).clamp(0, 1))
    return from_oklab(torch.cat((light, colour * 1.12), 1))


def blurry(picture: Tensor, scene: Scene) -> Tensor:
    """Out of focus, all of it."""
    return blurred(picture, 5 * scene.unit).clamp(0, 1)


def sharp(picture: Tensor, scene: Scene) -> Tensor:
    """More of the finest details."""
    light, colour = split(picture)
    fine = light - smoothed(light, radius(scene, 1), 0.05)
    middle = light - smoothed(light, radius(scene, 4), 0.08)
    return from_oklab(torch.cat(((light + 0.9 * fine + 0.45 * middle).clamp(0, 1), colour * 1.04), 1))


def hdr(picture: Tensor, scene: Scene) -> Tensor:
    """Even out the light and raise the detail; the guided filter keeps the edges free of halos."""
    light, colour = split(picture)
    broad = smoothed(light, radius(scene, 18), 0.22)
    fine = smoothed(light, radius(scene, 3), 0.06)
    light = 0.5 + 0.74 * (broad - 0.5) + 2.0 * (fine - broad) + 2.3 * (light - fine)
    return from_oklab(torch.cat((curved(light.clamp(0, 1), 0.25), colour * 1.3), 1))


def vintage(picture: Tensor, scene: Scene) -> Tensor:
    """Age a print: blacks faded, lights yellowed, shadows towards teal, dark corners, grain."""
    light, colour = split(picture)
    light = (0.2 + 0.74 * curved(light, 0.25)) * vignette(scene, 0.26)
    yellow = towards(scene, 0.010, 0.05) * light
    teal = towards(scene, -0.018, -0.012) * (1 - light)
    light = light + 0.011 * scene.noise(0.5, 51)
    return from_oklab(torch.cat((light.clamp(0, 1), colour * 0.62 + yellow + teal), 1))
