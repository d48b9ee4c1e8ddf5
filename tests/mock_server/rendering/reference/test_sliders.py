"""What the face editor is for: every slider moves what its name says, the further the further it is moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.profiles import few

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402

from bluehour.mock_server.rendering.reference.face import regions  # noqa: E402
from bluehour.mock_server.rendering.reference.face.editor import edit_faces  # noqa: E402
from bluehour.mock_server.rendering.reference.face.faces import Face, FaceFinder  # noqa: E402
from bluehour.mock_server.rendering.reference.face.frame import FaceFrame  # noqa: E402
from bluehour.mock_server.rendering.reference.face.measures import measure  # noqa: E402
from bluehour.mock_server.rendering.reference.face.sliders import NAMES, Style  # noqa: E402

from .halfway import halfway  # noqa: E402
from .recorded.photos import hopper, portrait  # noqa: E402

VALUES = range(-100, 101, 20)
LEAST = 0.9  # of Spearman's rank correlation between a slider and its measure


def _collins(_finder: FaceFinder | None = None) -> Image.Image:
    return Image.fromarray(portrait()).crop((96, 0, 416, 320))


def _hopper(_finder: FaceFinder | None = None) -> Image.Image:
    return Image.fromarray(hopper()).crop((56, 0, 456, 400))


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


@pytest.mark.parametrize("person", few([_collins, _hopper, _hopper_otherwise, _between], _collins))
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


@pytest.mark.thorough
@pytest.mark.parametrize("person", [_collins, _hopper])
def test_lips_open_the_further_whatever_else_the_mouth_does(
    person: Callable[[], Image.Image], finder: FaceFinder
) -> None:
    photo: Tensor = torch.from_numpy(np.array(person()))
    (face,) = finder.find([photo])[0][:1]

    def apart(others: Style) -> list[float]:
        """How far the lips are apart, the further they are asked to open."""
        styles = [{**others, "lip_open_ratio": value} for value in (0.0, 30.0, 60.0, 100.0)]
        edited = edit_faces([photo] * len(styles), [face] * len(styles), styles)
        return [_between_lips(faces[0]) for faces in finder.find(edited)]

    alone = apart({})
    for name in NAMES:
        for value in (-60.0, 60.0) if name.startswith("mouth") else ():
            found = apart({name: value})
            assert found == sorted(found), (name, value)
            assert found[2] - found[0] > 0.55 * (alone[2] - alone[0]), (name, value)


def _between_lips(face: Face) -> float:
    """The height of the opening between the lips' middles; units."""
    points = face.points[None]
    upper, lower = FaceFrame.of(points).within(points)[0, regions.INNER_LIPS.middles, 1]
    return float(lower - upper)


def _rank_correlation(measured: list[float]) -> float:
    """Spearman's correlation of measures with `VALUES`; no two measures are equal."""
    ranks = np.argsort(np.argsort(measured))
    return float(np.corrcoef(ranks, np.arange(len(VALUES)))[0, 1])
