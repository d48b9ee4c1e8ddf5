"""Real media files for simulated outputs: videos, songs, animations, QR codes and cut-out pictures.

Videos and songs are written by PyAV, which the extra `video` brings. Where it is missing, `packed` has a
small one of each to give instead.
"""

from __future__ import annotations

from functools import cache
from typing import Final

LONGEST: Final = 3600
"""Seconds; no file is made longer, so that no request can fill the disk."""

_ENCODERS: Final = frozenset({"aac", "libmp3lame", "libvpx", "libx264"})


@cache
def is_available() -> bool:
    """Say whether videos and songs can be written here: by a PyAV that has the encoders for them."""
    try:
        import av
    except ImportError:
        return False
    return _ENCODERS.issubset(av.codecs_available)
