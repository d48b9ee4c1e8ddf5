"""A PostgreSQL server for tests: one of this process alone, from the programs that the machine has."""

from __future__ import annotations

import glob
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


class Cluster:
    """A server on a socket in a folder of its own. Its disk is not waited for: nothing here outlives it.

    Attributes:
        socket: the folder of its socket, which is its host.
        log: the file that it writes what happens to.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.socket = folder
        self.log = folder / "log"
        self._programs = programs
        self._folder = folder
        self._numbers = count(1)
        # PostgreSQL does not run as root.
        self._user = next((each.pw_name for each in pwd.getpwall() if each.pw_name == "postgres"), "nobody")
        if os.geteuid() == 0:
            shutil.chown(folder, self._user)
        self._call("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        with (folder / "data" / "pg_hba.conf").open("r+") as rules:
            others = rules.read()
            rules.seek(0)
            rules.write(f"local all locked scram-sha-256\n{others}")

    def url(
        self, schema: str = "", *, user: str = "postgres", password: str = "", database: str = "postgres"
    ) -> str:
        """Return the URL of a store; without a schema, of one in a new schema."""
        schema = schema or f"store{next(self._numbers)}"
        secret = f":{quote(password)}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={quote(f'{self.socket}')}&schema={schema}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.socket}' -c fsync=off"
        self._call("pg_ctl", "start", "--wait", f"--log={self.log}", f"--options={options}")

    def stop(self) -> None:
        """Stop it as a crash would, without a word to its clients."""
        self._call("pg_ctl", "stop", "--wait", "--mode=immediate")

    @property
    def data(self) -> Path:
        """The folder of what it keeps."""
        return self._folder / "data"

    @property
    def is_running(self) -> bool:
        """Whether it has been started, and not stopped since."""
        return (self.data / "postmaster.pid").exists()

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as who may do anything, and return the rows that the last one finds."""
        import psycopg  # which comes with an extra

        rows: list[tuple[Any, ...]] = []
        with psycopg.connect(self.url().partition("&")[0], autocommit=True) as connection:
            for statement in statements:
                found = connection.execute(statement)
                rows = found.fetchall() if found.description else []
        return rows

    def _call(self, program: str, *arguments: str) -> None:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = {"user": self._user, "group": self._user, "extra_groups": []}
        with (self._folder / "output").open("w+b") as output:  # no pipe: the server would keep it open
            done = subprocess.run(
                [self._programs / program, f"--pgdata={self._folder / 'data'}", *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **user,
            )
        assert done.returncode == 0, (self._folder / "output").read_text()


@contextmanager
def running() -> Iterator[Cluster]:
    """Run a server; the test is skipped where the machine has no PostgreSQL."""
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    programs = _programs()
    if programs is None:
        pytest.skip(
            "needs PostgreSQL's initdb, in the PATH or where a package puts it (apt install postgresql)"
        )
    folder = Path(tempfile.mkdtemp(prefix="bluehour-pg-"))
    try:
        cluster = Cluster(programs, folder)
        cluster.start()
        try:
            yield cluster
        finally:
            if cluster.is_running:
                cluster.stop()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """Return the folder that has PostgreSQL's programs, the latest of several."""
    found = [Path(place) for pattern in _PLACES for place in glob.glob(pattern)]
    found.sort(key=lambda place: [int(number) for number in re.findall(r"\d+", f"{place}")])
    if (in_path := shutil.which("initdb")) is not None:
        found.append(Path(in_path).resolve().parent)
    return next((each for each in reversed(found) if (each / "initdb").exists()), None)
