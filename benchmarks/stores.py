"""What the stores alone can do: creates per second by many threads, bytes per project, lists and the start.

The clients are threads of this process, so what they do to the interpreter is measured as well. With every
figure of time stands the processor's time, which says more on a machine that is not quiet.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path

import click

from bluehour.mock_server.core.accounts import MOST_CREDITS, Account
from bluehour.mock_server.core.projects import Project, new_id
from bluehour.mock_server.core.stores import Store
from bluehour.mock_server.core.stores.opening import open_store

_BEGIN = 1_700_000_000.0
_ACCOUNT = Account("acc_payer", "creator", MOST_CREDITS)
_REQUEST = (
    b'{"name": "Image %d", "assets": {"image_file_path": "api-assets/%s/image.png"}, "style": {"lips": %d}}'
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--projects", type=click.IntRange(min=100), default=100_000, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=16, show_default=True, help="That create.")
@click.option("--file", type=click.Path(path_type=Path), help="Keep the SQLite file here, or read this one.")
@click.option("--postgresql", metavar="URL", help="A store in PostgreSQL to measure as well. It is emptied.")
def main(projects: int, threads: int, file: Path | None, postgresql: str | None) -> None:
    """Measure the memory and the SQLite store, and one in PostgreSQL. Takes a minute with the defaults."""
    with tempfile.TemporaryDirectory(prefix="bluehour-bench-") as folder:
        path = (file or Path(folder, "bench.db")).absolute()
        if not path.exists():
            with closing(open_store(f"sqlite:///{path}")) as store:
                _create(store, projects, threads)
            click.echo(f"  {path.stat().st_size / projects:.0f} bytes of disk per project")
        with _timed("start"):
            kept = open_store(f"sqlite:///{path}")
            kept.pending_projects()
        with closing(kept):
            _read(kept)
        before = _resident_bytes()
        memory = open_store("memory://")
        _create(memory, projects, threads)
        click.echo(f"  {(_resident_bytes() - before) / projects:.0f} bytes of memory per project")
        _read(memory)
    if postgresql is not None:
        with closing(open_store(postgresql)) as served:
            served.reset()
            _create(served, projects, threads)
            _read(served)


def _create(store: Store, projects: int, threads: int) -> None:
    store.open_account(_ACCOUNT, _BEGIN)

    def work(first: int) -> None:
        for number in range(first, projects, threads):
            store.add_project(_project(number))

    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    click.echo(f"{type(store).__name__}: {projects:,} creates by {threads} threads")
    click.echo(f"  {projects / wall:,.0f} a second, {cpu / projects * 1e6:.0f} microseconds of CPU each")


def _project(number: int) -> Project:
    """Return a project of a load that goes on; one in ten fails, and gives its credit back."""
    at = _BEGIN + number / 1000
    return Project(
        id=new_id(),
        account_id=_ACCOUNT.id,
        operation_id="faceEditor.createImage",
        plan="creator",
        name=f"Image {number}",
        credits=1,
        request=_REQUEST % (number, os.urandom(12).hex().encode(), number % 100),
        created_at=at,
        rendering_at=at + 0.1,
        finished_at=at + 0.3,
        outcome="complete" if number % 10 else "no_source_face",
    )


def _read(store: Store) -> None:
    """Time what the control API and the console ask for."""
    calls: dict[str, Callable[[], object]] = {
        "the newest 100 projects": store.projects,
        "an account's newest 100": lambda: store.projects(account_id=_ACCOUNT.id),
        "an unknown account's": lambda: store.projects(account_id="unknown"),
        "number of projects": store.count_projects,
        "accounts": lambda: store.accounts(100),
        "a balance": lambda: store.balance(_ACCOUNT.id, inf),
        "the ledger's last 100": lambda: store.ledger(_ACCOUNT.id, 100),
        "pending projects": store.pending_projects,
    }
    for name, call in calls.items():
        with _timed(name):
            call()


@contextmanager
def _timed(name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    click.echo(f"  {name}: {wall * 1000:.1f} ms, {cpu * 1000:.1f} ms of CPU")


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
