"""What a client under test is to have done: one of a contract's creates, and a request for it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bluehour.mock_server.api.representation import reader_of
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.values import ITEMS
from bluehour.openapi.wording import sentence

from .script import Place
from .stage.bodies import places_in
from .stage.projects import not_offered
from .stage.world import fits

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        operation: creates it.
        reader: shows it.
        request: the body: the published example, or a change of it.
        uploads: where the request names a file that is to be uploaded, and the file's type of asset.
    """

    operation: Operation
    reader: Operation
    request: Mapping[str, Any]
    uploads: tuple[tuple[Steps, str], ...]

    @property
    def call(self) -> str:
        """The operation as reports tell it: `POST /v1/text-to-video`."""
        return f"{self.operation.method} {self.operation.path}"

    def request_with(self, files: Mapping[str, Path]) -> dict[str, Any]:
        """Return the request with files of this machine in the place of those that are to be uploaded."""
        request = copy.deepcopy(dict(self.request))
        for (*steps, last), kind in self.uploads:
            parent: Any = request
            for step in steps:
                parent = parent[step]
            parent[last] = str(files[kind])
        return request


def wanted_of(contract: Contract, name: str = "", changes: Mapping[str, Any] | None = None) -> Wanted:
    """Return what a name asks for.

    Args:
        contract: has the operation.
        name: its id, or its path, of which the end is enough; of nothing, the first that creates.
        changes: to the published example of its request: a JSON Merge Patch (RFC 7396).

    Raises:
        ValueError: there is no such create, or it does not take the request; the message says why.
    """
    operation = _named(contract, name)
    media = operation.json_body
    request = _merged(media.example if media else {}, changes or {})
    if message := _why_not(contract, operation, request):
        raise ValueError(f"{operation.path} does not take this request: {message}")
    reader, uploads = creates_of(contract)[operation], _uploads(contract, operation, request)
    return Wanted(operation, reader, request, tuple(uploads))


@cache
def creates_of(contract: Contract) -> Mapping[Operation, Operation]:
    """Return the operations that can be wanted: those that create projects, each with what shows these."""
    return {
        each: reader
        for each in contract.operations
        if each.behaviour and places_in(contract)[each.id] is Place.CREATE
        if (reader := reader_of(contract, each.project_kind))
    }


def _named(contract: Contract, name: str) -> Operation:
    creates, end = [*creates_of(contract)], f"/{name.strip('/')}"
    found = [each for each in creates if each.id == name or each.path.endswith(end)]
    if name and len(found) != 1:
        known = ", ".join(each.path for each in found or creates)
        problem = f"there is no create {name!r}" if not found else f"{name!r} may be several"
        raise ValueError(f"{problem}; there are {known}" if known else f"{problem}, nor any other")
    return (found or creates)[0]


def _why_not(contract: Contract, operation: Operation, request: Any) -> str:
    media = operation.json_body
    if media and (faults := media.schema.faults(request)):
        return sentence(faults)
    return next(not_offered(contract, operation, request), "")


def _merged(value: Any, changes: Any) -> Any:
    """Return a value as a JSON Merge Patch changes it."""
    if not isinstance(changes, Mapping):
        return changes
    kept = dict(value) if isinstance(value, Mapping) else {}
    kept |= {name: _merged(kept.get(name), change) for name, change in changes.items()}
    return {name: each for name, each in kept.items() if each is not None or name not in changes}


def _uploads(contract: Contract, operation: Operation, request: Any) -> Iterator[tuple[Steps, str]]:
    """Yield where a request names a file that only examples name, and the type of asset that it is."""
    examples = tuple(contract.extension("x-example-assets", ()))
    for path, kinds in operation.annotated("x-asset-type"):
        kinds = [kinds] if isinstance(kinds, str) else kinds
        for steps, name in _places(request, path):
            if isinstance(name, str) and name.startswith(examples):
                extension = name.rpartition(".")[2]
                yield steps, next((kind for kind in kinds if fits(extension, [kind], contract)), kinds[0])


def _places(value: Any, path: tuple[str, ...], before: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield where a path leads to, and what is there."""
    if not path:
        yield before, value
    elif path[0] == ITEMS and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, path[1:], (*before, number))
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _places(value[path[0]], path[1:], (*before, path[0]))
