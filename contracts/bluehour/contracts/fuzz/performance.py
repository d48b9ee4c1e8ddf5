"""What happened while a script was played: who asked for what, when, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .script import Place, Script, Turn

Host = Literal["api", "links", "elsewhere"]


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
        state: the project's status that a poll was told.
        charged: credits that it has booked.
        served: the digest of a picture, where one was sent whole.
        carries_token: whether the client's token is anywhere in it.
        legal: whether the contract has such an answer, and it came whole and in time.
        link_is_dead: whether it is for a link that was told to be expired before.
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
    state: str = ""
    charged: int = 0
    served: str = ""
    carries_token: bool = False
    legal: bool = True
    link_is_dead: bool = False

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
        files: digests of the pictures that it has saved, by the files' names.
        kept: digests of all that it has saved.
        missing: files that it names and that are not there.
        credits: what it says the edit has cost; None where it does not.
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
        photo: the digest of the picture that was to be edited.
        nowhere: how many links led to a host that refuses connections: nobody sees who tries.
        edits: how many it was to make.
        virtual: whether sleeping takes no time.
    """

    script: Script
    asked: tuple[Asked, ...]
    charges: tuple[Charge, ...]
    ending: Ending
    seconds: float
    real_seconds: float
    token: str
    photo: str
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
    def last_state(self) -> str:
        """The project's status that the client was told last; nothing where it was told none."""
        return next((each.state for each in reversed(self.asked) if each.state), "")
