"""On a GPU, or on what says it is one, the stage makes the pictures that it makes on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.profiles import few

torch = pytest.importorskip("torch")

from bluehour.mock_server.rendering import Job  # noqa: E402
from bluehour.mock_server.rendering.reference.face.sliders import NAMES  # noqa: E402
from bluehour.mock_server.rendering.reference.photo.effects import EFFECTS  # noqa: E402
from bluehour.mock_server.rendering.reference.stage import ReferenceStage  # noqa: E402

from .photo.tiny_pipeline import save_tiny_pipeline  # noqa: E402
from .pretended_cuda import MixedDevices, OnCuda, cuda  # noqa: E402
from .test_stage import face_job, photo_job, pixels, rendered  # noqa: E402

STYLES: list[dict[str, Any]] = [
    *({name: 70} for name in NAMES),
    *({name: -70} for name in ("eye_open_ratio", "lip_open_ratio")),  # which do something else then
    {"enhance_face": True},
    {},
    dict.fromkeys(NAMES, 30),
]
"""Of face edits; the last is of all sliders at once."""

ALIKE = 0.9995
"""The share of values that differ by 2 at most: a GPU's networks have half the precision."""


def _photo_job(source: Path, prompt: str) -> Job:
    return photo_job(source, 96, prompt=prompt, steps=1, upscale_factor=2)


def _face_jobs(source: Path) -> list[Job]:
    return [face_job(source, style, 512) for style in STYLES]


def _photo_jobs(source: Path) -> list[Job]:
    return [_photo_job(source, name.replace("-", " ")) for name in EFFECTS]


def _few_face_jobs(source: Path) -> list[Job]:
    return _face_jobs(source)[-3:]


def _few_photo_jobs(source: Path) -> list[Job]:
    return _photo_jobs(source)[::6]


def _made(device: str, jobs: list[Job], model: Path | None = None) -> list[Any]:
    stage = ReferenceStage(device, model)
    torch.set_num_threads(1)
    return [pixels(each) for each in rendered(stage, *jobs)]


@pytest.mark.parametrize(
    "jobs",
    few([_few_face_jobs, _few_photo_jobs, _face_jobs, _photo_jobs], _few_face_jobs, _few_photo_jobs),
)
def test_pictures_are_those_of_the_cpu(jobs: Callable[[Path], list[Job]], models: Path, photo: Path) -> None:
    expected = _made("cpu", jobs(photo))
    with cuda():
        made = _made("cuda", jobs(photo))
    for one, other in zip(made, expected, strict=True):
        assert np.mean(np.abs(one - other) <= 2) > ALIKE


def test_a_pipeline_runs_there_too(models: Path, photo: Path, tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    folder = tmp_path / "model"
    folder.mkdir()
    save_tiny_pipeline(folder)
    job = _photo_job(photo, "at night")
    with cuda():
        (made,) = _made("cuda", [job], folder)
    (expected,) = _made("cpu", [job], folder)
    assert np.abs(made - expected).mean() < 1


def test_what_is_left_on_the_cpu_is_noticed() -> None:
    with cuda():
        there = torch.arange(3, device="cuda")
        assert there.device.type == "cuda"
        assert isinstance(there, OnCuda)
        assert (there + 1).tolist() == [1, 2, 3]
        with pytest.raises(MixedDevices):
            there + torch.arange(3)
        with pytest.raises(MixedDevices):
            torch.arange(3)[there]
