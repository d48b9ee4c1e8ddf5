"""Files that are watched while the server runs: an edit takes effect, a bad one is told and ignored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

_PAUSE = 0.3
"""Seconds between two looks."""

_Stamp = tuple[int, int, int]


class Reloader(Thread):
    """Looks at files again and again, and has those taken up that have changed.

    Args:
        watched: by file, what takes it up: returns what is new, or raises with why not, in one line.
        say: takes a line that tells of it.
    """

    def __init__(self, watched: Mapping[Path, Callable[[], str]], say: Callable[[str], object]) -> None:
        super().__init__(name="bluehour-reload", daemon=True)
        self._watched = watched
        self._say = say
        self._seen = {path: _stamp(path) for path in watched}

    def run(self) -> None:
        """Look, for ever."""
        while True:
            time.sleep(_PAUSE)
            self.look()

    def look(self) -> None:
        """Take up what has changed since the last look. A file that is gone is one being written."""
        for path, take_up in self._watched.items():
            stamp = _stamp(path)
            if stamp is None or stamp == self._seen[path]:
                continue
            self._seen[path] = stamp
            try:
                self._say(f"reloaded {path}: {take_up()}\n")
            except Exception as error:  # whatever is wrong with the file, what was there before goes on
                reason = str(error).removeprefix(f"{path}: ")
                self._say(f"not reloaded {path}, the old one is kept: {reason}\n")


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
