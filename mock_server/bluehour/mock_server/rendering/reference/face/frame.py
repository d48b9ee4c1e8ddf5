"""The face's own frame: where it is, how large and which way it looks; and the flat plane it's drawn on.

Lengths are in units of the face itself, the distance of its eyes' middles, about 63 mm in a grown person.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from . import regions


@dataclass(frozen=True, slots=True)
class FaceFrame:
    """The frames of B faces, each in the px of its own photo.

    Attributes:
        origin: [B, 3], px: between the eyes.
        axes: [B, 3, 3]; the columns are the face's x axis (to the left of the subject, the right of the
            picture), y (down to the chin) and z (into the head, away from the camera), of length 1.
        unit: [B], px: the distance of the eyes' middles in space.
    """

    origin: Tensor
    axes: Tensor
    unit: Tensor

    @classmethod
    def of(cls, points: Tensor) -> FaceFrame:
        """Return the frames of faces, [B, 478, 3] in px.

        The x axis is the mean direction from points of the right side to their mirror images, which no
        expression moves much; the y axis is what is perpendicular to it of that from forehead to chin.
        """
        right, left = points[:, torch.tensor(regions.MIRRORED_SIDES, device=points.device)].unbind(2)
        x = _unit_length((left - right).sum(1))
        down = points[:, regions.CHIN] - points[:, regions.FOREHEAD]
        y = _unit_length(down - (down * x).sum(-1, keepdim=True) * x)
        eyes = torch.stack([points[:, eye.corners].mean(1) for eye in regions.EYES], 1)
        unit = torch.linalg.vector_norm(eyes[:, 1] - eyes[:, 0], dim=-1)
        return cls(eyes.mean(1), torch.stack((x, y, torch.linalg.cross(x, y)), -1), unit)

    def within(self, points: Tensor) -> Tensor:
        """Return points [B, N, 3] of the photo in the face's frame and units."""
        return (points - self.origin[:, None]) @ self.axes / self.unit[:, None, None]

    @property
    def angles(self) -> tuple[Tensor, Tensor, Tensor]:
        """Pitch, yaw and roll, [B] each, in degrees.

        Positive is looking up, looking to the right of the picture, and leaning clockwise as one sees it.
        The pitch has an offset of each person's own, by how steep the line from forehead to chin is.
        """
        ahead = -self.axes[..., 2]
        pitch = torch.atan2(-ahead[:, 1], -ahead[:, 2])
        yaw = torch.atan2(ahead[:, 0], -ahead[:, 2])
        roll = torch.atan2(self.axes[:, 1, 0], self.axes[:, 0, 0])
        return pitch.rad2deg(), yaw.rad2deg(), roll.rad2deg()

    @property
    def plane(self) -> Plane:
        """The picture's plane, turned so that the face is upright, in its units, with its origin."""
        x = _unit_length(self.axes[:, :2, 0])
        y = torch.stack((-x[:, 1], x[:, 0]), -1)
        return Plane(self.origin[:, :2], torch.stack((x, y), -1), self.unit)


@dataclass(frozen=True, slots=True)
class Plane:
    """The planes of B faces.

    Attributes:
        origin: [B, 2], px.
        axes: [B, 2, 2]; the columns are the plane's x and y axes in the photo, of length 1.
        unit: [B], px.
    """

    origin: Tensor
    axes: Tensor
    unit: Tensor

    def within(self, points: Tensor) -> Tensor:
        """Return points [B, N, 2] of the photo in the plane."""
        return (points - self.origin[:, None]) @ self.axes / self.unit[:, None, None]

    def to_photo(self, points: Tensor) -> Tensor:
        """Return points [B, N, 2] of the plane in px of the photo."""
        return points * self.unit[:, None, None] @ self.axes.mT + self.origin[:, None]

    def turned(self, vectors: Tensor) -> Tensor:
        """Return vectors [B, N, 3] in the photo's axes in the plane's, with their depth kept."""
        return torch.cat((vectors[..., :2] @ self.axes, vectors[..., 2:]), -1)


def _unit_length(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)
