"""What each slider of the face editor moves, measured on a face: a number that grows with the slider.

None depends on where the face is, how large it is in the photo or, but for the head's own angles, how it is
held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import torch
from torch import Tensor

from . import regions
from .frame import FaceFrame


class HasPoints(Protocol):
    """A face, as far as it's measured."""

    @property
    def points(self) -> Tensor:
        """Its 478 points, [478, 3] in px, in mediapipe's order."""


def measure(face: HasPoints) -> dict[str, float]:
    """Return every slider's measure of a face."""
    points = face.points[None].float()
    frame = FaceFrame.of(points)
    within = frame.within(points)[0]
    pitch, yaw, roll = (float(angle) for angle in frame.angles)
    angles = {"head_pitch": pitch, "head_yaw": yaw, "head_roll": roll}
    return {name: float(taken(within)) for name, taken in MEASURES.items()} | angles


def _brow_height(points: Tensor) -> Tensor:
    """The height of the brows over the nose's base, which stays when lids move; units."""
    brows = torch.stack([points[brow, 1].mean() for brow in regions.BROWS])
    return points[regions.NOSE_BASE, 1] - brows.mean()


def _gaze(points: Tensor) -> Tensor:
    """Where the irises are between the eyes' corners, mean of both eyes: [2], in halves of an eye's width.

    (0, 0) is halfway between the corners; x grows to the right of the picture, y upwards.
    """
    places = []
    for eye, iris in zip(regions.EYES, regions.IRISES, strict=True):
        start, end = points[eye.corners, :2]
        along = (end - start) / 2
        up = torch.stack((along[1], -along[0]))
        offset = points[iris, :2] - (start + end) / 2
        places.append(torch.stack((offset @ along, offset @ up)) / (along @ along))
    return torch.stack(places).mean(0)


def _eye_openness(points: Tensor) -> Tensor:
    """The distance of the lids over the eye's width, mean of both eyes."""
    return torch.stack([_openness(points, eye) for eye in regions.EYES]).mean()


def _openness(points: Tensor, opening: regions.Opening) -> Tensor:
    """The mean distance of the edges over that of the corners."""
    gaps: Tensor = torch.linalg.vector_norm(
        points[opening.upper[2:-2], :2] - points[opening.lower[2:-2], :2], dim=-1
    )
    return gaps.mean() / _width(points, opening)


def _width(points: Tensor, opening: regions.Opening) -> Tensor:
    start, end = points[opening.corners, :]
    return torch.dist(start, end)


def _mouth_height(points: Tensor) -> Tensor:
    """From the upper edge of the upper lip to the lower edge of the lower one; units."""
    upper, lower = regions.OUTER_LIPS.middles
    return points[lower, 1] - points[upper, 1]


def _lip_height(points: Tensor) -> Tensor:
    """The upper lip's height and the lower one's, together and without what is between them; units."""
    upper, lower = regions.INNER_LIPS.middles
    return _mouth_height(points) - (points[lower, 1] - points[upper, 1]).clamp(min=0)


def _mouth_width(points: Tensor) -> Tensor:
    """The distance of the mouth's corners; units."""
    return _width(points, regions.OUTER_LIPS)


def _corner_lift(points: Tensor) -> Tensor:
    """The height of the mouth's corners over its middle; units."""
    return points[regions.OUTER_LIPS.middles, 1].mean() - points[regions.OUTER_LIPS.corners, 1].mean()


def _corner_depth(points: Tensor) -> Tensor:
    """How far the mouth's corners are below the eyes; units."""
    return points[regions.OUTER_LIPS.corners + regions.INNER_LIPS.corners, 1].mean()


def _mouth_place(points: Tensor) -> Tensor:
    """The mouth's middle in the face's frame, [2]: to the right of the picture, and down; units."""
    return points[regions.OUTER_LIPS.upper[1:-1] + regions.OUTER_LIPS.lower, :2].mean(0)


MEASURES: Final[Mapping[str, Callable[[Tensor], Tensor]]] = {
    "eyebrow_direction": _brow_height,
    "eye_gaze_horizontal": lambda points: _gaze(points)[0],
    "eye_gaze_vertical": lambda points: _gaze(points)[1],
    "eye_open_ratio": _eye_openness,
    "lip_open_ratio": _mouth_height,
    "mouth_grim": _corner_depth,
    "mouth_position_horizontal": lambda points: _mouth_place(points)[0],
    "mouth_position_vertical": lambda points: -_mouth_place(points)[1],
    "mouth_pout": lambda points: _lip_height(points) / _mouth_width(points),
    "mouth_purse": lambda points: -_mouth_width(points),
    "mouth_smile": lambda points: _corner_lift(points) + _mouth_width(points),
}
"""The measures of the face's parts, from its points [478, 3] in its own frame and units."""
