"""The console as a part of the mock: its page, and the events that keep it up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.feature import Feature
from ..control import PREFIX
from ..journal.journal import Journal
from .feed import Feed

if TYPE_CHECKING:
    from flask import Flask


class ConsoleFeature(Feature):
    """Shows what happens.

    Args:
        journal: whose requests it tells of; None where none are kept.
    """

    pages = (PREFIX, "/favicon.ico")

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self.feed = Feed(self._shown)
        if journal is not None:
            journal.on_record(self.feed.publish)

    def changed(self, what: str) -> None:
        self.feed.publish(what)

    def _shown(self, number: int) -> Mapping[str, Any]:
        from ..journal.view import shown

        if self._journal is None:
            raise KeyError(number)
        return shown(self._journal.find(number))

    def add_pages(self, app: Flask) -> None:
        """Serve the console."""
        from .pages import add_routes

        add_routes(app, self.feed)
