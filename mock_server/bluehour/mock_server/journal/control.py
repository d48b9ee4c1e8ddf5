"""The journal in the control API."""

from __future__ import annotations

from .. import __version__
from ..api.call import Answer
from ..control.exchange import ControlCall, existing, unknown
from ..core.world import World
from .entry import Entry
from .filters import filter_of
from .journal import Journal
from .view import archive, shown


class JournalOperations:
    """The operations on the journal; of none, where none is kept."""

    def __init__(self, world: World, journal: Journal | None) -> None:
        self._world = world
        self._journal = journal

    def read_journal(self, call: ControlCall) -> Answer:
        """What clients sent and got."""
        body = {
            "entries": [shown(each) for each in self._found(call)],
            "recorded": 0 if self._journal is None else self._journal.recorded,
            "kept": 0 if self._journal is None else len(self._journal),
        }
        return Answer(200, body)

    def read_entry(self, call: ControlCall) -> Answer:
        """One entry."""
        number = call.parameters["id"]
        if self._journal is None:
            raise unknown("entry", number)
        with existing("entry", number):
            return Answer(200, shown(self._journal.find(number)))

    def clear_journal(self, _: ControlCall) -> Answer:
        """Empty the journal."""
        if self._journal is not None:
            self._journal.clear()
        self._world.announce_to_all("journal")
        return Answer(204, media_type=None)

    def export_har(self, call: ControlCall) -> Answer:
        """The journal as an HTTP archive."""
        har = archive(self._found(call), call.upstream or call.base_url, __version__)
        return Answer(200, har, headers={"Content-Disposition": 'attachment; filename="journal.har"'})

    def _found(self, call: ControlCall) -> list[Entry]:
        entries = [] if self._journal is None else self._journal.all()
        fits = filter_of(call.parameters, self._world)
        return [each for each in entries if fits(each)][-call.parameters["limit"] :]
