from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bluehour.mock_server.rendering.media.video import (
    LONGEST_EDGE,
    MOST_PICTURES,
    Frame,
    write_video,
    write_webm,
)

av = pytest.importorskip("av", reason="videos need PyAV, of the extra `video`")

Colour = tuple[int, int, int]


def fading(position: float) -> Image.Image:
    """From red to blue."""
    return Image.new("RGB", (64, 48), colour_at(position))


def colour_at(position: float) -> Colour:
    return (round(255 * (1 - position)), 0, round(255 * position))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Write a video: `made(seconds=2)`."""

    def make(frame: Frame = fading, **options: Any) -> Path:
        target = tmp_path / "made.part"  # as what is not yet complete may be named
        write_video(
            target,
            frame,
            **{"size": (64, 48), "seconds": 2.0, "fps": 24.0, "has_sound": False, **options},
        )
        return target

    return make


def colours(video: Path) -> list[Colour]:
    """The colour in the middle of each frame."""
    with av.open(video) as container:
        return [
            frame.to_image().getpixel((frame.width // 2, frame.height // 2))
            for frame in container.decode(video=0)
        ]


def distance(one: Colour, other: Colour) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("size", "seconds", "fps", "rate", "frames"),
    [
        ((854, 480), 5, 24, Fraction(24), 120),
        ((64, 48), 2.5, 30, Fraction(30), 75),
        ((64, 48), 10, 29.97002997, Fraction(30_000, 1001), 300),
        ((64, 48), 40, 60, Fraction(60), 2400),
        ((48, 64), 0.001, 24, Fraction(24), 1),
    ],
)
def test_a_video_is_h264_of_the_size_the_length_and_the_rate_that_were_asked_for(
    made: Callable[..., Path],
    size: tuple[int, int],
    seconds: float,
    fps: float,
    rate: Fraction,
    frames: int,
) -> None:
    with av.open(made(size=size, seconds=seconds, fps=fps)) as container:
        (video,) = container.streams
        assert (video.codec_context.name, video.format.name) == ("h264", "yuv420p")
        assert (video.width, video.height) == size
        assert (video.average_rate, video.frames) == (rate, frames)
        assert video.duration * video.time_base == frames / rate
        assert container.duration == pytest.approx(1_000_000 * frames / rate, abs=1)


def test_an_odd_edge_is_made_even(made: Callable[..., Path]) -> None:
    with av.open(made(size=(101, 1), seconds=0.1)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (102, 2)


def test_no_edge_is_longer_than_the_longest(made: Callable[..., Path]) -> None:
    with av.open(made(size=(2 * LONGEST_EDGE, 64), seconds=0.01)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (LONGEST_EDGE, 32)


def test_each_frame_shows_the_picture_of_its_position(made: Callable[..., Path]) -> None:
    shown = colours(made(seconds=20, fps=25))
    assert len(shown) == 500
    for number, colour in enumerate(shown):
        assert distance(colour, colour_at(number / 499)) <= 255 / MOST_PICTURES + 8, number


def test_a_picture_stands_still_until_the_next(made: Callable[..., Path]) -> None:
    noise = [Image.effect_noise((64, 48), 90).convert("RGB") for _ in range(MOST_PICTURES)]
    with av.open(made(lambda position: noise[round(position * 47)], seconds=40)) as container:
        shown = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    changes = [number for number in range(1, len(shown)) if shown[number] != shown[number - 1]]
    assert changes == [number * 20 for number in range(1, MOST_PICTURES)]


def test_few_pictures_are_drawn_in_order_from_start_to_end(made: Callable[..., Path]) -> None:
    positions: list[float] = []

    def frame(position: float) -> Image.Image:
        positions.append(position)
        return fading(position)

    made(frame, seconds=60)
    assert len(positions) == MOST_PICTURES
    assert positions == sorted(positions)
    assert (positions[0], positions[-1]) == (0, 1)


def test_a_long_video_is_hardly_larger_than_a_short_one(made: Callable[..., Path]) -> None:
    noise = Image.effect_noise((320, 240), 60).convert("RGB")
    short = made(lambda _: noise, size=(320, 240), seconds=5).stat().st_size
    assert made(lambda _: noise, size=(320, 240), seconds=60).stat().st_size < 1.1 * short


def test_a_video_can_be_begun_at_each_of_its_pictures(made: Callable[..., Path]) -> None:
    path = made(seconds=20, fps=24)
    data = path.read_bytes()
    (entries,) = struct.unpack_from(">I", data, data.index(b"stss") + 8)  # ISO/IEC 14496-12, 8.6.2
    assert entries == MOST_PICTURES
    with av.open(path) as container:
        whole = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.is_keyframe]
        assert whole == [number * Fraction(10, 24) for number in range(MOST_PICTURES)]
        container.seek(15_000_000)
        frame = next(container.decode(video=0))
        assert 14.5 <= frame.time <= 15
        assert distance(frame.to_image().getpixel((32, 24)), colour_at(0.75)) <= 20


def test_a_video_says_what_it_holds_before_it_brings_it(made: Callable[..., Path]) -> None:
    data = made().read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_a_video_with_sound_has_a_tone_as_long_as_itself(made: Callable[..., Path]) -> None:
    with av.open(made(seconds=12.5, has_sound=True)) as container:
        (sound,) = container.streams.audio
        assert sound.codec_context.name == "aac"
        assert sound.duration * sound.time_base == pytest.approx(12.5, abs=0.05)
        loudest = 0.0
        for frame in container.decode(sound):
            samples = memoryview(frame.planes[0]).cast("B").cast("f")[: frame.samples]
            loudest = max(loudest, *samples)
    assert loudest > 0.05


def test_a_video_without_sound_has_no_track_for_it(made: Callable[..., Path]) -> None:
    with av.open(made(has_sound=False)) as container:
        assert not container.streams.audio


def test_a_webm_is_vp8_that_moves(tmp_path: Path) -> None:
    target = tmp_path / "made.part"
    write_webm(target, fading, size=(63, 48), seconds=2, fps=24)
    with av.open(target) as container:
        (video,) = container.streams
        assert container.format.name == "matroska,webm"
        assert (video.codec_context.name, video.width, video.height) == ("vp8", 64, 48)
        assert video.average_rate == 24
        assert container.duration == pytest.approx(2_000_000, abs=50_000)
    shown = colours(target)
    assert len(shown) == 48
    assert distance(shown[0], colour_at(0)) < 20
    assert distance(shown[-1], colour_at(1)) < 20


def test_a_large_video_is_drawn_of_fewer_pictures_as_clients_wait_for_it(tmp_path: Path) -> None:
    positions: list[float] = []

    def frame(position: float) -> Image.Image:
        positions.append(position)
        return Image.new("RGB", (384, 216), "teal")

    write_video(tmp_path / "a.mp4", frame, size=(3840, 2160), seconds=1, fps=24, has_sound=False)
    assert 2 < len(positions) < MOST_PICTURES / 4
    with av.open(tmp_path / "a.mp4") as container:
        assert container.streams.video[0].frames == 24
