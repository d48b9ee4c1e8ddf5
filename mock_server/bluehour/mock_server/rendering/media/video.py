"""Videos of any length, cheaply: few pictures are drawn and encoded, and each stands still for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import chain, count, cycle
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from PIL import Image

from . import LONGEST, audio

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Frame: TypeAlias = Callable[[float], Image.Image]
"""Draws the picture at a position, from 0 where a video starts to 1 where it ends."""

MOST_PICTURES: Final = 48
"""Of one video; its other frames repeat them."""

_MOST_PIXELS: Final = MOST_PICTURES * 1280 * 720
"""Of these pictures together: a larger video has fewer of them, as clients wait only seconds for it."""

_LEAST_PICTURES: Final = 6
"""So that the largest moves, too."""

LONGEST_EDGE: Final = 4096
"""Pixels; what would be larger is made smaller, in its aspect."""

_MOST_FPS = 120
_BT601, _BT709, _REDUCED = 6, 1, 1  # colours, as H.264 numbers them (ISO/IEC 23091-2)
_X264 = {"preset": "ultrafast", "tune": "zerolatency", "qp": "32", "forced-idr": "1"}
_VP8 = {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "2M"}


def write_video(
    target: Path, frame: Frame, *, size: tuple[int, int], seconds: float, fps: float, has_sound: bool
) -> None:
    """Write an MP4 that plays while it loads: H.264 in yuv420p, and a melody in AAC if it has sound.

    Args:
        target: the file.
        frame: called at most `MOST_PICTURES` times, in order; what it draws is resized where it need be.
        size: width and height in pixels; an odd edge gets one more, as H.264 wants them even.
        seconds: up to `LONGEST`, to the nearest frame; there is at least one.
        fps: frames per second, 1 to 120.
        has_sound: whether it has a track with a melody.

    Raises:
        ImportError: PyAV is missing; `is_available` says so before.
    """
    import av

    shape = _shape(size, seconds, fps)
    with av.open(target, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=shape.rate, options=_X264)
        _set_up(video, shape)
        tracks = [_packets(video, frame, shape)]
        if has_sound:
            length = float(shape.frames / shape.rate)
            tracks.append(audio.packets(audio.add_track(container, "aac"), "video", length))
        for packet in merge(*tracks, key=lambda packet: (packet.dts or 0) * packet.time_base):
            container.mux(packet)


def write_webm(target: Path, frame: Frame, *, size: tuple[int, int], seconds: float, fps: float) -> None:
    """Write a WebM: VP8, without sound; takes and raises what `write_video` does.

    Every frame is encoded, so that it is for animations of a few seconds.
    """
    import av

    shape = _shape(size, seconds, fps)
    with av.open(target, "w", format="webm") as container:
        video = container.add_stream("libvpx", rate=shape.rate, options=_VP8)
        _set_up(video, shape)
        for picture, places in _stills(frame, shape):
            for place in places:
                picture.pts, picture.time_base = place, 1 / shape.rate
                container.mux(video.encode(picture))
        container.mux(video.encode(None))


@dataclass(frozen=True, slots=True)
class _Shape:
    size: tuple[int, int]
    rate: Fraction  # frames per second
    frames: int

    @property
    def pictures(self) -> int:
        """How many of its frames are drawn."""
        affordable = _MOST_PIXELS // (self.size[0] * self.size[1])
        return min(MOST_PICTURES, max(_LEAST_PICTURES, affordable), self.frames)


def _shape(size: tuple[int, int], seconds: float, fps: float) -> _Shape:
    factor = min(1, LONGEST_EDGE / max(size))
    width, height = (max(2, 2 * ceil(edge * factor / 2)) for edge in size)
    rate = Fraction(min(max(fps, 1), _MOST_FPS)).limit_denominator(1001)  # 29.97003 is 30000/1001
    return _Shape((width, height), rate, max(1, round(min(seconds, LONGEST) * rate)))


def _set_up(video: VideoStream, shape: _Shape) -> None:
    context = video.codec_context
    context.width, context.height = shape.size
    context.pix_fmt = "yuv420p"
    context.colorspace, context.color_range = _BT601, _REDUCED  # the one that VP8 has
    context.color_primaries = context.color_trc = _BT709  # nearly those of sRGB
    context.gop_size = shape.frames + 2 * MOST_PICTURES  # a picture is whole where it is asked to be alone
    context.thread_count = 1  # the other cores have clients to answer


def _stills(frame: Frame, shape: _Shape) -> Iterator[tuple[VideoFrame, range]]:
    """Yield each picture with the numbers of the frames that show it."""
    pictures = shape.pictures
    for number in range(pictures):
        begin, end = (place * shape.frames // pictures for place in (number, number + 1))
        yield _converted(frame(number / max(1, pictures - 1)), shape), range(begin, end)


def _converted(picture: Image.Image, shape: _Shape) -> VideoFrame:
    from av.video.frame import VideoFrame

    if picture.size != shape.size:
        picture = picture.resize(shape.size, Image.Resampling.LANCZOS)
    return VideoFrame.from_bytes(picture.convert("RGBA").tobytes(), *shape.size).reformat(format="yuv420p")


def _packets(video: VideoStream, frame: Frame, shape: _Shape) -> Iterator[Packet[Any]]:
    """Encode each picture once, and let it stand by steps that can follow any picture.

    A step says of every block that it is as before, and has a number, which comes round: so the steps are the
    same for all pictures, and are encoded only once, from a plain one. The cost hardly grows with the length.
    """
    from av.packet import Packet

    encoded = _encoder(video)
    steps = _steps(encoded, shape)
    for picture, places in _stills(frame, shape):
        for place, data in zip(places, chain([encoded(picture, True)], cycle(steps)), strict=False):
            packet: Packet[Any] = Packet(data)
            packet.stream, packet.time_base, packet.duration = video, 1 / shape.rate, 1
            packet.pts = packet.dts = place
            packet.is_keyframe = place == places.start
            yield packet


def _encoder(video: VideoStream) -> Callable[[VideoFrame, bool], bytes]:
    """Return what encodes a picture at once; by itself, if it is to be whole."""
    from av.video.frame import PictureType

    numbers = count()

    def encoded(picture: VideoFrame, is_whole: bool) -> bytes:
        picture.pts = next(numbers)
        picture.pict_type = PictureType.I if is_whole else PictureType.P
        (packet,) = video.encode(picture)
        return bytes(packet)

    return encoded


def _steps(encoded: Callable[[VideoFrame, bool], bytes], shape: _Shape) -> list[bytes]:
    plain = _converted(Image.new("RGB", shape.size), shape)
    encoded(plain, True)
    steps: list[bytes] = []
    for _ in range(shape.frames // shape.pictures):  # as many as a picture can need
        step = encoded(plain, False)
        if steps and step == steps[0]:
            break
        steps.append(step)
    return steps
