"""What exchanges say of time and of their callers."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bluehour.openapi.wording import cut

from ..exchange import Exchange

CLOCKS_APART = 300.0
"""Seconds that two machines' clocks may differ by."""

LIFETIME_APART = 0.1
"""By how much of its published lifetime a link may live longer or shorter."""


def same_caller(one: Exchange, other: Exchange) -> bool:
    """Tell whether two exchanges carry the same credentials."""
    return _credentials(one) == _credentials(other)


def _credentials(exchange: Exchange) -> tuple[str, str]:
    scheme, _, token = (exchange.request.header("Authorization") or "").partition(" ")
    return scheme.lower(), token.strip()


def is_after(one: Exchange, other: Exchange) -> bool:
    """Whether one had ended when the other began; of those side by side nobody knows which came first."""
    return one.ended_at <= other.at


def seconds_of(value: Any) -> float | None:
    """A date-time in seconds since the epoch; None for what is none."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    try:
        return at.timestamp() if at.tzinfo else None
    except (ValueError, OverflowError):  # years that no clock has
        return None


def server_time(exchange: Exchange) -> float | None:
    """The server's own clock, by its Date header."""
    date = exchange.answer.header("Date") if exchange.answer else None
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, TypeError, OverflowError):
        return None


def ago(seconds: float) -> str:
    """Return a span of time in words: `3 min after`, `2 days before`."""
    return f"{span(abs(seconds))} {'after' if seconds >= 0 else 'before'}"


def span(amount: float) -> str:
    """Return a number of seconds in words: `24 h`."""
    unit, size = next(
        (unit, size)
        for unit, size in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1))
        if amount >= size or size == 1
    )
    return f"{amount / size:.3g} {unit}"


def short(value: Any) -> str:
    """Return a value in few characters."""
    return cut(repr(value), 80)
