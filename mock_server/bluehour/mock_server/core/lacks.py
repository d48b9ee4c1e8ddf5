"""What a machine may lack for a while: room on a disk, open files, a store that nobody else has locked.

It is no bug of the mock: whoever meets it says it in a line, and it may work later.
"""

from __future__ import annotations

import errno

from .stores import StoreUnavailable

_ERRORS = frozenset(
    (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
    )
)


def lack_in(error: BaseException) -> str | None:
    """Return what the machine lacks that an error tells of, in one line; None where it tells of a bug."""
    if isinstance(error, StoreUnavailable):
        return str(error)
    if isinstance(error, OSError) and error.errno in _ERRORS:
        return f"a file can't be written or read: {error.strerror}"
    return None
