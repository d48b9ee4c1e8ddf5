"""A client in a process that stays alive, and speaks the protocol of docs/fuzz-protocol.md."""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bluehour.mock_server import interrupts

from ...loopback import without_proxies
from ..clock import ClientClock
from ..performance import Ending
from ..workers.python_worker import Task
from . import ClientError, Limits
from .ending import of_reply

_STARTS_WITHIN = 60.0
_STOPS_WITHIN = 2.0
"""Seconds that a worker has to end a task after it was told to stop."""

_LONGEST_LINE = 2**20
_MOST_OUTPUT = 64 * 2**10


class Worker:
    """The process.

    Args:
        command: starts it.
        name: for reports.
        call: how the command line says it.
        environment: variables for it beside our own.
    """

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        call: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.call = call or f"-- {name}"
        self._command = list(command)
        self._environment = {**os.environ, **without_proxies(), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._read_to = 0
        self._buffer = b""
        self._task = 0
        self.virtual = False
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def run(self, task: Task, clock: ClientClock, limits: Limits) -> Ending:
        """See `Client`. A worker that does not stop is ended, and another one started."""
        if self._process is None:
            self._start()
        self._task += 1
        try:
            self._tell({"task": self._task, **asdict(task)})
            reply = self._reply(clock, limits)
            return of_reply({**reply, "said": f"{reply.get('said') or ''}{self._past_it()}"}, Path(task.out))
        except TimeoutError:
            self._end()
            return Ending("late", output=self._past_it())
        except EOFError:
            output = self._past_it()
            self._end()
            return Ending("lost", error=last_line(output), kind="died", output=output)
        except ValueError as error:
            self._end()
            raise ClientError(f"{self.name} does not speak the protocol: {error}") from error

    def close(self) -> None:
        """See `Client`."""
        self._end()
        self._errors.close()

    def _start(self) -> None:
        with interrupts.held():
            self._launch()
        try:
            with interrupts.let_in():
                ready = self._hear(time.monotonic() + _STARTS_WITHIN)
        except (EOFError, TimeoutError, ValueError):
            message = last_line(self._past_it())
            self._end()
            raise ClientError(message or f"{self.name} did not say that it is ready") from None
        if "ready" not in ready:
            self._end()
            raise ClientError(f"{self.name} did not say that it is ready, but {json.dumps(ready)[:100]}")
        self.virtual = ready.get("clock") == "virtual"

    def _launch(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=self._environment,
                start_new_session=True,  # so that what it starts ends with it
            )
        except OSError as error:
            raise ClientError(f"{self._command[0]} can't be started: {error.strerror}") from error
        interrupts.children.add(self._process.pid)
        self._buffer = b""

    def _reply(self, clock: ClientClock, limits: Limits) -> dict[str, Any]:
        """Let it sleep as often as it wants to, until it ends or has had its time.

        Raises:
            TimeoutError: it does not end.
        """
        until = time.monotonic() + limits.real_seconds
        has_time = True
        while "sleep" in (message := self._hear(until)):
            # The sleep in which its time is over is its last: it may mean to end by itself.
            if has_time and limits.are_over(clock):
                has_time, until = False, time.monotonic() + _STOPS_WITHIN
            clock.sleep(_seconds(message["sleep"]))
            # One that has several threads may ask again after it was told to stop.
            self._tell({"slept": message["sleep"]} if has_time else {"stop": True})
        return message

    def _tell(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None  # noqa: S101 - it was started
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise EOFError from error

    def _hear(self, until: float) -> dict[str, Any]:
        """Return its next line.

        Raises:
            TimeoutError: none has come.
            EOFError: none will.
            ValueError: it is no JSON object.
        """
        while b"\n" not in self._buffer:
            self._buffer += self._read(until)
            if len(self._buffer) > _LONGEST_LINE:
                raise ValueError("a line never ends")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except RecursionError:
            raise ValueError(f"{line[:80]!r}… is nested too deeply") from None
        if not isinstance(message, dict):
            raise ValueError(f"{line[:80]!r} is no JSON object")  # noqa: TRY004 - as of any other bad line
        return message

    def _read(self, until: float) -> bytes:
        assert self._process is not None  # noqa: S101 - it was started
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
        data = os.read(self._process.stdout.fileno(), 2**16)
        if not data:
            raise EOFError
        return data

    def _end(self) -> None:
        with interrupts.held():
            process, self._process = self._process, None
            if process is not None:
                kill_group(process)

    def _past_it(self) -> str:
        """What was written past the protocol since it was read last, by the worker or what it has started."""
        size = os.fstat(self._errors.fileno()).st_size
        output = os.pread(self._errors.fileno(), min(size - self._read_to, _MOST_OUTPUT), self._read_to)
        self._read_to = size
        return output.decode(errors="replace")


def last_line(output: str) -> str:
    """Return the last line of an output that has something in it."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _seconds(seconds: Any) -> float:
    """Read how long a sleep is to be.

    Raises:
        ValueError: it is no number.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ValueError(f"no sleep takes {seconds!r} seconds")
    return float(seconds)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session, with all that it has started."""
    with suppress(ProcessLookupError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    interrupts.children.discard(process.pid)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):  # what was still to be told it
                stream.close()
