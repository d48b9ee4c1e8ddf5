"""Songs, and the sound of videos: a soft melody, the same for the same seed, and another for another."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import LONGEST

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

_RATE: Final = 22_050  # samples per second; no note is near half of it
_BITS_PER_SECOND = 48_000
_LAME = {"compression_level": "7"}  # takes two thirds of the default's time

_LOWEST = 220.0  # hertz
_SCALE = (0, 3, 5, 7, 10, 12, 15, 17)  # semitones above it: a scale of five, of which all go together
_LOUDNESS = 6_000  # of 32,767
_SWELL = 0.02  # seconds, so that no note begins or ends in a click


def write_audio(target: Path, *, seconds: float, seed: str) -> None:
    """Write an MP3 with a melody.

    Args:
        target: the file.
        seconds: up to `LONGEST`, at least a hundredth.
        seed: what decides its notes.

    Raises:
        ImportError: PyAV is missing; `is_available` says so before.
    """
    import av

    with av.open(target, "w", format="mp3") as container:
        for packet in packets(add_track(container, "libmp3lame", _LAME), seed, seconds):
            container.mux(packet)


def write_wav(target: Path, *, seconds: float, seed: str) -> None:
    """Write a WAV with a melody; PyAV need not be there. The arguments are those of `write_audio`."""
    with target.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        for note in _notes(seed, seconds):
            sound.writeframes(note.tobytes())


def add_track(container: OutputContainer, codec: str, options: dict[str, str] | None = None) -> AudioStream:
    """Add what a melody can be encoded in to a file."""
    sound: AudioStream = container.add_stream(codec, rate=_RATE, options=options)  # type: ignore[assignment] # it is one for any audio codec
    sound.codec_context.layout, sound.codec_context.bit_rate = "mono", _BITS_PER_SECOND
    return sound


def packets(sound: AudioStream, seed: str, seconds: float) -> Iterator[Packet[Any]]:
    """Yield an encoded melody in order of time, from a note at a time; the arguments are those of above."""
    from av.audio.frame import AudioFrame

    begin = 0
    for note in _notes(seed, seconds):
        frame = AudioFrame("s16", "mono", len(note))
        frame.planes[0].update(note.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.time_base, frame.pts = _RATE, Fraction(1, _RATE), begin
        begin += len(note)
        yield from sound.encode(frame)
    yield from sound.encode(None)


def _notes(seed: str, seconds: float) -> Iterator[array[int]]:
    """Yield the notes of a melody of a length, the last one cut."""
    left = round(max(0.01, min(seconds, LONGEST)) * _RATE)
    notes = _melody(seed)
    while left:
        note = next(notes)[:left]
        left -= len(note)
        yield note


def _melody(seed: str) -> Iterator[array[int]]:
    """Yield notes without end, of a third or of a half of a second."""
    pace, *pitches = sha256(seed.encode("utf-8", "surrogatepass")).digest()
    for pitch in cycle(pitches):
        yield _note(_SCALE[pitch % len(_SCALE)], _RATE // (2 + pace % 2))


@cache
def _note(semitones: int, length: int) -> array[int]:
    """Return a note as 16-bit samples, as many as its length says; it fades."""
    turn = 2 * math.pi * _LOWEST * 2 ** (semitones / 12) / _RATE
    swell = _SWELL * _RATE

    def sample(at: int) -> int:
        loudness = _LOUDNESS * min(1, at / swell, (length - at) / swell) * (1 - at / length)
        return round(loudness * math.sin(turn * at))

    return array("h", map(sample, range(length)))
