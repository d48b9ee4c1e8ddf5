"""How far something is, shown while it runs: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from bluehour.mock_server.terminal import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 5.0


class Display:
    """Where it is shown. By itself nowhere."""

    def show(self, done: float, of: float, message: object) -> None:
        """Show how much is done, and what is being done; `message` is made a text only if it is shown."""


@contextmanager
def display_on(stream: TextIO) -> Iterator[Display]:
    """Give a display on a stream: a bar where it is a terminal."""
    if not is_terminal(stream):
        yield _Lines(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("left", style="dim"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Bar(*columns, console=Console(file=stream), transient=True) as bar:
        yield _OnTerminal(bar, bar.add_task("", total=1.0))


class _OnTerminal(Display):
    def __init__(self, bar: Bar, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def show(self, done: float, of: float, message: object) -> None:
        self._bar.update(self._task, total=of, completed=done, description=str(message))


class _Lines(Display):
    """For logs: a line every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next_at = time.monotonic() + _SECONDS_BETWEEN_LINES

    def show(self, done: float, of: float, message: object) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _SECONDS_BETWEEN_LINES
            click.echo(str(message), file=self._stream)
