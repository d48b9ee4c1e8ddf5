from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from bluehour.mock_server.rendering import Job, JobFailed
from bluehour.mock_server.rendering.media.frames import frames_of
from bluehour.mock_server.rendering.media.gif import write_gif

AMBER = (255, 188, 92)


def job(prompt: str = "a cat", source: Path | None = None) -> Job:
    return Job("TEXT_TO_VIDEO", {"style": {"prompt": prompt}}, source, 1024)


@pytest.mark.parametrize("size", [(854, 480), (480, 854), (512, 512), (60, 40), (2, 2)])
def test_a_frame_has_the_size_and_is_the_same_each_time(size: tuple[int, int]) -> None:
    frame = frames_of(job(), size, 5)
    assert (frame(0.3).size, frame(0.3).mode) == (size, "RGB")
    assert frame(0.3).tobytes() == frame(0.3).tobytes()


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9])
def test_the_bar_is_as_long_as_what_has_played(position: float) -> None:
    frame = frames_of(job(), (400, 300), 5)(position)
    top = [frame.getpixel((x, 0)) for x in range(400)]
    assert top.count(AMBER) == pytest.approx(400 * position, abs=2)
    assert top[0] == AMBER != top[-1]


def test_the_time_is_told() -> None:
    frame = frames_of(job(), (854, 480), 5)
    label = (0, 20, 300, 120)
    assert ImageChops.difference(frame(0.5).crop(label), frame(0.52).crop(label)).getbbox() is not None
    other = frames_of(job(), (854, 480), 9)
    assert ImageChops.difference(frame(0).crop(label), other(0).crop(label)).getbbox() is not None


def test_what_was_asked_is_shown() -> None:
    difference = ImageChops.difference(
        frames_of(job("a cat"), (854, 480), 5)(0.5), frames_of(job("a dog"), (854, 480), 5)(0.5)
    ).getbbox()
    assert difference is not None
    assert difference[1] > 300  # on the band along the lower edge


@pytest.mark.parametrize(("size", "seen"), [((400, 200), (200, 100)), ((200, 400), (100, 200))])
def test_the_source_fills_the_frame_in_its_aspect(
    tmp_path: Path, size: tuple[int, int], seen: tuple[int, int]
) -> None:
    picture = Image.new("RGB", (900, 900), "lime")
    picture.paste("red", (430, 430, 470, 470))
    picture.save(tmp_path / "a.png")
    frame = frames_of(job(source=tmp_path / "a.png"), size, 5)(0.5)
    red, green, _ = frame.getpixel(seen)  # type: ignore[misc] # three numbers, in mode RGB
    assert red > 180 > green
    x, y = seen
    middle = frame.crop((x - 30, y - 30, x + 30, y + 30)).getchannel("R")
    left, top, right, bottom = middle.point(lambda value: 255 * (value > 150)).getbbox() or (0, 0, 0, 0)
    assert (right - left, bottom - top) == pytest.approx((18, 18), abs=2)  # of 40, and 400 of 900


def test_a_source_that_can_t_be_read_fails_the_job(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(JobFailed) as failed:
        frames_of(job(source=tmp_path / "a.png"), (64, 64), 5)
    assert failed.value.code == "invalid_file_format"


def test_frames_make_a_gif_that_moves(tmp_path: Path) -> None:
    frame = frames_of(job(), (256, 256), 2)
    write_gif(tmp_path / "a.gif", (frame(number / 11) for number in range(12)), 2)
    with Image.open(tmp_path / "a.gif") as gif:
        assert getattr(gif, "n_frames", 1) == 12
