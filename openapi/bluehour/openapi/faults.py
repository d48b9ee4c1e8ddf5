"""What of a message breaks its contract, as a person reads it."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that the contract does not allow.

    Attributes:
        where: a field of the body, such as `style.mouth_smile`, a parameter's or header's name, or `body`.
        message: what is wrong, in a sentence without its full stop.
    """

    where: str
    message: str
