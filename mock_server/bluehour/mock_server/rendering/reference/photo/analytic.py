"""The photo editor that needs no model: few steps of noising and denoising, with a denoiser in closed form.

It goes as few-step diffusion does (noise the picture to the level that `strength` says, predict the clean
one, noise that again but less), in a Laplacian pyramid. The picture that the prompt asks for is not dreamt
by a network: it is made by the effects that the prompt's words name, and the denoiser is the exact one for
pictures that are normally distributed around it. So it can change light, colour and manner; it can't add,
remove or move anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from .effects import COMPLETE, EFFECTS, Scene, kept_places
from .parameters import Parameters
from .pixels import image_of, noise, picture_of, resized
from .prompts import Effects, kept, wished

_BANDS: Final = 4  # of the pyramid, beside what remains; the coarsest is of about 16 px
_SPREAD: Final = 0.3
"""The standard deviation of the pictures that the prompt allows, in units of a noise of strength 1.

At the published example (strength 0.49, 4 steps) 94 % of the way to what is aimed at are gone.
"""
_GRAIN: Final = 0.3
"""Of the change's own contrast in a band, at strength 1: noise replaces what the prompt changes, only."""
_LARGEST_BATCH: Final = 4  # pictures that are in memory at once


class AnalyticEditor:
    """Edits photos by the words that it knows, on whatever device the images are."""

    def edit(self, images: Sequence[Tensor], parameters: Sequence[Parameters]) -> list[Tensor]:
        """Return the edited images (uint8 [H, W, 3]), in the sizes that the parameters say, not upscaled.

        The same image and parameters give the same result, alone and in any batch.
        """
        sources = [
            resized(picture_of(image), asked.size(*image.shape[:2]))
            for image, asked in zip(images, parameters, strict=True)
        ]
        edited: dict[int, Tensor] = {}
        alike = defaultdict(list)
        for place, (source, asked) in enumerate(zip(sources, parameters, strict=True)):
            alike[(*source.shape[-2:], asked.steps, source.device)].append(place)
        for places in alike.values():
            for first in range(0, len(places), _LARGEST_BATCH):
                some = places[first : first + _LARGEST_BATCH]
                asked_here = [parameters[place] for place in some]
                pictures = _denoised(torch.cat([sources[place] for place in some]), asked_here)
                edited.update(zip(some, map(image_of, pictures), strict=True))
        return [edited[place] for place in range(len(sources))]


def target_of(picture: Tensor, asked: Parameters) -> Tensor:
    """Return what the prompts ask for, in full: [1, 3, H, W]; the picture itself where they ask nothing."""
    wishes = wished(asked.prompt, asked.negative_prompt, asked.description)
    scene = Scene(kept_places(picture, kept(asked.description)), asked.seed)
    return _made(picture, wishes, scene)


def _made(picture: Tensor, wishes: Effects, scene: Scene) -> Tensor:
    for name, effect in EFFECTS.items():
        if amount := min(wishes.get(name, 0), 1 if name in COMPLETE else 2):
            # More than its word says goes on beyond the effect, on the same line, as guidance does.
            picture = (picture + amount * (effect(picture, scene) - picture)).clamp(0, 1)
    return picture


def _denoised(pictures: Tensor, parameters: Sequence[Parameters]) -> Tensor:
    """Take pictures [B, 3, H, W] of equal size and steps towards their targets."""
    targets = torch.cat(
        [target_of(picture[None], asked) for picture, asked in zip(pictures, parameters, strict=True)]
    )
    strength = _column([asked.strength for asked in parameters], pictures)
    pull = _column([asked.pull for asked in parameters], pictures)
    centres = _pyramid(pictures + pull * (targets - pictures))
    clean = _pyramid(pictures)
    textures = [_texture(centre - band) for centre, band in zip(centres[:-1], clean[:-1], strict=True)]
    steps = parameters[0].steps
    for step in range(steps):
        level = strength * (1 - step / steps)
        # The clean picture's expectation, given a noisy one: Wiener's gain, towards the centre.
        gain = _SPREAD**2 / (_SPREAD**2 + level**2)
        grains = _grains(parameters, step, clean)
        clean = [
            centre + gain * (band + level * grain - centre)
            for band, grain, centre in zip(clean, _on(grains, textures, clean), centres, strict=True)
        ]
    return _summed(clean).clamp(0, 1)


def _column(values: Sequence[float], pictures: Tensor) -> Tensor:
    return torch.tensor(values, dtype=pictures.dtype, device=pictures.device).view(-1, 1, 1, 1)


def _grains(parameters: Sequence[Parameters], step: int, bands: Sequence[Tensor]) -> list[Tensor]:
    """Return noise for every band but the last, one plane for all three colours: [B, 1, h, w]."""
    return [
        torch.cat(
            [
                noise((1, 1, *band.shape[-2:]), asked.seed ^ (step << 8 | place), band.device)
                for asked in parameters
            ]
        )
        for place, band in enumerate(bands[:-1])
    ]


def _on(grains: Sequence[Tensor], textures: Sequence[Tensor], bands: Sequence[Tensor]) -> list[Tensor]:
    """Scale each band's noise to its texture; what remains beside the bands gets none."""
    scaled = [_GRAIN * grain * texture for grain, texture in zip(grains, textures, strict=True)]
    return [*scaled, torch.zeros_like(bands[-1])]


def _texture(band: Tensor) -> Tensor:
    """Return a band's contrast around each place, [B, 1, h, w]: none on even ground, limited at edges."""
    size = band.abs().mean(1, keepdim=True)
    padded = functional.pad(size, (2, 2, 2, 2), "replicate")
    around = functional.avg_pool2d(padded, 5, 1)
    return torch.minimum(around, 4 * around.mean((-2, -1), keepdim=True))


def _pyramid(pictures: Tensor) -> list[Tensor]:
    """Split into bands, from the finest, and what remains. Burt, Adelson (1983)."""
    bands = []
    for _ in range(_BANDS):
        height, width = pictures.shape[-2:]
        if min(height, width) < 8:
            break
        smaller = functional.interpolate(
            pictures, size=((height + 1) // 2, (width + 1) // 2), mode="bilinear", antialias=True
        )
        bands.append(pictures - _enlarged(smaller, pictures))
        pictures = smaller
    return [*bands, pictures]


def _summed(bands: Sequence[Tensor]) -> Tensor:
    *finer, picture = bands
    for band in reversed(finer):
        picture = _enlarged(picture, band) + band
    return picture


def _enlarged(picture: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(picture, size=like.shape[-2:], mode="bilinear", align_corners=False)
