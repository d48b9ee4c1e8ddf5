"""Nothing that a client sends is a 5xx, kills the server, or spoils what it shows afterwards.

`make test-thorough` sends more than 50,000 requests. The seeds are fixed; `BLUEHOUR_FUZZ_SEED=N` takes
others. A failure tells the seed, and the request as it went over the wire.
"""

from __future__ import annotations

import os

import pytest

from .targets import TARGETS, fuzz

SEED = int(os.environ.get("BLUEHOUR_FUZZ_SEED", "1"))


@pytest.mark.parametrize("what", TARGETS)
def test_a_few_odd_requests_do_no_harm(what: str) -> None:
    statuses = fuzz(what, 400, SEED).statuses
    assert statuses[200], statuses
    assert sum(count for status, count in statuses.items() if 400 <= status < 500), statuses


@pytest.mark.thorough
@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("what", TARGETS)
def test_no_request_does_any_harm(what: str, part: int) -> None:
    fuzz(what, 2500, SEED + 100 + part)
