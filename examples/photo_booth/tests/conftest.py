"""A booth that stands before the mock. Its waiting advances the mock's clock, so no test sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bluehour.contracts.pytest_plugin import MagicHour
from bluehour.contracts.receiver import Receiver
from magic_hour import Client

from photo_booth import Booth, Doorbell


@pytest.fixture
def naps() -> list[float]:
    """How many seconds the booth waited each time."""
    return []


@pytest.fixture
def booth(magic_hour: MagicHour, naps: list[float]) -> Iterator[Booth]:
    """A booth with an account of its own at the mock."""

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        magic_hour.clock.advance(seconds)

    with httpx.Client() as connections:
        client = Client(base_url=magic_hour.url, token=magic_hour.token, httpx_client=connections)
        yield Booth(client, sleep=sleep)


@pytest.fixture
def doorbell(booth: Booth, magic_hour: MagicHour, magic_hour_receiver: Receiver) -> Doorbell:
    """The booth's doorbell, which knows the secret of the webhook at the mock."""
    return Doorbell(booth, magic_hour_receiver.secret, now=lambda: magic_hour.clock.now.timestamp())


@pytest.fixture
def portrait() -> Path:
    """A guest's portrait."""
    return Path(__file__).with_name("portrait.jpg")
