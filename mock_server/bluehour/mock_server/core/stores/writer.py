"""Group commit: one thread makes all changes to a database, and commits together what came meanwhile.

To commit costs more than most changes, and threads that write in turns spend their time in handing the file
over. So whoever has something to change leaves it here and waits; the writer takes all that wait, makes one
transaction of them, and answers each once that is on disk. An interrupt (Ctrl-C) is raised in the threads
that wait, never amid a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, Protocol, TypeVar

from . import StoreUnavailable

_MOST_AT_ONCE = 200


class Changing(Protocol):
    """What a change is made on, in a transaction."""

    @property
    def changes(self) -> int:
        """How many statements have changed something since it was opened."""


Session = TypeVar("Session", bound=Changing)
Result = TypeVar("Result")


class _Change(NamedTuple):
    make: Callable[[Any], Any]
    future: Future[Any]


class Writer:
    """Makes changes one after the other, in a thread that starts with the first one and ends with `close`.

    Args:
        transaction: opens a transaction; it commits where its block ends, and raises StoreUnavailable, or
            rolls back, where it can't. Used by the writer's thread alone.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Session]]) -> None:
        self._transaction = transaction
        self._lock = Lock()
        self._changes: SimpleQueue[_Change | None] = SimpleQueue()
        self._thread: Thread | None = None

    def submit(self, make: Callable[[Session], Result]) -> Future[Result]:
        """Have a change made; its future has what `make` returns once that is on disk, or what it raises.

        Args:
            make: makes the change on the session it gets. It may be called twice, as if never before: where
                another one fails that was to be committed with it.
        """
        future: Future[Result] = Future()
        with self._lock:
            if self._thread is None:
                self._changes = SimpleQueue()
                self._thread = Thread(
                    target=self._work, args=(self._changes,), name="bluehour-writer", daemon=True
                )
                self._thread.start()
            self._changes.put(_Change(make, future))
        return future

    def close(self) -> None:
        """Make the changes that wait, and end the thread; the next change starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._changes.put(None)
        if thread is not None:
            thread.join()

    def _work(self, changes: SimpleQueue[_Change | None]) -> None:
        while (change := changes.get()) is not None:
            group = [change]
            with suppress(Empty):
                while len(group) < _MOST_AT_ONCE and (change := changes.get_nowait()) is not None:
                    group.append(change)
            if change is None:
                changes.put(None)  # for the loop's condition
            self._make([each for each in group if each.future.set_running_or_notify_cancel()])

    def _make(self, group: Sequence[_Change]) -> None:
        """Make changes in one transaction; where one fails halfway, each in a transaction of its own."""
        try:
            with self._transaction() as session:
                answers = [_answer(change, session) for change in group]
        except StoreUnavailable as error:
            for change in group:
                change.future.set_exception(StoreUnavailable(*error.args))
        except Exception as error:
            if len(group) == 1:
                group[0].future.set_exception(error)
            else:
                for change in group:
                    self._make([change])
        else:
            for answer in answers:
                answer()


def _answer(change: _Change, session: Changing) -> Callable[[], None]:
    """Make a change, and return what tells its caller of the result: not before it is on disk.

    Raises:
        Exception: it failed when it had changed something, which is to be undone.
    """
    before = session.changes
    try:
        result = change.make(session)
    except StoreUnavailable:
        raise
    except Exception as error:
        if session.changes != before:
            raise
        refusal = error
        return lambda: change.future.set_exception(refusal)
    return lambda: change.future.set_result(result)
