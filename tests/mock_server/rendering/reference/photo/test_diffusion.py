from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mock_server.rendering.reference.photo.diffusion import DiffusionEditor, PhotoModelError
from mock_server.rendering.reference.photo.editing import PhotoEditor, edit_photos
from mock_server.rendering.reference.photo.parameters import Parameters

from . import asking
from .tiny_pipeline import diffusers, save_tiny_pipeline

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_pipeline(tmp_path_factory.mktemp("photo") / "model")


@pytest.fixture(scope="module")
def editor(folder: Path) -> DiffusionEditor:
    return DiffusionEditor(folder, CPU)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that the network sees, a number for each round."""
    seen: list[int] = []
    network = diffusers.UNet2DConditionModel
    forward: Callable[..., Any] = network.forward

    def counted(unet: Any, sample: Tensor, *rest: Any, **named: Any) -> Any:
        seen.append(len(sample))
        return forward(unet, sample, *rest, **named)

    monkeypatch.setattr(network, "forward", counted)
    return seen


def asked(prompt: str = "a hat", edge: int = 96, **style: Any) -> Parameters:
    return replace(asking.asked(prompt, **style), edge=edge)


def difference(one: Tensor, other: Tensor) -> float:
    return float((one.int() - other.int()).abs().float().mean())


def test_a_saved_pipeline_edits_a_photo(editor: DiffusionEditor, portrait: Tensor) -> None:
    (made,) = editor.edit([portrait[:300]], [asked()])
    assert made.dtype == torch.uint8
    assert made.shape == (56, 96, 3)
    assert made.float().std() > 1


@pytest.mark.parametrize("steps", [3, 4, 5, 6])
@pytest.mark.parametrize("likeness", [-1e9, 0, 5.2, 9, 1e9])
def test_steps_are_rounds_that_are_run(
    steps: int, likeness: float, editor: DiffusionEditor, portrait: Tensor, rounds: list[int]
) -> None:
    editor.edit([portrait], [asked(edge=32, steps=steps, likeness_strength=likeness)])
    assert rounds == [2] * steps  # with the prompt, and with the negative one


def test_requests_of_one_size_and_strength_are_one_batch(
    editor: DiffusionEditor, portrait: Tensor, rounds: list[int]
) -> None:
    wishes = [asked("a hat"), asked("a dog", negative_prompt="a hat"), asked("a cat")]
    made = editor.edit([portrait] * 3, wishes)
    assert rounds == [6] * 4
    for wish, together in zip(wishes, made, strict=True):
        (alone,) = editor.edit([portrait], [wish])
        assert difference(alone, together) < 0.5
    assert difference(made[0], made[1]) > 0


def test_what_is_not_alike_is_put_back_in_its_order(editor: DiffusionEditor, portrait: Tensor) -> None:
    wishes = [asked(), asked(edge=64), asked(steps=5), asked(prompt_strength=9), asked(edge=64)]
    made = editor.edit([portrait, portrait[:200], portrait, portrait, portrait[:, :100]], wishes)
    assert [tuple(image.shape[:2]) for image in made] == [(96, 96), (25, 64), (96, 96), (96, 96), (64, 12)]


def test_a_batch_is_never_larger_than_allowed(folder: Path, portrait: Tensor, rounds: list[int]) -> None:
    DiffusionEditor(folder, CPU, batch=2).edit([portrait] * 3, [asked(edge=32)] * 3)
    assert rounds == [4] * 4 + [2] * 4


def test_the_same_request_makes_the_same_picture(editor: DiffusionEditor, portrait: Tensor) -> None:
    one, again, other = (
        editor.edit([portrait], [asked(prompt)])[0] for prompt in ("a hat", "a hat", "a dog")
    )
    assert one.equal(again)
    assert not one.equal(other)


def test_more_likeness_is_more_like_the_input_through_the_autoencoder(
    editor: DiffusionEditor, portrait: Tensor
) -> None:
    same, near, far = (
        editor.edit([portrait], [asked(likeness_strength=likeness)])[0] for likeness in (1e9, 9, -1e9)
    )
    assert difference(near, same) < difference(far, same)


@pytest.mark.parametrize("number", [-1e300, 0, 1e300])
def test_any_strength_is_taken(number: float, editor: DiffusionEditor, portrait: Tensor) -> None:
    wish = asked("", edge=32, likeness_strength=number, prompt_strength=number)
    assert editor.edit([portrait], [wish])[0].shape == (32, 32, 3)


def test_it_is_a_photo_editor(editor: DiffusionEditor, portrait: Tensor) -> None:
    checked: PhotoEditor = editor
    (large,) = edit_photos(checked, [portrait], [asking.request("a hat", upscale_factor=2)], [(1024, 1024)])
    assert large.shape == (1024, 1024, 3)


def test_nothing_is_said_while_it_works(
    folder: Path, portrait: Tensor, capfd: pytest.CaptureFixture[str]
) -> None:
    DiffusionEditor(folder, CPU).edit([portrait], [asked(edge=32)])
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_folder_that_is_no_pipeline_is_refused_in_one_line(tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(PhotoModelError) as refused:
            DiffusionEditor(tmp_path / "model", CPU)
        return str(refused.value)

    model = tmp_path / "model"
    index = model / "model_index.json"
    assert refusal() == f"{model} is no diffusers pipeline: no such folder"
    model.mkdir()
    assert refusal() == f"{model} is no diffusers pipeline: it has no model_index.json"
    index.write_text("{")
    assert refusal().startswith(f"{model} is no diffusers pipeline: its model_index.json can't be read")
    index.write_text("[]")
    assert refusal().endswith("its model_index.json names no class")
    index.write_text(
        '{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}'
    )
    assert refusal().startswith(f"{model} can't be loaded for image-to-image: ")
    index.write_text('{"_class_name": "AudioLDMPipeline"}')
    assert refusal().startswith(f"{model} can't be loaded for image-to-image: ")
    assert "\n" not in refusal()


def test_without_the_library_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(PhotoModelError, match=r"needs the diffusers library .*: pip install"):
        DiffusionEditor(folder, CPU)
