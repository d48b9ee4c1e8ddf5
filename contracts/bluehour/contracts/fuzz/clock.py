"""The client's clock: real time, and what the client has slept without waiting."""

from __future__ import annotations

# By name: the module's own are moved while a client of this process runs.
from time import monotonic, time


class ClientClock:
    """Seconds since a client was started. May be read from any thread."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._slept = 0.0

    def now(self) -> float:
        """Return the seconds since the client was started, those included that it has slept."""
        return monotonic() - self._began + self._slept

    def wall(self) -> float:
        """Return what the client's own clock shows, in seconds since the epoch."""
        return time() + self._slept

    def real(self) -> float:
        """Return the seconds since the client was started that have really passed."""
        return monotonic() - self._began

    def sleep(self, seconds: float) -> None:
        """Let the client sleep."""
        self._slept += seconds
