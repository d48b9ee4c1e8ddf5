"""Room for pictures in memory: one large one at a time, or a few small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore

_SMALL_AT_ONCE = 2
"""Small pictures that are decoded side by side."""

_LARGE_EDGE = 2048
"""Pixels of the longer edge from which on a picture that is rendered is large."""


class Room:
    """Has whoever decodes or renders a picture wait until there is memory for it."""

    def __init__(self) -> None:
        self._large = BoundedSemaphore(1)
        self._small = BoundedSemaphore(_SMALL_AT_ONCE)

    @contextmanager
    def for_picture(self, picture: Path | None, largest_edge: float = 0) -> Iterator[None]:
        """Decode and render a picture in here.

        Args:
            picture: what is decoded, if anything.
            largest_edge: of what is rendered, in pixels.
        """
        from .pictures import is_large

        large = largest_edge > _LARGE_EDGE or (picture is not None and is_large(picture))
        with self._large if large else self._small:
            yield
