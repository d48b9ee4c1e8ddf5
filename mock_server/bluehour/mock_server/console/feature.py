"""The console as a part of the mock: its page, and the events that keep it up to date."""

from __future__ import annotations

from functools import partial

from flask import Flask, Response, request

from ..api.feature import Feature
from ..api.wsgi import sending_of
from ..control import PREFIX
from ..journal.journal import Journal
from .feed import Feed, follow
from .pages import add_routes


class ConsoleFeature(Feature):
    """Shows what happens.

    Args:
        journal: whose requests it tells of; None where none are kept.
    """

    def __init__(self, journal: Journal | None) -> None:
        self.feed = Feed()
        if journal is not None:
            journal.on_record(self.feed.publish_record)

    def changed(self, what: str) -> None:
        self.feed.publish(what)

    def add_pages(self, app: Flask) -> None:
        """Serve the console."""
        add_routes(app)
        app.add_url_rule(f"{PREFIX}/events", "control events", self._events)

    def _events(self) -> Response:
        sending_of(request.environ).events = partial(follow, self.feed)
        return Response(content_type="text/event-stream", headers={"Cache-Control": "no-store"})
