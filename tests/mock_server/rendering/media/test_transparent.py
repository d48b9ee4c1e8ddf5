from __future__ import annotations

import time

import pytest
from PIL import Image, ImageChops, ImageDraw

from bluehour.mock_server.rendering.media.transparent import without_background

WHITE, RED, PALE = (250, 250, 250), (200, 30, 30), (235, 240, 245)


def ring(edge: int, ground: tuple[int, int, int] = WHITE) -> Image.Image:
    """A red ring: what is within has the colour of what is without."""
    picture = Image.new("RGB", (edge, edge), ground)
    box = (edge // 4, edge // 4, 3 * edge // 4, 3 * edge // 4)
    ImageDraw.Draw(picture).ellipse(box, outline=RED, width=max(1, edge // 10))
    return picture


def alpha_at(picture: Image.Image, x: float, y: float) -> int:
    alpha = picture.getchannel("A").getpixel((round(x * picture.width), round(y * picture.height)))
    assert isinstance(alpha, int)
    return alpha


@pytest.mark.parametrize("edge", [80, 640, 1600])
def test_what_is_outside_is_transparent_and_what_is_within_is_not(edge: int) -> None:
    picture = ring(edge)
    cut_out = without_background(picture)
    assert (cut_out.mode, cut_out.size) == ("RGBA", picture.size)
    assert [alpha_at(cut_out, x, y) for x, y in [(0, 0), (0.5, 0.1), (0.9, 0.5), (0.2, 0.8)]] == [0] * 4
    assert alpha_at(cut_out, 0.5, 0.5) == 255  # of the border's colour, but not connected with it
    assert alpha_at(cut_out, 0.5, 0.3) == 255
    assert ImageChops.difference(cut_out.convert("RGB"), picture).getbbox() is None


def test_the_edge_is_as_sharp_as_the_picture_is() -> None:
    picture = Image.new("RGB", (2000, 2000), WHITE)
    picture.paste(RED, (501, 703, 1501, 1604))
    assert without_background(picture).getchannel("A").getbbox() == (501, 703, 1501, 1604)


def test_a_ground_may_vary_a_little_but_not_much() -> None:
    picture = ring(400)
    picture.paste(PALE, (0, 0, 100, 400))
    picture.paste((90, 90, 90), (300, 0, 400, 100))
    cut_out = without_background(picture)
    assert (alpha_at(cut_out, 0.1, 0.5), alpha_at(cut_out, 0.9, 0.1)) == (0, 255)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (3, 3), (1000, 1), (1, 3000)])
def test_a_plain_picture_is_all_background(size: tuple[int, int]) -> None:
    cut_out = without_background(Image.new("RGB", size, RED))
    assert cut_out.size == size
    assert cut_out.getchannel("A").getextrema() == (0, 0)


def test_the_largest_picture_takes_no_longer_than_a_few_seconds_of_work() -> None:
    picture = ring(4096)
    before = time.process_time()
    without_background(picture)
    assert time.process_time() - before < 10  # it is a half on two cores; a fill of all would take minutes
