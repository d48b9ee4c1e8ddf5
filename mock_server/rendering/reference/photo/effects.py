"""The looks that the analytic editor knows: each turns a picture into what its word asks for, in full.

An effect takes a picture [1, 3, H, W] and a `Scene`, and returns a new picture of the same size. Lengths
are in units of 1/512 of the longer side, so that an effect looks the same at any resolution. Directions of
colour are Oklab's: first axis green to red, second blue to yellow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from .pixels import blurred, boxed, from_oklab, grid_of, guided, noise, oklab_of, smoothed


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


# --- Tone -------------------------------------------------------------------------------------------------


def _bright(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    lifted = 1 - (1 - light.clamp(0, 1)) ** 1.5
    return from_oklab(torch.cat((lifted, colour * 1.12), 1))


def _dark(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    return from_oklab(torch.cat((0.86 * light.clamp(0, 1) ** 1.55, colour * 0.88), 1))


def _night(picture: Tensor, scene: Scene) -> Tensor:
    """Shoot day for night: little light, little colour, a blue moon; what was bright still shines."""
    light, colour = _split(picture)
    lamps = ((light - 0.86) / 0.14).clamp(0, 1) ** 2
    glow = blurred(lamps, 7 * scene.unit).clamp(0, 1)
    moon = 0.68 * light.clamp(0, 1) ** 1.55 * _vignette(scene, 0.45)
    moon = moon + 0.16 * lamps + 0.10 * glow
    tint = _towards(scene, -0.012, -0.055) * (0.35 + 0.9 * moon)
    return from_oklab(torch.cat((moon, colour * (0.45 + 0.3 * lamps) + tint), 1))


def _sunset(picture: Tensor, scene: Scene) -> Tensor:
    """Set a low sun at the upper right: gold where it is light, purple in the shadows, a glow around it."""
    light, colour = _split(picture)
    light = _curved(light, 0.35) * 0.93
    gold = _towards(scene, 0.045, 0.095) * light**1.2
    purple = _towards(scene, 0.03, -0.055) * (1 - light) ** 1.5 * 0.9
    toned = from_oklab(torch.cat((light, colour * 0.85 + (gold + purple) * (1 - 0.35 * scene.kept)), 1))
    sun = _glow_at(scene, 0.72, -0.45, 0.8)
    shine = torch.tensor((1.0, 0.62, 0.28), device=picture.device).view(1, 3, 1, 1) * sun
    return 1 - (1 - toned) * (1 - 0.55 * shine)


def _golden(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    bloom = blurred(((light - 0.55) / 0.45).clamp(0, 1) ** 2, 14 * scene.unit)
    light = (_curved(light, 0.15) + 0.12 * bloom).clamp(0, 1)
    gold = _towards(scene, 0.022, 0.085) * (0.25 + 0.75 * light) * (1 - 0.3 * scene.kept)
    return from_oklab(torch.cat((light, colour * 0.9 + gold), 1))


def _warm(picture: Tensor, scene: Scene) -> Tensor:
    return _tinted(picture, scene, 0.018, 0.05, 0.95)


def _cold(picture: Tensor, scene: Scene) -> Tensor:
    return _tinted(picture, scene, -0.02, -0.055, 0.82)


def _dramatic(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(_hdr(picture, scene))
    light = _curved(light, 0.5) * 0.84 * _vignette(scene, 0.5)
    return from_oklab(torch.cat((light, colour * 0.72), 1))


def _contrast(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    return from_oklab(torch.cat((_curved(light, 0.85), colour * 1.1), 1))


def _flat(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    return from_oklab(torch.cat((0.24 + 0.58 * light, colour * 0.85), 1))


def _fog(picture: Tensor, scene: Scene) -> Tensor:
    """Draw a veil that is thickest at the top, where most pictures are farthest, and drifts."""
    light, colour = _split(picture)
    y = scene.places[..., 1][:, None]
    drift = blurred(scene.noise(2, 11), 40 * scene.unit)
    drift = drift / drift.std(correction=0).clamp(min=1e-6)
    veil = (0.58 - 0.2 * y + 0.07 * drift).clamp(0.2, 0.88)
    light = light + (0.86 - light) * veil
    return blurred(from_oklab(torch.cat((light, colour * (1 - veil) * 0.8), 1)), 0.7 * scene.unit)


def _cinematic(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    light = _curved(light, 0.4) * 0.95 * _vignette(scene, 0.3)
    orange = _towards(scene, 0.02, 0.05) * light**1.5
    teal = _towards(scene, -0.035, -0.035) * (1 - light) ** 1.2
    return from_oklab(torch.cat((light, colour * 0.9 + (orange + teal) * (1 - 0.4 * scene.kept)), 1))


def _neon(picture: Tensor, scene: Scene) -> Tensor:
    """Light the scene by two tubes, magenta from the left and cyan from the right, at night."""
    light, colour = _split(picture)
    x = scene.places[..., 0][:, None]
    share = torch.sigmoid(2.5 * x)
    magenta, cyan = _towards(scene, 0.15, -0.09), _towards(scene, -0.09, -0.08)
    shaped = 0.85 * _curved(light, 0.7) ** 1.25
    tubes = (magenta * (1 - share) + cyan * share) * (0.25 + shaped)
    lit = from_oklab(torch.cat((shaped, colour * 0.4 + tubes), 1))
    glow = blurred((lit - 0.5).clamp(min=0), 9 * scene.unit).clamp(min=0)
    return 1 - (1 - lit) * (1 - 0.6 * glow).clamp(0, 1)


# --- Colour -----------------------------------------------------------------------------------------------


def _wash(a: float, b: float) -> Effect:
    """Return the effect that washes a picture in one colour, and leaves its lightness."""

    def washed(picture: Tensor, scene: Scene) -> Tensor:
        light, colour = _split(picture)
        room = (4 * light * (1 - light)).clamp(0, 1) ** 0.6  # neither black nor white can take a colour
        target = _towards(scene, a, b) * (0.15 + 0.85 * room)
        share = 0.68 * (1 - 0.55 * scene.kept)
        return from_oklab(torch.cat((light, colour + (target - colour) * share), 1))

    return washed


def _black_and_white(picture: Tensor, scene: Scene) -> Tensor:
    """Mix as a yellow filter on film does: skin light, sky dark."""
    light, colour = _split(picture)
    mixed = light + 0.25 * colour[:, 1:] + 0.12 * colour[:, :1]
    return from_oklab(torch.cat((_curved(mixed.clamp(0, 1), 0.3), torch.zeros_like(colour)), 1))


def _sepia(picture: Tensor, scene: Scene) -> Tensor:
    light, _ = _split(_black_and_white(picture, scene))
    tone = _towards(scene, 0.018, 0.062) * (1.1 - 0.55 * light)
    return from_oklab(torch.cat((0.06 + 0.9 * light, tone), 1))


def _vivid(picture: Tensor, scene: Scene) -> Tensor:
    """Raise the pale colours most: the strong ones are there already, and skin burns easily."""
    light, colour = _split(picture)
    chroma = colour.square().sum(1, keepdim=True).sqrt()
    gain = 1 + 0.85 * torch.exp(-chroma / 0.16) * (1 - 0.45 * scene.kept)
    return from_oklab(torch.cat((_curved(light, 0.3), colour * gain), 1))


def _muted(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    return from_oklab(torch.cat((0.04 + 0.92 * light, colour * 0.4), 1))


def _pastel(picture: Tensor, scene: Scene) -> Tensor:
    """Draw in chalk on white: the darks gone, every hue pale, what has none in rose and sky."""
    light, colour = _split(picture)
    light = 1 - 0.52 * (1 - smoothed(light, _radius(scene, 3), 0.05).clamp(0, 1)) ** 1.1
    chroma = colour.square().sum(1, keepdim=True).sqrt().clamp(min=1e-4)
    paled = colour / chroma * 0.085 * torch.tanh(chroma / 0.06)
    blush = _towards(scene, 0.022, 0.004) * light + _towards(scene, -0.004, -0.03) * (1 - light) * 1.6
    return from_oklab(torch.cat((light, paled + blush), 1))


# --- Style ------------------------------------------------------------------------------------------------


def _sketch(picture: Tensor, scene: Scene) -> Tensor:
    """Draw in pencil: lines at the edges, hatching in two directions where it is dark, a paper's grain."""
    grey = smoothed(oklab_of(picture)[:, :1], _radius(scene, 2), 0.04).clamp(0, 1)
    wide = blurred(grey, 3.2 * scene.unit).clamp(min=0.02)
    lines = (grey / wide).clamp(0, 1) ** 3.2 * _ink(grey, scene, 0.9, 0.99, 26)
    shade = (1 - blurred(grey, 1.5 * scene.unit)).clamp(0, 1)
    light_hatch = _hatching(scene, 45, 21) * ((shade - 0.28) / 0.5).clamp(0, 1)
    dark_hatch = _hatching(scene, -30, 22) * ((shade - 0.62) / 0.35).clamp(0, 1)
    tone = 1 - 0.4 * shade**1.8
    paper = 1 - 0.022 * scene.noise(0.6, 23)
    drawn = lines * tone * (1 - 0.42 * light_hatch) * (1 - 0.42 * dark_hatch) * 0.97 * paper
    return drawn.clamp(0, 1) * torch.tensor((1.0, 0.995, 0.975), device=picture.device).view(1, 3, 1, 1)


def _painting(picture: Tensor, scene: Scene) -> Tensor:
    """Paint in oil: patches of one colour, brushed along the edges, the relief of the brush in the light."""
    patches = _kuwahara(_kuwahara(picture, _radius(scene, 3)), _radius(scene, 2))
    fine = _fine_share(picture, scene)
    patches = patches + fine * (picture - patches)
    light = oklab_of(patches)[:, :1]
    bristles = _along_edges(light, scene.noise(0.5, 31), scene, 7)
    relief = bristles - _shifted(bristles, 1, 1)
    relief = relief / relief.std(correction=0).clamp(min=1e-6)
    painted, colour = _split(patches)
    stroke = 0.022 * bristles / bristles.std(correction=0).clamp(min=1e-6) + 0.016 * relief.clamp(-3, 3)
    painted = _curved(painted, 0.25) + (1 - 1.2 * fine) * stroke  # else a face gets wrinkles
    return from_oklab(torch.cat((painted.clamp(0, 1), colour * 1.22), 1))


def _watercolor(picture: Tensor, scene: Scene) -> Tensor:
    """Wash pigment on rough paper: pale, its amount wandering, gathered at the edges of each patch."""
    patches = _kuwahara(picture, _radius(scene, 4))
    patches = patches + _fine_share(picture, scene) * (picture - patches)
    light, colour = _split(patches)
    wander = blurred(scene.noise(1, 41), 14 * scene.unit)
    wander = wander / wander.std(correction=0).clamp(min=1e-6)
    paper = scene.noise(0.9, 42)
    rim = _steepness(blurred(light, 1.1 * scene.unit)) * scene.unit
    pigment = (1 - light) * 0.84 * (1 + 0.13 * wander + 0.05 * paper) + 1.1 * rim.clamp(max=0.12)
    washed = from_oklab(torch.cat(((0.985 - pigment).clamp(0, 1), colour * 1.15 * (1 + 0.12 * wander)), 1))
    edge = _frame(scene, paper)
    return 1 - (1 - washed) * edge


def _cartoon(picture: Tensor, scene: Scene) -> Tensor:
    """Ink and fill: few tones with soft steps, strong colour, dark lines.

    Winnemöller, Olsen, Gooch, "Real-time video abstraction" (2006).
    """
    smooth = _kuwahara(picture, _radius(scene, 3))
    light, colour = _split(smooth)
    light = smoothed(light, _radius(scene, 4), 0.07).clamp(0, 1)
    bins = 7
    nearest = (light * bins).floor() / bins + 0.5 / bins
    stepped = nearest + torch.tanh((light - nearest) * bins * 2.4) / (2 * bins)
    ink = _ink(oklab_of(picture)[:, :1], scene, 1.0, 0.985, 38)
    filled = from_oklab(torch.cat((_curved(stepped * 1.06, 0.2).clamp(0, 1), colour * 1.4), 1))
    return filled * (0.12 + 0.88 * ink)


def _photo(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    base = smoothed(light, _radius(scene, 3), 0.06)
    return from_oklab(torch.cat(((_curved(light, 0.12) + 0.55 * (light - base)).clamp(0, 1), colour), 1))


def _soft(picture: Tensor, scene: Scene) -> Tensor:
    """Lay a blurred, lighter print over the sharp one, as Michael Orton did."""
    bloom = blurred(picture, 8 * scene.unit).clamp(0, 1)
    screened = 1 - (1 - picture) * (1 - 0.55 * bloom)
    light, colour = _split(0.62 * screened + 0.38 * blurred(picture, 2.2 * scene.unit).clamp(0, 1))
    return from_oklab(torch.cat((light, colour * 1.12), 1))


def _blurred(picture: Tensor, scene: Scene) -> Tensor:
    return blurred(picture, 5 * scene.unit).clamp(0, 1)


def _sharp(picture: Tensor, scene: Scene) -> Tensor:
    light, colour = _split(picture)
    fine = light - smoothed(light, _radius(scene, 1), 0.05)
    middle = light - smoothed(light, _radius(scene, 4), 0.08)
    return from_oklab(torch.cat(((light + 0.9 * fine + 0.45 * middle).clamp(0, 1), colour * 1.04), 1))


def _hdr(picture: Tensor, scene: Scene) -> Tensor:
    """Even out the light and raise the detail; the guided filter keeps the edges free of halos."""
    light, colour = _split(picture)
    broad = smoothed(light, _radius(scene, 18), 0.22)
    fine = smoothed(light, _radius(scene, 3), 0.06)
    light = 0.5 + 0.74 * (broad - 0.5) + 2.0 * (fine - broad) + 2.3 * (light - fine)
    return from_oklab(torch.cat((_curved(light.clamp(0, 1), 0.25), colour * 1.3), 1))


def _vintage(picture: Tensor, scene: Scene) -> Tensor:
    """Age a print: blacks faded, lights yellowed, shadows towards teal, dark corners, grain."""
    light, colour = _split(picture)
    light = (0.2 + 0.74 * _curved(light, 0.25)) * _vignette(scene, 0.26)
    yellow = _towards(scene, 0.010, 0.05) * light
    teal = _towards(scene, -0.018, -0.012) * (1 - light)
    light = light + 0.011 * scene.noise(0.5, 51)
    return from_oklab(torch.cat((light.clamp(0, 1), colour * 0.62 + yellow + teal), 1))


EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    # In the order in which they are made where several are asked for: light, colour, then the hand.
    {
        "photo": _photo,
        "hdr": _hdr,
        "sharp": _sharp,
        "bright": _bright,
        "dark": _dark,
        "contrast": _contrast,
        "flat": _flat,
        "vivid": _vivid,
        "muted": _muted,
        "warm": _warm,
        "cold": _cold,
        "golden": _golden,
        "sunset": _sunset,
        "cinematic": _cinematic,
        "neon": _neon,
        "night": _night,
        "dramatic": _dramatic,
        "red": _wash(0.165, 0.085),
        "orange": _wash(0.085, 0.125),
        "yellow": _wash(-0.005, 0.135),
        "green": _wash(-0.115, 0.075),
        "teal": _wash(-0.095, -0.025),
        "blue": _wash(-0.035, -0.145),
        "purple": _wash(0.085, -0.115),
        "pink": _wash(0.135, -0.010),
        "fog": _fog,
        "pastel": _pastel,
        "cartoon": _cartoon,
        "painting": _painting,
        "watercolor": _watercolor,
        "sketch": _sketch,
        "soft": _soft,
        "blurred": _blurred,
        "vintage": _vintage,
        "sepia": _sepia,
        "black-and-white": _black_and_white,
    }
)


COMPLETE: Final = frozenset(
    {"pastel", "fog", "cartoon", "painting", "watercolor", "sketch", "blurred", "sepia", "black-and-white"}
)
"""What can't be more than there: beyond black and white lie the colours' complements."""


# --- What the effects are made of -------------------------------------------------------------------------


def _split(picture: Tensor) -> tuple[Tensor, Tensor]:
    lab = oklab_of(picture)
    return lab[:, :1], lab[:, 1:]


def _radius(scene: Scene, units: float) -> int:
    return max(1, round(units * scene.unit))


def _curved(light: Tensor, amount: float) -> Tensor:
    """Raise the contrast about the middle by a smooth step that keeps black and white where they are."""
    light = light.clamp(0, 1)
    return light + amount * (light * light * (3 - 2 * light) - light)


def _towards(scene: Scene, a: float, b: float) -> Tensor:
    return torch.tensor((a, b), device=scene.kept.device).view(1, 2, 1, 1)


def _tinted(picture: Tensor, scene: Scene, a: float, b: float, saturation: float) -> Tensor:
    light, colour = _split(picture)
    shift = _towards(scene, a, b) * (0.35 + 0.65 * (4 * light * (1 - light)).clamp(0, 1))
    return from_oklab(torch.cat((light, colour * saturation + shift * (1 - 0.3 * scene.kept)), 1))


def _vignette(scene: Scene, depth: float) -> Tensor:
    place = scene.places
    away = place.square().sum(-1)[:, None] / 2  # 1 in the corners
    return 1 - depth * away**1.3


def _glow_at(scene: Scene, x: float, y: float, reach: float) -> Tensor:
    place = scene.places
    away = (place - torch.tensor((x, y), device=place.device)).square().sum(-1)[:, None]
    return torch.exp(-away / (2 * (reach / 2) ** 2)) * 0.7 + torch.exp(-away / (2 * reach**2)) * 0.3


def _frame(scene: Scene, paper: Tensor) -> Tensor:
    """Return 1 inside and 0 at the border, where a wash ends raggedly."""
    place = scene.places.abs().amax(-1)[:, None]
    ragged = blurred(scene.noise(2, 43), 6 * scene.unit)
    ragged = ragged / ragged.std(correction=0).clamp(min=1e-6)
    return ((0.975 - place + 0.012 * ragged + 0.004 * paper) / 0.03).clamp(0, 1)


def _shifted(plane: Tensor, x: int, y: int) -> Tensor:
    return torch.roll(plane, (y, x), (-2, -1))


def _slopes(plane: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rise per pixel along x and along y."""
    padded = functional.pad(plane, (1, 1, 1, 1), "replicate")
    along_x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    along_y = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return along_x, along_y


def _steepness(plane: Tensor) -> Tensor:
    return torch.hypot(*_slopes(plane))


def _ink(light: Tensor, scene: Scene, sigma: float, share: float, sharpness: float) -> Tensor:
    """Return where ink is drawn, 0, and paper left, 1: lines on the dark side of edges.

    Difference of Gaussians with a soft threshold: Winnemöller, "XDoG" (2011).
    """
    sigma *= max(1.0, scene.unit)
    inner, outer = blurred(light, sigma), blurred(light, 1.6 * sigma)
    difference = inner - share * outer
    return torch.where(difference > 0, torch.ones_like(light), 1 + torch.tanh(sharpness * difference))


def _hatching(scene: Scene, degrees: float, salt: int) -> Tensor:
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


def _along_edges(light: Tensor, strokes: Tensor, scene: Scene, reach: int) -> Tensor:
    """Smear noise along the edges' direction: line integral convolution on the structure tensor.

    Cabral, Leedom (1993); Brox et al., "Adaptive structure tensors" (2006).
    """
    x, y = _slopes(light)
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


def _fine_share(picture: Tensor, scene: Scene) -> Tensor:
    """Return how much of the detail a painter keeps, 0 to 0.6: more where it is dense, as in a face."""
    light = oklab_of(picture)[:, :1]
    detail = (light - blurred(light, 2 * scene.unit)).abs()
    dense = blurred(detail, 9 * scene.unit)
    return (0.6 * (dense - 0.008) / 0.022).clamp(0, 0.6)


def _kuwahara(picture: Tensor, radius: int) -> Tensor:
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
