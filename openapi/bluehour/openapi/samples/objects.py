"""Objects with the properties that a schema requires, declares and allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from typing import Any

from ..schema import matches
from .merging import Draw, Node
from .strings import strings

_MANY = 12  # properties that are left out or added alone
_EXTRA = 1_000  # names that are tried for properties that nothing declares


def objects(shape: dict[str, Any], draw: Draw, lean: bool) -> Iterator[dict[str, Any]]:
    """Yield objects: with all properties or, where lean, those it must have, then with fewer ones."""
    members = _Members(shape, draw)
    required = members.closed(shape.get("required", ()))
    if not all(map(members.first, required)):
        return
    chosen = members.chosen(required, lean)
    spare = [name for name in chosen if name not in required][:_MANY]
    yield members.made(chosen)
    yield from (members.made(name for name in chosen if name != left_out) for left_out in spare)
    yield members.made(required)
    yield from (members.made([*required, name]) for name in spare)


class _Members:
    """The properties that an object may have."""

    def __init__(self, shape: dict[str, Any], draw: Draw) -> None:
        self._shape = shape
        self._draw = draw
        self._declared: dict[str, Node] = shape.get("properties", {})
        self._firsts: dict[str, list[Any]] = {}

    def first(self, name: str) -> list[Any]:
        """Return a property's best value in a list, or no value: None is a value of its own."""
        if name not in self._firsts:
            self._firsts[name] = list(islice(self._draw(self._node(name)), 1))
        return self._firsts[name]

    def made(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the object of these properties and those that they require, in the declared order."""
        closed = self.closed(names)
        order = [*(name for name in self._declared if name in closed), *closed]
        return {name: self.first(name)[0] for name in order if self.first(name)}

    def closed(self, names: Iterable[str]) -> list[str]:
        """Add the properties that other ones require, and theirs."""
        dependents = self._shape.get("dependentRequired", {})
        closed = list(dict.fromkeys(names))
        for name in closed:
            closed += (other for other in dependents.get(name, ()) if other not in closed)
        return closed

    def chosen(self, required: list[str], lean: bool) -> list[str]:
        """Add the optional properties that there is room for, and undeclared ones where more are demanded."""
        few, most = self._shape.get("minProperties", 0), self._shape.get("maxProperties", _EXTRA)
        if isinstance(self._shape.get("additionalProperties"), dict) and not (lean or self._declared):
            few = max(few, 1)
        chosen = list(required)
        for name in chain(self._declared, islice(self._undeclared(), _EXTRA)):
            if len(chosen) >= (few if lean or name not in self._declared else most):
                break
            if name not in chosen and self.first(name):
                chosen.append(name)
        return chosen

    def _node(self, name: str) -> Node:
        """Return what a property's value must satisfy."""
        nodes = [self._declared[name]] if name in self._declared else []
        patterns = self._shape.get("patternProperties", {})
        nodes += (patterns[pattern] for pattern in patterns if matches(pattern, name))
        nodes = nodes or [self._shape.get("additionalProperties", True)]
        return nodes[0] if len(nodes) == 1 else {"allOf": nodes}

    def _undeclared(self) -> Iterator[str]:
        if "propertyNames" in self._shape:
            return (name for name in self._draw(self._shape["propertyNames"]) if isinstance(name, str))
        patterns = self._shape.get("patternProperties", {})
        named = chain.from_iterable(islice(strings({"pattern": pattern}), _MANY) for pattern in patterns)
        return chain(named, (f"key{number or ''}" for number in count()))
