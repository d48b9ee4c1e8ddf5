"""The mesh of 468 points on a face, as mediapipe's `modules/face_landmark` finds it."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from bluehour.mock_server.rendering.reference.tflite.executor import Network

from .geometry import Squares

SIZE: Final = 192  # px that the network sees
POINTS: Final = 468
_ROI_SCALE: Final = 1.5  # face_landmark_landmarks_to_roi.pbtxt
_OUTER_EYES: Final = 33, 263  # the outer corners of the subject's right and left eye, in the same file


def locate(network: Network, pictures: Tensor, squares: Squares) -> tuple[Tensor, Tensor]:
    """Return the meshes in px of the photo, [K, 468, 3], and how likely there is a face, [K] from 0 to 1.

    Depth grows away from the camera and is in the px of x and y.

    Args:
        network: face_landmark.tflite.
        pictures: what is seen in the squares, [K, 3, 192, 192] from 0 to 1.
        squares: where that is in the photo.
    """
    landmarks, flag = network(pictures)
    points = landmarks.reshape(-1, POINTS, 3) / SIZE
    return squares.to_photo(points), flag.flatten().float().sigmoid()


def squares_around(meshes: Tensor) -> Squares:
    """Return the squares in which meshes, [K, 468, 3], are looked for again, upright to their eyes.

    Unlike mediapipe's, they don't grow as a face turns: its bounds are taken along its own axes.
    """
    flat = meshes[..., :2]
    start, end = (flat[:, corner] for corner in _OUTER_EYES)
    across = functional.normalize(end - start, dim=-1)
    axes = torch.stack((across, torch.stack((-across[:, 1], across[:, 0]), -1)), 1)  # [K, 2 axes, 2]
    along = flat @ axes.mT
    low, high = along.amin(1), along.amax(1)
    centre = ((low + high) / 2)[:, None] @ axes
    return Squares.along(centre[:, 0], (high - low).amax(-1) * _ROI_SCALE, start, end)
