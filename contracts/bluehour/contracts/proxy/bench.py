"""Where the judge sits: a thread that takes what has passed, in order, after its client has been answered.

what has passed -> a case -> broken rules of the answer, faults of the request -> journal, tally, terminal
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from bluehour.mock_server.mock import Mock
from bluehour.openapi.faults import Fault
from bluehour.openapi.routes import Routes

from ..judge import Judge, Violation
from .case import Case, case_of
from .links import Links
from .passed import Passed
from .recording import faults_in, recorded
from .tally import Tally

log = logging.getLogger("bluehour")

_MOST_WAITING = 64 * 2**20
"""Bytes of what waits to be judged. Beyond, clients wait as well: memory has a bound."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a request and its answer; no credential is in it."""

    method: str
    path: str
    status: int
    seconds: float
    note: Mapping[str, Any]
    faults: tuple[Fault, ...]
    violations: tuple[Violation, ...]
    remarks: tuple[str, ...]


class Bench:
    """Judges what passes.

    Args:
        mock: whose journal it goes into, and whose contract it is judged by.
        upstream: the base URL of who answers.
        write: called with each verdict, in the thread that judges.
    """

    def __init__(self, mock: Mock, upstream: str, write: Callable[[Verdict], None]) -> None:
        self.tally = Tally()
        self._mock = mock
        self._upstream = upstream
        self._write = write
        self._judge = Judge(mock.world.contract)
        self._judged = 0
        self._routes = Routes(mock.world.contract)
        self._links = Links()
        self._secrets = mock.secrets
        self._queue: SimpleQueue[Passed | None] = SimpleQueue()
        self._backlog = _Backlog()
        self._thread = Thread(target=self._work, name="bluehour-judge", daemon=True)

    def start(self) -> None:
        """Begin. `take` and `ready` are for the event loop that runs now."""
        self._backlog.start()
        self._thread.start()

    def take(self, passed: Passed) -> None:
        """Take what has passed."""
        self._backlog.add(passed.weight)
        self._queue.put(passed)

    async def ready(self) -> None:
        """Return once no more is waiting than memory allows."""
        await self._backlog.has_room.wait()

    def close(self, patience: float) -> None:
        """Judge what is waiting and end, or leave it at that after some seconds."""
        self._queue.put(None)
        self._thread.join(patience)

    def _work(self) -> None:
        while (passed := self._queue.get()) is not None:
            try:
                self._judge_and_tell(passed)
            except Exception:
                log.exception("a request could not be judged, which is a bug of the proxy")
            self._backlog.remove(passed.weight)

    def _judge_and_tell(self, passed: Passed) -> None:
        self._secrets.learn_from(passed.request_headers)
        case = case_of(passed, self._routes, self._links)
        violations = self._violations(case)
        note = {key: self._secrets.hide(v) if isinstance(v, str) else v for key, v in case.note.items()}
        kept = recorded(case, note, violations, self._mock)
        faults = faults_in(case, kept, self._secrets)
        if self._mock.journal is not None:
            self._mock.journal.record(kept)
        self.tally.add(case.where, faults, violations)
        self._write(
            Verdict(
                method=passed.method,
                path=self._secrets.hide(passed.request.path),
                status=passed.status,
                seconds=passed.seconds,
                note=note,
                faults=tuple(faults),
                violations=tuple(violations),
                remarks=tuple(case.remarks),
            )
        )

    def _violations(self, case: Case) -> list[Violation]:
        if not case.can_be_judged:
            return []
        self._judged += 1
        if case.operation is not None and case.answer_body:
            self._links.learn(case.answer_body)
        found = self._judge.observe(case.exchange(self._judged, self._upstream))
        return [replace(each, message=self._secrets.hide(each.message), related=()) for each in found]


class _Backlog:
    """How much is waiting, kept by the event loop that adds and the thread that removes.

    Attributes:
        has_room: set as long as more may be added.
    """

    def __init__(self) -> None:
        self.has_room = asyncio.Event()
        self.has_room.set()
        self._lock = Lock()
        self._bytes = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def add(self, size: int) -> None:
        with self._lock:
            self._bytes += size
        self._look()

    def remove(self, size: int) -> None:
        with self._lock:
            self._bytes -= size
            was_full = self._bytes + size > _MOST_WAITING
        if was_full and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits
                self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        if self._bytes > _MOST_WAITING:
            self.has_room.clear()
        else:
            self.has_room.set()
