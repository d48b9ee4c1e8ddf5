"""A served mock, the vendor's SDKs that are pointed at it, and a portrait to edit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from skimage import data

from .packages import Package
from .sdks import ALL, Client, Kind, Sdk


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The base URL of a mock that runs as a user runs it."""
    with serving() as address:
        yield address


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Run `bluehour serve` with these options; the value is its base URL."""
    bluehour = Path(sysconfig.get_path("scripts"), "bluehour")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")}
    with subprocess.Popen(
        [bluehour, "serve", "--port", "0", *options], env=settings, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        greeting = server.stdout.readline()
        address = re.search(r"http://\S+", greeting)
        assert address, f"no address in {greeting!r}"
        try:
            yield address[0]
        finally:
            server.send_signal(signal.SIGINT)


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of a person, 512 x 512, in a file `portrait.png`."""
    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
    Image.fromarray(astronaut).save(path)
    return path


@pytest.fixture(scope="session")
def start_sdk() -> Iterator[Callable[[Kind], Sdk]]:
    """Starts an SDK the first time that it is asked for."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(kind.started()))


@pytest.fixture(params=ALL, ids=str)
def sdk(request: pytest.FixtureRequest, start_sdk: Callable[[Kind], Sdk]) -> Sdk:
    """Each of the vendor's SDKs, or those that a test names with `only`."""
    kind: Kind = request.param
    skip_without_npm(kind.package)
    return start_sdk(kind)


def skip_without_npm(package: Package) -> None:
    if not package.can_run:
        pytest.skip(f"npm is not installed, so magic-hour {package.version} of Node can't run")


@pytest.fixture
def client(sdk: Sdk, served: str) -> Client:
    """A client with an account of its own: creator plan, 10,000 credits."""
    return sdk.client(served, f"any-token-{uuid4().hex}")
