"""What the journal costs: throughput and memory with it, beside the same server with `--journal 0`.

Both servers are up all the time and take turns under the load of `benchmarks.throughput`: creates over
connections that are kept alive. The journal keeps the last 1,000 requests of however many there are, so its
memory is what the one server has resident beyond the other, each with every project of its runs stored.
"""

from __future__ import annotations

import signal
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from benchmarks.load import Generator, LoadError, Post, face_edit, find_generator
from benchmarks.servers import ServerError, Up, bluehour, check, resident_bytes, running

_LEAST_REQUESTS = 10_000
_SHARE = 0.85
"""What of the throughput without a journal is left with it, at least."""


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=click.IntRange(min=1), default=5, show_default=True, help="Of each run.")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="For each server.")
@click.option("--connections", type=click.IntRange(min=1), default=16, show_default=True)
def main(seconds: int, runs: int, connections: int) -> None:
    """Measure what the journal costs in throughput and memory. Takes a minute with the defaults.

    Exit codes: 0 measured, whether or not the target is met; 2 nothing to measure with (one line says why).
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then, too
    try:
        with tempfile.TemporaryDirectory(prefix="bluehour-bench-") as folder, ExitStack() as stack:
            generator, post = find_generator(), face_edit()
            candidates = (bluehour(name="journal"), bluehour("--journal", "0", name="no-journal"))
            servers = [
                stack.enter_context(running(one, post, Path(folder, f"{one.name}.log"))) for one in candidates
            ]
            with_it, without = _rates(servers, generator, post, Path(folder), (seconds, runs, connections))
            _report(servers, with_it, without, seconds)
    except (LoadError, ServerError) as error:
        raise Problem(str(error)) from error


def _rates(
    servers: list[Up], generator: Generator, post: Post, folder: Path, load: tuple[int, int, int]
) -> list[list[float]]:
    """Return each server's requests per second, run by run; the first turn, a warm-up, doesn't count."""
    seconds, runs, connections = load
    rates: list[list[float]] = [[] for _ in servers]
    for turn in range(runs + 1):
        for up, its in zip(servers, rates, strict=True):
            run = generator.run(post, up.port, seconds, connections, folder)
            check(up, post)
            its.append(run.requests_per_second)
            counted = f"run {turn} of {runs}" if turn else "warm-up"
            click.echo(f"{up.candidate.name}, {counted}: {its[-1]:,.0f} requests/s", err=True)
    return [its[1:] for its in rates]


def _report(servers: list[Up], with_it: list[float], without: list[float], seconds: int) -> None:
    share = statistics.median(with_it) / statistics.median(without)
    requests = int(sum(with_it) * seconds)
    memory = [resident_bytes(up) for up in servers]
    click.echo(f"\nrequests through the journal   {requests:,} (at least {_LEAST_REQUESTS:,} are wanted)")
    click.echo(f"throughput with / without      {share:.0%} (at least {_SHARE:.0%} is wanted)")
    for up, resident in zip(servers, memory, strict=True):
        click.echo(f"resident, {up.candidate.name:<20} {(resident or 0) / 2**20:.0f} MB")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.journal")
