"""The irises and the finer lines around the eyes, as mediapipe's `modules/iris_landmark` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from bluehour.mock_server.rendering.reference.tflite.executor import Network

from .geometry import Squares

SIZE: Final = 64  # px that the network sees
_ROI_SCALE: Final = 2.3  # iris_landmark_landmarks_to_roi.pbtxt
_CORNERS: Final = ((33, 133), (362, 263))  # iris_landmark_left_and_right_from_face_landmarks_cpu.pbtxt

# Which point of the mesh each of an eye's points is, for the subject's right eye and for the left one:
# graphs/iris_tracking/calculators/update_face_landmarks_calculator.cc. Left out are the rings further from
# the eye, where mediapipe's attention mesh agrees better with the first mesh.
# fmt: off
_LINES: Final[Mapping[range, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    range(16): (  # the lids
        (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
        (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
    ),
    range(16, 32): (  # the ring around them
        (130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190),
        (359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414),
    ),
    range(48, 54): ((35, 124, 46, 53, 52, 65), (265, 353, 276, 283, 282, 295)),  # the brow's lower edge
    range(63, 71): (  # and its upper one
        (156, 70, 63, 105, 66, 107, 55, 193),
        (383, 300, 293, 334, 296, 336, 285, 417),
    ),
}
# fmt: on
_TAKEN: Final = [place for places in _LINES for place in places]
_GIVEN: Final = [[point for eyes in _LINES.values() for point in eyes[eye]] for eye in (0, 1)]
_LIDS: Final = 16  # the first of them
_RIM: Final = (0, 3, 2, 1, 4)  # the points of an iris that was seen mirrored, in the order of the other's


def squares_around(meshes: Tensor) -> Squares:
    """Return the squares around the eyes of meshes, [K, 468, 3]: 2K, of each face the right and the left eye.

    The subject's left eye is seen mirrored, since the network knows right eyes only.
    """
    corners = meshes[:, torch.tensor(_CORNERS, device=meshes.device), :2].flatten(0, 1)
    start, end = corners.unbind(1)
    side = torch.linalg.vector_norm(end - start, dim=-1) * _ROI_SCALE
    squares = Squares.along((start + end) / 2, side, start, end)
    return replace(squares, mirrored=torch.tensor((False, True), device=meshes.device).repeat(len(meshes)))


def locate(network: Network, pictures: Tensor, squares: Squares) -> tuple[Tensor, Tensor]:
    """Return the eyes' 71 points and the irises' 5 in px of the photo, [K, 2, 71, 3] and [K, 2, 5, 3].

    Args:
        network: iris_landmark.tflite.
        pictures: what is seen in the squares, [2K, 3, 64, 64] from 0 to 1.
        squares: where that is in the photo, as `squares_around` gives them.
    """
    eyes, irises = (
        squares.to_photo(output.reshape(len(squares), -1, 3) / SIZE) for output in network(pictures)
    )
    return eyes.reshape(-1, 2, 71, 3), irises.reshape(-1, 2, 5, 3)


def refined(meshes: Tensor, eyes: Tensor, irises: Tensor) -> tuple[Tensor, Tensor]:
    """Return the meshes with the lids and brows of the finer network, and the irises at the lids' depth.

    Only x and y are replaced: the two networks measure depth from different places. An iris's points are in
    the order of mediapipe's attention mesh: the middle, then the rim's point at the right of the picture,
    upper, left and lower.
    """
    meshes = meshes.clone()
    depths = []
    for eye, points in enumerate(_GIVEN):
        meshes[:, points, :2] = eyes[:, eye, _TAKEN, :2]
        depths.append(meshes[:, points[:_LIDS], 2].mean(1))
    right, left = irises[..., :2].unbind(1)
    flat = torch.stack((right, left[:, _RIM]), 1)
    depth = torch.stack(depths, 1)[:, :, None, None].expand(-1, -1, 5, 1)
    return meshes, torch.cat((flat, depth), -1)
