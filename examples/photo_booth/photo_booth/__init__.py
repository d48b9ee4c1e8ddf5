"""A photo booth: a guest's portrait goes in, the same face with a smile comes out, and is paid for once."""

from examples.photo_booth.photo_booth.booth import (
    Booth,
    BoothError,
    Busy,
    JobFailed,
    OutOfCredits,
    PaymentUnclear,
)
from examples.photo_booth.photo_booth.doorbell import Doorbell

__all__ = ["Booth", "BoothError", "Busy", "Doorbell", "JobFailed", "OutOfCredits", "PaymentUnclear"]
