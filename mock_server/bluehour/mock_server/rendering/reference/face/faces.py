"""Finds the faces of photos: first where they are, then their mesh, then their eyes.

The detector's key points say badly how far a face leans, and the mesh's network knows upright faces: where
what it was shown wasn't one, its mesh is off, up to a mouth where an eye is. So a mesh is looked for again in
the square around it until it stays; and in a photo in which nothing sure was found that way, which is how
it is with those that lie on their side or head, faces are looked for in other directions.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from bluehour.mock_server.rendering.reference import weights
from bluehour.mock_server.rendering.reference.tflite.executor import Network
from bluehour.mock_server.rendering.reference.tflite.reader import read

from . import detector, iris, mesh
from .geometry import Squares, seen

_COMPARED = 64  # bytes of a photo
_SAME = 0.3  # intersection over union: two meshes on one face, of which one is upside down, share this much

# Seen the right way up, whole faces have presences over 0.9999999, and veiled or blurred ones over 0.99;
# upside down they reach 0.9998. What isn't likely isn't edited: better no face than a mouth on a forehead.
_LIKELY = 0.99
_SURE = 0.99999

# A mesh stays if the square around it differs from the one in which it was found by less than this.
_SHIFT, _GROWTH = 0.06, 0.15  # of its side
_LEAN = math.radians(7)
_MOST_PASSES = 5


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a photo; "right" and "left" are the subject's own.

    Attributes:
        box: x0, y0, x1, y1 in px: what bounds the mesh.
        score: how sure the detector is, 0 to 1.
        mesh: [468, 3], float32: x and y in px of the photo, a pixel's centre at whole numbers; z in the same
            px, growing away from the camera, 0 about the middle of the head. Points are in mediapipe's order.
        irises: [2, 5, 3], likewise: the right eye's (mediapipe's 468 to 472), then the left one's (473 to
            477); of each the middle and four points on the rim: at the right of the picture, upper,
            at the left, lower.
    """

    box: tuple[float, float, float, float]
    score: float
    mesh: Tensor
    irises: Tensor

    @property
    def points(self) -> Tensor:
        """All points, [478, 3], in the order of mediapipe's `refine_landmarks`."""
        return torch.cat((self.mesh, self.irises.reshape(-1, 3)))


def find_faces(images: Sequence[Tensor]) -> list[list[Face]]:
    """Return the faces of each image, [H, W, 3] uint8, the largest first; none where there is none.

    What is found is on the image's device, and so is the work.

    Raises:
        WeightsError: the models aren't here yet.
    """
    return finder(images[0].device).find(images) if images else []


@cache
def finder(device: torch.device) -> FaceFinder:
    """Return the shared finder of a device, made when it is first asked for: float16 on a GPU.

    Raises:
        WeightsError: the models aren't here yet.
    """
    return FaceFinder(weights.folder(), device)


@dataclass(frozen=True, slots=True)
class _Meshes:
    """K meshes in one photo; all but their points is on the CPU.

    Attributes:
        scores: [K], 0 to 1, of the detector.
        points: [K, 468, 3], px.
        presence: [K], 0 to 1: how likely the mesh's network finds it that it saw a face.
        sure: [K]: that it is one, and seen the right way up.
    """

    scores: Tensor
    points: Tensor
    presence: Tensor
    sure: Tensor

    @classmethod
    def none(cls, device: torch.device) -> _Meshes:
        nothing = torch.zeros(0)
        return cls(nothing, torch.zeros(0, mesh.POINTS, 3, device=device), nothing, nothing.bool())

    def and_those_of(self, others: _Meshes) -> _Meshes:
        return _Meshes(
            torch.cat((self.scores, others.scores)),
            torch.cat((self.points, others.points)),
            torch.cat((self.presence, others.presence)),
            torch.cat((self.sure, others.sure)),
        )

    def faces(self) -> _Meshes:
        """Return those that are likely, and each face once: the likeliest of what overlaps."""
        boxes = _boxes(self.points)
        kept: list[int] = []
        for place in self.presence.argsort(descending=True, stable=True).tolist():
            apart = not bool((detector.overlap(boxes[place], boxes[kept]) > _SAME).any())
            if apart and float(self.presence[place]) >= _LIKELY:
                kept.append(place)
        return _Meshes(self.scores[kept], self.points[kept], self.presence[kept], self.sure[kept])


class FaceFinder:
    """The three networks on one device."""

    def __init__(
        self,
        folder: Path,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
        passes: int = 1,
    ) -> None:
        """Load the networks.

        Args:
            folder: where the model files are.
            device: where they run.
            dtype: what they compute in: float32, or on a GPU float16, where nothing else is said.
            passes: how often a mesh is looked for at least, even if it stays. Once is what mediapipe does for
                a single photo; with a second time, meshes of turned and scaled copies of a photo differ a
                little less.
        """
        self.device = torch.device(device)
        if dtype is None:
            dtype = torch.float16 if self.device.type == "cuda" else torch.float32
        self._passes = passes
        self._detector, self._mesh, self._iris = (
            Network(read(folder / name), self.device, dtype)
            for name in (weights.DETECTOR, weights.MESH, weights.IRIS)
        )

    @torch.no_grad()
    def find(self, images: Sequence[Tensor]) -> list[list[Face]]:
        """Return the faces of each image, as `find_faces` does; each network sees all images at once.

        A photo that is given several times, as by who tries several styles on it, is looked at once.
        """
        photos, places = _distinct([image.to(self.device) for image in images])
        found = self._found(photos)
        return [list(found[place]) for place in places]

    def _found(self, photos: Sequence[Tensor]) -> list[list[Face]]:
        found = [_Meshes.none(self.device) for _ in photos]
        for turn in detector.TURNS:
            unsure = [place for place, meshes in enumerate(found) if not bool(meshes.sure.any())]
            if not unsure:
                break
            looked = self._looked([photos[place] for place in unsure], turn)
            for place, meshes in zip(unsure, looked, strict=True):
                # What wasn't sure before is mostly the same face, seen in a wrong direction.
                found[place] = meshes if bool(meshes.sure.any()) else found[place].and_those_of(meshes)
        return self._faces(photos, [meshes.faces() for meshes in found])

    def _looked(self, photos: Sequence[Tensor], turn: float) -> list[_Meshes]:
        """Return what is found in each photo when it's looked at from a direction."""
        detections = detector.detect(self._detector, photos, turn)
        counts = [len(faces) for faces in detections]
        if not any(counts):
            return [_Meshes.none(self.device) for _ in photos]
        squares = Squares.joined([faces.squares() for faces in detections]).to(self.device)
        points, presence, sure = self._settled(photos, counts, squares)
        parts = (part.split_with_sizes(counts) for part in (points, presence.cpu(), sure.cpu()))
        return [_Meshes(faces.scores, *each) for faces, *each in zip(detections, *parts, strict=True)]

    def _settled(
        self, photos: Sequence[Tensor], counts: Sequence[int], squares: Squares
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the meshes of all squares once they stay, how likely they are, and which are sure."""
        owner = torch.arange(len(photos)).repeat_interleave(torch.tensor(counts)).to(self.device)
        meshes, presence = self._meshes(photos, counts, squares)
        sure = torch.zeros_like(presence, dtype=torch.bool)
        for done in range(1, _MOST_PASSES + 1):
            around = mesh.squares_around(meshes)
            sure = around.near(squares, _SHIFT, _GROWTH, _LEAN) & (presence >= _SURE)
            again = ~sure if done >= self._passes else torch.ones_like(sure)
            if done == _MOST_PASSES or not bool(again.any()):
                break
            squares = around  # of those that stay, the same again: they stay
            counts = owner[again].bincount(minlength=len(photos)).tolist()
            meshes[again], presence[again] = self._meshes(photos, counts, squares.chosen(again))
        return meshes, presence, sure

    def _meshes(
        self, photos: Sequence[Tensor], counts: Sequence[int], squares: Squares
    ) -> tuple[Tensor, Tensor]:
        return mesh.locate(self._mesh, _seen(photos, counts, squares, mesh.SIZE), squares)

    def _faces(self, photos: Sequence[Tensor], found: Sequence[_Meshes]) -> list[list[Face]]:
        """Return the faces of each photo, with their eyes."""
        counts = [len(meshes.scores) for meshes in found]
        if not any(counts):
            return [[] for _ in photos]
        points, irises = self._eyes(photos, counts, torch.cat([meshes.points for meshes in found]))
        parts = zip(found, points.split_with_sizes(counts), irises.split_with_sizes(counts), strict=True)
        return [_by_size(meshes.scores, points, irises) for meshes, points, irises in parts]

    def _eyes(self, photos: Sequence[Tensor], counts: Sequence[int], meshes: Tensor) -> tuple[Tensor, Tensor]:
        squares = iris.squares_around(meshes)
        pictures = _seen(photos, [2 * count for count in counts], squares, iris.SIZE)
        return iris.refined(meshes, *iris.locate(self._iris, pictures, squares))


def _distinct(photos: Sequence[Tensor]) -> tuple[list[Tensor], list[int]]:
    """Return the photos that differ, and for each one given its place among them."""
    distinct: list[Tensor] = []
    alike: dict[Hashable, list[int]] = {}
    places = []
    for photo in photos:
        # A few of its bytes tell most that differ apart; only those that they don't are compared in full.
        some = (
            tuple(photo.flatten()[:: max(1, photo.numel() // _COMPARED)].tolist()) if len(photos) > 1 else ()
        )
        candidates = alike.setdefault((*photo.shape, some), [])
        for place in candidates:
            if photo is distinct[place] or torch.equal(photo, distinct[place]):
                places.append(place)
                break
        else:
            candidates.append(len(distinct))
            places.append(len(distinct))
            distinct.append(photo)
    return distinct, places


def _seen(photos: Sequence[Tensor], counts: Sequence[int], squares: Squares, size: int) -> Tensor:
    """Return what is seen in squares of several photos, of which each has its count of them in turn."""
    parts = zip(photos, squares.split(counts), strict=True)
    return torch.cat([seen(photo, part, size) for photo, part in parts if len(part)])


def _by_size(scores: Tensor, meshes: Tensor, irises: Tensor) -> list[Face]:
    """Return the faces of one photo, the largest first, however they lean."""
    sizes = mesh.squares_around(meshes).side
    boxes = _boxes(meshes)
    return [
        Face(tuple(boxes[place].tolist()), float(scores[place]), meshes[place], irises[place])
        for place in sizes.argsort(descending=True, stable=True).tolist()
    ]


def _boxes(meshes: Tensor) -> Tensor:
    """Return the bounds of meshes, [K, 4]: x0, y0, x1, y1 in px, on the CPU."""
    flat = meshes[..., :2]
    return torch.cat((flat.amin(1), flat.amax(1)), 1).cpu()
