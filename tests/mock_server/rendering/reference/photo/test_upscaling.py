from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from bluehour.mock_server.rendering.reference.photo import upscaling
from bluehour.mock_server.rendering.reference.photo.upscaling import upscaled


@pytest.fixture(scope="module")
def small(portrait: Tensor) -> Tensor:
    picture = Image.fromarray(portrait.numpy()).resize((128, 128), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture))


def crispness_of(image: Tensor) -> float:
    grey = image.float().mean(-1)
    return float(grey.diff(dim=0).abs().mean() + grey.diff(dim=1).abs().mean())


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("crispness", [0.0, 0.5, 1.0])
def test_a_picture_gets_a_multiple_of_its_size(factor: int, crispness: float, small: Tensor) -> None:
    large = upscaled(small[:50, :70], (50 * factor, 70 * factor), crispness)
    assert large.shape == (50 * factor, 70 * factor, 3)
    assert large.dtype == torch.uint8


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_without_crispness_it_is_lanczos_as_others_have_it(factor: int, small: Tensor) -> None:
    edge, inner = 128 * factor, slice(4 * factor, -4 * factor)  # Pillow has another border
    ours = upscaled(small, (edge, edge), 0).int()
    for channel in range(3):
        # In floats, as of bytes Pillow clips what overshoots between its two passes.
        plane = Image.fromarray(small[..., channel].numpy()).convert("F")
        theirs = torch.from_numpy(np.array(plane.resize((edge, edge), Image.Resampling.LANCZOS)))
        assert (ours[..., channel] - theirs.clamp(0, 255))[inner, inner].abs().max() <= 1


def test_more_crispness_shows(small: Tensor) -> None:
    found = [crispness_of(upscaled(small, (512, 512), crispness)) for crispness in (0, 0.25, 0.5, 0.75, 1)]
    assert all(less < more for less, more in pairwise(found))
    assert found[-1] > 1.4 * found[0]


def test_crispness_raises_the_details_that_are_there(small: Tensor) -> None:
    def details(planes: Tensor) -> float:
        return float((planes - functional.avg_pool2d(planes, 3, 1, 1, count_include_pad=False)).abs().mean())

    large = upscaled(small, (512, 512), 1).permute(2, 0, 1).float()
    assert details(functional.avg_pool2d(large, 4)) > details(small.permute(2, 0, 1).float())


@pytest.mark.parametrize("crispness", [0.25, 0.5, 1.0])
def test_crispness_never_rings(crispness: float, small: Tensor) -> None:
    planes = small.permute(2, 0, 1)[None].float()
    high = functional.interpolate(functional.max_pool2d(planes, 3, 1, 1), scale_factor=4)
    low = functional.interpolate(-functional.max_pool2d(-planes, 3, 1, 1), scale_factor=4)
    large = upscaled(small, (512, 512), crispness).permute(2, 0, 1)[None]
    assert (large <= high).all()
    assert (large >= low).all()


def test_an_edge_is_drawn_narrower_and_an_even_ground_stays_even() -> None:
    image = torch.zeros(32, 32, 3, dtype=torch.uint8)
    image[:, 16:] = 200
    row = upscaled(image, (128, 128), 1)[64, :, 0]
    between = ((row > 10) & (row < 190)).sum()
    resampled = upscaled(image, (128, 128), 0)[64, :, 0]
    assert between < ((resampled > 10) & (resampled < 190)).sum() / 2
    assert (row[:48] == 0).all()
    assert (row[80:] == 200).all()


@pytest.mark.parametrize("crispness", [0.0, 1.0])
@pytest.mark.parametrize("size", [(384, 384), (383, 517)])
def test_tiles_leave_no_seam(
    crispness: float, size: tuple[int, int], small: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = upscaled(small, size, crispness).int()
    monkeypatch.setattr(upscaling, "_TILE", 48)
    # The invented texture's strength is measured on one spot, so that it is one for all tiles.
    assert (upscaled(small, size, crispness).int() - whole).abs().max() <= (1 if crispness == 0 else 3)


@pytest.mark.parametrize("size", [(511, 512), (513, 512), (255, 256), (257, 256)])
@pytest.mark.parametrize("crispness", [0.0, 0.5, 1.0])
def test_a_size_that_is_no_multiple_looks_like_the_next_that_is(
    size: tuple[int, int], crispness: float, small: Tensor
) -> None:
    odd = upscaled(small, size, crispness)
    assert odd.shape == (*size, 3)
    even = upscaled(small, (size[1], size[1]), crispness)
    assert crispness_of(odd) == pytest.approx(crispness_of(even), rel=0.02)
    assert (odd[: size[1] // 4].int() - even[: size[1] // 4].int()).abs().float().mean() < 2


def test_in_its_own_size_a_picture_is_left_and_in_a_smaller_one_resampled(small: Tensor) -> None:
    assert upscaled(small, (128, 128), 1) is small
    less = upscaled(small, (127, 130), 1)
    assert less.shape == (127, 130, 3)
    assert less.float().mean() == pytest.approx(float(small.float().mean()), abs=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_the_smallest_pictures_can_be_enlarged(size: tuple[int, int]) -> None:
    image = torch.full((*size, 3), 77, dtype=torch.uint8)
    assert upscaled(image, (size[0] * 4, size[1] * 4), 1).equal(
        torch.full((size[0] * 4, size[1] * 4, 3), 77, dtype=torch.uint8)
    )
