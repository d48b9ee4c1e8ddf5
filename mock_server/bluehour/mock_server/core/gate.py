"""Requests and a reset keep out of each other's way: none sees a mock that is half forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock


class Forgotten(Exception):
    """A reset has come between the beginning of a request and its end."""


class Gate:
    """Passed by any number of requests at a time, `with gate:`; and closed for whoever must be alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._inside = 0
        self._is_closed = False
        self._closings = 0

    def __enter__(self) -> None:
        """Pass, once it is open."""
        with self._lock:
            while self._is_closed:
                self._changed.wait()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        """Leave."""
        with self._lock:
            self._inside -= 1
            if self._is_closed:
                self._changed.notify_all()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Leave for what takes long, and come back at the end; for whoever is inside.

        Raises:
            Forgotten: at the end, as it was closed meanwhile.
        """
        before = self._closings
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()
        if self._closings != before:
            raise Forgotten

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let nobody in, wait until all are out, and open again at the end."""
        with self._changed:
            while self._is_closed:
                self._changed.wait()
            self._is_closed = True
            while self._inside:
                self._changed.wait()
            self._closings += 1
        try:
            yield
        finally:
            with self._changed:
                self._is_closed = False
                self._changed.notify_all()
