"""How hypothesis looks for examples: the same ones every time, or ten times as many where it is asked for.

`make test-thorough` asks, by `--hypothesis-profile=thorough`. In neither profile has an example a deadline,
and in neither is it a failure to draw them slowly: that says more about the machine than about the code.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from .postgresql import Cluster, running
from .profiles import FEW

_ANY_MACHINE = settings(
    settings.get_profile("default"), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("reproducible", _ANY_MACHINE, max_examples=FEW, derandomize=True)
settings.register_profile("thorough", _ANY_MACHINE, max_examples=5 * FEW, print_blob=True)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server, if the machine has one's programs."""
    with running() as cluster:
        yield cluster
