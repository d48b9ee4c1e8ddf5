"""What the face editor is for: every slider moves what its name says, the further the further it is moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from matplotlib import cbook  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402

from mock_server.rendering.reference.face.editor import edit_faces  # noqa: E402
from mock_server.rendering.reference.face.faces import FaceFinder  # noqa: E402
from mock_server.rendering.reference.face.measures import measure  # noqa: E402
from mock_server.rendering.reference.face.sliders import NAMES  # noqa: E402

from .halfway import halfway  # noqa: E402
from .recorded.photos import portrait  # noqa: E402

VALUES = range(-100, 101, 20)
LEAST = 0.9  # of Spearman's rank correlation between a slider and its measure


def _collins(_finder: FaceFinder | None = None) -> Image.Image:
    return Image.fromarray(portrait()).crop((96, 0, 416, 320))


def _hopper(_finder: FaceFinder | None = None) -> Image.Image:
    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        return picture.convert("RGB").crop((56, 0, 456, 400))


def _hopper_otherwise(_finder: FaceFinder) -> Image.Image:
    """The same person mirrored, leaning, small and in grey: no third face, but not the second's pixels."""
    mirrored = _hopper().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    leaning = mirrored.rotate(12, Image.Resampling.BICUBIC).crop((40, 40, 360, 360))
    return leaning.convert("L").convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)


@pytest.fixture(scope="module")
def finder(models: Path) -> FaceFinder:
    return FaceFinder(models, "cpu", passes=2)


def _between(finder: FaceFinder) -> Image.Image:
    return halfway(_collins(), _hopper(), finder)


@pytest.mark.parametrize("person", [_collins, _hopper, _hopper_otherwise, _between])
def test_every_slider_moves_its_measure(
    person: Callable[[FaceFinder], Image.Image], finder: FaceFinder
) -> None:
    photo: Tensor = torch.from_numpy(np.array(person(finder)))
    (face,) = finder.find([photo])[0][:1]
    found = {}
    for name in NAMES:
        styles = [{name: float(value)} for value in VALUES]
        edited = edit_faces([photo] * len(styles), [face] * len(styles), styles)
        measured = [measure(faces[0])[name] for faces in finder.find(edited)]
        found[name] = _rank_correlation(measured)
    assert min(found.values()) >= LEAST, {name: rank for name, rank in found.items() if rank < LEAST}


def _rank_correlation(measured: list[float]) -> float:
    """Spearman's correlation of measures with `VALUES`; no two measures are equal."""
    ranks = np.argsort(np.argsort(measured))
    return float(np.corrcoef(ranks, np.arange(len(VALUES)))[0, 1])
