"""Measures faces by the reference stage's own networks: what each slider moves, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bluehour.mock_server.rendering.reference import weights
from bluehour.mock_server.rendering.reference.face.faces import FaceFinder
from bluehour.mock_server.rendering.reference.face.measures import measure

_SCALES: Final = (1.0, 0.96, 1.05)
"""A mesh of the same face differs a little with every scale: means of several differ less."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured on a face, by the names of sliders.

    Attributes:
        values: numbers that grow with their sliders.
        error: the standard deviation of each, over several scales of the same picture.
    """

    values: Mapping[str, float]
    error: Mapping[str, float]


class FaceRuler:
    """Measures the largest face of pictures, on the CPU: the same on every machine.

    Raises:
        WeightsError: the models aren't here yet.
    """

    def __init__(self) -> None:
        self._finder = FaceFinder(weights.folder(), "cpu", passes=2)

    def measured(self, picture: Image.Image) -> Measured | None:
        """Measure the largest face; None where there is none."""
        found = self._finder.find([_tensor(picture, scale) for scale in _SCALES])
        if not all(found):
            return None
        rows = [measure(faces[0]) for faces in found]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return Measured(
            {name: fmean(column) for name, column in columns.items()},
            {name: stdev(column) for name, column in columns.items()},
        )


def _tensor(picture: Image.Image, scale: float) -> Tensor:
    if scale != 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture))
