from __future__ import annotations

from pathlib import Path

import pytest

from bluehour.mock_server.rendering.media.audio import write_audio

av = pytest.importorskip("av", reason="songs need PyAV, of the extra `video`")


def song(target: Path, seconds: float = 3, seed: str = "a") -> bytes:
    write_audio(target, seconds=seconds, seed=seed)
    return target.read_bytes()


@pytest.mark.parametrize("seconds", [0.5, 2, 31.7])
def test_a_song_is_an_mp3_of_the_length_that_was_asked_for(tmp_path: Path, seconds: float) -> None:
    song(tmp_path / "song.part", seconds)
    with av.open(tmp_path / "song.part") as container:
        assert container.format.name == "mp3"
        assert [stream.codec_context.name.startswith("mp3") for stream in container.streams] == [True]
        rate = container.streams.audio[0].rate
        heard = sum(frame.samples for frame in container.decode(audio=0))
        assert container.duration == pytest.approx(1_000_000 * seconds, abs=60_000)
    assert heard / rate == pytest.approx(seconds, abs=0.06)


def test_a_song_can_be_heard_all_through_and_is_never_clipped(tmp_path: Path) -> None:
    song(tmp_path / "song.mp3", 8)
    with av.open(tmp_path / "song.mp3") as container:
        rate = container.streams.audio[0].rate
        samples = [
            abs(sample)
            for frame in container.decode(audio=0)
            for sample in memoryview(frame.planes[0]).cast("B").cast("f")[: frame.samples]
        ]
    assert max(samples) < 0.5
    for second in range(8):
        assert max(samples[second * rate : (second + 1) * rate]) > 0.05, second


def test_another_seed_makes_another_song_and_the_same_the_same(tmp_path: Path) -> None:
    one, other = song(tmp_path / "1.mp3", seed="one"), song(tmp_path / "2.mp3", seed="other")
    assert one != other
    assert song(tmp_path / "3.mp3", seed="one") == one


def test_any_text_is_a_seed(tmp_path: Path) -> None:
    assert song(tmp_path / "1.mp3", seed="") != song(tmp_path / "2.mp3", seed="\ud800 日本")
