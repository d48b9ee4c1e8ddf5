"""What a run of the fuzz has found, as values: every report shows these."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from ..statuses import OVER
from .coverage import Coverage
from .judge import Violation
from .performance import Performance
from .script import Place, Script


class Exit(IntEnum):
    """The exit codes of `bluehour fuzz`."""

    KEPT = 0
    FINDINGS = 1
    USAGE = 2
    UNJUDGED = 3


@dataclass(frozen=True)
class Part:
    """Which of a run's topics are played: each `of`-th, from the `index`-th on, counted from 0."""

    index: int = 0
    of: int = 1


@dataclass
class Finding:
    """A rule that the client breaks, with the smallest script that shows it.

    Attributes:
        violation: the rule, and what the client did.
        played: the performance of that script.
        topic: what was looked for when it was found first.
        times: in how many performances it was seen.
        steady: whether it shows again each time that its script is played.
        smallest: whether there was time to leave out of the script all that it shows the same without.
        shrunk_in: seconds from when it was seen first to its smallest script.
    """

    violation: Violation
    played: Performance
    topic: str
    times: int = 1
    steady: bool = True
    smallest: bool = True
    shrunk_in: float = 0.0

    @property
    def script(self) -> Script:
        """The script."""
        return self.played.script


ASKED = tuple(str(place) for place in Place if place not in (Place.DELETE, Place.CALL))
"""What every client of Magic Hour's asks for."""


@dataclass(frozen=True)
class Result:
    """Everything that a run has to say.

    Attributes:
        client: its name.
        call: how the command line says it, with what it is given; nothing for a function.
        version: Bluehour's.
        profile: what scripts could have in them; `replay` for scripts from files.
        seed: makes the same run again.
        rules: the ids of those that were judged.
        topics: how many there are in the profile.
        played: how many scripts were played, those included that shrinking took.
        seconds: how long that took.
        coverage: what the client has met.
        findings: the broken rules, in the rules' order.
        stopped: why it ended before its end; nothing where it did not.
        notes: what the reader should know.
        places: those that a client comes to.
        ends: the statuses in which its jobs can end.
        operation: what it was to have done, such as `POST /v1/text-to-video`; nothing where it chose.
        part: which of its topics were played.
    """

    client: str
    call: str
    version: str
    profile: str
    seed: int
    rules: frozenset[str]
    topics: int
    played: int
    seconds: float
    coverage: Coverage
    findings: tuple[Finding, ...]
    stopped: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)
    places: tuple[str, ...] = ASKED
    ends: tuple[str, ...] = OVER
    operation: str = ""
    part: Part = Part()

    @property
    def exit_code(self) -> Exit:
        """See `Exit`."""
        if self.findings:
            return Exit.FINDINGS
        return Exit.UNJUDGED if self.stopped else Exit.KEPT
