"""Finds the faces of photos: first where they are, then their mesh, then their eyes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mock_server.rendering.reference import weights
from mock_server.rendering.reference.tflite.executor import Network
from mock_server.rendering.reference.tflite.reader import read

from . import detector, iris, mesh
from .geometry import Squares, seen

_COMPARED = 64  # bytes of a photo
_SAME = 0.5  # intersection over union: min_similarity_threshold in face_landmark_front_cpu.pbtxt


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
            passes: how often a mesh is looked for. Once is what mediapipe does for a single photo; a second
                time, in the square around the first mesh, halves what meshes of turned and scaled copies
                of a photo differ by (from 0.9 % of the face's width to 0.5 %).
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
        detections = detector.detect(self._detector, photos)
        counts = [len(faces) for faces in detections]
        if not any(counts):
            return [[] for _ in photos]
        squares = Squares.joined([faces.squares() for faces in detections]).to(self.device)
        meshes, presence = self._meshes(photos, counts, squares)
        meshes, irises = self._eyes(photos, counts, meshes)
        parts = zip(
            detections, *(field.split_with_sizes(counts) for field in (meshes, irises, presence)), strict=True
        )
        return [_faces(*part) for part in parts]

    def _meshes(
        self, photos: Sequence[Tensor], counts: Sequence[int], squares: Squares
    ) -> tuple[Tensor, Tensor]:
        meshes, presence = mesh.locate(self._mesh, _seen(photos, counts, squares, mesh.SIZE), squares)
        for _ in range(self._passes - 1):
            squares = mesh.squares_around(meshes)
            meshes, presence = mesh.locate(self._mesh, _seen(photos, counts, squares, mesh.SIZE), squares)
        return meshes, presence

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


def _faces(detections: detector.Detections, meshes: Tensor, irises: Tensor, presence: Tensor) -> list[Face]:
    """Return the faces of one photo: those that the mesh's network confirms, each once, by size."""
    flat = meshes[..., :2]
    boxes = torch.cat((flat.amin(1), flat.amax(1)), 1).cpu()
    kept: list[int] = []
    for place in torch.nonzero(presence >= mesh.LEAST_PRESENCE).flatten().tolist():  # the best first
        if not bool((detector.overlap(boxes[place], boxes[kept]) > _SAME).any()):
            kept.append(place)
    kept.sort(key=lambda place: -_area(boxes[place].tolist()))
    return [
        Face(tuple(boxes[place].tolist()), float(detections.scores[place]), meshes[place], irises[place])
        for place in kept
    ]


def _area(box: Sequence[float]) -> float:
    left, top, right, bottom = box
    return (right - left) * (bottom - top)
