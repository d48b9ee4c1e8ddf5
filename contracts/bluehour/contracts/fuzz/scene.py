"""What a client comes to while it does what is wanted, and so what it can be met with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bluehour.mock_server.api.representation import READS, events_of, fields_shown_by
from bluehour.openapi import terms
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.outputs import MOST_FILES
from bluehour.openapi.resources.shapes import field_of

from .script import NAMES, Place, Script
from .stage.bodies import places_in
from .stage.resources import has_word
from .wanted import Wanted, creates_of, wanted_of

Job = tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """What there is for a client.

    Attributes:
        operations: those that it calls, by what they are for.
        has_job: tells whether a job can be told so, status by status.
        links: the places of signed links that it comes to.
        tells: names of what a script says of a project, or of its uploads, that answers can show.
        most_files: that a project may have.
        has_receiver: whether it can be sent events.
    """

    operations: Mapping[Place, Operation]
    has_job: Callable[[Job], bool]
    links: tuple[Place, ...] = ()
    tells: frozenset[str] = frozenset()
    most_files: int = 0
    has_receiver: bool = False

    @property
    def places(self) -> tuple[Place, ...]:
        """All places that it comes to."""
        there = {*self.operations, *self.links}
        return tuple(place for place in Place if place in there)

    def can_meet(self, script: Script) -> bool:
        """Tell whether it can be met with all of a script."""
        usual = Script()
        said = {name for name in NAMES if getattr(script, name) != getattr(usual, name)}
        return (
            said - {"job", "gone"} <= self.tells
            and script.pictures <= self.most_files
            and ("job" not in said or self.has_job(script.job))
            and all(place in self.places for place, turns in script.answers.items() if turns)
            and (self.has_receiver or not script.has_events)
            and script.gone in ("", "start", *self.operations)
        )


def scene_of(contract: Contract, wanted: Wanted | None = None, *, has_receiver: bool = False) -> Scene:
    """Return what a client comes to.

    Args:
        contract: has the operations.
        wanted: what it is to have done; of None, an edit, or whatever it does with another contract.
        has_receiver: whether the client has one, of webhooks.
    """
    if wanted is None and not creates_of(contract):
        return _of_resources(contract)
    return _of_projects(contract, wanted or wanted_of(contract), has_receiver)


def _of_projects(contract: Contract, wanted: Wanted, has_receiver: bool) -> Scene:
    operations = {Place.CREATE: wanted.operation, Place.POLL: wanted.reader}
    if wanted.uploads:
        operations = {Place.UPLOAD_URLS: _first(contract, Place.UPLOAD_URLS), **operations}
    kind = wanted.operation.project_kind
    siblings = [each for each in creates_of(contract) if each.project_kind == kind]
    return Scene(
        operations,
        _told_by(contract, wanted.reader),
        (Place.UPLOAD, Place.DOWNLOAD) if wanted.uploads else (Place.DOWNLOAD,),
        frozenset(_told_of(wanted)),
        most_files=MOST_FILES if any("count" in each.node.get("x-output", {}) for each in siblings) else 1,
        has_receiver=has_receiver and (kind, "complete") in events_of(contract),
    )


def _told_of(wanted: Wanted) -> Iterator[str]:
    shown = fields_shown_by(wanted.reader)
    yield from ("pictures", "same_name")
    if "error" in shown:
        yield "job_error"
    if "enabled" in shown:
        yield "deleted"
    if terms.settles(wanted.operation):
        yield "shorter"
    if wanted.uploads:
        yield "typed"


def _told_by(contract: Contract, reader: Operation) -> Callable[[Job], bool]:
    """What an operation shows of a job, or no operation does, as a bad server might."""
    readers = [each for each in contract.operations if each.behaviour == READS]
    strange = {state for each in readers for state in _states(each)} - _states(reader)
    return strange.isdisjoint


def _states(reader: Operation) -> frozenset[str]:
    """The statuses that an operation may show."""
    media = reader.success[1].json
    return frozenset(field_of(media.schema, "status").resolved.get("enum", ()) if media else ())


def _of_resources(contract: Contract) -> Scene:
    there = set(places_in(contract).values())
    lifecycles = [each.resource.lifecycle for each in contract.actions.values() if each.resource.lifecycle]

    def has_job(job: Job) -> bool:
        return any(all(has_word(lifecycle, state) for state in job) for lifecycle in lifecycles)

    places = [place for place in (Place.CREATE, Place.POLL, Place.CALL) if place in there]
    return Scene({place: _first(contract, place) for place in places}, has_job)


def _first(contract: Contract, place: Place) -> Operation:
    return next(each for each in contract.operations if places_in(contract)[each.id] is place)
