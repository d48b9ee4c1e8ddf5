"""Two contracts compared: what their operations take and answer, and what their webhooks send."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import DeclaredResponse, MediaType, Operation, Parameter

from .differences import Difference, Kind, presence
from .schemas import Schemas
from .shapes import Shapes

_T = TypeVar("_T")
_Operations = Mapping[str, Operation]
_Judged = MediaType | Parameter

_IN_BRACES = re.compile(r"\{([^}]*)\}")
_NOT_PARAMETERS = ("header accept", "header content-type", "header authorization")
"""Of these, other parts of an operation speak."""


def in_operations(ours: Contract, theirs: Contract) -> Iterator[Difference]:
    """Yield how the contract that clients are written by differs from another, by operations."""
    mine, others = ({f"{each.method} {each.path}": each for each in of.operations} for of in (ours, theirs))
    names = {_IN_BRACES.sub("{}", name): name for name in mine if name not in others}
    renamed = {name: names.get(_IN_BRACES.sub("{}", name), name) for name in others if name not in mine}
    others = {renamed.get(name, name): each for name, each in others.items()}
    yield from _Comparison(ours, theirs).all("operation", mine, others, True)


def in_webhooks(ours: Contract, theirs: Contract) -> Iterator[Difference]:
    """Yield how their webhooks differ."""
    mine, others = ({f"webhook {name}": of.webhooks[name] for name in of.webhooks} for of in (ours, theirs))
    yield from _Comparison(ours, theirs).all("webhook", mine, others, False)


class _Comparison:
    """What is known of two contracts while they are compared."""

    def __init__(self, ours: Contract, theirs: Contract) -> None:
        self._contracts = ours, theirs
        self._schemas: dict[bool, Schemas] = {}

    def all(self, what: str, ours: _Operations, theirs: _Operations, is_sent: bool) -> Iterator[Difference]:
        """Yield how operations differ; `is_sent` tells whether it is clients who call them."""
        for name, old, new in _each(ours, theirs):
            found = [*presence(what, old, new, is_sent=is_sent)]
            found += self._operation(old, new, is_sent) if old and new else ()
            yield from (replace(one, operation=name) for one in found)

    def _operation(self, ours: Operation, theirs: Operation, is_sent: bool) -> Iterator[Difference]:
        was, now = map(_ways_in, (ours, theirs), self._contracts)
        if was != now:
            is_open = all(any(other <= way for other in now) for way in was)
            yield Difference("security", Kind.WIDER if is_open else Kind.NARROWER, _words(was), _words(now))
        yield from self._parameters(_parameters(ours, ours), _parameters(theirs, ours), is_sent)
        yield from presence("body", ours.body, theirs.body, where="request", is_sent=is_sent)
        if ours.body and theirs.body:
            yield from self._content("request", ours.body.content, theirs.body.content, is_sent)
        for status, old, new in _each(ours.responses, theirs.responses):
            if old and new:
                yield from self._content(status, old.content, new.content, not is_sent)
                yield from self._parameters(_headers(old), _headers(new), not is_sent)
            else:
                is_error = not status.startswith(("2", "3"))
                gone, added = (Kind.FEWER, Kind.ADDED) if is_error else (Kind.GONE, Kind.MORE)
                yield Difference("status", gone if old else added, where=status, is_sent=not is_sent)

    def _parameters(
        self, ours: Mapping[str, Parameter], theirs: Mapping[str, Parameter], is_sent: bool
    ) -> Iterator[Difference]:
        for where, old, new in _each(ours, theirs):
            yield from presence("parameter", old, new, where=where, is_sent=is_sent)
            yield from self._schema(where, old, new, is_sent)

    def _content(
        self, where: str, ours: Mapping[str, MediaType], theirs: Mapping[str, MediaType], is_sent: bool
    ) -> Iterator[Difference]:
        for name, old, new in _each(ours, theirs):
            yield from presence("media type", old, new, where=f"{where} {name}", is_sent=is_sent)
            place = where if len(ours) == len(theirs) == 1 else f"{where} {name}"
            yield from self._schema(place, old, new, is_sent)

    def _schema(
        self, where: str, ours: _Judged | None, theirs: _Judged | None, is_sent: bool
    ) -> Iterator[Difference]:
        if ours and theirs:
            if is_sent not in self._schemas:
                hidden = "readOnly" if is_sent else "writeOnly"
                shapes = (Shapes(each.schema.document, hidden) for each in (ours, theirs))
                self._schemas[is_sent] = Schemas(*shapes)
            for one in self._schemas[is_sent].differences(ours.schema.node, theirs.schema.node):
                yield replace(one, where=where, is_sent=is_sent)


def _each(ours: Mapping[str, _T], theirs: Mapping[str, _T]) -> Iterator[tuple[str, _T | None, _T | None]]:
    return ((name, ours.get(name), theirs.get(name)) for name in {**ours, **theirs})


def _parameters(operation: Operation, named_by: Operation) -> dict[str, Parameter]:
    """Its parameters by where they are; those of its path are called as those of another's."""
    names = dict(zip(*(_IN_BRACES.findall(each.path) for each in (operation, named_by)), strict=False))
    places = {
        f"{one.location} {names.get(one.name, one.name) if one.location == 'path' else one.name}": one
        for one in operation.parameters
    }
    lower = {name.lower() if name.startswith("header") else name: one for name, one in places.items()}
    return {name: one for name, one in lower.items() if name not in _NOT_PARAMETERS}


def _headers(response: DeclaredResponse) -> dict[str, Parameter]:
    return {f"{response.status} header {one.name.lower()}": one for one in response.headers}


def _ways_in(operation: Operation, contract: Contract) -> set[frozenset[str]]:
    """The ways to prove who one is, each as all that it takes."""
    said = operation.node.get("security", contract.document.get("security", []))
    ways = set()
    for schemes, scopes in zip(operation.security, said, strict=True):
        words = ((each.type or each.name, each.scheme, each.location, each.parameter) for each in schemes)
        listed = (
            [many for many in scopes.values() if isinstance(many, list)] if isinstance(scopes, dict) else []
        )
        granted = [f"{scope}" for many in listed for scope in many]
        ways.add(frozenset([*(" ".join(f"{word}" for word in each if word) for each in words), *granted]))
    return ways or {frozenset()}


def _words(ways: Iterable[frozenset[str]]) -> str:
    return " or ".join(sorted(" and ".join(sorted(way)) or "nothing" for way in ways))
