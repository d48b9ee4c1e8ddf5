"""What can go wrong with a request to somebody else's server."""

from bluehour.openapi.errors import BluehourError


class OutboundError(BluehourError):
    """The request came to nothing; the message says why, in one line."""


class TargetDenied(OutboundError):
    """The policy denies the target; nothing was sent to it."""


class TookTooLong(OutboundError):
    """The deadline has passed."""
