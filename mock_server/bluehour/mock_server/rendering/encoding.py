"""The formats that pictures are written in: an upload's own, where Pillow can write it."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any, Final

from PIL import Image

_FALLBACK: Final = "png"

# How each accepted format is written: as near to the pixels as its files stay of a sensible size.
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 8},
    "BMP": {},
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "JPEG2000": {"irreversible": False},
    "PNG": {"compress_level": 1},  # a quarter of the default's time for a tenth more bytes
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {"quality": 95, "method": 2},
}


_PLAYED: Final = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "weba": "audio/webm",
    "m4a": "audio/mp4",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "aiff": "audio/aiff",
    "amr": "audio/amr",
}
"""Media types of what is no picture (IANA's registry; webmproject.org; WHATWG's MIME sniffing)."""


def extension_like(source: Path | None) -> str:
    """Return the extension of a picture in the format of an upload; PNG where that can't be written."""
    extension = "" if source is None else source.suffix.lower().removeprefix(".")
    return extension if _format_of(extension) in _OPTIONS else _FALLBACK


def media_type_of(path: Path) -> str:
    """Return the media type that a file's extension stands for."""
    extension = path.suffix.lower().removeprefix(".")
    return _PLAYED.get(extension) or Image.MIME[_format_of(extension) or "PNG"]


def encoded(picture: Image.Image, extension: str, icc_profile: bytes | None = None) -> bytes:
    """Return an RGB picture as a file of the format that an extension stands for.

    Args:
        picture: in mode RGB.
        extension: one that `extension_like` returned.
        icc_profile: the colour space of its numbers; sRGB where there is none.
    """
    format_ = _format_of(extension) or "PNG"
    options = {**_OPTIONS[format_]}
    if icc_profile is not None:
        options["icc_profile"] = icc_profile
    file = io.BytesIO()
    picture.save(file, format_, **options)
    return file.getvalue()


@cache
def _format_of(extension: str) -> str | None:
    """Return Pillow's name of the format that files with an extension have."""
    return Image.registered_extensions().get(f".{extension}")
