"""The signature of an event, both ends of it: made by the mock, verified by a receiver or by its tests.

The recipe is the vendor's (docs.magichour.ai, integration/webhook): the hexadecimal HMAC-SHA256 of
`<timestamp>.<raw body>` under the webhook's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from bluehour.openapi.contract import load
from bluehour.openapi.errors import BluehourError

_MOST_DIGITS = 15
"""Of a timestamp: more than enough, and soon read."""


class SignatureError(BluehourError):
    """The event can't be trusted; the message says why."""


def signature_of(body: bytes, timestamp: int, secret: str) -> str:
    """Return an event's signature, 64 lower-case hexadecimal digits.

    Args:
        body: the raw body, not one that was parsed and written again.
        timestamp: when it was signed, in seconds since the epoch.
        secret: the webhook's, as it was shown when it was registered.
    """
    return _digest(body, str(timestamp), secret)


def signed_headers(body: bytes, timestamp: int, secret: str) -> dict[str, str]:
    """Return the two headers that prove an event."""
    rules = delivery_rules()
    return {
        rules["signature-header"]: signature_of(body, timestamp, secret),
        rules["timestamp-header"]: str(timestamp),
    }


def verify(body: bytes, headers: Mapping[str, str], secret: str, *, now: float | None = None) -> Any:
    """Return an event's data, once it is proven to come from whoever has the secret.

    Args:
        body: the raw body.
        headers: of the request; their names in any case.
        secret: the webhook's.
        now: the receiver's time in seconds since the epoch; the system's where none is given. With a clock
            that was moved, give the mock's own.

    Raises:
        SignatureError: a header is missing, the signature is wrong, the timestamp is too far from `now`, or
            the body is no JSON.
    """
    rules = delivery_rules()
    given = {name.lower(): value for name, value in headers.items()}
    signature = _header(given, rules["signature-header"])
    timestamp = _header(given, rules["timestamp-header"])
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _MOST_DIGITS):
        raise SignatureError(f"the timestamp {timestamp[: 2 * _MOST_DIGITS]!r} is no number of seconds")
    expected = _digest(body, timestamp, secret)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise SignatureError("the signature does not fit the body, the timestamp and the secret")
    age = (time.time() if now is None else now) - int(timestamp)
    if abs(age) > rules["tolerance"]:
        when = f"{age:,.0f} s old" if age > 0 else f"{-age:,.0f} s in the future"
        raise SignatureError(f"the event is {when}; at most {rules['tolerance']} s are accepted")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SignatureError(f"the body is no JSON: {error}") from error


def delivery_rules() -> Mapping[str, Any]:
    """Return the contract's `x-webhook-delivery`."""
    rules: Mapping[str, Any] = load().extension("x-webhook-delivery")
    return rules


def _digest(body: bytes, timestamp: str, secret: str) -> str:
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise SignatureError(f"the header {name} is missing")
    return value
