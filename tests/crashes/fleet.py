"""The servers and workers of one mock, each a process of its own, and what can happen to them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.postgresql import Cluster

from .relay import Relay

SERVERS = 3
SKEWED = Path(__file__).with_name("skewed.py")
LOST_AFTER = "2"
"""Seconds after which a worker's jobs are others'."""

PAUSE = 3.0
"""Seconds that a process is stopped or cut off for at most: longer than a lease, and than that."""


class Process:
    """A server or a worker, with a way to the database of its own.

    Args:
        command: what runs it; the word STORE stands for the store's URL.
        cluster: the database.
        folder: for its relay and its log.
        url: of the store.
        skew: seconds that the clock of its machine is wrong by.
    """

    def __init__(self, command: Sequence[str], cluster: Cluster, folder: Path, url: str, skew: int) -> None:
        folder.mkdir()
        self.relay = Relay(cluster.socket, folder / "relay")
        self.log = folder / "log"
        store = url.replace(quote(f"{cluster.socket}"), quote(f"{self.relay.folder}"))
        self._command = [store if word == "STORE" else word for word in command]
        self._skew = skew
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env={**os.environ, "SKEW": f"{self._skew}"}
            )

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it as a power cut would, and wait until it is gone."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def revive(self) -> None:
        """Start it where it has ended by itself, as it does where its database is away at the start."""
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def restart(self) -> None:
        """Kill it, and start it again."""
        self.kill()
        self.start()

    def close(self) -> None:
        """End it."""
        self.relay.mend()
        self.kill()
        self.relay.close()


class Member(Process):
    """A server."""

    def __init__(self, command: Sequence[str], cluster: Cluster, folder: Path, url: str, skew: int) -> None:
        self.port = _free_port()
        super().__init__([*command, "--port", f"{self.port}"], cluster, folder, url, skew)

    @property
    def answers(self) -> bool:
        """Whether it accepts connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Fleet(NamedTuple):
    """The servers and the workers of one mock."""

    members: list[Member]
    workers: list[Process]


@contextmanager
def fleet(
    cluster: Cluster, folder: Path, url: str, options: Sequence[str], program: Path = SKEWED
) -> Iterator[Fleet]:
    """Run servers and workers on one store; some machines' dates are a minute late, others' early."""
    (folder / "assets").mkdir()
    assets = ("--store", "STORE", "--assets", f"{folder / 'assets'}")
    serve = (sys.executable, f"{program}", "serve", *assets, "--renderer", "workers", *options)
    work = (sys.executable, f"{program}", "work", *assets, "--renderer", "simulated")
    found = Fleet([], [])
    try:
        for number, skew in zip(range(SERVERS), (0, -60, 60), strict=True):
            found.members.append(Member(serve, cluster, folder / f"server{number}", url, skew))
            found.workers.append(
                Process([*work, "--lost-after", LOST_AFTER], cluster, folder / f"worker{number}", url, skew)
            )
        for each in (*found.members, *found.workers):
            each.start()
        wait_for(found.members)
        yield found
    finally:
        for each in (*found.members, *found.workers):
            each.close()


def wait_for(members: Sequence[Member]) -> None:
    """Wait until all of them answer."""
    give_up_at = time.monotonic() + 60
    while not all(each.answers for each in members):
        for each in members:
            each.revive()
        if time.monotonic() > give_up_at:
            raise AssertionError("\n".join(each.log.read_text()[-2000:] for each in members))
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
