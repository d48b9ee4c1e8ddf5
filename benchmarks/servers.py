"""The servers that are measured: how each is started, awaited, weighed and stopped."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.load import Post
from bluehour.openapi.document import MAGIC_HOUR

_PRISM = "@stoplight/prism-cli"
_PRISM_VERSION = "5.14.2"  # the last that says to run on Node 18 to 22
_PRISM_FOLDER = Path(__file__).parents[1] / ".cache" / "bench" / "prism"

_PATIENCE = 60.0
_POLL_SECONDS = 0.002

# Settings of the machine that would tilt a comparison: the servers run as on a fresh one.
_TILTING = ("BLUEHOUR_", "PYTHON", "NODE_")


class ServerError(Exception):
    """A server can't be had, or does not answer; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server to measure.

    Attributes:
        name: what the report calls it.
        version: its own.
        command: what starts it; the word PORT stands for its port.
    """

    name: str
    version: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Up:
    """A server that answers."""

    candidate: Candidate
    pid: int
    port: int
    first_200: float
    """Seconds from the process's start to the first 200."""


def bluehour(*options: str, name: str = "Bluehour") -> Candidate:
    """Return this project's server, as installed beside the running Python."""
    program = Path(sys.executable).with_name("bluehour")
    return Candidate(name, version("bluehour"), (str(program), "serve", "--port", "PORT", *options))


def prism() -> Candidate:
    """Return Prism with its default settings; installed into the project's cache where it isn't yet.

    Raises:
        ServerError: there is no npm, or the installation failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ServerError("npm is not installed")
    if _installed_prism() != _PRISM_VERSION:
        _install_prism(npm)
    program = _PRISM_FOLDER / "node_modules" / ".bin" / "prism"
    return Candidate("Prism", _PRISM_VERSION, (str(program), "mock", "-p", "PORT", str(MAGIC_HOUR)))


def _installed_prism() -> str | None:
    manifest = _PRISM_FOLDER / "node_modules" / _PRISM / "package.json"
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    return None


def _install_prism(npm: str) -> None:
    _PRISM_FOLDER.mkdir(parents=True, exist_ok=True)
    options = ("--no-fund", "--no-audit", "--loglevel=error", "--prefix", str(_PRISM_FOLDER))
    command = [npm, "install", *options, f"{_PRISM}@{_PRISM_VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ServerError(
            f"npm could not install {_PRISM} {_PRISM_VERSION}: {said[0] if said else 'no word'}"
        )


@contextmanager
def running(candidate: Candidate, post: Post, log: Path) -> Iterator[Up]:
    """Start a server on a free port, wait for its first 200 to the request, and stop it at the end.

    Raises:
        ServerError: it ended, or did not answer with a 200 in a minute.
    """
    port = _free_port()
    command = [str(port) if word == "PORT" else word for word in candidate.command]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_TILTING)}
    with log.open("ab") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    try:
        _await_200(candidate, process, port, post, log)
        yield Up(candidate, process.pid, port, time.perf_counter() - started)
    finally:
        _stop(process)


def check(up: Up, post: Post) -> None:
    """Send the request once.

    Raises:
        ServerError: the answer is not a 200.
    """
    with suppress(OSError, http.client.HTTPException):
        status = _status(up.port, post)
        if status == 200:
            return
        raise ServerError(f"{up.candidate.name} answers {status}, not 200")
    raise ServerError(f"{up.candidate.name} does not answer any more")


def tree_of(pid: int) -> set[int]:
    """Return a process and all that it has started, and these; none where there is no /proc."""
    parents: dict[int, int] = {}
    for name in filter(str.isdecimal, os.listdir("/proc") if Path("/proc/self/stat").exists() else ()):
        with suppress(OSError):
            # The process's name, in parentheses, may hold anything; the parent's id is second after it.
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    if pid not in parents:
        return set()
    tree = {pid}
    while grown := {each for each, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    return tree


def resident_bytes(up: Up) -> int | None:
    """Return the memory that a server's processes have resident, summed; None where there is no /proc."""
    tree = tree_of(up.pid)
    return sum(map(_resident_bytes, tree)) if tree else None


def _resident_bytes(pid: int) -> int:
    with suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_200(
    candidate: Candidate, process: subprocess.Popen[bytes], port: int, post: Post, log: Path
) -> None:
    give_up_at = time.monotonic() + _PATIENCE
    reason = "no answer"
    while time.monotonic() < give_up_at:
        try:
            status = _status(port, post)
        except (OSError, http.client.HTTPException):
            pass
        else:
            if status == 200:
                return
            reason = f"the last answer was a {status}"
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise ServerError(f"{candidate.name} ended at its start: {said[-1] if said else 'no word'}")
        time.sleep(_POLL_SECONDS)
    raise ServerError(f"{candidate.name} gave no 200 in {_PATIENCE:.0f} s: {reason}")


def _status(port: int, post: Post) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("POST", post.path, post.body, dict(post.headers))
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):  # whatever is left of its session, which is its own
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
