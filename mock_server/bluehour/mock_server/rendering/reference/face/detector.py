"""Where faces are: BlazeFace for the short range, as mediapipe's `modules/face_detection` uses it.

It sees a picture of 128 x 128 px and knows faces that are wider than about a fifteenth of it. Where it finds
none in the whole photo, it looks again from further away, for a face that fills the photo, and from nearer,
in parts of the photo, for small ones. Small faces beside a larger one stay unseen, as in mediapipe.

It knows faces that lean by up to about 30 degrees. Others it finds where a photo is looked at turned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from bluehour.mock_server.rendering.reference.tflite.executor import Network

from .geometry import Squares, seen

SIZE: Final = 128  # px that the network sees
_LEAST_SCORE: Final = 0.5  # min_score_thresh in face_detection_short_range.pbtxt
_OVERLAP: Final = 0.3  # min_suppression_threshold in face_detection.pbtxt
_CLIP: Final = 100.0  # score_clipping_thresh in face_detection.pbtxt
_MOST: Final = 256  # pictures in a batch; its widest layers then take 100 MB each
_RIGHT_EYE, _LEFT_EYE = 0, 1  # the subject's, of the six key points
_ROI_SCALE: Final = 1.5  # face_detection_front_detection_to_roi.pbtxt

# Looks at a photo, one after another until faces are found: the sides of square views, in its longer edges.
_LOOKS: Final[Sequence[Sequence[float]]] = ((1.0,), (1.6, 0.5), (0.25,))
_LOOKS_TURNED: Final = 2  # of them: the many nearer ones are for upright faces only
_LEAST_VIEW: Final = 256  # px; smaller parts aren't looked at: they'd only add faces below 20 px

TURNS: Final = (0.0, 90.0, 270.0, 180.0, 45.0, 315.0, 135.0, 225.0)
"""How views are turned, clockwise in degrees, to see faces however they lean; the likeliest first."""


@dataclass(frozen=True, slots=True)
class Detections:
    """K faces in one photo, the best first.

    Attributes:
        boxes: [K, 4], x0, y0, x1, y1 in px.
        keypoints: [K, 6, 2] in px: right eye, left eye, nose tip, mouth, right ear, left ear of the subject.
        scores: [K], 0 to 1.
    """

    boxes: Tensor
    keypoints: Tensor
    scores: Tensor

    @classmethod
    def joined(cls, parts: Sequence[Detections]) -> Detections:
        """Return those of several, one after another."""
        none = cls(torch.zeros(0, 4), torch.zeros(0, 6, 2), torch.zeros(0))
        return cls(
            torch.cat([part.boxes for part in (none, *parts)]),
            torch.cat([part.keypoints for part in (none, *parts)]),
            torch.cat([part.scores for part in (none, *parts)]),
        )

    def chosen(self, places: Tensor) -> Detections:
        """Return those at places, or where a mask is true."""
        return Detections(self.boxes[places], self.keypoints[places], self.scores[places])

    def __len__(self) -> int:
        """Return how many faces there are."""
        return len(self.scores)

    def squares(self) -> Squares:
        """Return the square around each face in which its mesh is looked for, upright to its eyes."""
        corner, opposite = self.boxes[:, :2], self.boxes[:, 2:]
        side = (opposite - corner).amax(-1) * _ROI_SCALE
        eyes = self.keypoints[:, _RIGHT_EYE], self.keypoints[:, _LEFT_EYE]
        return Squares.along((corner + opposite) / 2, side, *eyes)


def detect(network: Network, photos: Sequence[Tensor], turn: float = 0.0) -> list[Detections]:
    """Return the faces of each photo, [H, W, 3] uint8, on the CPU.

    Args:
        network: face_detection_short_range.tflite.
        photos: on any device.
        turn: how the views of the photos are turned, clockwise in degrees.
    """
    found = [Detections.joined([])] * len(photos)
    for sides in _LOOKS[:_LOOKS_TURNED] if turn else _LOOKS:
        views = {
            place: squares
            for place, photo in enumerate(photos)
            if not len(found[place]) and len(squares := _views(photo, sides, turn))
        }
        looked = _look(network, [photos[place] for place in views], list(views.values()))
        for place, faces in zip(views, looked, strict=True):
            found[place] = faces
    return found


def _views(photo: Tensor, sides: Sequence[float], turn: float = 0.0) -> Squares:
    """Return views that cover a photo, turned; those smaller than it overlap by half."""
    height, width = photo.shape[:2]
    views = [
        (x, y, length, math.radians(turn))
        for side in sides
        if (length := side * max(width, height)) >= _LEAST_VIEW or side >= 1
        for y in _middles(height, length)
        for x in _middles(width, length)
    ]
    table = torch.tensor(views).reshape(-1, 4)
    return Squares.turned(table[:, :2], table[:, 2], table[:, 3])


def _middles(extent: int, length: float) -> list[float]:
    """Return the middles of spans of a length that overlap by half and cover an extent, in px."""
    if length >= extent:
        return [extent / 2]
    count = 1 + -(-2 * (extent - length) // length)
    return [length / 2 + (extent - length) * place / (count - 1) for place in range(int(count))]


def _look(network: Network, photos: Sequence[Tensor], views: Sequence[Squares]) -> list[Detections]:
    """Return the faces of each photo that are found in its views; all views of all photos are one batch."""
    if not photos:
        return []
    pictures = torch.cat(
        [
            seen(photo, squares.to(photo.device), SIZE, black=True).to(network.device)
            for photo, squares in zip(photos, views, strict=True)
        ]
    )
    outputs = [network(part * 2 - 1) for part in pictures.split_with_sizes(_portions(len(pictures)))]
    regressors, classificators = (torch.cat(parts).cpu() for parts in zip(*outputs, strict=True))
    scores = classificators[..., 0].clamp(-_CLIP, _CLIP).sigmoid()
    each = [_merged(_decoded(*one)) for one in zip(regressors, scores, _singly(views), strict=True)]
    found = []
    for squares in views:
        found.append(_best(each[: len(squares)]))
        each = each[len(squares) :]
    return found


def _portions(count: int) -> list[int]:
    """Return the sizes of batches for so many pictures: many photos without a face are many views."""
    return [min(_MOST, count - start) for start in range(0, count, _MOST)]


def _singly(views: Sequence[Squares]) -> Iterator[Squares]:
    for squares in views:
        yield from squares.split([1] * len(squares))


def _decoded(regressors: Tensor, scores: Tensor, view: Squares) -> Detections:
    """Return what one view's anchors say, [896, 16] and [896], where it is likely enough.

    As in mediapipe's tensors_to_detections_calculator.cc with the options of face_detection.pbtxt.
    """
    likely = scores >= _LEAST_SCORE
    points = regressors[likely].reshape(-1, 8, 2) / SIZE
    places = torch.cat((points[:, :1], points[:, 2:]), 1) + _ANCHORS[likely, None]
    placed = view.to_photo(places.reshape(1, -1, 2)).reshape(-1, 7, 2)
    middle, half = placed[:, 0], points[:, 1] * view.side / 2  # also in a turned view boxes are upright
    return Detections(torch.cat((middle - half, middle + half), 1), placed[:, 1:], scores[likely])


def _merged(raw: Detections) -> Detections:
    """Average what overlaps, weighted by its score: WEIGHTED in non_max_suppression_calculator.cc."""
    merged = []
    for group in _groups(raw):
        shares = raw.scores[group] / raw.scores[group].sum()
        keypoints = (raw.keypoints[group] * shares[:, None, None]).sum(0)
        merged.append(Detections(shares[None] @ raw.boxes[group], keypoints[None], raw.scores[group[:1]]))
    return Detections.joined(merged)


def _best(views: Sequence[Detections]) -> Detections:
    """Keep the best of those that overlap in several views, some of which may have cut the same face."""
    if len(views) == 1:
        return views[0]
    faces = Detections.joined(views)
    return Detections.joined([faces.chosen(group[:1]) for group in _groups(faces)])


def _groups(faces: Detections) -> Iterator[Tensor]:
    """Yield the places of faces that overlap, the best first in each group and of the groups."""
    left = faces.scores.argsort(descending=True, stable=True)
    while len(left):
        near = overlap(faces.boxes[left[:1]], faces.boxes[left]) > _OVERLAP
        near[0] = True
        yield left[near]
        left = left[~near]


def overlap(one: Tensor, others: Tensor) -> Tensor:
    """Return the intersection over the union of boxes, both [..., 4]."""
    corner = torch.maximum(one[..., :2], others[..., :2])
    opposite = torch.minimum(one[..., 2:], others[..., 2:])
    shared = (opposite - corner).clamp(min=0).prod(-1)
    return shared / (_area(one) + _area(others) - shared)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


def _anchors() -> Tensor:
    """Return the middles of the anchors, [896, 2] in shares of the view.

    What mediapipe's ssd_anchors_calculator.cc makes of face_detection.pbtxt: two at each place of the layer
    of stride 8, and two for each of the three layers of stride 16, which lie on one another. All have size 1.
    """
    layers = []
    for stride, count in ((8, 2), (16, 6)):
        middles = (torch.arange(SIZE // stride) + 0.5) * stride / SIZE
        grid = torch.stack(torch.meshgrid(middles, middles, indexing="xy"), -1)
        layers.append(grid.reshape(-1, 1, 2).expand(-1, count, -1).reshape(-1, 2))
    return torch.cat(layers)


_ANCHORS: Final = _anchors()
