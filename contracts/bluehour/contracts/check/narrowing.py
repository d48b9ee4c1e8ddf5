"""A contract with the operations alone that a check is asked about, and those that it needs to try them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.resources.families import shape_of
from bluehour.openapi.terms import usual_price

from ..exchange import label_of
from .checker import CREATES, DELETES, READS, UPLOADS

_ACCOUNT = "get-account"


def narrowed(contract: Contract, names: Collection[str]) -> Contract:
    """Return a contract with the operations that are named, and what they need; all of it where none is.

    Args:
        contract: which has them.
        names: of each its method and path, as in `POST /v1/ai-photo-editor`, its id, or the path alone.

    Raises:
        ValueError: there is no such operation; the message names the nearest.
    """
    if not names:
        return contract
    asked = [operation for name in names for operation in _named(contract, name)]
    needed = {each.id for operation in asked for each in (operation, *_needs(contract, operation))}
    return contract.narrowed_to(needed)


def _named(contract: Contract, name: str) -> list[Operation]:
    method, _, path = name.strip().partition(" ")
    wanted = (f"{method.upper()} {path.strip()}", method, method)
    found = [each for each in contract.operations if any(map(_names_of(each).__contains__, wanted))]
    if not found:
        known = {each for operation in contract.operations for each in _names_of(operation)}
        near = difflib.get_close_matches(name, known, 1, 0)
        raise ValueError(f"--operation: there is no operation {name}; the nearest is {''.join(near)}")
    return found


def _names_of(operation: Operation) -> tuple[str, str, str]:
    return label_of(operation), operation.id, operation.path


def _needs(contract: Contract, operation: Operation) -> Iterator[Operation]:
    """Yield what makes the items that an operation is about, and what shows and removes them."""
    if operation.behaviour is not None:
        yield from _of_projects(contract, operation)
        return
    known = contract.actions.get(operation.id)
    path = shape_of(operation.path)
    for action in contract.actions.values():
        at = shape_of(action.resource.path)
        is_own = known is not None and action.resource is known.resource
        if is_own or (action.makes and (path == at or path.startswith(f"{at}/"))):
            yield action.operation


def _of_projects(contract: Contract, operation: Operation) -> Iterator[Operation]:
    own = [each for each in contract.operations if each.behaviour]
    kind = operation.project_kind
    if operation.behaviour == UPLOADS or not kind:
        yield from [each for each in own if each.behaviour == READS][:1]  # which tells whether one is welcome
        return
    alike = [each for each in own if each.project_kind == kind]
    if operation.behaviour != CREATES:
        creates = [each for each in alike if each.behaviour == CREATES]
        # One that costs something: credits move by it, too.
        yield from sorted(creates, key=lambda each: (not usual_price(each), usual_price(each)))[:1]
    yield from (each for each in alike if each.behaviour in (READS, DELETES))
    yield from (each for each in own if each.behaviour in (UPLOADS, _ACCOUNT))
