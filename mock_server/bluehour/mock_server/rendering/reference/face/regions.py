"""Which points of mediapipe's face mesh make up an eye, a brow, the mouth and the face's outline.

From `python/solutions/face_mesh_connections.py` of mediapipe 0.10.21 (Apache License 2.0), put in order.
"Right" and "left" are the subject's own. Lines run from the left of the picture to its right, in an upright
face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Opening:
    """What can open and close: an eye or the mouth.

    Attributes:
        upper, lower: the upper and the lower edge, from corner to corner; the two corners are in both.
    """

    upper: tuple[int, ...]
    lower: tuple[int, ...]

    @property
    def corners(self) -> tuple[int, int]:
        """The corner at the left of the picture, and the one at its right."""
        return self.upper[0], self.upper[-1]

    @property
    def middles(self) -> tuple[int, int]:
        """The middle of the upper edge, and of the lower one."""
        return self.upper[len(self.upper) // 2], self.lower[len(self.lower) // 2]


RIGHT_EYE: Final = Opening(
    (33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)
)
LEFT_EYE: Final = Opening(
    (362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)
)
EYES: Final = (RIGHT_EYE, LEFT_EYE)

INNER_LIPS: Final = Opening(
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308), (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
)
OUTER_LIPS: Final = Opening(
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291), (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
)

RIGHT_BROW: Final = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW: Final = (336, 296, 334, 293, 300, 285, 295, 282, 283, 276)
BROWS: Final = (RIGHT_BROW, LEFT_BROW)

RIGHT_CHEEK: Final = 50
LEFT_CHEEK: Final = 280
FOREHEAD: Final = 10
CHIN: Final = 152
NOSE_BASE: Final = 2

RIGHT_IRIS: Final = 468
LEFT_IRIS: Final = 473
IRISES: Final = (RIGHT_IRIS, LEFT_IRIS)

# fmt: off
OUTLINE: Final = (  # from the forehead's top, by the left of the subject
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on

MIRRORED_SIDES: Final = ((33, 263), (133, 362), (127, 356), (234, 454))
"""Pairs of points at the right and the left of the subject that no expression moves much."""
