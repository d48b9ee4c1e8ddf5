"""A worker as `bluehour work` starts one; its stage says that it edits, and waits for a file to go on."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from bluehour.mock_server.rendering import JobFailed
from bluehour.mock_server.rendering.elsewhere import Drawn, Elsewhere
from bluehour.mock_server.server.working import Work, run


class Slow(Elsewhere):
    def __init__(self, go_on: Path) -> None:
        self._go_on = go_on

    def edit(self, loaded: Sequence[Drawn]) -> list[Drawn | JobFailed]:
        click.echo("editing")
        while not self._go_on.exists():
            time.sleep(0.02)
        return [*loaded]

    def encode(self, edited: Drawn) -> bytes:
        click.echo("edited")
        return super().encode(edited)


if __name__ == "__main__":
    store, assets, go_on = sys.argv[1:]
    run(Work(store, Path(assets), lost_after=1), "", lambda line: None, Slow(Path(go_on)))
