"""The bytes on disk, in one folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_KINDS = ("uploads", "sources", "outputs")


class TooLarge(Exception):
    """More bytes came than the limit allows."""


class Files:
    """Bytes on disk, in a folder of our own, by the name of what they are."""

    def __init__(self, folder: Path) -> None:
        for name in _KINDS:
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder

    def clear(self) -> None:
        """Remove all files."""
        for name in _KINDS:
            for path in (self._folder / name).iterdir():
                if path.is_file():  # what is none, is none of ours
                    path.unlink(missing_ok=True)

    def upload(self, path: str) -> Path:
        """Where the bytes of an issued file path are; they may not have come yet."""
        return self._folder / "uploads" / path.replace("/", "_")

    def source(self, project_id: str, extension: str) -> Path:
        """Where a project's own copy of its picture is: as it was at create, whatever is uploaded later."""
        return self._folder / "sources" / f"{project_id}.{extension}"

    def output(self, project_id: str, extension: str) -> Path:
        """Where a project's rendered picture is, once it was made."""
        return self._folder / "outputs" / f"{project_id}.{extension}"


def write_whole(
    target: Path, source: BinaryIO, limit: int, judge: Callable[[Path], str | None]
) -> str | None:
    """Stream bytes to a file that appears, or is replaced, only once all of them are there.

    Args:
        target: the file.
        source: read to its end.
        limit: in bytes.
        judge: called with the complete file before it takes the target's place.

    Returns:
        What `judge` returned.

    Raises:
        TooLarge: more than `limit` bytes came; the target is as it was.
    """
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=target.suffix)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            left = limit
            while chunk := source.read(2**18):
                left -= len(chunk)
                if left < 0:
                    raise TooLarge
                file.write(chunk)
        verdict = judge(part)
        part.replace(target)
        return verdict
    finally:
        part.unlink(missing_ok=True)
