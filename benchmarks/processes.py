"""What several processes on one store do in a second, and what each request costs them and the database.

Creates and polls, each by 16 connections that are kept alive, spread over 64 accounts: creates of one account
come one after another in any store. The servers are started one after another and take turns; wrk, the
database and the servers share this machine, so that on two cores more processes do not mean more requests.
What does not depend on that is what a request costs in CPU time, server and database apart.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import click

from benchmarks.load import LoadError, Post, face_edit, find_generator
from benchmarks.servers import Candidate, ServerError, Up, bluehour, resident_bytes, running, tree_of
from tests.postgresql import running as cluster_running

_CONNECTIONS = 16
_TOKENS = tuple(f"mhk_test_business_900000000000_{number}" for number in range(64))


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class _Measured:
    """One run.

    Attributes:
        rate: requests in a second.
        p99: milliseconds.
        server, database: CPU time of a request, in microseconds.
    """

    rate: float
    p99: float
    server: float
    database: float


@click.command(context_settings={"show_default": True})
@click.option("--seconds", type=click.IntRange(1), default=5, help="Of each run.")
@click.option(
    "--runs", type=click.IntRange(1), default=3, help="Of each server and request; the median is shown."
)
def main(seconds: int, runs: int) -> None:
    """Measure one process on memory://, and one, two and four on SQLite and PostgreSQL, in one run.

    Exit codes: 0 measured, 2 something is missing.
    """
    try:
        _measure(seconds, runs)
    except (LoadError, ServerError) as error:
        raise Problem(f"{error}") from error


def _measure(seconds: int, runs: int) -> None:
    generator = find_generator()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(cluster_running())
        database = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
        create = replace(face_edit(), tokens=_TOKENS)
        ups: list[Up] = []
        for candidate in _candidates(folder, cluster.url):
            ups.append(stack.enter_context(running(candidate, create, folder / f"{len(ups)}.log")))
        kinds = {up.port: (create, _poll(up, create)) for up in ups}
        found: defaultdict[tuple[int, int], list[_Measured]] = defaultdict(list)
        for _, up, number in product(range(runs), ups, (0, 1)):
            before = _cpu(up.pid), _cpu(database)
            run = generator.run(kinds[up.port][number], up.port, seconds, _CONNECTIONS, folder)
            if run.errors:
                raise ServerError(f"{up.candidate.name}: {run.errors} of {run.requests} failed")
            spent = _cpu(up.pid) - before[0], _cpu(database) - before[1]
            server, stored = (1e6 * each / run.requests for each in spent)
            found[up.port, number].append(_Measured(run.requests_per_second, run.p99, server, stored))
        _show(ups, found)


def _show(ups: Sequence[Up], found: Mapping[tuple[int, int], Sequence[_Measured]]) -> None:
    heads = (
        "server",
        "creates/s",
        "p99 ms",
        "µs server",
        "µs database",
        "polls/s",
        "µs server",
        "µs database",
    )
    click.echo(f"| {' | '.join((*heads, 'MB'))} |\n|{'---|' * (len(heads) + 1)}")
    for up in ups:
        made, seen = (_median(found[up.port, number]) for number in (0, 1))
        cells = [made.rate, made.p99, made.server, made.database, seen.rate, seen.server, seen.database]
        cells.append((resident_bytes(up) or 0) / 2**20)
        click.echo(f"| {' | '.join([up.candidate.name, *(f'{each:,.0f}' for each in cells)])} |")


def _candidates(folder: Path, new_url: Callable[[], str]) -> Iterator[Candidate]:
    yield bluehour(name="1 process, memory")
    for number in (1, 2, 4):
        name = f"{number} process{'es' * (number > 1)}"
        for store, url in (
            ("SQLite", f"sqlite:///{folder / f'mock{number}.db'}"),
            ("PostgreSQL", new_url()),
        ):
            yield bluehour("--store", url, "--processes", f"{number}", name=f"{name}, {store}")


def _poll(up: Up, create: Post) -> Post:
    """Return a look at a project that a server has."""
    import urllib.request

    headers = {**create.headers, "Authorization": f"Bearer {_TOKENS[0]}"}
    url = f"http://127.0.0.1:{up.port}{create.path}"
    with urllib.request.urlopen(urllib.request.Request(url, create.body, headers), timeout=60) as answer:
        project = json.load(answer)["id"]
    return Post(f"/v1/image-projects/{project}", headers, b"", method="GET")


def _median(runs: Sequence[_Measured]) -> _Measured:
    return sorted(runs, key=lambda each: each.rate)[len(runs) // 2]


def _cpu(pid: int) -> float:
    """Return the CPU seconds that a process and those below it have had."""
    ticks = 0
    for each in tree_of(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
