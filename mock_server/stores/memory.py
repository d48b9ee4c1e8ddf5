"""The default store: one process's dicts behind a lock, packed small because benchmarks leave projects by the
hundred thousand in it."""

from __future__ import annotations

import secrets
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from threading import Lock

from ..accounts import Account, Entry, InsufficientCredits, entries_of
from ..assets import Upload
from ..projects import Project

# A project is kept as one bytes object: these numbers, then its name and request, deflated together.
# What repeats (account, operation, plan, error) is a number of `_Words`. That costs about a third of
# the dataclass, and the garbage collector never looks at bytes.
_NUMBERS = struct.Struct("<IIIIIqddd")
_ACCOUNT = struct.Struct("<I")

# Requests of one operation resemble each other, so each is deflated against the first one's opening:
# a quarter of the size that plain deflate gives, in half its time.
_SAMPLE_SIZE = 2048
_WINDOW_BITS = -12  # 4 KiB, no header or checksum: the memory that each call sets up stays small
_MEMORY_LEVEL = 4

_NOBODY = Account("", "", 0)


class MemoryStore:
    """Keeps everything in this process; gone when it ends."""

    def __init__(self) -> None:
        """Start empty, with a secret of its own."""
        self._lock = Lock()
        self._words = _Words()
        self._samples: dict[str, bytes] = {}
        self._ledgers: dict[str, _Ledger] = {}
        self._projects: dict[str, bytes] = {}
        self._deleted: dict[str, float] = {}
        self._uploads: dict[str, tuple[str, float, float | None, str | None]] = {}
        self._secret = secrets.token_bytes(32)

    def open_account(self, account: Account, at: float) -> Account:
        """Return the stored account of that id; where there is none, store this one."""
        with self._lock:
            ledger = self._ledgers.get(account.id)
            if ledger is None:
                ledger = self._ledgers[account.id] = _Ledger(account, at)
                ledger.add(account.credits, at)
            return ledger.account

    def balance(self, account_id: str, at: float) -> int:
        """Return the sum of the account's ledger entries up to and at `at`."""
        with self._lock:
            ledger = self._ledgers.get(account_id)
            return ledger.balance(at) if ledger else 0

    def entries(self, account_id: str) -> list[Entry]:
        """Return the account's ledger, by time; it is derived from the projects, not kept beside them."""
        start = _ACCOUNT.pack(self._words.number(account_id))
        with self._lock:
            ledger = self._ledgers.get(account_id)
            rows = [(id_, row) for id_, row in self._projects.items() if row.startswith(start)]
        entries = [Entry(account_id, None, ledger.account.credits, ledger.opened_at)] if ledger else []
        for id_, row in rows:
            entries.extend(entries_of(self._unpack(id_, row, None)))
        return sorted(entries, key=lambda entry: entry.at)

    def add_project(self, project: Project) -> int:
        """Store a project, charge it, and return the balance that leaves.

        Raises:
            InsufficientCredits: the charge would take the balance below zero, at the project's
                `created_at` or at a later time that another create has already been charged at.
        """
        row = self._pack(project)  # before the lock: zlib lets other threads run meanwhile
        with self._lock:
            ledger = self._ledgers.get(project.account_id) or _Ledger(_NOBODY, project.created_at)
            lowest = ledger.lowest_from(project.created_at)
            if lowest < project.credits:
                raise InsufficientCredits(lowest)
            for entry in entries_of(project):
                ledger.add(entry.amount, entry.at)
            self._projects[project.id] = row
            if project.deleted_at is not None:
                self._deleted[project.id] = project.deleted_at
            return ledger.balance(project.created_at)

    def project(self, project_id: str) -> Project | None:
        """Return a project, deleted ones too, or None."""
        with self._lock:
            row = self._projects.get(project_id)
            deleted_at = self._deleted.get(project_id)
        return None if row is None else self._unpack(project_id, row, deleted_at)

    def delete_project(self, project_id: str, at: float) -> None:
        """Mark a project as deleted at `at`; the first time stays, and an unknown id is no error."""
        with self._lock:
            if project_id in self._projects:
                self._deleted.setdefault(project_id, at)

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        """Store uploads, each in place of the one with its path."""
        rows = {
            each.path: (each.account_id, each.issued_at, each.uploaded_at, each.error) for each in uploads
        }
        with self._lock:
            self._uploads.update(rows)

    def upload(self, path: str) -> Upload | None:
        """Return the upload that was issued under this file path, or None."""
        with self._lock:
            row = self._uploads.get(path)
        return None if row is None else Upload(path, *row)

    def secret(self) -> bytes:
        """Return this store's random 32 bytes."""
        return self._secret

    def close(self) -> None:
        """Do nothing: there are no files or connections."""

    def _pack(self, project: Project) -> bytes:
        name = project.name.encode("utf-8", "surrogatepass")
        text = name + project.request
        numbers = _NUMBERS.pack(
            self._words.number(project.account_id),
            self._words.number(project.operation_id),
            self._words.number(project.plan),
            self._words.number(project.error or ""),
            len(name),
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

    def _unpack(self, project_id: str, row: bytes, deleted_at: float | None) -> Project:
        account, operation, plan, error, name_size, credits_, *times = _NUMBERS.unpack_from(row)
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
            error=self._words[error] or None,
            deleted_at=deleted_at,
        )


class _Words:
    """Numbers for strings that come again and again; 0 is the empty one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._words = [""]
        self._numbers = {"": 0}

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


@dataclass(slots=True)
class _Ledger:
    """An account's balance over time, to look up rather than add up.

    `sums[i]` is the balance from `times[i]` on. Credits that lie ahead of the last time wait in
    `planned`, a heap, so that a create appends to the arrays' end and need not correct what follows.
    """

    account: Account
    opened_at: float
    times: array[float] = field(default_factory=lambda: array("d", [-inf]))
    sums: array[int] = field(default_factory=lambda: array("q", [0]))
    planned: list[tuple[float, int]] = field(default_factory=list)

    def balance(self, at: float) -> int:
        """Return the balance at `at`, which may be earlier than one asked before."""
        return self.sums[self._settle(at) - 1]

    def lowest_from(self, at: float) -> int:
        """Return the lowest balance at `at` and ever after; what is planned can only raise it."""
        return min(self.sums[self._settle(at) - 1 :])

    def add(self, amount: int, at: float) -> None:
        """Let an amount count from `at` on."""
        if amount > 0 and at > self.times[-1]:
            heappush(self.planned, (at, amount))
            return
        self._settle(at)
        self._count(amount, at)

    def _settle(self, at: float) -> int:
        """Move what is due by `at` into the arrays; return how many of their times are not after `at`."""
        while self.planned and self.planned[0][0] <= at:
            due, amount = heappop(self.planned)
            self._count(amount, due)
        return bisect_right(self.times, at)

    def _count(self, amount: int, at: float) -> None:
        place = bisect_right(self.times, at) - 1
        if self.times[place] != at:  # one place per time, so that no sum is halfway through its moment
            self.times.insert(place + 1, at)
            self.sums.insert(place + 1, self.sums[place])
            place += 1
        for later in range(place, len(self.sums)):
            self.sums[later] += amount
