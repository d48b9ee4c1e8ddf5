"""Clients that can be driven: a command, a worker, a Python function."""

from __future__ import annotations

from typing import Protocol

from bluehour.openapi.errors import BluehourError

from ..clock import ClientClock
from ..performance import Ending
from ..workers.python_worker import Task

__all__ = ["Client", "ClientError", "Limits"]


class ClientError(BluehourError):
    """The client can't be driven at all; the message says why, in one line."""


class Limits:
    """For how long a client may run.

    Attributes:
        seconds: on its own clock.
        real_seconds: on ours: no client hangs longer.
    """

    def __init__(self, seconds: float, real_seconds: float) -> None:
        self.seconds = seconds
        self.real_seconds = real_seconds

    def are_over(self, clock: ClientClock) -> bool:
        """Tell whether a client has had its time."""
        return clock.now() > self.seconds or clock.real() > self.real_seconds


class Client(Protocol):
    """Somebody who can make an edit.

    Attributes:
        name: for reports and for the database of examples.
        call: how the command line says it, as `--worker -- ./mine`; nothing for a function.
        virtual: whether its sleeping takes no time.
    """

    name: str
    call: str
    virtual: bool

    def run(self, task: Task, clock: ClientClock, limits: Limits) -> Ending:
        """Have it make an edit, and return how it ended; it leaves nothing running.

        Raises:
            ClientError: it can't be started.
        """

    def close(self) -> None:
        """End it for good."""
