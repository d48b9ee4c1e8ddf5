"""The doorbell, rung by the mock with real signatures."""

from __future__ import annotations

from pathlib import Path

import pytest
from bluehour.contracts.pytest_plugin import MagicHour
from bluehour.contracts.receiver import Receiver

from photo_booth import Booth, Doorbell, PaymentUnclear

EDIT = "aiFaceEditor.editImage"

pytestmark = pytest.mark.magic_hour(credits=10, frozen=True)


@pytest.mark.magic_hour(rules=[{"match": {"operation": EDIT}, "fault": "drop", "times": 1}])
def test_the_doorbell_finds_an_order_that_was_lost(
    booth: Booth,
    doorbell: Doorbell,
    magic_hour: MagicHour,
    magic_hour_receiver: Receiver,
    portrait: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(PaymentUnclear):
        booth.order("Ada", portrait)

    magic_hour.clock.advance(10)
    magic_hour.webhooks.settle()
    answers = [doorbell.ring(sent.body, sent.headers) for sent in magic_hour_receiver.deliveries]

    assert set(answers) == {200}
    assert booth.picture("Ada", tmp_path).exists()
    assert magic_hour.credits == 9


def test_the_doorbell_refuses_whoever_does_not_know_the_secret(
    booth: Booth, magic_hour: MagicHour, magic_hour_receiver: Receiver, portrait: Path
) -> None:
    booth.order("Ada", portrait)
    magic_hour.clock.advance(10)
    magic_hour.webhooks.settle()
    event = magic_hour_receiver.deliveries[0]
    stranger = Doorbell(booth, "another secret", now=lambda: magic_hour.clock.now.timestamp())
    assert stranger.ring(event.body, event.headers) == 401


def test_the_doorbell_refuses_a_recording(
    booth: Booth, doorbell: Doorbell, magic_hour: MagicHour, magic_hour_receiver: Receiver, portrait: Path
) -> None:
    booth.order("Ada", portrait)
    magic_hour.clock.advance(10)
    magic_hour.webhooks.settle()
    event = magic_hour_receiver.deliveries[0]
    assert doorbell.ring(event.body, event.headers) == 200
    magic_hour.clock.advance(301)
    assert doorbell.ring(event.body, event.headers) == 401
