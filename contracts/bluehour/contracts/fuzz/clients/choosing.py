"""Which client a command line means: a file for a ready worker, a worker of one's own, any command."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from . import Client, ClientError
from .command import Command
from .crash_signs import CrashSigns
from .worker import Worker

WORKERS = Path(__file__).parents[1] / "workers"
_PYTHON = WORKERS / "python_worker.py"
_NODE = WORKERS / "node_worker.cjs"
_FILE = re.compile(r"(?P<file>.+\.(?P<kind>py|js|mjs|cjs))(?::(?P<function>\w+))?")


def client_of(
    command: Sequence[str], *, is_worker: bool, interpreter: str | None, signs: CrashSigns
) -> Client:
    """Start the client that a command line means.

    Args:
        command: its words.
        is_worker: whether it speaks the protocol of docs/fuzz-protocol.md.
        interpreter: what runs a file, where it is not this Python or the `node` of the path.
        signs: how a command's crash is told.

    Raises:
        ClientError: it can't be started.
    """
    if is_worker:
        return Worker(command, shlex.join(command), f"--worker -- {shlex.join(command)}")
    named = _FILE.fullmatch(command[0]) if len(command) == 1 else None
    if named is None:
        return Command(command, signs)
    if not Path(named["file"]).is_file():
        raise ClientError(f"there is no file {named['file']}")
    runs = [sys.executable, str(_PYTHON)] if named["kind"] == "py" else ["node", str(_NODE)]
    name, call = command[0], f"-- {shlex.quote(command[0])}"
    if interpreter is not None:
        runs[0], call = interpreter, f"--interpreter {shlex.quote(interpreter)} {call}"
    return Worker([*runs, name], name, call)
