"""The looks that the analytic editor knows: each turns a picture into what its word asks for, in full.

An effect takes a picture [1, 3, H, W] and a `Scene`, and returns a new picture of the same size. Lengths
are in units of 1/512 of the longer side, so that an effect looks the same at any resolution. Directions of
colour are Oklab's: first axis green to red, second blue to yellow.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from . import colour, style, tone
from .scene import Effect, Scene, kept_places

__all__ = ["COMPLETE", "EFFECTS", "Effect", "Scene", "kept_places"]

EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    # In the order in which they are made where several are asked for: light, colour, then the hand.
    {
        "photo": style.photo,
        "hdr": style.hdr,
        "sharp": style.sharp,
        "bright": tone.bright,
        "dark": tone.dark,
        "contrast": tone.contrast,
        "flat": tone.flat,
        "vivid": colour.vivid,
        "muted": colour.muted,
        "warm": tone.warm,
        "cold": tone.cold,
        "golden": tone.golden,
        "sunset": tone.sunset,
        "cinematic": tone.cinematic,
        "neon": tone.neon,
        "night": tone.night,
        "dramatic": tone.dramatic,
        "red": colour.wash(0.165, 0.085),
        "orange": colour.wash(0.085, 0.125),
        "yellow": colour.wash(-0.005, 0.135),
        "green": colour.wash(-0.115, 0.075),
        "teal": colour.wash(-0.095, -0.025),
        "blue": colour.wash(-0.035, -0.145),
        "purple": colour.wash(0.085, -0.115),
        "pink": colour.wash(0.135, -0.010),
        "fog": tone.fog,
        "pastel": colour.pastel,
        "cartoon": style.cartoon,
        "painting": style.painting,
        "watercolor": style.watercolor,
        "sketch": style.sketch,
        "soft": style.soft,
        "blurred": style.blurry,
        "vintage": style.vintage,
        "sepia": colour.sepia,
        "black-and-white": colour.black_and_white,
    }
)


COMPLETE: Final = frozenset(
    {"pastel", "fog", "cartoon", "painting", "watercolor", "sketch", "blurred", "sepia", "black-and-white"}
)
"""What can't be more than there: beyond black and white lie the colours' complements."""
