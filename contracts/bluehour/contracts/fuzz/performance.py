"""What happened while a script was played: who asked for what, when, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..statuses import OVER
from .script import EVENTS_IN_WORDS, Event, Place, Script, Turn

Host = Literal["api", "links", "elsewhere"]


@dataclass(frozen=True)
class Delivered:
    """An event that was sent to the client's receiver.

    Attributes:
        name: the contract's, such as `image.completed`.
        event: what it is to the script.
        project: the id of the project that it tells of.
        state: the status that it tells.
        status: that the receiver answered; 0 for none.
        problem: why there is no answer.
        is_open: whether it might still have answered.
    """

    name: str
    event: Event
    project: str
    state: str
    status: int = 0
    problem: str = ""
    is_open: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has said that it has it."""
        return 200 <= self.status < 300

    @property
    def label(self) -> str:
        """What it is, in words."""
        return self.name if self.event.is_genuine else f"{self.name}, {EVENTS_IN_WORDS[self.event]}"

    @property
    def answer(self) -> str:
        """What became of it, in words."""
        return f"answered {self.status}" if self.status else self.problem


@dataclass(frozen=True)
class Asked:
    """A request, and what was done with it.

    Attributes:
        at: seconds since the client was started, on its own clock.
        ended_at: when the answer was about to be sent, or not to be.
        host: who was asked: the API, the host of signed links, or the one that a redirect leads to.
        place: what for; None for what nobody knows.
        method, target, headers, body: as they came; names of headers in lower case.
        turn: what was answered.
        status: that was sent; 0 for none.
        faults: what of the request breaks the contract, in words.
        strange: what of it the client was never given: an id, a link, a file path.
        subject: what it is about: a project's id, a link.
        asset: the type of asset that an upload's link is for.
        state: the project's status that a poll was told.
        charged: credits that it has booked.
        served: the digest of a file, where one was sent whole.
        carries_token: whether the client's token is anywhere in it.
        legal: whether the contract has such an answer, and it came whole and in time.
        link_is_dead: whether it is for a link that was told to be expired before.
        wrong_type: the Content-Type of an upload whose link was not signed for it, with the one that it was
            signed for.
        delivered: the events that the client's receiver was sent before the answer.
    """

    at: float
    ended_at: float
    host: Host
    place: Place | None
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    turn: Turn
    status: int = 0
    faults: tuple[str, ...] = ()
    strange: str = ""
    subject: str = ""
    asset: str = ""
    state: str = ""
    charged: int = 0
    served: str = ""
    carries_token: bool = False
    legal: bool = True
    link_is_dead: bool = False
    wrong_type: str = ""
    delivered: tuple[Delivered, ...] = ()

    @property
    def label(self) -> str:
        """What it was, in words."""
        return str(self.place) if self.place else f"{self.method} {self.target}"

    @property
    def likeness(self) -> tuple[str, str, str, str]:
        """The same for two requests that ask for the same."""
        return self.host, self.method, self.target, hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Charge:
    """A project that was booked, and what it has cost in the end."""

    project: str
    credits: int
    refunded: bool


@dataclass(frozen=True)
class Ending:
    """How the client ended, as it told, or as was seen of it.

    Attributes:
        outcome: `lost` for a client that died, `late` for one that had to be stopped, `unjudged` for one that
            was stopped though its own clock still gave it time.
        status: of the project, as the client told; nothing where it did not.
        files: digests of what it has downloaded, by the files' names.
        kept: digests of all that it has saved.
        missing: files that it names and that are not there.
        credits: what it says that this has cost; None where it does not.
        error: what it raised, in its own words.
        kind: the error's type.
        where: the line that raised it.
        output: what it wrote to its streams, as text.
    """

    outcome: Literal["done", "refused", "crashed", "late", "lost", "unjudged"]
    status: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    credits: int | None = None
    error: str = ""
    kind: str = ""
    where: str = ""
    output: str = ""


@dataclass(frozen=True)
class Performance:
    """A script that was played.

    Attributes:
        script: which.
        asked: the requests, in order.
        charges: the projects that they have booked.
        ending: how the client ended.
        seconds: how long it took, on the client's clock.
        real_seconds: how long it took.
        token: the client's.
        given: digests of the files that it was given to upload, by the type of asset.
        made: digests of the files of those projects that it was told to be complete.
        nowhere: how many links led to a host that refuses connections: nobody sees who tries.
        edits: how many projects it was to make.
        virtual: whether sleeping takes no time.
    """

    script: Script
    asked: tuple[Asked, ...]
    charges: tuple[Charge, ...]
    ending: Ending
    seconds: float
    real_seconds: float
    token: str
    given: Mapping[str, str]
    made: frozenset[str] = frozenset()
    nowhere: int = 0
    edits: int = 1
    virtual: bool = True

    @property
    def is_legal(self) -> bool:
        """Whether the client met nothing that the contract does not have."""
        return not self.script.gone and not self.nowhere and all(each.legal for each in self.asked)

    def at(self, place: Place) -> Iterator[Asked]:
        """Yield the requests of a place."""
        return (each for each in self.asked if each.place is place)

    @property
    def ends_told(self) -> dict[str, str]:
        """The statuses in which projects are over, by id, as the client was told by events that it took."""
        told = (each for asked in self.asked for each in asked.delivered)
        return {
            each.project: each.state
            for each in told
            if each.event.is_genuine and each.is_taken and each.state in OVER
        }

    @property
    def last_state(self) -> str:
        """The project's status that the client was told last; nothing where it was told none."""
        polled = next((each.state for each in reversed(self.asked) if each.state), "")
        return polled if polled in OVER else next(iter(self.ends_told.values()), polled)
