"""The pages of a journal that several processes write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Page(NamedTuple):
    """What is kept of a request and its answer.

    Attributes:
        number: counted from 1 over all processes; 0 where it has none yet.
        packed: most of it.
        body, answer: None where they are not kept.
        operation_id: what was called; None where that is no operation.
    """

    number: int
    packed: bytes
    body: bytes | None
    answer: bytes | None
    operation_id: str | None


class Pages(Protocol):
    """Keeps them. All calls may come from any thread, and may raise StoreUnavailable."""

    def add(self, pages: Sequence[Page], dropped: int, most: int, resets: int) -> None:
        """Add pages behind the others, and number them.

        Args:
            pages: in order.
            dropped: how many more came before them, which are not kept any more.
            most: how many pages are kept.
            resets: as often as the store was reset when they were made; else they are forgotten already.
        """

    def recorded(self) -> int:
        """Return how many there were since the store was made, reset, or its pages were cleared."""

    def count(self) -> int:
        """Return how many there are."""

    def all(self) -> list[Page]:
        """Return all, in order."""

    def find(self, number: int) -> Page | None:
        """Return one, or None."""

    def clear(self) -> None:
        """Forget all, and count from 1 again."""
