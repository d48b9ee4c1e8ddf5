"""The webhook's end: it checks who rings, as the vendor's guide says, and tells the booth."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

from .booth import Booth

TOLERANCE = 300
"""Seconds that a signature is good for; an older one may be a recording that is played back."""


class Doorbell:
    """Takes webhooks for a booth.

    In Flask, the view's one line is `return "", doorbell.ring(request.get_data(), request.headers)`.

    Args:
        booth: who is told.
        secret: the webhook's, as the Developer Hub showed it.
        now: the time in seconds since the epoch; a test passes its own.
    """

    def __init__(self, booth: Booth, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._booth = booth
        self._secret = secret
        self._now = now

    def ring(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Take a delivery and return the status to answer: 200, or 401 if the signature is not the vendor's.

        Args:
            body: the body as it came; parsed and written again it would have another signature.
            headers: the headers; their names in lower case, or in a mapping that does not care.
        """
        timestamp = headers.get("magic-hour-event-timestamp", "")
        signature = headers.get("magic-hour-event-signature", "")
        if not (self._is_recent(timestamp) and self._is_genuine(timestamp, body, signature)):
            return 401
        self._booth.hear(json.loads(body))
        return 200

    def _is_recent(self, timestamp: str) -> bool:
        return timestamp.isdecimal() and abs(self._now() - int(timestamp)) <= TOLERANCE

    def _is_genuine(self, timestamp: str, body: bytes, signature: str) -> bool:
        signed = timestamp.encode() + b"." + body
        expected = hmac.new(self._secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode())
