"""Which operation of a contract a request calls: its method and path as they came -> operation and values.

Whoever carries messages (the mock, the proxy, the fuzz stage) asks here. How paths are read:

- They are split at their slashes, and percent signs are undone in each segment, so that `a%2Fb` is one value.
- A parameter is a whole segment (`{id}`) or shares one with text and others (`{z}/{x}-{y}.png`); no
  value is empty. Where texts fit at several places, the first value takes most.
- Where several templates fit, the one with the fewest parameters wins (`/pets/mine` before `/pets/{id}`),
  then the one whose text comes first, then the one with more text beside its parameters.
- A path of the contract that ends in a slash may be called without it, GET by HEAD as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from .contract import Contract
from .model import Operation

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_WHOLE = ["", ""]
"""The texts beside a parameter that is a whole segment."""


class Match(NamedTuple):
    """What a request calls.

    Attributes:
        operation: of the contract.
        values: of the path's parameters by name, percent signs undone.
        prefix: before the contract's path: one of its base paths, or nothing.
    """

    operation: Operation
    values: Mapping[str, str]
    prefix: str


class Routes:
    """Finds operations.

    Args:
        contract: which has them.
        prefixes: what may stand before a path of the contract; by default nothing, or one of its base paths.
            An operation with servers of its own is found behind the paths of those as well.
    """

    def __init__(self, contract: Contract, prefixes: Sequence[str] | None = None) -> None:
        self._exact: dict[tuple[str, str], Match] = {}
        shapes: dict[_Shape, dict[tuple[str, ...], list[_Route]]] = {}
        for route in _routes_of(contract, ("", *contract.base_paths) if prefixes is None else prefixes):
            if not route.names:
                self._exact.setdefault((route.method, route.path), Match(route.operation, {}, route.prefix))
            shapes.setdefault(route.shape, {}).setdefault(route.texts, []).append(route)
        self._shapes: dict[int, list[tuple[_Shape, dict[tuple[str, ...], list[_Route]]]]] = {}
        for shape in sorted(shapes, key=_Shape.rank):
            for routes in shapes[shape].values():
                routes.sort(key=lambda route: -route.size_of_text)
            self._shapes.setdefault(shape.length, []).append((shape, shapes[shape]))

    def find(self, method: str, raw_path: str) -> Match | None:
        """Return what a request calls; None where the contract has no such method at such a path.

        Args:
            method: as it came, such as `GET`.
            raw_path: the target without its query, percent signs and all.
        """
        exact = self._exact.get((method, raw_path))
        if exact is not None:
            return exact
        for route, segments in self._routes_at(raw_path):
            if route.method == method and (values := route.values_in(segments)) is not None:
                return Match(route.operation, values, route.prefix)
        return None

    def allowed(self, raw_path: str) -> list[str]:
        """Return the methods that a path has, none where the contract has no such path."""
        found = (route.method for route, at in self._routes_at(raw_path) if route.values_in(at) is not None)
        return list(dict.fromkeys(found))

    def _routes_at(self, raw_path: str) -> Iterator[tuple[_Route, list[str]]]:
        """The routes whose whole segments of text are those of a path, and the path's segments."""
        segments = raw_path.split("/")
        if "%" in raw_path:
            segments = [unquote(segment) for segment in segments]
        for shape, routes in self._shapes.get(len(segments), ()):
            for route in routes.get(tuple([segments[place] for place in shape.places]), ()):
                yield route, segments


class _Shape(NamedTuple):
    """What templates may have in common: how many segments and parameters, and which segments are text."""

    length: int
    parameters: int
    places: tuple[int, ...]
    """Of the segments that are text."""

    def rank(self) -> tuple[int, list[bool]]:
        """Return what to sort by: of two shapes that fit a path, the lesser is meant."""
        return self.parameters, [place not in self.places for place in range(self.length)]


class _Route:
    """A method of a template: `GET /v1/tiles/{z}/{x}-{y}.png`."""

    def __init__(self, method: str, path: str, prefix: str, operation: Operation) -> None:
        self.method = method
        self.path = path
        self.prefix = prefix
        self.operation = operation
        self.names: list[str] = _PARAMETER.findall(path)
        split = [list(map(unquote, _PARAMETER.split(each)[::2])) for each in path.split("/")]
        self._gaps = [
            (place, _WHOLE if texts == _WHOLE else texts)
            for place, texts in enumerate(split)
            if len(texts) > 1
        ]
        places = tuple(place for place, texts in enumerate(split) if len(texts) == 1)
        self.texts = tuple(split[place][0] for place in places)
        self.shape = _Shape(len(split), len(self.names), places)
        self.size_of_text = sum(len(text) for texts in split for text in texts)

    def values_in(self, segments: list[str]) -> Mapping[str, str] | None:
        """Return the parameters' values by name, or None where a segment does not fit."""
        values: list[str] = []
        for place, texts in self._gaps:
            found = [segments[place]] if texts is _WHOLE else _between(texts, segments[place])
            if not found or not found[0]:
                return None
            values += found
        return dict(zip(self.names, values, strict=True))


def _routes_of(contract: Contract, prefixes: Sequence[str]) -> Iterator[_Route]:
    """All routes; first what the contract spells out, then what may be called in its place."""
    spelled = [(prefix, operation) for prefix in prefixes for operation in contract.operations]
    own = ((prefix, operation) for operation in contract.operations for prefix in operation.base_paths)
    spelled += [(prefix, operation) for prefix, operation in own if prefix not in prefixes]
    for with_slash in (True, False):
        for as_head in (False, True):
            for prefix, operation in spelled:
                path = prefix + operation.path
                if (with_slash or path.endswith("/")) and (not as_head or operation.method == "GET"):
                    method = "HEAD" if as_head else operation.method
                    yield _Route(method, path if with_slash else path[:-1], prefix, operation)


def _between(texts: list[str], segment: str) -> list[str] | None:
    """Return what stands between texts that follow each other in a segment, most of it in the first gap.

    A regular expression would try every place for every gap: for hours, on a path of thousands of dashes.
    """
    first, *inner, last = texts
    end = len(segment) - len(last)
    if end <= len(first) or not (segment.startswith(first) and segment.endswith(last)):
        return None
    values: list[str] = []
    for text in reversed(inner):
        place = segment.rfind(text, len(first) + 1, end - 1)
        if place < 0:
            return None
        values.append(segment[place + len(text) : end])
        end = place
    return [segment[len(first) : end], *reversed(values)]
