"""The bodies of right answers and of errors: the contract's own examples, with what is true here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from bluehour.mock_server.core.clock import isoformat
from bluehour.openapi.contract import Contract
from bluehour.openapi.messages import named
from bluehour.openapi.model import DeclaredResponse, Operation
from bluehour.openapi.resources.shapes import field_of

from ..script import Place, Turn

PLACES: Mapping[str, Place] = {
    "create-upload-urls": Place.UPLOAD_URLS,
    "create-project": Place.CREATE,
    "get-project": Place.POLL,
    "delete-project": Place.DELETE,
}
"""What each of the contract's behaviours is for a client."""

_KINDS: Mapping[str, Place] = {"create": Place.CREATE, "read": Place.POLL, "delete": Place.DELETE}
"""What each kind of action on a resource is for one."""

_DATE = "date+"


@cache
def places_in(contract: Contract) -> Mapping[str, Place]:
    """Return what each operation of a contract is for a client, by operation id."""
    return {operation.id: _place(contract, operation) for operation in contract.operations}


def _place(contract: Contract, operation: Operation) -> Place:
    if operation.behaviour is not None:
        return PLACES.get(operation.behaviour, Place.CALL)
    action = contract.actions.get(operation.id)
    return _KINDS.get(action.kind, Place.CALL) if action else Place.CALL


@cache
def right(operation: Operation) -> Any:
    """Return the example of the answer with which an operation succeeds; None where that has no body."""
    media = operation.success[1].json
    return media.example if media else None


def is_sound(operation: Operation, body: Any) -> bool:
    """Tell whether a body is what an operation may answer when it succeeds."""
    media = operation.success[1].json
    return media is None or media.schema.accepts(body)


def has_code(response: DeclaredResponse, code: str) -> bool:
    """Tell whether an error that is declared may have a code; nothing stands for its usual one."""
    return not code or response.json is None or field_of(response.json.schema, "code").accepts(code)


def error(contract: Contract, operation: Operation | None, status: int, code: str, message: str = "") -> Any:
    """Return an error's envelope: the contract's example of the status, with a code and a message."""
    response = contract.declared(operation, status)
    example = (
        response.json.example
        if response and response.json
        else dict(zip(("code", "message"), named(status), strict=True))
    )
    return example | ({"code": code} if code else {}) | ({"message": message} if message else {})


def with_fields(body: Any, turn: Turn) -> Any:
    """Return a copy of a body with what a turn puts in it, and without what it leaves out."""
    changed = _copied(body)
    for path, value in turn.fields.items():
        *steps, last = path.split(".")
        if isinstance(parent := _parent(changed, steps), dict):
            parent[last] = value
    for path in turn.without:
        *steps, last = path.split(".")
        if isinstance(parent := _parent(changed, steps), dict):
            parent.pop(last, None)
    return changed


def _parent(body: Any, steps: list[str]) -> Any:
    """What is at a path; None where there is nothing, as in a list of downloads that is still empty."""
    for step in steps:
        if isinstance(body, list):
            body = body[int(step)] if step.isdecimal() and int(step) < len(body) else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def _copied(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _copied(value) for name, value in body.items()}
    return [_copied(value) for value in body] if isinstance(body, list) else body


def in_time(now: float, seconds: float) -> str:
    """Return a time some seconds later, as the contract writes times."""
    return isoformat(int(now + seconds))


def retry_after(turn: Turn, now: float, longest: float) -> str:
    """Return the header that a turn wants, no longer than a client can be made to wait."""
    wait = seconds_to_wait(turn, longest)
    if wait is None:
        return turn.retry_after
    if not turn.retry_after.startswith(_DATE):
        return f"{wait:.0f}"
    return format_datetime(datetime.fromtimestamp(now, UTC) + timedelta(seconds=wait), usegmt=True)


def seconds_to_wait(turn: Turn, longest: float) -> float | None:
    """Return for how long a turn's Retry-After sends a client away; None where it does not."""
    seconds = turn.retry_after.removeprefix(_DATE)
    return min(float(seconds), longest) if seconds.isdecimal() else None
