"""The console as a part of the mock: its page, and the events that keep it up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        self.feed = Feed()
        if journal is not None:
            journal.on_record(self.feed.publish_record)

    def changed(self, what: str) -> None:
        self.feed.publish(what)

    def add_pages(self, app: Flask) -> None:
        """Serve the console."""
        from .pages import add_routes

        add_routes(app, self.feed)
