"""How far a check is, and the showing of it: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

import click

from ..exchange import Exchange

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 5.0


@dataclass
class Progress:
    """How far a check is. By itself it shows nothing.

    Attributes:
        part: what the check is at.
        detail: what in particular; nothing where the part says it all.
        done, parts: how many parts are over, of how many.
        requests: that were sent, and those of each part.
        spent, left: credits.
        findings: how many there are.
    """

    part: str = ""
    detail: str = ""
    done: int = 0
    parts: int = 1
    requests: int = 0
    spent: int = 0
    left: int = 0
    findings: int = 0
    part_of: dict[int, str] = field(default_factory=dict)

    def begin(self, part: str, done: int, parts: int) -> None:
        """Begin a part."""
        self.part, self.detail, self.done, self.parts = part, "", done, parts
        self.show()

    def say(self, detail: str) -> None:
        """Say what takes its time."""
        self.detail = detail
        self.show()

    def note(self, exchange: Exchange, left: int, findings: int) -> None:
        """Take note of a call."""
        self.requests, self.spent, self.left, self.findings = exchange.number, exchange.spent, left, findings
        self.part_of[exchange.number] = self.part
        self.show()

    def show(self) -> None:
        """Show it; called whenever something has changed."""

    @property
    def requests_by_part(self) -> Counter[str]:
        """How many requests each part has sent."""
        return Counter(self.part_of.values())

    def __str__(self) -> str:
        """Tell it in a line."""
        found = f"{self.findings} findings" if self.findings != 1 else "1 finding"
        doing = f"{self.part}: {self.detail}" if self.detail else self.part
        return f"{self.requests:,} requests  {self.spent} credits spent, {self.left} left  {found}  {doing}"


@contextmanager
def shown_on(stream: TextIO) -> Iterator[Progress]:
    """Give a progress that is shown on a stream: a bar where it is a terminal."""
    if not stream.isatty():
        yield _Lines(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=Console(file=stream), transient=True) as bar:
        yield _OnTerminal(bar, bar.add_task("", total=1.0))


class _OnTerminal(Progress):
    def __init__(self, bar: Bar, task: TaskID) -> None:
        super().__init__()
        self._bar = bar
        self._task = task

    def show(self) -> None:
        self._bar.update(self._task, total=self.parts, completed=self.done, description=str(self))


class _Lines(Progress):
    """For logs: a line every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._next_at = time.monotonic() + _SECONDS_BETWEEN_LINES

    def show(self) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _SECONDS_BETWEEN_LINES
            click.echo(str(self), file=self._stream)
