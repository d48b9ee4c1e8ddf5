"""A photo booth: a guest's portrait goes in, the same face with a smile comes out, and is paid for once."""

from .booth import Booth, BoothError, Busy, JobFailed, OutOfCredits, PaymentUnclear
from .doorbell import Doorbell

__all__ = ["Booth", "BoothError", "Busy", "Doorbell", "JobFailed", "OutOfCredits", "PaymentUnclear"]
