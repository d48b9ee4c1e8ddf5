"""How the memory store keeps a project small: as one bytes object, a third of the dataclass's size, that the
garbage collector never looks at."""

from __future__ import annotations

import struct
import zlib
from threading import Lock

from ..projects import Project

# These numbers, then name and request, deflated together. What repeats (account, operation, plan, outcome) is
# a number of `_Words`.
_NUMBERS = struct.Struct("<IIIII?qddd")
_ACCOUNT = struct.Struct("<I")
_KIND = struct.Struct("<II")
_TIMES = struct.Struct("<ddd")
_TIMES_AT = _NUMBERS.size - _TIMES.size

# Requests of one operation resemble each other, so each is deflated against the first one's opening:
# a quarter of the size that plain deflate gives, in half its time.
_SAMPLE_SIZE = 2048
_WINDOW_BITS = -12  # 4 KiB, no header or checksum: the memory that each call sets up stays small
_MEMORY_LEVEL = 4


class Packing:
    """Packs projects into rows and back. Any number of threads may call it; it needs no lock."""

    def __init__(self) -> None:
        """Start without any words or samples; they come with the projects and stay."""
        self._words = _Words()
        self._samples: dict[str, bytes] = {}

    def pack(self, project: Project) -> bytes:
        """Return a project as a row, without its id and the time of its deletion."""
        name = project.name.encode("utf-8", "surrogatepass")
        text = name + project.request
        numbers = _NUMBERS.pack(
            self._words.number(project.account_id),
            self._words.number(project.operation_id),
            self._words.number(project.plan),
            self._words.number(project.outcome),
            len(name),
            project.was_ended,
            project.credits,
            project.created_at,
            project.rendering_at,
            project.finished_at,
        )
        sample = self._samples.setdefault(project.operation_id, text[:_SAMPLE_SIZE])
        deflate = zlib.compressobj(
            1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, sample
        )
        return numbers + deflate.compress(text) + deflate.flush()

    def unpack(self, project_id: str, row: bytes, deleted_at: float | None) -> Project:
        """Return the project of a row."""
        account, operation, plan, outcome, name_size, was_ended, credits_, *times = _NUMBERS.unpack_from(row)
        operation_id = self._words[operation]
        inflate = zlib.decompressobj(_WINDOW_BITS, self._samples[operation_id])
        text = inflate.decompress(row[_NUMBERS.size :])
        return Project(
            id=project_id,
            account_id=self._words[account],
            operation_id=operation_id,
            plan=self._words[plan],
            name=text[:name_size].decode("utf-8", "surrogatepass"),
            credits=credits_,
            request=text[name_size:],
            created_at=times[0],
            rendering_at=times[1],
            finished_at=times[2],
            outcome=self._words[outcome],
            deleted_at=deleted_at,
            was_ended=was_ended,
        )

    def kind_of(self, row: bytes) -> tuple[str, str]:
        """Return a row's operation and plan, without unpacking the rest."""
        operation, plan = _KIND.unpack_from(row, _ACCOUNT.size)
        return self._words[operation], self._words[plan]

    def start_of(self, account_id: str) -> bytes:
        """Return what the rows of an account start with, and no others."""
        return _ACCOUNT.pack(self._words.number(account_id))


def times_of(row: bytes) -> tuple[float, float, float]:
    """Return when a row's project is created, renders and finishes, without unpacking the rest."""
    return _TIMES.unpack_from(row, _TIMES_AT)


class _Words:
    """Numbers for strings that come again and again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._words: list[str] = []
        self._numbers: dict[str, int] = {}

    def __getitem__(self, number: int) -> str:
        return self._words[number]

    def number(self, word: str) -> int:
        known = self._numbers.get(word)
        if known is not None:
            return known
        with self._lock:
            if word not in self._numbers:
                self._words.append(word)  # first the word: a number that can be seen must have one
                self._numbers[word] = len(self._words) - 1
            return self._numbers[word]
