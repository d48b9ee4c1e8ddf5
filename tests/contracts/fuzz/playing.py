"""Scripts played to small clients: what the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bluehour.contracts import Task
from bluehour.contracts.fuzz.clients import Client
from bluehour.contracts.fuzz.clients.function import Function
from bluehour.contracts.fuzz.engine import Options, fuzz
from bluehour.contracts.fuzz.judge import ClientJudge, Violation
from bluehour.contracts.fuzz.performance import Performance
from bluehour.contracts.fuzz.playing import Terms, Theatre
from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.rules import RULES
from bluehour.contracts.fuzz.script import Place, Script, Turn
from bluehour.contracts.fuzz.strategies import Profile
from bluehour.contracts.fuzz.wanted import wanted_of
from bluehour.openapi.contract import load

from . import careful

CONTRACT = load()
ALL = frozenset(rule.id for rule in RULES)
TERMS = Terms(600.0, 20.0)
PACE = 2.0
Made = Callable[[Task], Any]


def at(place: Place, *turns: Turn, **known: Any) -> Script:
    """A script that speaks of one place."""
    return Script({place: turns}, **known)


def function(client: Made | type[careful.Client]) -> Function:
    """A client of this process that refuses as the careful one does; of a class, its `edit`."""
    if not isinstance(client, type):
        return Function(client, (careful.Refused,))
    made: type[careful.Client] = client

    def edit(task: Task) -> Any:
        return made(task).edit()

    return Function(edit, (careful.Refused,))


@contextmanager
def theatre(client: Made | type[careful.Client] = careful.edit, terms: Terms = TERMS) -> Iterator[Theatre]:
    with Theatre(CONTRACT, function(client), terms) as opened:
        yield opened


def play(
    script: Script, client: Made | type[careful.Client] = careful.edit, terms: Terms = TERMS
) -> Performance:
    with theatre(client, terms) as opened:
        return opened.play(script)


def judged(played: Performance, rules: frozenset[str] = ALL, pace: float = PACE) -> list[Violation]:
    return ClientJudge(rules, pace, 3600.0).violations(played)


def broken(played: Performance) -> set[str]:
    """The ids of the rules that a client has broken."""
    return {violation.rule for violation in judged(played)}


def options(**known: Any) -> Options:
    facts: dict[str, Any] = {"examples": 10, "seed": 0, "profile": Profile.REALISTIC, "rules": ALL}
    return Options(**facts | {"terms": TERMS} | known)


def asked_for(name: str, changes: Mapping[str, Any] | None = None) -> Terms:
    """The terms of a client that is to do what a name says."""
    return replace(TERMS, wanted=wanted_of(CONTRACT, name, changes))


def fuzzed(client: Client | Made | type[careful.Client], **known: Any) -> Result:
    """Fuzz a client."""
    driven = function(client) if isinstance(client, type) or callable(client) else client
    return fuzz(CONTRACT, driven, options(**known))
