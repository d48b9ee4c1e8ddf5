"""Ctrl-C at moments that matter: where Python drops it, and from the first moment of a command on."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "bluehour"]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who handles which signal")


def lost_in_a_finalizer() -> None:
    """Have Ctrl-C come while a finalizer runs, as http.client has one."""

    class Finalized:
        def __del__(self) -> None:
            _interrupt()

    with _dropped():
        Finalized()


def lost_in_a_collection() -> None:
    """Have Ctrl-C come while a function of `gc.callbacks` runs, as hypothesis has one."""

    def called(phase: str, info: dict[str, int]) -> None:
        gc.callbacks.remove(called)
        _interrupt()

    with _dropped():
        gc.callbacks.append(called)
        gc.collect()


LOST = (lost_in_a_finalizer, lost_in_a_collection)


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)
    for _ in range(1000):  # at the latest here Python calls the handler
        pass


@contextmanager
def _dropped() -> Iterator[None]:
    """See to it that a KeyboardInterrupt is dropped in here."""
    seen: list[Any] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda what: seen.append(what.exc_type)
    try:
        yield
    finally:
        sys.unraisablehook = before
    assert seen == [KeyboardInterrupt]


@contextmanager
def in_the_background(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a shell does that has no job control: Ctrl-C is ignored until somebody listens."""

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")},
        preexec_fn=ignore,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until_it_listens(process: subprocess.Popen[str]) -> None:
    """Return once a process that was started in the background handles Ctrl-C."""
    while process.poll() is None and not _signals(process, "SigCgt"):
        time.sleep(0.001)


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, and return once the process has it."""
    process.send_signal(signal.SIGINT)
    while process.poll() is None and _signals(process, "ShdPnd"):
        time.sleep(0.001)


def _signals(process: subprocess.Popen[str], which: str) -> bool:
    """Whether Ctrl-C is among those signals of a process, as of `SigCgt`, the caught ones."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:  # it has ended
        return False
    found = re.search(rf"{which}:\s*(\w+)", status)
    return found is not None and bool(int(found[1], 16) & 1 << signal.SIGINT - 1)
