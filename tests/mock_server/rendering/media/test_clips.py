from __future__ import annotations

import random
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bluehour.mock_server.core.pictures import Clip
from bluehour.mock_server.rendering.media import packed
from bluehour.mock_server.rendering.media.audio import write_audio
from bluehour.mock_server.rendering.media.clips import clip_of
from bluehour.mock_server.rendering.media.gif import write_gif
from bluehour.mock_server.rendering.media.video import write_video, write_webm

pytest.importorskip("av", reason="clips are read by PyAV, of the extra `video`")


def gradient(position: float) -> Image.Image:
    return Image.linear_gradient("L").rotate(180 * position)


def video(target: Path, **options: Any) -> Path:
    write_video(
        target,
        gradient,
        **{"size": (160, 90), "seconds": 3.0, "fps": 25.0, "has_sound": True, **options},
    )
    return target


def test_a_video_says_its_length_its_rate_and_its_size(tmp_path: Path) -> None:
    assert clip_of(video(tmp_path / "a")) == Clip((160, 90), seconds=3.0, fps=25.0)


def test_a_webm_says_the_same(tmp_path: Path) -> None:
    write_webm(tmp_path / "a", gradient, size=(160, 90), seconds=2, fps=30)
    clip = clip_of(tmp_path / "a")
    assert clip is not None
    assert clip.seconds == pytest.approx(2, abs=0.05)
    assert (clip.fps, clip.size) == (30.0, (160, 90))


def test_a_gif_is_a_video(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", [gradient(number / 10) for number in range(10)], 1)
    assert clip_of(tmp_path / "a.gif") == Clip((256, 256), seconds=1.0, fps=10.0)


def test_a_song_says_its_length_alone(tmp_path: Path) -> None:
    write_audio(tmp_path / "a", seconds=4, seed="")
    clip = clip_of(tmp_path / "a")
    assert clip is not None
    assert clip.seconds == pytest.approx(4, abs=0.06)
    assert (clip.fps, clip.size) == (None, None)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_video_that_is_to_be_turned_has_the_size_that_is_seen(tmp_path: Path, quarters: int) -> None:
    path = video(tmp_path / "a")
    path.write_bytes(turned(path.read_bytes(), quarters))
    clip = clip_of(path)
    assert clip is not None
    assert clip.size == ((160, 90) if quarters == 2 else (90, 160))


def turned(mp4: bytes, quarters: int) -> bytes:
    """Have the first track of an MP4 shown turned, by the matrix in its header (ISO/IEC 14496-12, 8.3.2)."""
    one = 1 << 16
    turns = {1: (0, one, -one, 0), 2: (-one, 0, 0, -one), 3: (0, -one, one, 0)}
    a, b, c, d = turns[quarters]
    matrix = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    place = mp4.index(matrix, mp4.index(b"tkhd"))
    new = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return mp4[:place] + new + mp4[place + len(matrix) :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a video",
        b"\0" * 5_000,
        random.Random(1).randbytes(100_000),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    ],
    ids=["empty", "text", "zeros", "noise", "header alone"],
)
def test_what_is_no_clip_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    assert clip_of(tmp_path / "a.mp4") is None


def test_a_playlist_is_no_clip_so_that_no_other_file_is_read_for_it(tmp_path: Path) -> None:
    video(tmp_path / "other.mp4")
    playlist = tmp_path / "a.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nother.mp4\n#EXT-X-ENDLIST\n")
    assert clip_of(playlist) is None


def test_a_picture_is_no_clip(tmp_path: Path) -> None:
    gradient(0).save(tmp_path / "a.png")
    assert clip_of(tmp_path / "a.png") is None


def test_a_file_that_is_missing_or_a_folder_is_no_clip(tmp_path: Path) -> None:
    assert clip_of(tmp_path / "missing.mp4") is None
    assert clip_of(tmp_path) is None


def test_a_video_that_was_cut_off_before_its_header_ended_is_none(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:400])
    assert clip_of(path) is None


def test_a_broken_file_raises_nothing(tmp_path: Path) -> None:
    whole, chance = packed.packed_video().read_bytes(), random.Random(7)
    for _ in range(60):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(20):
            data[chance.randrange(min(3_000, len(data)))] = chance.randrange(256)
        (tmp_path / "a.mp4").write_bytes(data)
        assert clip_of(tmp_path / "a.mp4") is None or clip_of(tmp_path / "a.mp4")


def test_without_pyav_nothing_is_known_of_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = video(tmp_path / "a")
    monkeypatch.setitem(sys.modules, "av", None)
    assert clip_of(path) is None
