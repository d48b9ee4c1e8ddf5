"""The servers of one mock, each a process of its own, and what can happen to them."""

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

from tests.postgresql import Cluster

from .relay import Relay

SERVERS = 3
SKEWED = Path(__file__).with_name("skewed.py")
PAUSE = 2.5
"""Seconds that a server is stopped or cut off for at most: longer than a lease."""


class Member:
    """A server with a port and a way to the database of its own.

    Args:
        command: what runs it.
        cluster: the database.
        folder: for its relay and its log.
        url: of the store.
        options: for `bluehour serve`.
        skew: seconds that the clock of its machine is wrong by.
    """

    def __init__(
        self,
        command: Sequence[str],
        cluster: Cluster,
        folder: Path,
        url: str,
        options: Sequence[str],
        skew: int,
    ) -> None:
        self.relay = Relay(cluster.socket, folder / "relay")
        self.port = _free_port()
        self.log = folder / "log"
        store = url.replace(
            f"{cluster.socket}".replace("/", "%2F"), f"{self.relay.folder}".replace("/", "%2F")
        )
        self._command = [*command, "serve", "--port", f"{self.port}", "--store", store, *options]
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

    def restart(self) -> None:
        """Kill it, and start it again."""
        self.kill()
        self.start()

    @property
    def answers(self) -> bool:
        """Whether it accepts connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def close(self) -> None:
        """End it."""
        self.relay.mend()
        self.kill()
        self.relay.close()


@contextmanager
def fleet(
    cluster: Cluster, folder: Path, url: str, options: Sequence[str], program: Path = SKEWED
) -> Iterator[list[Member]]:
    """Run servers on one store; the clock of one machine is a minute late, that of another one early."""
    members = []
    try:
        for number, skew in zip(range(SERVERS), (0, -60, 60), strict=True):
            place = folder / f"{number}"
            place.mkdir()
            members.append(Member([sys.executable, f"{program}"], cluster, place, url, options, skew))
            members[-1].start()
        wait_for(members)
        yield members
    finally:
        for each in members:
            each.close()


def wait_for(members: Sequence[Member]) -> None:
    """Wait until all of them answer."""
    give_up_at = time.monotonic() + 60
    while not all(each.answers for each in members):
        if time.monotonic() > give_up_at:
            raise AssertionError("\n".join(each.log.read_text()[-2000:] for each in members))
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
