"""The root of Bluehour's errors: whoever calls Bluehour as a library catches all of them by it."""

from __future__ import annotations


class BluehourError(Exception):
    """What Bluehour could not do; the message says what happened, and what to do where that is known."""
