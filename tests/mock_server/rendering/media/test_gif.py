from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from bluehour.mock_server.rendering.media.gif import MOST_FRAMES, write_gif


def moving(count: int) -> Iterator[Image.Image]:
    """A square that goes from left to right."""
    for number in range(count):
        picture = Image.new("RGB", (120, 40), "navy")
        ImageDraw.Draw(picture).rectangle((number * 80 // count, 10, number * 80 // count + 20, 30), "gold")
        yield picture


@pytest.mark.parametrize(("count", "seconds"), [(24, 2), (7, 1), (48, 3.33)])
def test_a_gif_shows_each_frame_loops_and_takes_its_time(tmp_path: Path, count: int, seconds: float) -> None:
    write_gif(tmp_path / "made.part", moving(count), seconds)
    with Image.open(tmp_path / "made.part") as gif:
        assert (gif.format, gif.size, getattr(gif, "n_frames", 1)) == ("GIF", (120, 40), count)
        assert gif.info["loop"] == 0  # for ever
        shown, durations = [], []
        for number in range(count):
            gif.seek(number)
            shown.append(gif.convert("RGB").tobytes())
            durations.append(gif.info["duration"])
    assert shown == [frame.tobytes() for frame in moving(count)]
    assert sum(durations) == pytest.approx(1000 * seconds, abs=10)
    assert max(durations) - min(durations) <= 10


def test_frames_that_are_alike_take_their_time_too(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", [Image.new("RGB", (8, 8), "red")] * 3 + list(moving(1)), 4)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.info["duration"] == 3000


def test_no_frame_is_shorter_than_browsers_show(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", moving(20), 0)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.info["duration"] == 20


def test_no_more_frames_are_taken_than_the_most(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", (frame for _ in iter(int, 1) for frame in moving(80)), 3)
    with Image.open(tmp_path / "a.gif") as gif:
        assert getattr(gif, "n_frames", 1) == MOST_FRAMES
