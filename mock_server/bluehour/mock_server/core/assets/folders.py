"""Private folders that go with their process, however it ends: what a killed one left is found by a lock.

The owner holds a lock on a file in its folder. The system lets go of it with the process, so that a folder
whose lock can be had is nobody's any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "bluehour-"
_LOCK = ".lock"


class PrivateFolder:
    """A new folder that only this user can read, and that this process owns until it is closed.

    Args:
        parent: where it is made; the system's folder for temporary files where none is given.

    Raises:
        OSError: it can't be made.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        # It takes its name once it is locked, so that nobody can take it for a left one before.
        unlocked = self.path / f"{_LOCK}-new"
        self._lock = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unlocked.rename(self.path / _LOCK)

    def close(self) -> None:
        """Remove it with all that is in it; once more is no harm."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def remove_left(parent: Path | None = None) -> int:
    """Remove the private folders of this user's processes that were killed, and return how many they were.

    Args:
        parent: as for `PrivateFolder`; it need not exist.
    """
    folders = list((parent or Path(tempfile.gettempdir())).glob(f"{_PREFIX}*"))
    return sum(map(_removed, folders))


def _removed(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # none of ours, or gone just now
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
