"""The files of the renderer that edits nothing: pictures, animations, videos and sounds."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from PIL import Image

from bluehour.openapi.outputs import size_of

from . import Job
from .media import is_available
from .media.audio import write_audio, write_wav
from .media.frames import frames_of
from .media.gif import write_gif
from .media.packed import packed_audio, packed_video
from .media.qr import qr_picture
from .media.transparent import without_background
from .media.video import write_video, write_webm
from .pictures import open_picture
from .simulated import SimulatedRenderer, draw_caption, plain_picture_of

_FRAMES_OF_A_GIF = 24

_PLAYS = 2.0
"""Seconds of what plays, where nothing says for how long."""

_FPS = 24.0

_UNKNOWN = (854, 480)
"""Pixels of a video where nothing says how large it is."""


class SimulatedFiles:
    """Makes real files that show what was asked for."""

    def render(self, job: Job, target: Path) -> None:
        """Write what a job makes to a file.

        Raises:
            JobFailed: its picture can't be decoded.
            OSError: a file can't be opened.
        """
        seconds = _PLAYS if job.output.seconds is None else job.output.seconds
        match job.extension:
            case "mp4" | "webm" | "mp3" if not is_available():
                packed = packed_audio() if job.extension == "mp3" else packed_video(job.extension)
                target.write_bytes(packed.read_bytes())
            case "mp4":
                size, fps = job.size or _size(job), job.output.fps or _FPS
                frames = frames_of(job, size, seconds)
                write_video(
                    target, frames, size=size, seconds=seconds, fps=fps, has_sound=job.output.has_sound
                )
            case "webm":
                size = job.size or _size(job)
                frames = frames_of(job, size, seconds)
                write_webm(target, frames, size=size, seconds=seconds, fps=job.output.fps or _FPS)
            case "gif":
                frames = frames_of(job, job.size or _size(job), seconds)
                positions = (number / _FRAMES_OF_A_GIF for number in range(_FRAMES_OF_A_GIF))
                write_gif(target, map(frames, positions), seconds)
            case "mp3":
                write_audio(target, seconds=seconds, seed=f"{job.request}")
            case "wav":
                write_wav(target, seconds=seconds, seed=f"{job.request}")
            case _:
                target.write_bytes(_picture(job))


def _size(job: Job) -> tuple[int, int]:
    """Return the size of what plays, in pixels."""
    if job.source is None:
        return size_of(job.output, None, job.longest_edge) if job.output.is_sized else _UNKNOWN
    return size_of(job.output, open_picture(job.source, job.longest_edge).size, job.longest_edge)


def _picture(job: Job) -> bytes:
    if job.output.content is not None:
        edge = max(size_of(job.output, None, job.longest_edge))
        return _png(qr_picture(job.output.content, edge=edge))
    if not job.output.is_transparent:
        return SimulatedRenderer().render(replace(job, extension="png"))
    picture = without_background(plain_picture_of(job))
    draw_caption(picture, job)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
