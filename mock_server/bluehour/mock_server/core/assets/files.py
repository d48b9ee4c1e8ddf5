"""The bytes on disk, in one folder, and how much of them there is."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from bluehour.openapi.errors import BluehourError

from .folders import PrivateFolder
from .links import output_in

_KINDS = ("uploads", "sources", "outputs")
_INCOMING = "incoming"

_NO_MORE_LINKS = (errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.ENOSYS)
"""What systems say of a file that can't have another name: too many of them, or a disk that knows of one."""


class TooLarge(BluehourError):
    """More bytes came than the limit allows."""


class NoRoom(BluehourError):
    """There is no room for a file among those that are kept."""


def incoming_in(folder: Path) -> Path:
    """Where files are written that are not whole yet, in private folders, one of each process."""
    return folder / _INCOMING


class Files:
    """Bytes on disk, in a folder of our own, by the name of what they are. May be used from any thread.

    Args:
        folder: an existing one.
        most_bytes: of uploads that are kept, what projects keep of them included.

    Raises:
        OSError: the folder can't be used.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        for name in (*_KINDS, _INCOMING):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._incoming = PrivateFolder(folder / _INCOMING)
        self._most_bytes = most_bytes
        self._counting = Lock()
        self._bytes = _bytes_in(folder / "uploads", folder / "sources")

    def close(self) -> None:
        """Remove what was not whole."""
        self._incoming.close()

    def clear(self) -> None:
        """Remove all files."""
        for name in _KINDS:
            for path in (self._folder / name).iterdir():
                if path.is_file():  # what is none, is none of ours
                    path.unlink(missing_ok=True)
        with self._counting:
            self._bytes = 0

    def upload(self, path: str) -> Path:
        """Where the bytes of an issued file path are; they may not have come yet."""
        return self._folder / "uploads" / path.replace("/", "_")

    def source(self, project_id: str, name: str, extension: str) -> Path:
        """Where a project's own copy of a picture is: as it was at create, whatever is uploaded later.

        Args:
            project_id: whose.
            name: tells it from the project's other pictures: letters and digits.
            extension: of the picture, without its dot.
        """
        return self._folder / "sources" / f"{project_id}-{name}.{extension}"

    def output(self, project_id: str, name: str) -> Path:
        """Where a file that a project made is, once it was made."""
        return self._folder / "outputs" / f"{project_id}_{name}"

    def has_output(self, link: str) -> bool:
        """Tell whether the file is there that the path of a download's link leads to."""
        found = output_in(link)
        return found is not None and os.path.isfile(self.output(*found))

    @property
    def room(self) -> int:
        """Bytes of further uploads that would be kept."""
        return max(0, self._most_bytes - self._bytes)

    @contextmanager
    def incoming(self, suffix: str) -> Iterator[Path]:
        """Give a new empty file, in reach of the others, that is gone at the end unless it was kept."""
        handle, name = tempfile.mkstemp(dir=self._incoming.path, suffix=suffix)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep_upload(self, part: Path, path: str, at: float, expired_before: float) -> None:
        """Have a whole file be what is uploaded under a file path, in place of an earlier one.

        Args:
            part: from `incoming`.
            path: that was issued.
            at: when it came, in seconds since the epoch.
            expired_before: where there is no room, uploads that came before this are removed.

        Raises:
            NoRoom: there is none; what was there before still is.
        """
        target, size = self.upload(path), part.stat().st_size
        os.utime(part, (at, at))
        with self._counting:
            if not self._has_room(size, target):
                self._remove_before(expired_before)
            if not self._has_room(size, target):
                raise NoRoom
            self._bytes += size - _freed_by(target)
            part.replace(target)

    def link_upload(self, path: str, source: Path) -> None:
        """Have a project's own copy of an upload: a link to its bytes, which a later upload leaves alone.

        Raises:
            FileNotFoundError: it is not there.
        """
        upload = self.upload(path)
        try:
            with self._counting:
                source.hardlink_to(upload)
        except FileExistsError:  # named twice by one request
            return
        except OSError as error:
            if error.errno not in _NO_MORE_LINKS:
                raise
            self._copy(upload, source)

    def keep_source(self, part: Path, source: Path) -> None:
        """Have a whole file be a project's own picture."""
        with self._counting:
            self._bytes += part.stat().st_size - _freed_by(source)
            part.replace(source)

    def remove_source(self, source: Path) -> None:
        """Remove a project's own copy of a picture; it need not be there."""
        with self._counting:
            self._bytes -= _freed_by(source)
            source.unlink(missing_ok=True)

    def _copy(self, upload: Path, source: Path) -> None:
        """Copy what can't have another name, and have the upload share the copy's bytes, if it can."""
        copied = upload.stat().st_ino
        with self.incoming(upload.suffix) as part:
            shutil.copy2(upload, part)
            self.keep_source(part, source)
        with self.incoming(upload.suffix) as spare, suppress(OSError):
            spare.unlink()
            spare.hardlink_to(source)  # whose count of names starts anew
            with self._counting:
                if upload.stat().st_ino == copied:  # no later upload has taken its place
                    self._bytes -= _freed_by(upload)
                    spare.replace(upload)

    def _has_room(self, size: int, target: Path) -> bool:
        """Tell whether a file may take another one's place; a smaller one always may."""
        grows = size - _freed_by(target)
        return grows <= 0 or self._bytes + grows <= self._most_bytes

    def _remove_before(self, at: float) -> None:
        for upload in (self._folder / "uploads").iterdir():
            with suppress(FileNotFoundError):
                if upload.stat().st_mtime < at:
                    self._bytes -= _freed_by(upload)
                    upload.unlink()


def _freed_by(file: Path) -> int:
    """The bytes that go with a file's name: none where they have another one, or there is no such file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0
    return found.st_size if found.st_nlink == 1 else 0


def _bytes_in(*folders: Path) -> int:
    """The bytes of all files, each once, however many names it has."""
    found = {}
    for folder in folders:
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                stat = entry.stat(follow_symlinks=False)
                found[stat.st_ino] = stat.st_size
    return sum(found.values())


def write_whole(part: Path, source: BinaryIO, limit: int) -> None:
    """Write all of a stream to a file.

    Raises:
        TooLarge: more than `limit` bytes came.
    """
    with part.open("wb") as file:
        left = limit
        while chunk := source.read(2**18):
            left -= len(chunk)
            if left < 0:
                raise TooLarge
            file.write(chunk)
