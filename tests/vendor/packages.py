"""The vendor's SDKs, and a generator of clients, installed once under `.cache/vendor`, each apart.

What is installed, dependencies included, is pinned by the files in the folder `packages`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[1] / ".cache" / "vendor"


@dataclass(frozen=True, slots=True)
class Package:
    """A release of the vendor's SDK, or of another package that is called by its name."""

    language: Literal["python", "node"]
    version: str
    of: str = ""

    @property
    def name(self) -> str:
        return f"{self.of or self.language}-{self.version}"

    @property
    def can_run(self) -> bool:
        return self.language == "python" or shutil.which("npm") is not None

    def run(self, script: Path, *arguments: str) -> list[str]:
        """Return the command that runs a script; it needs `environment`."""
        return [sys.executable if self.language == "python" else "node", str(script), *arguments]

    def environment(self) -> dict[str, str]:
        """Return environment variables under which the SDK can be imported; installs it if need be."""
        folder = self._installed()
        path = (
            {"PYTHONPATH": str(folder)}
            if self.language == "python"
            else {"NODE_PATH": str(folder / "node_modules")}
        )
        quick = {"MAGIC_HOUR_POLL_INTERVAL": "0.02", "MAGIC_HOUR_LOG_LEVEL": "error"}
        return os.environ | path | quick | {"NO_PROXY": "127.0.0.1"}

    @property
    def _pins(self) -> Path:
        return _HERE / "packages" / self.name

    def _installed(self) -> Path:
        folder = _CACHE / f"{self.name}-{self._pins_digest()}"
        _CACHE.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(f"{folder.name}.lock")):
            if not folder.is_dir():
                self._install(folder)
        return folder

    def _pins_digest(self) -> str:
        """What was pinned, and for which Python: compiled parts serve no other."""
        pins = [path.read_bytes() for path in sorted(self._pins.iterdir())]
        return hashlib.sha256(b"\0".join([sys.implementation.cache_tag.encode(), *pins])).hexdigest()[:8]

    def _install(self, folder: Path) -> None:
        """Install beside, then rename: the folder is either whole or not there."""
        with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
            fresh = Path(scratch) / "fresh"
            if self.language == "python":
                pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
                _run([*pip, "--target", str(fresh), "--requirement", str(self._pins / "requirements.txt")])
            else:
                shutil.copytree(self._pins, fresh)
                _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(fresh)])
            fresh.rename(folder)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)  # what it prints, pytest shows if it fails


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process in at a time; one that dies lets go."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
