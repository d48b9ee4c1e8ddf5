"""What a control operation is given, and how it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Request

from bluehour.openapi.wording import cut

if TYPE_CHECKING:
    from ..mock import Mock


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One legal call of the control API.

    Attributes:
        mock: what is controlled.
        parameters: of path and query by name, with their defaults.
        body: the JSON body as data; an empty object where there is none.
        request: the request itself.
    """

    mock: Mock
    parameters: Mapping[str, Any]
    body: Mapping[str, Any]
    request: Request


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
