"""Group commit, on a disk that is a list: what is committed together, and who is told what."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from bluehour.mock_server.core.stores import StoreUnavailable
from bluehour.mock_server.core.stores.writer import Writer


class Session:
    """A transaction that is under way."""

    def __init__(self) -> None:
        self.written: list[str] = []

    @property
    def changes(self) -> int:
        return len(self.written)

    def write(self, word: str) -> str:
        self.written.append(word)
        return word


class Disk:
    """Keeps what is committed, by transaction, and what had been answered when it was."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.is_full = False
        self.answers: list[Future[Any]] = []
        self.answered_at_commit = 0
        self.writer = Writer(self.transaction)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        session = Session()
        yield session
        if self.is_full:
            raise StoreUnavailable("disk full")
        self.answered_at_commit += sum(answer.done() for answer in self.answers)
        self.commits.append(session.written)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Have what is submitted in here wait, and be made with the end of the block."""
        begins, ends = threading.Event(), threading.Event()

        def block(_: Session) -> None:
            begins.set()
            ends.wait()

        self.writer.submit(block)
        begins.wait()
        try:
            yield
        finally:
            ends.set()
            self.writer.close()
        del self.commits[0]

    def make_together(self, *changes: Callable[[Session], str]) -> list[Future[str]]:
        """Have changes wait until all are there, and return their answers once all are made."""
        with self.busy():
            self.answers = answers = [self.writer.submit(change) for change in changes]
        return answers


@pytest.fixture
def disk() -> Disk:
    return Disk()


def writing(word: str) -> Callable[[Session], str]:
    return lambda session: session.write(word)


def refused(_: Session) -> str:
    raise KeyError("refused")


def half_done(session: Session) -> str:
    session.write("half")
    raise ValueError("fails halfway")


def test_what_waits_is_committed_together(disk: Disk) -> None:
    answers = disk.make_together(*map(writing, "abc"))

    assert [answer.result() for answer in answers] == ["a", "b", "c"]
    assert disk.commits == [["a", "b", "c"]]


def test_nobody_is_answered_before_the_commit(disk: Disk) -> None:
    disk.make_together(writing("a"), refused, writing("b"))

    assert disk.answered_at_commit == 0


def test_what_is_refused_before_it_has_changed_anything_is_refused_alone(disk: Disk) -> None:
    first, second, third = disk.make_together(writing("a"), refused, writing("b"))

    assert (first.result(), third.result()) == ("a", "b")
    with pytest.raises(KeyError, match="refused"):
        second.result()
    assert disk.commits == [["a", "b"]]


def test_what_fails_halfway_is_undone_and_the_others_are_made_one_by_one(disk: Disk) -> None:
    first, second, third = disk.make_together(writing("a"), half_done, writing("b"))

    assert (first.result(), third.result()) == ("a", "b")
    with pytest.raises(ValueError, match="halfway"):
        second.result()
    assert disk.commits == [["a"], ["b"]]


def test_where_nothing_can_be_committed_all_are_told_and_nothing_is_tried_again(disk: Disk) -> None:
    calls: list[str] = []

    def fill(session: Session) -> str:
        disk.is_full = True
        calls.append("made")
        return session.write("a")

    answers = disk.make_together(fill, writing("b"))

    for answer in answers:
        with pytest.raises(StoreUnavailable, match="disk full"):
            answer.result()
    assert (calls, disk.commits) == (["made"], [])


def test_a_change_that_nobody_waits_for_any_more_is_not_made(disk: Disk) -> None:
    with disk.busy():
        canceled = disk.writer.submit(writing("a")).cancel()
        other = disk.writer.submit(writing("b"))

    assert canceled
    assert (other.result(), disk.commits) == ("b", [["b"]])


def test_who_waits_for_another_of_the_same_commit_can_still_give_up(disk: Disk) -> None:
    comes_first, gave_up = threading.Event(), threading.Event()

    def first(session: Session) -> str:
        comes_first.set()
        gave_up.wait()
        return half_done(session)

    def give_up() -> None:
        comes_first.wait()
        waiting.cancel()
        gave_up.set()

    with disk.busy():
        failing, waiting = disk.writer.submit(first), disk.writer.submit(writing("a"))
        threading.Thread(target=give_up).start()

    assert isinstance(failing.exception(), ValueError)
    assert waiting.cancelled()
    assert not any(disk.commits)


def test_a_closed_writer_begins_again(disk: Disk) -> None:
    for word in "ab":
        disk.writer.submit(writing(word))
        disk.writer.close()
        disk.writer.close()

    assert disk.commits == [["a"], ["b"]]
