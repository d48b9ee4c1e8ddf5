"""How the memory store keeps a project small: as one bytes object, a third of the dataclass's size, that the
garbage collector never looks at."""

from __future__ import annotations

import struct
import zlib
from operator import attrgetter
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from ..projects import Project

T = TypeVar("T")

# These numbers, then name and request, deflated together. What repeats is a number of `_Numbered`: the
# account, and the project's kind.
_NUMBERS = struct.Struct("<IIIddd")
_ACCOUNT = struct.Struct("<I")
_KIND = struct.Struct("<I")
_TIMES = struct.Struct("<ddd")
_TIMES_AT = _NUMBERS.size - _TIMES.size

# Requests of one operation resemble each other, so each is deflated against the first one's opening:
# a quarter of the size that plain deflate gives, in half its time.
_SAMPLE_SIZE = 2048
_WINDOW_BITS = -12  # 4 KiB, no header or checksum: the memory that each call sets up stays small
_MEMORY_LEVEL = 4


class _Kind(NamedTuple):
    """What many projects have in common."""

    operation_id: str
    plan: str
    credits: int
    outcome: str
    was_ended: bool
    settled: int | None
    width: int | None
    height: int | None
    fps: float | None
    seconds: float | None


_kind_of = attrgetter(*_Kind._fields)


class Packing:
    """Packs projects into rows and back. Any number of threads may call it; it needs no lock."""

    def __init__(self) -> None:
        """Start without any accounts, kinds or samples; they come with the projects and stay."""
        self._accounts = _Numbered[str]()
        self._kinds = _Numbered[_Kind]()
        self._samples: dict[str, _Sample] = {}

    def pack(self, project: Project) -> bytes:
        """Return a project as a row, without its id and the time of its deletion."""
        name = project.name.encode("utf-8", "surrogatepass")
        text = name + project.request
        kind = _Kind._make(_kind_of(project))
        numbers = _NUMBERS.pack(
            self._accounts.number(project.account_id),
            self._kinds.number(kind),
            len(name),
            project.created_at,
            project.rendering_at,
            project.finished_at,
        )
        sample = self._samples.get(project.operation_id)
        if sample is None:
            sample = self._samples.setdefault(project.operation_id, _Sample(text[:_SAMPLE_SIZE]))
        return numbers + sample.deflate(text)

    def unpack(self, project_id: str, row: bytes, deleted_at: float | None) -> Project:
        """Return the project of a row."""
        account, kind_number, name_size, *times = _NUMBERS.unpack_from(row)
        kind = self._kinds[kind_number]
        text = self._samples[kind.operation_id].inflate(row[_NUMBERS.size :])
        return Project(
            id=project_id,
            account_id=self._accounts[account],
            name=text[:name_size].decode("utf-8", "surrogatepass"),
            request=text[name_size:],
            created_at=times[0],
            rendering_at=times[1],
            finished_at=times[2],
            deleted_at=deleted_at,
            **kind._asdict(),
        )

    def kind_of(self, row: bytes) -> _Kind:
        """Return what a row has in common with others, without unpacking the rest."""
        (number,) = _KIND.unpack_from(row, _ACCOUNT.size)
        return self._kinds[number]

    def start_of(self, account_id: str) -> bytes:
        """Return what the rows of an account start with, and no others."""
        return _ACCOUNT.pack(self._accounts.number(account_id))


def times_of(row: bytes) -> tuple[float, float, float]:
    """Return when a row's project is created, renders and finishes, without unpacking the rest."""
    return _TIMES.unpack_from(row, _TIMES_AT)


class _Sample:
    """Deflates and inflates texts that resemble a sample."""

    def __init__(self, sample: bytes) -> None:
        self._sample = sample
        # Copied for each text, which takes less than to set one up.
        self._deflate = zlib.compressobj(
            1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, sample
        )

    def deflate(self, text: bytes) -> bytes:
        deflate = self._deflate.copy()
        return deflate.compress(text) + deflate.flush()

    def inflate(self, deflated: bytes) -> bytes:
        return zlib.decompressobj(_WINDOW_BITS, self._sample).decompress(deflated)


class _Numbered(Generic[T]):
    """Numbers for values that come again and again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: list[T] = []
        self._numbers: dict[T, int] = {}

    def __getitem__(self, number: int) -> T:
        return self._values[number]

    def number(self, value: T) -> int:
        known = self._numbers.get(value)
        if known is not None:
            return known
        with self._lock:
            if value not in self._numbers:
                self._values.append(value)  # first the value: a number that can be seen must have one
                self._numbers[value] = len(self._values) - 1
            return self._numbers[value]
