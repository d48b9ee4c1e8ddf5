from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bluehour.mock_server.rendering.reference.photo.diffusion import DiffusionEditor, PhotoModelError
from bluehour.mock_server.rendering.reference.photo.editing import PhotoEditor, edit_photos
from bluehour.mock_server.rendering.reference.photo.parameters import Parameters
from tests.profiles import few

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
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """The shapes of the batches that the network sees, one for each round."""
    seen: list[torch.Size] = []
    network = diffusers.UNet2DConditionModel
    forward: Callable[..., Any] = network.forward

    def counted(unet: Any, sample: Tensor, *rest: Any, **named: Any) -> Any:
        seen.append(sample.shape)
        return forward(unet, sample, *rest, **named)

    monkeypatch.setattr(network, "forward", counted)
    return seen


def asked(prompt: str = "a hat", edge: int = 96, **style: Any) -> Parameters:
    return replace(asking.asked(prompt, **style), edge=edge)


def batches(rounds: list[torch.Size]) -> list[int]:
    return [shape[0] for shape in rounds]


def difference(one: Tensor, other: Tensor) -> float:
    return float((one.int() - other.int()).abs().float().mean())


def test_a_saved_pipeline_edits_a_photo(editor: DiffusionEditor, portrait: Tensor) -> None:
    (made,) = editor.edit([portrait[:300]], [asked()])
    assert made.dtype == torch.uint8
    assert made.shape == (56, 96, 3)
    assert made.float().std() > 1


@pytest.mark.parametrize("steps", few([3, 4, 5, 6], 3, 6))
@pytest.mark.parametrize("likeness", few([-1e9, 0, 5.2, 9, 1e9], -1e9, 5.2, 1e9))
def test_steps_are_rounds_that_are_run(
    steps: int, likeness: float, editor: DiffusionEditor, portrait: Tensor, rounds: list[torch.Size]
) -> None:
    editor.edit([portrait], [asked(edge=32, steps=steps, likeness_strength=likeness)])
    assert batches(rounds) == [2] * steps  # with the prompt, and with the negative one


def test_requests_of_one_size_and_strength_are_one_batch(
    editor: DiffusionEditor, portrait: Tensor, rounds: list[torch.Size]
) -> None:
    wishes = [asked("a hat"), asked("a dog", negative_prompt="a hat"), asked("a cat")]
    made = editor.edit([portrait] * 3, wishes)
    assert batches(rounds) == [6] * 4
    for wish, together in zip(wishes, made, strict=True):
        (alone,) = editor.edit([portrait], [wish])
        assert difference(alone, together) < 0.5
    assert difference(made[0], made[1]) > 0


def test_what_is_not_alike_is_put_back_in_its_order(editor: DiffusionEditor, portrait: Tensor) -> None:
    wishes = [asked(), asked(edge=64), asked(steps=5), asked(prompt_strength=9), asked(edge=64)]
    made = editor.edit([portrait, portrait[:200], portrait, portrait, portrait[:, :100]], wishes)
    assert [tuple(image.shape[:2]) for image in made] == [(96, 96), (25, 64), (96, 96), (96, 96), (64, 12)]


def test_a_batch_is_never_larger_than_allowed(
    folder: Path, portrait: Tensor, rounds: list[torch.Size]
) -> None:
    DiffusionEditor(folder, CPU, batch=2).edit([portrait] * 3, [asked(edge=32)] * 3)
    assert batches(rounds) == [4] * 4 + [2] * 4


def test_the_same_request_makes_the_same_picture(editor: DiffusionEditor, portrait: Tensor) -> None:
    one, again, other = (
        editor.edit([portrait], [asked(prompt)])[0] for prompt in ("a hat", "a hat", "a dog")
    )
    assert one.equal(again)
    assert not one.equal(other)


def test_the_texts_chance_is_the_noise(editor: DiffusionEditor, portrait: Tensor) -> None:
    one, again, other = (editor.edit([portrait], [replace(asked(), seed=seed)])[0] for seed in (1, 1, 2))
    assert one.equal(again)
    assert not one.equal(other)


def test_more_prompt_strength_goes_farther_from_what_has_no_guidance(
    editor: DiffusionEditor, portrait: Tensor, rounds: list[torch.Size]
) -> None:
    none, published, strong = (
        editor.edit([portrait], [asked(prompt_strength=strength)])[0] for strength in (-1e300, 3.75, 1e9)
    )
    assert batches(rounds) == [1] * 4 + [2] * 8  # a guidance of 1 needs no look at the negative prompt
    assert 0 < difference(published, none) < difference(strong, none)


def test_the_network_gets_sides_that_it_can_halve(
    editor: DiffusionEditor, portrait: Tensor, rounds: list[torch.Size]
) -> None:
    (made,) = editor.edit([portrait[:300]], [asked()])
    assert {tuple(shape[2:]) for shape in rounds} == {(8, 12)}
    assert made.shape == (56, 96, 3)


def test_more_likeness_is_more_like_the_input_through_the_autoencoder(
    editor: DiffusionEditor, portrait: Tensor
) -> None:
    same, near, far = (
        editor.edit([portrait], [asked(likeness_strength=likeness)])[0] for likeness in (1e9, 9, -1e9)
    )
    assert difference(near, same) < difference(far, same)


def test_the_description_stands_in_for_an_empty_prompt_and_for_no_other(
    editor: DiffusionEditor, portrait: Tensor
) -> None:
    def made(prompt: str, description: str) -> Tensor:
        wish = replace(asked(prompt), description=description, seed=7)
        return editor.edit([portrait], [wish])[0]

    assert made("", "a hat").equal(made("a hat", ""))
    assert made("a hat", "a dog").equal(made("a hat", ""))
    assert not made("", "a dog").equal(made("", "a hat"))


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
    model.write_text("a file")
    assert refusal() == f"{model} is no diffusers pipeline: it is no folder"
    model.unlink()
    model.mkdir()
    assert refusal() == f"{model} is no diffusers pipeline: it has no model_index.json"
    index.write_text("{")
    assert refusal().startswith(f"{model} is no diffusers pipeline: its model_index.json can't be read")
    index.write_text("[]")
    assert refusal().endswith("its model_index.json names no class")
    index.write_text(
        '{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}'
    )
    assert refusal().endswith("it lacks unet, which its model_index.json names")
    (model / "unet").mkdir()
    assert refusal().startswith(f"{model} can't be loaded for image-to-image: ")
    index.write_text('{"_class_name": "AudioLDMPipeline"}')
    assert refusal().startswith(f"{model} can't be loaded for image-to-image: ")
    assert "\n" not in refusal()


def test_a_pipeline_without_one_of_its_parts_is_refused(folder: Path, tmp_path: Path) -> None:
    model = shutil.copytree(folder, tmp_path / "model", ignore=shutil.ignore_patterns("tokenizer"))
    with pytest.raises(PhotoModelError, match=r"it lacks tokenizer, which its model_index\.json names$"):
        DiffusionEditor(model, CPU)


def test_a_pipeline_with_cut_weights_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    model = shutil.copytree(folder, tmp_path / "model")
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(PhotoModelError) as refused:
        DiffusionEditor(model, CPU)
    assert str(refused.value).startswith(f"{model} can't be loaded for image-to-image: ")
    assert "\n" not in str(refused.value)


def test_without_the_library_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(PhotoModelError, match=r"needs the diffusers library .*: pip install"):
        DiffusionEditor(folder, CPU)
