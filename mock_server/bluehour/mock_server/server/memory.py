"""Has the C library give large blocks back to the system as soon as they are freed."""

from __future__ import annotations

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE = 2**20


def return_large_blocks() -> None:
    """Have every block of a megabyte or more be given back when it is freed. For the whole process.

    glibc's malloc begins so, and stops once such blocks come often: then each thread keeps what it once had.
    Measured with photos of 24 megapixels, that is 130 MB more, for good. Where there is another C library,
    nothing is changed.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
