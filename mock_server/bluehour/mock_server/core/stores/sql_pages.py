"""The pages of a journal in a database."""

from __future__ import annotations

from collections.abc import Sequence

from . import statements as sql
from .database import Database, Session
from .pages import Page
from .sql_notes import NO_END, count_in, resets_in

_GROUP = "journal"
_RECORDED = "recorded"
_LARGEST = 2**63 - 1
"""Number that a database has a type for."""


class SqlPages:
    """Keeps them in a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, pages: Sequence[Page], dropped: int, most: int, resets: int) -> None:
        """Add pages behind the others, and number them."""

        def add(session: Session) -> None:
            # Whoever resets or clears waits for this row, or has this wait.
            more = {"group": _GROUP, "name": _RECORDED, "by": dropped + len(pages), "at_most": NO_END}
            ((last,),) = session.change(sql.COUNT, more)
            if resets_in(session) != resets:
                clear_pages(session)
                return
            for number, page in enumerate(pages, last - len(pages) + 1):
                session.change(sql.ADD_PAGE, page._replace(number=number)._asdict())
            session.change(sql.DROP_PAGES, {"until": last - most})

        self._database.change(add)

    def recorded(self) -> int:
        """Return how many there were."""
        with self._database.reading() as session:
            return count_in(session, _GROUP, _RECORDED)

    def count(self) -> int:
        """Return how many there are."""
        with self._database.reading() as session:
            return int(session.first(sql.COUNT_PAGES)[0])

    def all(self) -> list[Page]:
        """Return all, in order."""
        with self._database.reading() as session:
            return [_page(row) for row in session.find(sql.FIND_PAGES)]

    def find(self, number: int) -> Page | None:
        """Return one, or None."""
        if number > _LARGEST:
            return None
        with self._database.reading() as session:
            row = session.first(sql.FIND_PAGE, {"number": number})
        return None if row is None else _page(row)

    def clear(self) -> None:
        """Forget all, and count from 1 again."""
        self._database.change(clear_pages)


def clear_pages(session: Session) -> None:
    """Forget all pages, in somebody's transaction."""
    session.change(sql.DROP_COUNTS, {"group": _GROUP})
    session.change(sql.DROP_ALL_PAGES)


def _page(row: tuple[int, bytes, bytes | None, bytes | None, str | None]) -> Page:
    return Page(*row)
