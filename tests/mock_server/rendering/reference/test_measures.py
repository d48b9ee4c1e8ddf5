"""Each slider's measure: of a face alone, and as the networks find it in edited photos."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.profiles import few

torch = pytest.importorskip("torch")

from bluehour.mock_server.rendering.reference.face.editor import edit_faces  # noqa: E402
from bluehour.mock_server.rendering.reference.face.faces import FaceFinder  # noqa: E402
from bluehour.mock_server.rendering.reference.face.measures import measure  # noqa: E402
from bluehour.mock_server.rendering.reference.face.sliders import NAMES  # noqa: E402

from .made_faces import Points, face, photo  # noqa: E402

VALUES = tuple(range(-100, 101, 20))
SIDEWAYS = ("eye_gaze_horizontal", "mouth_position_horizontal", "head_roll", "head_yaw")
ANGLES = {"head_pitch", "head_yaw", "head_roll"}


@pytest.fixture(scope="module")
def finder(models: Path) -> FaceFinder:
    return FaceFinder(models, passes=2)  # what differs by chance between two photos is halved


def _ranks(values: Any) -> Any:
    values = torch.tensor(values, dtype=torch.float64)
    return ((values[:, None] > values).sum(1) + (values[:, None] >= values).sum(1)).double()


def spearman(values: Any, others: Any) -> float:
    """How nearly one grows with the other, -1 to 1."""
    return float(torch.corrcoef(torch.stack((_ranks(values), _ranks(others))))[0, 1])


def _turned(degrees: float) -> Points:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Points(face().points @ torch.tensor(((cos, sin, 0.0), (-sin, cos, 0.0), (0.0, 0.0, 1.0))))


def test_there_is_a_measure_of_every_slider() -> None:
    assert set(measure(face())) == set(NAMES)


def test_measures_are_those_of_the_face_wherever_and_however_large_it_is() -> None:
    assert measure(face().times(3, 70, -20)) == pytest.approx(measure(face()), abs=1e-3)


def test_a_face_that_leans_is_measured_as_the_same_face_but_for_its_roll() -> None:
    upright, leaning = measure(face()), measure(_turned(20))
    assert leaning["head_roll"] == pytest.approx(upright["head_roll"] + 20, abs=0.1)
    for name in set(NAMES) - ANGLES:
        assert leaning[name] == pytest.approx(upright[name], abs=1e-3), name


@pytest.mark.parametrize(
    ("name", "mirrored"),
    few(
        [*((name, False) for name in NAMES), *((name, True) for name in SIDEWAYS)],
        ("mouth_smile", False),
        ("eye_gaze_horizontal", False),
        ("head_yaw", True),
    ),
)
def test_an_edited_photo_measures_what_its_slider_says(finder: Any, name: str, mirrored: bool) -> None:
    image = photo().flip(1) if mirrored else photo()
    (found,) = finder.find([image])
    styles = [{name: float(value)} for value in VALUES]
    edited = edit_faces([image] * len(VALUES), [found[0]] * len(VALUES), styles)
    measures = [measure(faces[0])[name] for faces in finder.find(edited)]
    assert spearman(VALUES, measures) >= 0.9
