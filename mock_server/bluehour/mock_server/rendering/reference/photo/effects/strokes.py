"""Edges, lines and brushes: what drawings and paintings are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ..pixels import blurred, boxed, oklab_of, slopes
from .scene import Scene


def frame(scene: Scene, paper: Tensor) -> Tensor:
    """Return 1 inside and 0 at the border, where a wash ends raggedly."""
    place = scene.places.abs().amax(-1)[:, None]
    ragged = blurred(scene.noise(2, 43), 6 * scene.unit)
    ragged = ragged / ragged.std(correction=0).clamp(min=1e-6)
    return ((0.975 - place + 0.012 * ragged + 0.004 * paper) / 0.03).clamp(0, 1)


def shifted(plane: Tensor, x: int, y: int) -> Tensor:
    """Return a plane moved by whole pixels, around its edges."""
    return torch.roll(plane, (y, x), (-2, -1))


def steepness(plane: Tensor) -> Tensor:
    """Return the rise per pixel where it is steepest."""
    return torch.hypot(*slopes(plane))


def ink(light: Tensor, scene: Scene, sigma: float, share: float, sharpness: float) -> Tensor:
    """Return where ink is drawn, 0, and paper left, 1: lines on the dark side of edges.

    Difference of Gaussians with a soft threshold: Winnemöller, "XDoG" (2011).
    """
    sigma *= max(1.0, scene.unit)
    inner, outer = blurred(light, sigma), blurred(light, 1.6 * sigma)
    difference = inner - share * outer
    return torch.where(difference > 0, torch.ones_like(light), 1 + torch.tanh(sharpness * difference))


def hatching(scene: Scene, degrees: float, salt: int) -> Tensor:
    """Return strokes in one direction, 0 to 1: noise that is smeared along it."""
    strokes = scene.noise(0.7, salt)
    height, width = strokes.shape[-2:]
    place = scene.places
    step = torch.tensor(
        (math.cos(math.radians(degrees)) * 2 / width, math.sin(math.radians(degrees)) * 2 / height)
    )
    smeared = torch.zeros_like(strokes)
    for along in range(-5, 6):
        moved = place + step.to(place.device) * (along * 1.6 * scene.unit)
        smeared += functional.grid_sample(strokes, moved, padding_mode="reflection", align_corners=False)
    return torch.sigmoid(1.6 * smeared / smeared.std(correction=0).clamp(min=1e-6))


def along_edges(light: Tensor, strokes: Tensor, scene: Scene, reach: int) -> Tensor:
    """Smear noise along the edges' direction: line integral convolution on the structure tensor.

    Cabral, Leedom (1993); Brox et al., "Adaptive structure tensors" (2006).
    """
    x, y = slopes(light)
    xx, yy, xy = torch.split(blurred(torch.cat((x * x, y * y, x * y), 1), 4 * scene.unit), 1, 1)
    angle = 0.5 * torch.atan2(2 * xy, xx - yy)[:, 0] + math.pi / 2
    height, width = light.shape[-2:]
    step = torch.stack((torch.cos(angle) * 2 / width, torch.sin(angle) * 2 / height), -1) * scene.unit * 1.3
    place = scene.places
    smeared = strokes.clone()
    for along in range(1, reach + 1):
        for side in (-along, along):
            smeared += functional.grid_sample(
                strokes, place + side * step, padding_mode="reflection", align_corners=False
            )
    return smeared


def fine_share(picture: Tensor, scene: Scene) -> Tensor:
    """Return how much of the detail a painter keeps, 0 to 0.6: more where it is dense, as in a face."""
    light = oklab_of(picture)[:, :1]
    detail = (light - blurred(light, 2 * scene.unit)).abs()
    dense = blurred(detail, 9 * scene.unit)
    return (0.6 * (dense - 0.008) / 0.022).clamp(0, 0.6)


def kuwahara(picture: Tensor, radius: int) -> Tensor:
    """Give each pixel the colour of the evenest of the four squares that it is a corner of.

    Kuwahara et al. (1976); weighted rather than chosen, as Papari et al. (2007), so that no block shows.
    """
    light = picture.mean(1, keepdim=True)
    means = boxed(torch.cat((picture, light, light * light), 1), max(1, radius // 2 + radius % 2))
    means = functional.pad(means, (radius, radius, radius, radius), "replicate")
    height, width = picture.shape[-2:]
    total = torch.zeros_like(picture)
    weights = torch.zeros_like(light)
    half = max(1, radius // 2 + radius % 2)
    for x in (-half, half):
        for y in (-half, half):
            square = means[..., radius + y : radius + y + height, radius + x : radius + x + width]
            variance = (square[:, 4:] - square[:, 3:4] ** 2).clamp(min=0)
            weight = 1 / (variance + 2e-5) ** 4
            total += square[:, :3] * weight
            weights += weight
    return total / weights
