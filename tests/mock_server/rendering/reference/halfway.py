"""A face that nobody has: halfway between two others, in shape and in colours.

Of people whose portraits are free to use, the packages at hand ship two; this makes a third of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.transform import PiecewiseAffineTransform, warp

from bluehour.mock_server.rendering.reference.face.faces import Face, FaceFinder

_SIZE: Final = 320  # px
_AROUND: Final = 1.8  # sides of a face's box
_EACH: Final = 3  # of the mesh's points one is taken, as each costs its time
_FRAME: Final = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])


def halfway(one: Image.Image, other: Image.Image, finder: FaceFinder) -> Image.Image:
    """Return a portrait, 320 px square, of the face between those of two portraits."""
    portraits = [_around(_face(portrait, finder), portrait) for portrait in (one, other)]
    shapes = [_shape(_face(portrait, finder)) for portrait in portraits]
    middle = np.mean(shapes, axis=0)
    moved = [_moved(portrait, middle, shape) for portrait, shape in zip(portraits, shapes, strict=True)]
    return Image.fromarray((np.mean(moved, axis=0) * 255).round().astype(np.uint8))


def _moved(
    portrait: Image.Image, shape: NDArray[np.float64], from_shape: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a portrait's colours, 0 to 1, once its face has a shape; scikit-image has no types."""
    places = PiecewiseAffineTransform.from_estimate(shape, from_shape)  # type: ignore[no-untyped-call]
    return np.asarray(warp(np.asarray(portrait) / 255, places, mode="edge"))  # type: ignore[no-untyped-call]


def _face(portrait: Image.Image, finder: FaceFinder) -> Face:
    return finder.find([torch.from_numpy(np.array(portrait))])[0][0]


def _around(face: Face, portrait: Image.Image) -> Image.Image:
    """Return a portrait cut and resized, so that its face is as large as any other's and in its place."""
    left, top, right, bottom = face.box
    x, y, reach = (left + right) / 2, (top + bottom) / 2, _AROUND * max(right - left, bottom - top) / 2
    ends = (x - reach, y - reach, x + reach, y + reach)
    return portrait.transform((_SIZE, _SIZE), Image.Transform.EXTENT, ends, Image.Resampling.BICUBIC)


def _shape(face: Face) -> NDArray[np.float64]:
    """Return points of a face and of the frame around it, [N, 2], px."""
    return np.concatenate((face.mesh[::_EACH, :2].double().numpy(), _FRAME * (_SIZE - 1)))
