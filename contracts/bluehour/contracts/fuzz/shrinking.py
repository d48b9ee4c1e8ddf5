"""The last step of shrinking: what hypothesis can't leave out of a script because its topic is about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from .script import NAMES, RIGHT, Place, Script, Turn

_TURNS_AT_ONCE = 4
"""More answers than that at one place are first tried by halves."""
_FIELDS_AT_ONCE = 2
"""Of more fields than that in one answer each is first tried alone."""


def smallest(script: Script, shows: Callable[[Script], bool]) -> Script:
    """Leave out of a script whatever it shows the same without, one thing after the other."""
    tried: set[str] = set()
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(script):
            if candidate.text in tried or _weight(candidate) >= _weight(script):
                continue
            tried.add(candidate.text)
            if shows(candidate):
                script, progress = candidate, True
                break
    return script


def _weight(script: Script) -> tuple[int, int, int]:
    """How much a script says, in things that a person would take for a cause, and in letters."""
    usual = Script()
    said = sum(getattr(script, name) != getattr(usual, name) for name in NAMES)
    told = sum(_things(turn) for turns in script.answers.values() for turn in turns)
    return said + told + len(script.job) + (script.job[-1] != _USUAL_END), script.size, script.pictures


def _things(turn: Turn) -> int:
    """How many things a turn says."""
    unusual = [each for each in fields(Turn) if getattr(turn, each.name) != getattr(RIGHT, each.name)]
    return 1 + len(unusual) + len(turn.fields) + len(turn.without)


_USUAL_END = Script().job[-1]


def _smaller(script: Script) -> Iterator[Script]:
    """Scripts that say less, the ones first that leave out most."""
    usual = Script()
    for place, turns in script.answers.items():
        yield _with_turns(script, place, ())
        if len(turns) > _TURNS_AT_ONCE:
            yield _with_turns(script, place, turns[: len(turns) // 2])
    for name in NAMES:
        if getattr(script, name) != getattr(usual, name):
            yield replace(script, **{name: getattr(usual, name)})
    yield from (replace(script, job=job) for job in _shorter(script.job))
    if script.pictures > 2:
        yield replace(script, pictures=2)
    for place, turns in script.answers.items():
        for index, turn in enumerate(turns):
            yield _with_turns(script, place, (*turns[:index], *turns[index + 1 :]))
            for simpler in _simpler(turn):
                yield _with_turns(script, place, (*turns[:index], simpler, *turns[index + 1 :]))


def _shorter(job: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield job[-1:]
    if len(job) > _TURNS_AT_ONCE:
        yield job[len(job) // 2 :]
    yield (*job[:-1], _USUAL_END)
    for index in range(len(job) - 1):
        yield (*job[:index], *job[index + 1 :])


def _simpler(turn: Turn) -> Iterator[Turn]:
    """The right turn, and the turn without one of the things that it says."""
    yield RIGHT
    for each in fields(Turn):
        usual: Any = getattr(RIGHT, each.name)
        if getattr(turn, each.name) != usual:
            yield replace(turn, **{each.name: usual})
    if len(turn.fields) > _FIELDS_AT_ONCE:
        yield from (replace(turn, fields={name: value}) for name, value in turn.fields.items())
    for path in turn.fields:
        yield replace(turn, fields={name: value for name, value in turn.fields.items() if name != path})


def _with_turns(script: Script, place: Place, turns: tuple[Turn, ...]) -> Script:
    """The script with other answers at a place; right ones at its end say nothing."""
    while turns and turns[-1] == RIGHT:
        turns = turns[:-1]
    others = {known: answers for known, answers in script.answers.items() if known is not place}
    return replace(script, answers=others | ({place: turns} if turns else {}))
