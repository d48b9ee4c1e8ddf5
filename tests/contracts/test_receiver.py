"""The webhook receiver for tests, before a sender that knows its secret and one that does not."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from bluehour.contracts.receiver import Receiver, receiving
from bluehour.contracts.webhooks import SignatureError, verify
from bluehour.mock_server.webhooks.signature import signed_headers

NOW = 1_729_314_984
EVENT = {"type": "image.completed", "payload": {"id": "clx123", "status": "complete"}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving("whsec_test_secret", now=lambda: NOW) as receiver:
        yield receiver


def send(receiver: Receiver, secret: str = "whsec_test_secret", at: int = NOW) -> int:
    """Send an event, and return the status that the receiver answers."""
    body = json.dumps(EVENT).encode()
    address = urlsplit(receiver.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("POST", address.path, body, signed_headers(body, at, secret))
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_signed_event_is_taken(receiver: Receiver) -> None:
    assert send(receiver) == 200
    assert receiver.events == [EVENT]


def test_a_wrong_signature_is_refused_and_still_seen(receiver: Receiver) -> None:
    assert send(receiver, secret="another") == 401
    assert receiver.events == []
    (received,) = receiver.deliveries
    assert received.event is None
    assert received.problem == "the signature does not fit the body, the timestamp and the secret"


def test_an_old_signature_is_refused(receiver: Receiver) -> None:
    assert send(receiver, at=NOW - 301) == 401


def test_the_receiver_answers_what_it_is_told(receiver: Receiver) -> None:
    receiver.answer = 503
    assert send(receiver) == 503
    assert receiver.events == []
    receiver.answer = 204
    assert send(receiver) == 204
    assert receiver.events == [EVENT]
    assert [received.answered for received in receiver.deliveries] == [503, 204]


def test_a_receiver_of_ones_own_can_verify_what_it_got(receiver: Receiver) -> None:
    send(receiver)
    received = receiver.deliveries[0]
    assert verify(received.body, received.headers, receiver.secret, now=NOW) == EVENT
    with pytest.raises(SignatureError):
        verify(received.body + b" ", received.headers, receiver.secret, now=NOW)
