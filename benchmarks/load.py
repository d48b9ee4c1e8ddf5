"""Load: one request sent again and again over connections that are kept alive, by wrk or else by oha."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

_OPERATION = "aiFaceEditor.editImage"
_TOKEN = "mhk_test_business_900000000000"  # credits for any number of creates


class LoadError(Exception):
    """The load can't be made; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Post:
    """The request that is sent."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    tokens: tuple[str, ...] = ()
    """Where there are some, each request has the next of them."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run. Latencies are in milliseconds."""

    requests: int
    requests_per_second: float
    p50: float
    p99: float
    errors: int
    """Answers other than a success, and connections that failed."""


class Generator(Protocol):
    """A program that makes load."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def run(self, post: Post, port: int, seconds: int, connections: int, folder: Path) -> Run:
        """Send the request as often as can be; `folder` is for what the program must read from a file.

        Raises:
            LoadError: the program failed.
        """


def face_edit() -> Post:
    """Return a create of the face editor, the contract's own example with every field of its style."""
    operation = load().operation(_OPERATION)
    media = operation.json_body
    if not media:
        raise LoadError(f"the contract's {_OPERATION} takes no JSON")
    headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": JSON}
    return Post(operation.path, headers, json.dumps(media.example, separators=(",", ":")).encode())


def find_generator() -> Generator:
    """Return the load generator of this machine.

    Raises:
        LoadError: there is none.
    """
    for program, kind in (("wrk", _Wrk), ("oha", _Oha)):
        if found := shutil.which(program):
            return kind(found)
    raise LoadError("no load generator found; install wrk (apt install wrk, brew install wrk), or oha")


_SCRIPT = """\
wrk.method = "%s"
wrk.body = [==[%s]==]
%s
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format('\\n{"requests":%%d,"us":%%d,"p50":%%f,"p99":%%f,"failed":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
"""


@dataclass(frozen=True, slots=True)
class _Wrk:
    program: str
    name: str = "wrk, 1 thread"

    def run(self, post: Post, port: int, seconds: int, connections: int, folder: Path) -> Run:
        script = folder / "post.lua"
        headers = "\n".join(f"wrk.headers[{key!r}] = {value!r}" for key, value in post.headers.items())
        headers += _turns(post.tokens)
        script.write_text(_SCRIPT % (post.method, post.body.decode(), headers), encoding="utf-8")
        # One thread is plenty for 16 connections, and leaves the other cores to the server.
        options = ("--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s")
        output = _output_of(self.program, *options, "--script", str(script), _url(post, port))
        told = json.loads(output.splitlines()[-1])
        rate = told["requests"] / (told["us"] / 1e6)
        return Run(told["requests"], rate, told["p50"] / 1e3, told["p99"] / 1e3, told["failed"])


def _turns(tokens: tuple[str, ...]) -> str:
    if not tokens:
        return ""
    listed = ", ".join(f'"Bearer {token}"' for token in tokens)
    return f"""
local tokens, turn = {{{listed}}}, 0
function request()
  turn = turn % #tokens + 1
  wrk.headers["Authorization"] = tokens[turn]
  return wrk.format()
end"""


@dataclass(frozen=True, slots=True)
class _Oha:
    program: str
    name: str = "oha"

    def run(self, post: Post, port: int, seconds: int, connections: int, folder: Path) -> Run:
        body = folder / "post.json"
        body.write_bytes(post.body)
        headers = [part for key, value in post.headers.items() for part in ("-H", f"{key}: {value}")]
        # -w: what is under way at the end is waited for, not counted as an error.
        options = ("--no-tui", "--output-format", "json", "-w", "-z", f"{seconds}s", "-c", str(connections))
        output = _output_of(
            self.program, *options, "-m", post.method, "-D", str(body), *headers, _url(post, port)
        )
        return _run_of_oha(json.loads(output))


def _run_of_oha(told: Mapping[str, Any]) -> Run:
    statuses: dict[str, int] = told["statusCodeDistribution"]
    failed = sum(count for status, count in statuses.items() if not status.startswith("2"))
    failed += sum(told["errorDistribution"].values())
    p50, p99 = (told["latencyPercentiles"][key] for key in ("p50", "p99"))
    return Run(sum(statuses.values()), told["summary"]["requestsPerSec"], p50 * 1e3, p99 * 1e3, failed)


def _url(post: Post, port: int) -> str:
    return f"http://127.0.0.1:{port}{post.path}"


def _output_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not done.stdout.strip():
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LoadError(f"{command[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout
