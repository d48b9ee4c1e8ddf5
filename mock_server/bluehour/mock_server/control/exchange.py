"""What a control operation is given, and how it refuses; every feature has operations of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bluehour.openapi.wording import cut

from ..api.call import Answer


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One legal call of the control API.

    Attributes:
        parameters: of path and query by name, with their defaults.
        body: the JSON body as data; an empty object where there is none.
        base_url: what the caller reaches the server by.
        upstream: the base URL of the server that a proxy stands before; None for a mock.
    """

    parameters: Mapping[str, Any]
    body: Mapping[str, Any]
    base_url: str
    upstream: str | None = None


Handler = Callable[[ControlCall], Answer]


def handlers_of(operations: object) -> dict[str, Handler]:
    """Return an object's public methods by the operations they carry out: `list_rules` does `listRules`."""
    names = [name for name in dir(operations) if not name.startswith("_")]
    return {_in_camel_case(name): getattr(operations, name) for name in names}


def _in_camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


class ControlRefusal(Exception):
    """The call can't be carried out; nothing has changed.

    Attributes:
        status: such as 404.
        code: for programs.
        message: for people: what to change.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> ControlRefusal:
    """Return the refusal of what the contract allows, but this mock can't do."""
    return ControlRefusal(400, "invalid_request", message)


def conflict(message: str) -> ControlRefusal:
    """Return the refusal of what would be possible at another time."""
    return ControlRefusal(409, "conflict", message)


@contextmanager
def existing(what: str, name: object) -> Iterator[None]:
    """Have a KeyError mean that there is no such thing.

    Raises:
        ControlRefusal: 404.
    """
    try:
        yield
    except KeyError:
        raise unknown(what, name) from None


def unknown(what: str, name: object) -> ControlRefusal:
    """Return the refusal of an id that there is not."""
    return ControlRefusal(404, "not_found", f"There is no {what} {cut(str(name))}")
