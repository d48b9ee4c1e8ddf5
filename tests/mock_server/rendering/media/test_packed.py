from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluehour.mock_server.rendering import media
from bluehour.mock_server.rendering.media.packed import packed_audio, packed_video


@pytest.fixture(autouse=True)
def _not_remembered() -> Iterator[None]:
    media.is_available.cache_clear()
    yield
    media.is_available.cache_clear()


@pytest.mark.parametrize(
    ("path", "begins", "at_most"),
    [
        (packed_video(), b"ftypisom", 30_000),
        (packed_video("webm"), b"\x1a\x45\xdf\xa3", 30_000),
        (packed_audio(), b"ID3", 20_000),
    ],
    ids=["mp4", "webm", "mp3"],
)
def test_the_package_carries_small_files(path: Path, begins: bytes, at_most: int) -> None:
    assert begins in path.read_bytes()[:16]
    assert path.stat().st_size < at_most


@pytest.mark.parametrize("path", [packed_video(), packed_video("webm"), packed_audio()], ids=lambda p: p.name)
def test_the_packed_files_play_for_two_seconds_to_their_end(path: Path) -> None:
    av = pytest.importorskip("av", reason="the packed files are played by PyAV, of the extra `video`")
    with av.open(path) as container:
        assert container.duration == pytest.approx(2_000_000, abs=100_000)
        frames = list(container.decode(container.streams[0]))
        for stream in container.streams.video:
            assert (stream.width, stream.height) == (320, 180)
            assert frames[0].to_image().tobytes() != frames[-1].to_image().tobytes()
        assert frames[-1].time > 1.8


def test_without_pyav_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert not media.is_available()


def test_with_a_pyav_that_lacks_an_encoder_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    av = pytest.importorskip("av", reason="PyAV is missing, of the extra `video`")
    assert media.is_available()
    media.is_available.cache_clear()
    monkeypatch.setattr(av, "codecs_available", {"aac", "libvpx", "libmp3lame"})
    assert not media.is_available()
