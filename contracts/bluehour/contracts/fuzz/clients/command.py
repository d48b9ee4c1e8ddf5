"""A client that is any command: a new process for every script."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from bluehour.mock_server import interrupts

from ...loopback import without_proxies
from ..clock import ClientClock
from ..performance import Ending
from ..workers.python_worker import Task
from . import ClientError, Limits
from .crash_signs import CrashSigns
from .ending import media_among, saved
from .worker import kill_group, last_line

_MOST_OUTPUT = 64 * 2**10


class Command:
    """The command; `{url}`, `{token}` and so on in its arguments are filled in with what a task has.

    The same stand in the variables BLUEHOUR_URL, BLUEHOUR_TOKEN and so on; a request as JSON.
    """

    virtual = False

    def __init__(self, command: Sequence[str], signs: CrashSigns) -> None:
        self.name = shlex.join(command)
        self.call = f"-- {self.name}"
        self._command = list(command)
        self._signs = signs

    def run(self, task: Task, clock: ClientClock, limits: Limits) -> Ending:
        """See `Client`."""
        values = {name: _text(value) for name, value in asdict(task).items()}
        command = [_filled(part, values) for part in self._command]
        variables = {f"BLUEHOUR_{name.upper()}": value for name, value in values.items()}
        with tempfile.TemporaryFile() as file:
            with interrupts.held():  # so that what is started is ended
                try:
                    process = subprocess.Popen(  # noqa: S603 - the user's own command
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=file,
                        stderr=subprocess.STDOUT,
                        env=os.environ | without_proxies() | variables,
                        start_new_session=True,
                    )
                except OSError as error:
                    raise ClientError(f"{command[0]} can't be started: {error.strerror}") from error
                interrupts.children.add(process.pid)
                code = _ended(process, min(limits.seconds, limits.real_seconds))
            file.seek(0)
            output = file.read(_MOST_OUTPUT).decode(errors="replace")
        return self._ending(code, output, Path(task.out))

    def close(self) -> None:
        """See `Client`."""

    def _ending(self, code: int | None, output: str, out: Path) -> Ending:
        if code is None:
            return Ending("late", output=output)
        if code == 0:
            there = saved(out)
            return Ending("done", files=media_among(there), kept=frozenset(there.values()), output=output)
        outcome: Literal["crashed", "refused"] = "crashed" if self._signs.show_in(code, output) else "refused"
        return Ending(
            outcome, error=last_line(output) or f"exit code {code}", kind=f"exit code {code}", output=output
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _filled(part: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(f"{{{name}}}", value)
    return part


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Its exit code; None where it had to be ended."""
    try:
        with interrupts.let_in():
            return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        kill_group(process)
