"""The notes of a store in a database, which its processes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..process import Process
from . import statements as sql
from .database import Database, Session
from .notes import Posted

_STORE = "store"
"""The group of the counts that the store itself keeps."""
NO_END = 2**62
"""Of a count that may go on for ever."""
_REVISION = {"group": _STORE, "name": "revision", "by": 1, "at_most": NO_END}
_RESETS = {"group": _STORE, "name": "resets", "by": 1, "at_most": NO_END}


class SqlNotes:
    """Keeps them in tables."""

    is_shared = True

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Posted:
        """Return all of them, as they are at one moment."""
        with self._database.reading() as session, session.snapshot():
            counts = dict(session.find(sql.FIND_COUNTS, {"group": _STORE}))
            notes = {name: bytes(value) for name, value in session.find(sql.FIND_NOTES)}
        return Posted(counts.get("revision", 0), counts.get("resets", 0), notes)

    def revision(self) -> int:
        """Return the latest revision."""
        with self._database.reading() as session:
            return count_in(session, _STORE, "revision")

    def swap(self, name: str, old: bytes | None, new: bytes) -> bool:
        """Put a note in the place of an earlier one; tell whether that was still what is noted."""

        def swap(session: Session) -> bool:
            _make_revision(session)  # which whoever comes later waits for
            found = session.first(sql.FIND_NOTE, {"wanted": name})
            if (bytes(found[0]) if found else None) != old:
                return False
            session.change(sql.PUT_NOTE, {"name": name, "value": new})
            return True

        return self._database.change(swap)

    def count(self, group: str, name: str, at_most: int | None = None, by: int = 1) -> int | None:
        """Count something; None where it stands at the most already."""
        if at_most is not None and at_most < 1:
            return None
        given = {
            "group": group,
            "name": name,
            "by": by,
            "at_most": NO_END if at_most is None else at_most,
        }
        found = self._database.change(lambda session: session.change(sql.COUNT, given))
        return int(found[0][0]) if found else None

    def counts(self, group: str) -> Mapping[str, int]:
        """Return the counts of a group, by name."""
        with self._database.reading() as session:
            return dict(session.find(sql.FIND_COUNTS, {"group": group}))

    def forget_counts(self, group: str) -> None:
        """Have all counts of a group begin anew."""
        self._database.change(lambda session: session.change(sql.DROP_COUNTS, {"group": group}))

    def seconds_ahead(self) -> float:
        """Return by how much the database's time is ahead of this machine's `time.monotonic()`."""
        return self._database.seconds_ahead()

    def check_in(self, member: str, process: Process, revision: int, lease: float) -> None:
        """Say that a member knows a revision, and may go by it for so many seconds."""

        def check_in(session: Session) -> None:
            now = session.now()
            session.change(sql.DROP_GONE_MEMBERS, {"at": now, "longest": lease})
            row = {"pid": process.pid, "host": process.host, "revision": revision, "until": now + lease}
            session.change(sql.PUT_MEMBER, {"id": member, **row})

        self._database.change(check_in)

    def leave(self, member: str) -> None:
        """Say that a member goes by nothing any more."""
        self._database.change(lambda session: session.change(sql.DROP_MEMBER, {"wanted": member}))

    def members(self) -> Mapping[str, Process]:
        """Return those whose lease is not over, by id."""
        with self._database.reading() as session:
            found = session.find(sql.FIND_MEMBERS, {"at": session.now()})
        return {member: Process(pid, host) for member, pid, host in found}

    def laggards(self, revision: int, but: str) -> float:
        """Return for how many seconds some member, other than `but`, may go by an earlier revision."""
        with self._database.reading() as session:
            now = session.now()
            (until,) = session.first(sql.LAST_LEASE, {"known": revision, "wanted": but})
        return 0.0 if until is None else float(until) - now

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Wait until something may have changed, or so long, or until it is stopped."""
        self._database.wait(seconds, stopped)


def note_reset(session: Session) -> None:
    """Have all processes see, by the transaction that resets the store, that it was."""
    _make_revision(session)
    session.change(sql.COUNT, _RESETS)


def resets_in(session: Session) -> int:
    """Return how often the store was reset, as a transaction sees it."""
    return count_in(session, _STORE, "resets")


def count_in(session: Session, group: str, name: str) -> int:
    """Return how a count stands; 0 where it has not begun."""
    found = session.first(sql.FIND_COUNT, {"group": group, "name": name})
    return int(found[0]) if found else 0


def _make_revision(session: Session) -> None:
    session.change(sql.COUNT, _REVISION)
    session.tell()
