"""A virtual environment in which Bluehour is installed from its wheel, as somebody else's project has it.

What a project needs beside it is installed once, under `.cache/examples`; Bluehour itself anew each time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_CACHE = _REPOSITORY / ".cache" / "examples"
_PINS = (
    _REPOSITORY / "constraints.txt",
    _REPOSITORY / "tests" / "vendor" / "packages" / "python-0.90.0" / "requirements.txt",
)

_KEPT = ("HOME", "LANG", "PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: where it is.
        wheel: what Bluehour was installed from; there as long as the environment is provided.
    """

    folder: Path
    wheel: Path

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run its Python with a clean environment, in which nothing leads back to the source tree."""
        return subprocess.run(
            [self._python, *arguments], cwd=cwd, env=_clean(), capture_output=True, text=True, timeout=120
        )

    @contextmanager
    def started(self, *arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
        """Start its Python likewise, and end it by Ctrl-C."""
        with subprocess.Popen(
            [self._python, *arguments], cwd=cwd, env=_clean(), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=60)

    def pip(self, *arguments: str) -> None:
        """Install something; what it prints, pytest shows if it fails."""
        command = [self._python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*command, *arguments], check=True, timeout=300)

    @property
    def _python(self) -> str:
        return str(self.folder / "bin" / "python")


@contextmanager
def installed(name: str, needs: Sequence[str]) -> Iterator[Environment]:
    """Provide an environment with Bluehour and what else a project needs, for one user at a time."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    folder = _CACHE / f"{name}-{_digest(needs)}"
    with (
        folder.with_name(f"{folder.name}.lock").open("w") as lock,
        tempfile.TemporaryDirectory() as scratch,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)  # a process that dies lets go
        environment = Environment(folder, _wheel(Path(scratch)))
        wheel = str(environment.wheel)
        if not (folder / "complete").exists():
            venv.create(folder, clear=True, with_pip=True)
            environment.pip(*(f"--constraint={pins}" for pins in _PINS), *needs, wheel)
            (folder / "complete").touch()
        environment.pip("--force-reinstall", "--no-deps", "--no-index", wheel)
        yield environment


def needs_of(example: Path) -> list[str]:
    """Return what the pyproject.toml of an example names beside Bluehour."""
    project = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))
    named: list[str] = [*project["project"]["dependencies"], *project["dependency-groups"]["test"]]
    return [requirement for requirement in named if requirement != "bluehour"]


def _clean() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def _wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(_REPOSITORY)], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _digest(needs: Sequence[str]) -> str:
    ours = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    pins = [path.read_text("utf-8") for path in _PINS]
    parts = [str(sys.implementation.cache_tag), *needs, *ours, *pins]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
