"""How fast, how soon and in how much memory the server answers, beside Prism in the same run.

What is measured, and how it is kept fair:

- The request is a create of the face editor, with every field of its style. Ours judges it, charges an
  account, stores a project and judges the answer; Prism judges it and gives the example back.
- Both run with their default settings, their logs going to files, under one and the same load: 16
  connections that are kept alive, each sending its next request as soon as it has the answer.
- Both are started first, warmed up, and stay up to the end; the one whose turn it isn't is idle. So memory is
  what is resident after all runs, with every project of those runs still stored.
- Runs take turns, as starts do, so that whatever else the machine does hits both.
- The median run is shown, by throughput; its latencies are what the load generator saw.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.load import Generator, LoadError, Post, Run, face_edit, find_generator
from benchmarks.report import Measured, as_json, table, target_lines, targets, warnings
from benchmarks.servers import Candidate, ServerError, Up, bluehour, check, prism, resident_bytes, running

_STARTS = 5
_WARM_UP_SECONDS = 2


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Bench:
    """What every phase needs."""

    generator: Generator
    post: Post
    seconds: int
    runs: int
    connections: int
    folder: Path

    def start_times(self, candidates: Sequence[Candidate]) -> list[tuple[float, ...]]:
        """Return the seconds that each server took to its first 200, after a start that doesn't count."""
        times: list[list[float]] = [[] for _ in candidates]
        for turn in range(_STARTS + 1):
            for candidate, its in zip(candidates, times, strict=True):
                with running(candidate, self.post, self._log(candidate)) as up:
                    its.append(up.first_200)
                counted = f"start {turn} of {_STARTS}" if turn else "a start that doesn't count"
                _say(f"{candidate.name}, {counted}: first 200 after {up.first_200:.2f} s")
        return [tuple(its[1:]) for its in times]

    def load_all(self, candidates: Sequence[Candidate]) -> list[tuple[tuple[Run, ...], int | None]]:
        """Return each server's runs, and the memory that it has resident after them."""
        with ExitStack() as stack:
            servers = [stack.enter_context(running(one, self.post, self._log(one))) for one in candidates]
            for up in servers:
                _say(f"{up.candidate.name}, warming up for {_WARM_UP_SECONDS} s")
                self._load(up, _WARM_UP_SECONDS)
            runs: list[list[Run]] = [[] for _ in servers]
            for turn in range(1, self.runs + 1):
                for up, its in zip(servers, runs, strict=True):
                    _say(f"{up.candidate.name}, run {turn} of {self.runs}: {self.seconds} s …")
                    its.append(self._load(up, self.seconds))
                    _say(f"    {its[-1].requests_per_second:,.0f} requests/s")
            return [(tuple(its), resident_bytes(up)) for up, its in zip(servers, runs, strict=True)]

    def _load(self, up: Up, seconds: int) -> Run:
        run = self.generator.run(self.post, up.port, seconds, self.connections, self.folder)
        check(up, self.post)
        return run

    def _log(self, candidate: Candidate) -> Path:
        return self.folder / f"{candidate.name}.log"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--seconds",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How long each run loads a server.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How many runs each server gets, in turns; the median by throughput is reported.",
)
@click.option(
    "--connections",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Connections, kept alive, that ask side by side.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write everything that was measured here too.",
)
@click.option("--no-prism", is_flag=True, help="Measure this server only.")
def main(seconds: int, runs: int, connections: int, json_file: Path | None, no_prism: bool) -> None:
    """Measure this server's throughput, latency, start and memory, beside Prism where npm is.

    The load is valid creates of the face editor, from wrk, or from oha where there is no wrk. Prism is
    installed once, into .cache/bench/prism, and serves the same contract with its default settings. With
    the defaults all this takes a minute and a half.

    Exit codes: 0 measured, whether or not the targets are met; 2 nothing to measure with (one line says why).
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then, too
    try:
        generator = find_generator()
        with tempfile.TemporaryDirectory(prefix="bluehour-bench-") as folder:
            bench = Bench(generator, face_edit(), seconds, runs, connections, Path(folder))
            _measure(bench, json_file, no_prism)
    except (LoadError, ServerError) as error:
        raise Problem(str(error)) from error


def _measure(bench: Bench, json_file: Path | None, no_prism: bool) -> None:
    setting = _setting(bench)
    candidates, alone_because = _candidates(no_prism)
    starts = bench.start_times(candidates)
    loads = bench.load_all(candidates)
    measured = [
        Measured(candidate, runs, first_200s, resident)
        for candidate, first_200s, (runs, resident) in zip(candidates, starts, loads, strict=True)
    ]
    ours, other = measured[0], measured[1] if len(measured) > 1 else None
    reached = targets(ours, other)
    lines = [
        "",
        "POST {path}: {runs} runs of {seconds} s, {connections} connections kept alive ({generator})".format(
            **setting
        ),
        "{system}, {cores} cores, Python {python}, load average {load_before} before the start".format(
            **setting
        ),
        *([f"Prism is not measured: {alone_because}"] if alone_because else []),
        "",
        *warnings(measured),
        table(ours, other),
        "",
        target_lines(reached),
    ]
    click.echo("\n".join(lines))
    if json_file:
        everything = as_json(ours, other, reached, setting)
        json_file.write_text(json.dumps(everything, indent=2) + "\n", encoding="utf-8")


def _candidates(no_prism: bool) -> tuple[list[Candidate], str]:
    """Return what to measure, and why Prism is not among it."""
    if no_prism:
        return [bluehour()], "--no-prism"
    _say("Looking for Prism; its installation takes half a minute, once")
    try:
        return [bluehour(), prism()], ""
    except ServerError as error:
        return [bluehour()], str(error)


def _setting(bench: Bench) -> dict[str, Any]:
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "path": bench.post.path,
        "seconds": bench.seconds,
        "runs": bench.runs,
        "connections": bench.connections,
        "generator": bench.generator.name,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.throughput")
