from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from bluehour.mock_server.rendering.reference.photo.analytic import AnalyticEditor, target_of
from bluehour.mock_server.rendering.reference.photo.effects import EFFECTS, Scene
from bluehour.mock_server.rendering.reference.photo.pixels import from_oklab, image_of, oklab_of, picture_of
from tests.profiles import few

from .asking import asked

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(scope="module")
def small(portrait: Tensor) -> Tensor:
    return portrait[::2, ::2].contiguous()


def edited(image: Tensor, prompt: str, /, **style: Any) -> Tensor:
    """Edit at the image's own size, which may be smaller than the contract has it, for the time's sake."""
    wish = replace(asked(prompt, **style), edge=max(image.shape[:2]))
    return AnalyticEditor().edit([image], [wish])[0]


def likeness(one: Tensor, other: Tensor) -> float:
    return float(structural_similarity(one.numpy(), other.numpy(), channel_axis=2))  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated


def travelled(image: Tensor, prompt: str, /, **style: Any) -> float:
    """How far an edit went on the way to what the prompt asks for: 0 to 1."""
    source = picture_of(image)
    way = target_of(source, asked(prompt)) - source
    gone = picture_of(edited(image, prompt, **style)) - source
    return float((gone * way).sum() / way.square().sum())


def lightness(image: Tensor) -> float:
    return float(oklab_of(picture_of(image))[:, 0].mean())


def colour(image: Tensor) -> tuple[float, float]:
    """The mean on the axes from green to red and from blue to yellow."""
    _, a, b = oklab_of(picture_of(image)).mean((0, 2, 3)).tolist()
    return a, b


def chroma(image: Tensor) -> float:
    return float(oklab_of(picture_of(image))[:, 1:].square().sum(1).sqrt().mean())


def sharpness(image: Tensor) -> float:
    grey = picture_of(image).mean(1)
    return float(grey.diff(dim=-1).abs().mean())


@pytest.mark.parametrize("prompt", few(["a pencil sketch", "sunset", "blurred"], "sunset"))
def test_more_likeness_is_more_like_the_input(small: Tensor, prompt: str) -> None:
    alike = [
        likeness(small, edited(small, prompt, likeness_strength=strength))
        for strength in (-20, 0, 3, 5.2, 8, 12, 1e9)
    ]
    assert all(less < more for less, more in pairwise(alike))
    assert alike[-1] > 0.99


@pytest.mark.parametrize("prompt", few(["oil painting", "darker", "red tones", "vintage"], "vintage"))
def test_more_prompt_strength_goes_further_along_the_prompts_direction(small: Tensor, prompt: str) -> None:
    gone = [travelled(small, prompt, prompt_strength=strength) for strength in (-1e9, -3, 0, 2, 3.75, 7, 20)]
    assert all(less < more for less, more in pairwise(gone))
    assert gone[0] == pytest.approx(0, abs=0.01)
    assert 0.85 < gone[4] < 0.91
    assert gone[-1] > 0.93


def test_more_steps_strengthen_the_prompt(small: Tensor) -> None:
    gone = [travelled(small, "a cartoon", steps=steps) for steps in (3, 4, 5, 6)]
    assert all(less < more for less, more in pairwise(gone))


def test_an_edit_is_the_same_again_alone_and_in_a_batch(portrait: Tensor) -> None:
    images = [portrait, portrait[:300], portrait, portrait.flip(1)]  # of the resolution that is asked for
    wishes = [asked(prompt) for prompt in ("a pencil sketch", "night", "vintage", "a pencil sketch")]
    batch = AnalyticEditor().edit(images, wishes)
    for image, wish, together in zip(images, wishes, batch, strict=True):
        (alone,) = AnalyticEditor().edit([image], [wish])
        assert (alone.int() - together.int()).abs().max() <= 1


@pytest.mark.parametrize("look", ["sketch", "dark photo"])
def test_other_words_meet_other_chance(look: str, small: Tensor) -> None:
    assert not edited(small, f"a {look}").equal(edited(small, f"the {look}"))
    assert edited(small, f"a {look}").equal(edited(small, f"a {look}"))


def test_what_is_not_understood_changes_nothing(small: Tensor) -> None:
    assert edited(small, "A photo small of a person wearing a red hat").equal(small)


def test_tone_words_change_the_light(small: Tensor) -> None:
    here = lightness(small)
    assert lightness(edited(small, "night")) < lightness(edited(small, "darker")) < here - 0.05
    assert lightness(edited(small, "brighter")) > here + 0.05
    assert colour(edited(small, "warm light"))[1] > colour(small)[1] + 0.02
    assert colour(edited(small, "cold light"))[1] < colour(small)[1] - 0.02


def test_colour_words_change_the_colours(small: Tensor) -> None:
    assert colour(edited(small, "red tones"))[0] > colour(small)[0] + 0.03
    assert colour(edited(small, "green tones"))[0] < colour(small)[0] - 0.03
    assert colour(edited(small, "blue tones"))[1] < colour(small)[1] - 0.03
    assert chroma(edited(small, "vivid")) > 1.15 * chroma(small)
    assert chroma(edited(small, "black and white")) < 0.15 * chroma(small)
    assert chroma(edited(small, "black and white", likeness_strength=-9, prompt_strength=30)) < 0.005


def test_style_words_change_the_manner(small: Tensor) -> None:
    here = sharpness(small)
    assert sharpness(edited(small, "blurred")) < 0.7 * here
    assert sharpness(edited(small, "sharper")) > 1.1 * here
    assert sharpness(edited(small, "hdr")) > 1.1 * here


def test_a_painter_leaves_a_face_without_wrinkles_and_shows_the_brush_elsewhere(portrait: Tensor) -> None:
    face, wall = (slice(85, 135), slice(195, 260)), (slice(20, 150), slice(310, 360))
    painted = edited(portrait, "an oil painting", likeness_strength=-9, prompt_strength=30)
    assert sharpness(painted[face]) < sharpness(portrait[face])
    assert sharpness(painted[wall]) > 3 * sharpness(portrait[wall])


def test_the_negative_prompt_pulls_away_from_its_words(small: Tensor) -> None:
    assert lightness(edited(small, "", negative_prompt="dark")) > lightness(small)
    assert lightness(edited(small, "", negative_prompt="bright")) < lightness(small)
    assert sharpness(edited(small, "", negative_prompt="blurry")) > sharpness(small)
    half = travelled(small, "a cartoon", negative_prompt="cartoon")
    assert half < travelled(small, "a cartoon") - 0.2


def test_what_the_description_names_keeps_more_of_its_colour(small: Tensor) -> None:
    face = (slice(40, 75), slice(95, 130))
    change = {
        described: (edited(small, "blue tones", image_description=described)[face].int() - small[face])
        .abs()
        .float()
        .mean()
        for described in ("A person", "A thing")
    }
    assert change["A person"] < 0.8 * change["A thing"]


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("size", [(96, 64), (1, 40), (40, 1), (1, 1)])
def test_every_effect_can_be_made_of_any_picture(name: str, size: tuple[int, int], portrait: Tensor) -> None:
    picture = picture_of(portrait[: size[0], : size[1]])
    made = EFFECTS[name](picture, Scene(torch.zeros(1, 1, *size), 7))
    assert made.shape == picture.shape
    assert made.isfinite().all()
    assert -0.05 <= made.min() <= made.max() <= 1.05


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (1500, 900)])
def test_any_size_becomes_the_resolution(size: tuple[int, int]) -> None:
    image = torch.full((*size, 3), 90, dtype=torch.uint8)
    wish = asked("a sketch, blurred, vintage")
    (made,) = AnalyticEditor().edit([image], [wish])
    assert made.dtype == torch.uint8
    assert made.shape == (*wish.size(*size), 3)


def test_no_images_are_no_results() -> None:
    assert AnalyticEditor().edit([], []) == []


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_gives_what_the_cpu_gives(device: str, small: Tensor) -> None:
    wishes = [asked(prompt) for prompt in ("an oil painting", "sunset")]
    here = AnalyticEditor().edit([small] * 2, wishes)
    there = AnalyticEditor().edit([small.to(device)] * 2, wishes)
    for one, other in zip(here, there, strict=True):
        assert other.device.type == device
        assert (one.int() - other.cpu().int()).abs().float().mean() < 0.5


def test_colours_come_back_from_the_colour_space(portrait: Tensor) -> None:
    assert (image_of(from_oklab(oklab_of(picture_of(portrait)))[0]).int() - portrait).abs().max() <= 1
