"""What uploaded videos and songs say of themselves: their length, frame rate and size."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bluehour.mock_server.core.pictures import Clip

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_FORMATS: Final = "mov,matroska,mp3,wav,aac,flac,ogg,aiff,amr,gif"
"""FFmpeg's readers of the accepted types.

Never all that it has: playlists, for one, would have it read other files, and fetch URLs.
"""

_MOST_READ = 64 * 2**20  # bytes; a header takes a few, however long the clip
_MOST_PIXELS = 8192 * 8192
_MOST_PACKETS = 8  # in which the first frame has to come


def clip_of(path: Path) -> Clip | None:
    """Return what a file says of its video or song, in its header and its first frame.

    None where it doesn't say how long it is, where it can't be read, and where PyAV is missing.
    """
    try:
        import av

        options = {"format_whitelist": _FORMATS, "max_pixels": f"{_MOST_PIXELS}"}
        with _Head(path) as file, av.open(file, "r", options=options) as container:
            return _clip(container)
    except Exception:  # broken files come out of FFmpeg as nearly any error; all say the same about the file
        return None


class _Head(io.FileIO):
    """A file that ends where too much of it has been read."""

    _left = _MOST_READ

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(self._left if size is None or size < 0 else min(size, self._left)) or b""
        self._left -= len(data)
        return data


def _clip(container: InputContainer) -> Clip | None:
    seconds = (container.duration or 0) / 1_000_000  # it is in microseconds
    if seconds <= 0:
        return None
    for video in container.streams.video:
        if video.average_rate and video.width and video.height:  # a song's cover has no rate
            size = (video.width, video.height)
            upright = size[::-1] if _is_turned(container, video) else size
            return Clip(upright, seconds, float(video.average_rate))
    return Clip(seconds=seconds) if container.streams.audio else None


def _is_turned(container: InputContainer, video: VideoStream) -> bool:
    """Say whether a video is to be turned by a quarter, as telephones have it; known of a frame alone."""
    video.thread_count = 1
    for packet in islice(container.demux(video), _MOST_PACKETS):
        for frame in packet.decode():
            return frame.rotation % 180 == 90
    return False
