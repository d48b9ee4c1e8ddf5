"""Keys by which a client says that a create is the one it has sent before (`Idempotency-Key`).

A key is stored with what it made, in one step with the charge or not at all. So however often a request
comes, to however many processes on one store, it is paid once, for as long as its key is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from bluehour.openapi.errors import BluehourError

REMEMBERED_FOR = 86_400.0
"""Seconds by the mock's clock that a key is remembered."""

MOST_KEYS = 100_000
"""Keys that a store remembers; beyond them the oldest is forgotten, and would be charged anew."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it came with a create.

    Attributes:
        account_id: whose it is; other accounts may have the same.
        key: as the client made it up.
        fingerprint: of the operation and the body that it came with.
    """

    account_id: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class UsedKey:
    """What is stored of a key: the fingerprint that it first came with, and the project that it made."""

    fingerprint: str
    project_id: str


class KeyTaken(BluehourError):
    """The key has made a project before; nothing was stored or charged.

    Attributes:
        used: what is stored of it.
    """

    def __init__(self, used: UsedKey) -> None:
        super().__init__(f"it made {used.project_id}")
        self.used = used


class KeyUnderWay(BluehourError):
    """The first request with this key has not ended yet."""


class KeysUnderWay:
    """The keys that this process works on. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def alone(self, key: Key) -> Iterator[None]:
        """Be the only one to work on a key.

        Raises:
            KeyUnderWay: somebody else is.
        """
        name = (key.account_id, key.key)
        with self._lock:
            if name in self._keys:
                raise KeyUnderWay
            self._keys.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(name)
