"""Two schemas compared, and all that is in them: each pair once, however they refer to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from bluehour.openapi.document import SpecError

from .differences import ABSENT, Difference, Kind, presence
from .shapes import CLOSED, LIMITS, TYPES, Nodes, Shape, Shapes, text, tighter_of

_Pair = tuple[Nodes, Nodes]
_Key = tuple[tuple[int, ...], tuple[int, ...]]
_Step = tuple[str, _Pair]

_MOST_PLACES, _MOST_IN_ONE = 100_000, 2000
"""Where schemas are met, in all messages and in one; after those, what was told is not told again."""

_ANY_NUMBER = (ABSENT, "float", "double", "decimal")
"""Formats that limit nothing."""


class _Field(NamedTuple):
    required: bool
    deprecated: bool = False


class Schemas:
    """Compares the schemas of two documents."""

    def __init__(self, ours: Shapes, theirs: Shapes) -> None:
        self._ours = ours
        self._theirs = theirs
        self._known: dict[_Key, tuple[list[Difference], list[tuple[str, _Key]]]] = {}
        self._differing: set[_Key] = set()
        self._told: set[_Key] = set()
        self._places = 0

    def differences(self, ours: Any, theirs: Any) -> Iterator[Difference]:
        """Yield how two schemas differ, what is nearest to the top first."""
        root = (self._ours.named(ours),), (self._theirs.named(theirs),)
        self._look(root)
        places: list[tuple[str, _Key, frozenset[_Key]]] = [("", _key(root), frozenset())]
        is_full = self._places > _MOST_PLACES
        told = self._told if is_full else set()
        for path, key, above in places:  # grows on the way
            is_again = key in told and (key in above or is_full or len(places) > _MOST_IN_ONE)
            if key in self._differing and not is_again:
                told.add(key)
                found, steps = self._known[key]
                yield from (replace(one, field=(path + one.field).removeprefix(".")) for one in found)
                places += [(path + step, to, above | {key}) for step, to in steps if to in self._differing]
            elif is_full and key in self._differing:
                yield Difference("shared schema", Kind.NOTE, field=path.removeprefix("."))
        self._told |= told
        self._places += len(places)

    def _look(self, root: _Pair) -> None:
        """Compare a pair and all that it leads to, and note which of them lead to a difference."""
        came_from: dict[_Key, list[_Key]] = {}
        differing: list[_Key] = []
        left = [(_key(root), root)]
        while left:
            key, pair = left.pop()
            if key not in self._known:
                found, inner = self._compared(*pair)
                steps = [(step, _key(to)) for step, to in inner]
                self._known[key] = found, steps
                left += [(to, nodes) for (_, to), (_, nodes) in zip(steps, inner, strict=True)]
                for _, to in steps:
                    came_from.setdefault(to, []).append(key)
                if found or any(to in self._differing for _, to in steps):
                    differing.append(key)
        while differing:
            if (key := differing.pop()) not in self._differing:
                self._differing.add(key)
                differing += came_from.get(key, ())

    def _compared(self, ours: Nodes, theirs: Nodes) -> tuple[list[Difference], list[_Step]]:
        found: list[Difference] = []
        steps: list[_Step] = []
        try:
            for one in () if _is_same(ours, theirs) else self._compare(ours, theirs):
                found.append(one) if isinstance(one, Difference) else steps.append(one)
        except (SpecError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            # A reference may lead to what is no schema, and was not mended when the file was read.
            return [Difference("schema", Kind.OTHER)] if ours != theirs else [], []
        return found, steps

    def _compare(self, ours: Nodes, theirs: Nodes) -> Iterator[Difference | _Step]:
        """Yield how two schemas differ themselves, and the steps to those in them."""
        old, new = self._ours.of(ours), self._theirs.of(theirs)
        for keyword, unsaid in (("default", ABSENT), ("deprecated", False)):
            was, now = (shape.said.get(keyword, unsaid) for shape in (old, new))
            if was is not now and (ABSENT in (was, now) or text(was) != text(now)):
                yield Difference(keyword, Kind.NOTE, was, now)
        if bool(old.branches) != bool(new.branches):
            yield Difference("oneOf", Kind.OTHER, len(old.branches), len(new.branches))
            return
        yield from _types(old.types, new.types)
        if old.types & new.types - {"null"}:
            yield from _limits(old.limits, new.limits)
            yield from _values(old.values, new.values)
            yield from _branches(old.branches, new.branches)
            yield from self._inner(old, new)

    def _inner(self, ours: Shape, theirs: Shape) -> Iterator[Difference | _Step]:
        for step in {**ours.inner, **theirs.inner}:
            old, new = ours.inner.get(step), theirs.inner.get(step)
            if step in ("[]", ".*"):  # where one side says nothing of it, it may be anything
                if None not in (old, new) or CLOSED not in {**ours.limits, **theirs.limits}:
                    yield step, (old or (), new or ())
            elif old is None:
                one = _Field(step in theirs.required)
                yield from presence(
                    "field", None, one, field=step, theirs=self._theirs.said(new or (), "type")
                )
            elif new is None:
                one = _Field(step in ours.required, self._ours.said(old, "deprecated") is True)
                yield from presence("field", one, None, field=step, ours=self._ours.said(old, "type"))
            else:
                fields = (_Field(step in shape.required) for shape in (ours, theirs))
                yield from presence("field", *fields, field=step)
                yield step, (old, new)


def _key(pair: _Pair) -> _Key:
    ours, theirs = pair
    return tuple(map(id, ours)), tuple(map(id, theirs))


def _is_same(ours: Nodes, theirs: Nodes) -> bool:
    """Tell whether two schemas are written alike, and refer to nothing that may differ."""
    written = orjson.dumps(ours)
    return b'"$ref"' not in written and written == orjson.dumps(theirs)


def _types(ours: set[str], theirs: set[str]) -> Iterator[Difference]:
    if set(TYPES) not in (ours, theirs) and ("null" in ours) != ("null" in theirs):
        kind = Kind.WIDER if "null" in theirs else Kind.NARROWER
        yield Difference("nullable", kind, "null" in ours, "null" in theirs)
        ours, theirs = ours - {"null"}, theirs - {"null"}
    if ours != theirs:
        kind = Kind.WIDER if ours < theirs else Kind.NARROWER if theirs < ours else Kind.OTHER
        yield Difference("type", kind, _words(ours), _words(theirs))


def _words(types: set[str]) -> str:
    named = types - {"integer"} if "number" in types else types
    return "any" if types == set(TYPES) else " or ".join(each for each in TYPES if each in named)


def _limits(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Difference]:
    for keyword in LIMITS:
        old, new = ours.get(keyword, ABSENT), theirs.get(keyword, ABSENT)
        if old != new:
            kind = Kind.NOTE if _is_looser(keyword, old, new) else Kind.NARROWER
            yield Difference(keyword, kind, _bound(old), _bound(new))


def _is_looser(keyword: str, old: Any, new: Any) -> bool:
    if old is ABSENT or new is ABSENT or keyword == "format":
        return new is ABSENT or (old in _ANY_NUMBER and new in _ANY_NUMBER)
    if keyword == "multipleOf":
        return bool(old % new == 0)
    tighter = tighter_of(keyword)
    return tighter is not None and bool(tighter(old, new) == old)


def _bound(limit: Any) -> Any:
    number, side = limit if isinstance(limit, tuple) else (limit, 0)
    return f"{'>' if side > 0 else '<'} {number}" if side else number


def _values(ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> Iterator[Difference]:
    if ours is None or theirs is None:
        if ours is not theirs:
            old, new = (ABSENT if each is None else [*each.values()] for each in (ours, theirs))
            yield Difference("enum", Kind.WIDER if theirs is None else Kind.NARROWER, old, new)
        return
    gone = [value for key, value in ours.items() if key not in theirs]
    added = [value for key, value in theirs.items() if key not in ours]
    yield from _listed("value", gone, added)


def _listed(what: str, gone: Sequence[Any], added: Sequence[Any]) -> Iterator[Difference]:
    if gone:
        yield Difference(what, Kind.FEWER, ours=gone)
    if added:
        yield Difference(what, Kind.MORE, theirs=added)


def _branches(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Difference | _Step]:
    gone, added = [name for name in ours if name not in theirs], [name for name in theirs if name not in ours]
    yield from _listed("branch", gone, added)
    yield from ((f"({name})", ((ours[name],), (theirs[name],))) for name in ours if name in theirs)
